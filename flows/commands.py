"""Commands: all that an utterance can mean to the engine. Understanding chooses among them and invents nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StartFlow:
    """The caller wants what this flow does."""

    flow: str


@dataclass(frozen=True)
class SetSlot:
    """A value for a slot. The engine checks it: a wrong one is answered with what was wrong."""

    slot: str
    value: Any


@dataclass(frozen=True)
class CorrectSlot:
    """A new value for a slot that already has one; it is read back again where the slot says so."""

    slot: str
    value: Any


@dataclass(frozen=True)
class Affirm:
    """Yes."""


@dataclass(frozen=True)
class Deny:
    """No."""


@dataclass(frozen=True)
class Repeat:
    """Say that again."""


@dataclass(frozen=True)
class Slower:
    """Say that again, more slowly."""


@dataclass(frozen=True)
class Wait:
    """Give me a moment."""


@dataclass(frozen=True)
class Cancel:
    """Leave this task."""


@dataclass(frozen=True)
class StartOver:
    """Begin this task anew."""


@dataclass(frozen=True)
class NoneGiven:
    """The caller has no such value."""

    slot: str


@dataclass(frozen=True)
class AskMachine:
    """Am I talking to a machine?"""


@dataclass(frozen=True)
class Abuse:
    """The caller swears at the bot."""


@dataclass(frozen=True)
class SpeakLanguage:
    """The caller speaks, or wants, another language: "pl", "en", "uk", "ru", "de"."""

    language: str


@dataclass(frozen=True)
class Emergency:
    """A word that the bot declares to be an emergency."""


@dataclass(frozen=True)
class AskHuman:
    """I want a person."""


@dataclass(frozen=True)
class Goodbye:
    """That is all."""


@dataclass(frozen=True)
class RefuseRecording:
    """Do not record me."""


@dataclass(frozen=True)
class AskKnowledge:
    """A question that the bot's knowledge may answer.

    `sources` are the passages that do, the best first (see `flows.knowledge.Passage.source`); without any the bot does
    not know. `answer`: words in which they may be put; they are said only where the passages bear them out.
    """

    sources: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True)
class NoMatch:
    """Nothing of what may be said now."""


Command = (
    StartFlow
    | SetSlot
    | CorrectSlot
    | Affirm
    | Deny
    | Repeat
    | Slower
    | Wait
    | Cancel
    | StartOver
    | NoneGiven
    | AskMachine
    | Abuse
    | SpeakLanguage
    | Emergency
    | AskHuman
    | Goodbye
    | RefuseRecording
    | AskKnowledge
    | NoMatch
)

COMMAND_NAMES: dict[type[Command], str] = {
    StartFlow: "start_flow",
    SetSlot: "set_slot",
    CorrectSlot: "correct_slot",
    Affirm: "affirm",
    Deny: "deny",
    Repeat: "repeat",
    Slower: "slower",
    Wait: "wait",
    Cancel: "cancel",
    StartOver: "start_over",
    NoneGiven: "none_given",
    AskMachine: "ask_machine",
    Abuse: "abuse",
    SpeakLanguage: "speak_language",
    Emergency: "emergency",
    AskHuman: "handoff",
    Goodbye: "goodbye",
    RefuseRecording: "refuse_recording",
    AskKnowledge: "ask_knowledge",
    NoMatch: "no_match",
}


def command_name(command: Command) -> str:
    """The stable name used in the call's record and in `TurnContext.commands`."""
    return COMMAND_NAMES[type(command)]


@dataclass(frozen=True)
class Understood:
    """What an utterance meant. `confidence` is 0..1; `reason` is a plain remark for the call's record."""

    commands: tuple[Command, ...]
    source: str
    confidence: float = 1.0
    reason: str = ""
