"""Who waits, who serves whom: a pure state machine (`Floor`), and its keeping in the database (`StoredFloor`)."""

from voicebot.queueing.floor import Floor
from voicebot.queueing.routing import Facts, Routed, Routing
from voicebot.queueing.store import StoredFloor
from voicebot.queueing.view import Snapshot, snapshot

__all__ = ["Facts", "Floor", "Routed", "Routing", "Snapshot", "StoredFloor", "snapshot"]
