"""What can go wrong around the queue."""

from __future__ import annotations

from voicebot.errors import VoicebotError


class QueueingError(VoicebotError):
    """Base of all errors raised by this package."""

    code = "queueing"


class WrongNumber(QueueingError):
    """Nobody can, or may, be called back at that number."""

    code = "wrong_number"
