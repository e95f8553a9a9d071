"""What baresip's words about the end of a call mean. Pure."""

from __future__ import annotations

from telephony.leg import EndCause

_BY_STATUS = {
    486: EndCause.BUSY,
    600: EndCause.BUSY,
    603: EndCause.DECLINED,
    403: EndCause.DECLINED,
    408: EndCause.NO_ANSWER,
    480: EndCause.NO_ANSWER,
    404: EndCause.UNREACHABLE,
    410: EndCause.UNREACHABLE,
    484: EndCause.UNREACHABLE,
    502: EndCause.UNREACHABLE,
    503: EndCause.UNREACHABLE,
    604: EndCause.UNREACHABLE,
    487: EndCause.CANCELLED,
}

# The words are those of the pinned version; the contract suite makes each of them happen on the wire.
_MEDIA_TIMEOUT = "rtp stream error"
_REMOTE_BYE = "Connection reset by peer"  # sent for BYE and for CANCEL
_NO_RESPONSE = ("Connection timed out", "Operation timed out")
_NO_ROUTE = ("Connection refused", "No route to host", "Network is unreachable", "Host is down", "No such file")
_TRANSFERRED = "Call transfered"


def end_cause(text: str, *, was_up: bool) -> EndCause:
    """Cause of a call that baresip reports closed with `text` and that we did not end ourselves."""
    status = int(text[:3]) if text[:3].isascii() and text[:3].isdecimal() else 0
    if text.startswith(_MEDIA_TIMEOUT):
        return EndCause.MEDIA_TIMEOUT
    if was_up:
        if text.startswith(_TRANSFERRED):
            return EndCause.TRANSFERRED
        if not text or text.startswith(_REMOTE_BYE):
            return EndCause.REMOTE_HANGUP
        return EndCause.FAILED
    if status:
        return _BY_STATUS.get(status, EndCause.FAILED)
    if text.startswith(_REMOTE_BYE):
        return EndCause.CANCELLED
    if text.startswith(_NO_RESPONSE):
        return EndCause.NO_ANSWER
    if text.startswith(_NO_ROUTE):
        return EndCause.UNREACHABLE
    return EndCause.FAILED
