"""What turn-taking is told (signals) and what it asks for (effects). Times are samples of the caller's audio."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Progress(StrEnum):
    """How far the caller's words have come, by what the flow waits for."""

    NOTHING = "nothing"  # no words
    UNFINISHED = "unfinished"  # they show themselves that more is coming: a hesitation, digits that are missing
    OPEN = "open"  # the flow cannot act on them (yet)
    LIKELY = "likely"  # the flow could act on them, but they are uncertain or no answer to its question
    COMPLETE = "complete"  # they answer


@dataclass(frozen=True)
class Patience:
    """How long a pause may be, in ms, before the turn ends; and how long silence may last before it is a no-input."""

    complete_ms: int = 300
    likely_ms: int = 700
    open_ms: int = 800
    unfinished_ms: int = 1500
    no_input_ms: int = 7000
    longest_ms: int = 30000  # a caller who never stops is answered after this

    def after(self, progress: Progress) -> int:
        match progress:
            case Progress.COMPLETE:
                return self.complete_ms
            case Progress.LIKELY:
                return self.likely_ms
            case Progress.UNFINISHED:
                return self.unfinished_ms
        return self.open_ms


# What Turns is told


@dataclass(frozen=True)
class CallerSuspected:
    """Something sounds like the caller's voice; CallerStarted or CallerDismissed follows at once."""


@dataclass(frozen=True)
class CallerDismissed:
    pass


@dataclass(frozen=True)
class CallerStarted:
    at: int


@dataclass(frozen=True)
class CallerPaused:
    at: int


@dataclass(frozen=True)
class Guess:
    """What the words up to a pause seem to be.

    listening: a mere "mhm", or a yes to what the bot was saying. sure: the recogniser is, in what it heard.
    """

    utterance: int
    progress: Progress
    listening: bool = False
    sure: bool = True


@dataclass(frozen=True)
class PartialGuess:
    """What the words seem to be while the caller speaks on; see Guess."""

    progress: Progress
    listening: bool = False
    sure: bool = True


@dataclass(frozen=True)
class BotStarted:
    interruptible: bool = True


@dataclass(frozen=True)
class BotFinished:
    pass


@dataclass(frozen=True)
class KeyPressed:
    pass


@dataclass(frozen=True)
class Expect:
    """The flow now waits for something; `patience` says how long."""

    patience: Patience


@dataclass(frozen=True)
class Elapsed:
    """Nothing but time has passed."""


Signal = (
    CallerSuspected
    | CallerDismissed
    | CallerStarted
    | CallerPaused
    | Guess
    | PartialGuess
    | BotStarted
    | BotFinished
    | KeyPressed
    | Expect
    | Elapsed
)


# What Turns asks for


@dataclass(frozen=True)
class Duck:
    """The bot's voice goes on, softer: somebody may be speaking into it."""


@dataclass(frozen=True)
class Unduck:
    """It was nobody."""


@dataclass(frozen=True)
class Hold:
    """The bot's voice pauses where it is: somebody speaks into it."""


@dataclass(frozen=True)
class Resume:
    """The bot's voice goes on from where it was, at its full level."""

    reason: str


@dataclass(frozen=True)
class StopBot:
    """The bot has been interrupted: what it was saying is over."""

    reason: str


@dataclass(frozen=True)
class Follow:
    """Recognise what the caller says from sample `start` on while it is being said, until the next Decode."""

    start: int


@dataclass(frozen=True)
class Decode:
    """Recognise samples `start`..`end` now; the turn may yet go on."""

    utterance: int
    start: int
    end: int


@dataclass(frozen=True)
class DropDecode:
    """The caller went on speaking: that decoding is of no use any more."""

    utterance: int


@dataclass(frozen=True)
class EndTurn:
    """The turn is the caller's words of `utterance`, which a Decode has named. `pause_ms`: how long was waited."""

    utterance: int
    reason: str
    pause_ms: int = 0


@dataclass(frozen=True)
class NoInput:
    pass


Effect = Duck | Unduck | Hold | Resume | StopBot | Follow | Decode | DropDecode | EndTurn | NoInput
