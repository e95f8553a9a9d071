"""Everything that can go wrong in the application, as one family: a stable code, a plain sentence, a remedy."""

from __future__ import annotations


class VoicebotError(Exception):
    """Base of all errors raised by this package."""

    code = "voicebot"

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UnreadableEvent(VoicebotError):
    """A stored event cannot be read back: unknown name, missing or malformed field."""

    code = "unreadable_event"


class RecordsUnavailable(VoicebotError):
    """The records database cannot be opened or brought up to date."""

    code = "records_unavailable"


class CallNotFound(VoicebotError):
    """No record of that call."""

    code = "call_not_found"


class RecordingNotFound(VoicebotError):
    """There is no recording of that call, or not yet."""

    code = "recording_not_found"


class VoicemailNotFound(VoicebotError):
    """No message of that id, or its sound is gone."""

    code = "voicemail_not_found"


class ConfigError(VoicebotError):
    """The configuration file cannot be used; the message names every mistake and its line."""

    code = "config"


class PipelineEnded(VoicebotError):
    """The pipeline of a call stopped although the call goes on."""

    code = "pipeline_ended"


class ProcessFailed(VoicebotError):
    """A process of ours ended, or was not ready in time."""

    code = "process_failed"


class ServiceFailed(VoicebotError):
    """A configured Pipecat service could not be made, did not start, or reported an error."""

    code = "service_failed"


class ServiceBusy(ServiceFailed):
    """As many connections to a service as are allowed are in use."""

    code = "service_busy"


class WrongNumber(VoicebotError):
    """Nobody can, or may, be called back at that number."""

    code = "wrong_number"


class NotPossible(VoicebotError):
    """A command does not fit what is happening: nobody to hold, an offer that is gone."""

    code = "not_possible"


class LineTaken(VoicebotError):
    """Another browser has the agent's audio line by now."""

    code = "line_taken"


class NotReached(VoicebotError):
    """Somebody who was rung did not answer; `cause` is a stable word: busy, no_answer, declined, unreachable, ..."""

    code = "not_reached"

    def __init__(self, cause: str) -> None:
        super().__init__(f"Nobody answered: {cause}.")
        self.cause = cause


class NotToBeRung(NotReached):
    """A number that may not be rung: not_allowed, limit_reached (for today), not_counted (the database is away)."""

    code = "not_to_be_rung"
