"""Who waits, who serves whom: a pure state machine (`Floor`), and its keeping in the database (`StoredFloor`)."""

from voicebot.queueing.floor import Floor
from voicebot.queueing.routing import Facts, Routed, Routing
from voicebot.queueing.store import StoredFloor

__all__ = ["Facts", "Floor", "Routed", "Routing", "StoredFloor"]
