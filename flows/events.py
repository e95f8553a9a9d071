"""Events: all that can happen to a conversation. The engine takes one at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from flows.commands import Understood


@dataclass(frozen=True)
class CallStarted:
    """A call was answered. `caller` is empty when the number is withheld; `language` empty takes the bot's first.

    `people`: the reason why they are to have the call at once, for which the bot only greets. `cut_off`: a fault of
    ours has just ended the caller's last call.
    """

    call_id: str
    caller: str = ""
    dialled: str = ""
    language: str = ""
    channel: Literal["voice", "chat"] = "voice"
    people: str = ""
    cut_off: bool = False


@dataclass(frozen=True)
class Heard:
    """The caller said something. `confidence` is the recogniser's, 0..1."""

    understood: Understood
    text: str = ""
    confidence: float = 1.0


@dataclass(frozen=True)
class Keys:
    """Keys of the telephone, in the order pressed.

    While `Expectation.keys` is true they are gathered until `#` (which is passed on), until the expected length, or
    until no key came for the time between digits. Otherwise each key is an event of its own.
    """

    digits: str


@dataclass(frozen=True)
class NoInput:
    """The caller said nothing for `Expectation.timeout_s`."""


@dataclass(frozen=True)
class SystemResult:
    """A company system answered, or did not. `data` is JSON; when the outcome is not "ok" it may hold an "error"."""

    id: str
    outcome: Literal["ok", "not_found", "failed", "unknown"]
    data: Any = field(default=None)


@dataclass(frozen=True)
class SystemSlow:
    """The call to a company system has taken longer than `CallSystem.slow_after_s`."""

    id: str


@dataclass(frozen=True)
class Interrupted:
    """The caller talked over the bot. `heard` is what was heard of the words that were cut off, `missed` what was not.

    `steps` are the `Say.step` of the sayings that were not heard whole, in order; empty: the last one. It comes before
    the event of what the caller then said.
    """

    heard: str = ""
    missed: str = ""
    steps: tuple[str, ...] = ()


@dataclass(frozen=True)
class HandoffFailed:
    """No agent could take the call; with the reason "callback_wanted" the caller did not want to wait for one."""

    reason: str = ""


@dataclass(frozen=True)
class PeopleWanted:
    """People are to take the call now, whatever it is about: a rule of the company says so, not the caller."""

    reason: str
    queue: str = ""


@dataclass(frozen=True)
class Returned:
    """People have given the call back to the bot, to go on at `flow`, or with whatever the caller wants next."""

    flow: str = ""


@dataclass(frozen=True)
class RecognitionDown:
    """Speech can not be recognised now; keys still work."""


@dataclass(frozen=True)
class Faulted:
    """A part of the bot broke; the caller has to be told and given to people."""


Event = (
    Heard
    | Keys
    | NoInput
    | Interrupted
    | SystemResult
    | SystemSlow
    | HandoffFailed
    | PeopleWanted
    | Returned
    | RecognitionDown
    | Faulted
)
