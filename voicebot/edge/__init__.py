"""The edge: Kamailio and rtpengine between the bots and the world, configured from the `edge` section."""
