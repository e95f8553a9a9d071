"""What can go wrong in watching and telling."""

from __future__ import annotations

from voicebot.errors import VoicebotError


class AlertNotFound(VoicebotError):
    """There is no such alert any more."""

    code = "alert_not_found"


class DeliveryFailed(VoicebotError):
    """What was to be sent was not taken; it is tried again."""

    code = "delivery_failed"


class MailFailed(DeliveryFailed):
    """The mail server did not take a message."""

    code = "mail_failed"
