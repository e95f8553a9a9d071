"""Everything that can go wrong in telephony, as one family: a stable code, a plain sentence, a remedy."""

from __future__ import annotations


class TelephonyError(Exception):
    """Base of all errors raised by this package."""

    code = "telephony"

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class EndpointStartError(TelephonyError):
    """The SIP endpoint could not start: port taken, address not ours, codec unknown."""

    code = "endpoint_start"


class EndpointDead(TelephonyError):
    """The SIP stack's thread has died; the process has to be replaced."""

    code = "endpoint_dead"


class DialFailed(TelephonyError):
    """An outbound call was not answered; `cause` says why."""

    code = "dial_failed"

    def __init__(self, cause: str, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.cause = cause


class LegGone(TelephonyError):
    """The leg ended before the operation could be done."""

    code = "leg_gone"


class PlayerFull(TelephonyError):
    """More speech was queued for playing than a player holds."""

    code = "player_full"


class RecordingFailed(TelephonyError):
    """The recording could not be opened or went bad."""

    code = "recording_failed"


class TransferFailed(TelephonyError):
    """A blind transfer was refused or did not come about; the leg is still up."""

    code = "transfer_failed"


class OfferRefused(TelephonyError):
    """A browser's offer (SDP) is not one for a line of ours."""

    code = "offer_refused"


class LinesFull(TelephonyError):
    """There are as many browsers' lines as may be."""

    code = "lines_full"


class LinesAway(TelephonyError):
    """The process that has the browsers' audio does not answer."""

    code = "lines_away"


class NotForBrowsers(TelephonyError):
    """What was asked of a browser's leg is done by telephones only."""

    code = "not_for_browsers"


class NobodyToWhisperTo(TelephonyError):
    """A supervisor wants to whisper and there is nobody who could hear it."""

    code = "nobody_to_whisper_to"
