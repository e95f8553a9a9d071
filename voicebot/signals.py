"""What turn-taking is told (signals) and what it asks for (effects). Times are samples of the caller's audio."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """How long a pause may be, in ms, before the turn ends; and how long silence may last before it is a no-input."""

    answered_ms: int = 300  # the words so far already answer
    open_ms: int = 800  # they do not (yet)
    no_input_ms: int = 7000
    probe_ms: int = 300  # speech into the bot's speech is recognised this often, to see whether it is an interruption
    confirm_ms: int = 900  # and this long it is one, whatever the words
    longest_ms: int = 30000  # a caller who never stops is answered after this


# What Turns is told


@dataclass(frozen=True)
class CallerStarted:
    at: int


@dataclass(frozen=True)
class CallerPaused:
    at: int


@dataclass(frozen=True)
class Guess:
    """What the words up to a pause seem to be. `answers`: the flow could act on them. `words`: there were any."""

    utterance: int
    words: bool
    answers: bool
    back_channel: bool = False


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


Signal = CallerStarted | CallerPaused | Guess | BotStarted | BotFinished | KeyPressed | Expect | Elapsed


# What Turns asks for


@dataclass(frozen=True)
class Duck:
    pass


@dataclass(frozen=True)
class Unduck:
    pass


@dataclass(frozen=True)
class StopBot:
    pass


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
    """The turn is the caller's words of `utterance`, which a Decode has named."""

    utterance: int
    reason: str


@dataclass(frozen=True)
class NoInput:
    pass


Effect = Duck | Unduck | StopBot | Decode | DropDecode | EndTurn | NoInput
