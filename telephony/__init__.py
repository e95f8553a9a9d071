"""Telephone legs, the media thread, rooms, recording, music. Imports none of our other packages."""
