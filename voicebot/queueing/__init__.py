"""Who waits, who serves whom: a pure state machine (`Floor`), and its keeping in the database (`StoredFloor`)."""

from voicebot.queueing.floor import Floor

__all__ = ["Floor"]
