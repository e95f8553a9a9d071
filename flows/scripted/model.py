"""What may be written in a file of scripted conversations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from flows.model import Language
from flows.texts import Name

OUTCOMES = ("contained", "callback", "not_served", "failed")
ACTS = ("caller", "keys", "silence", "nobody_answers", "interrupts", "later")
EXPECTATIONS = ("bot", "not", "slots", "flow")
STEPS = (*ACTS, *EXPECTATIONS)
BARE_STEPS = ("silence", "nobody_answers")  # they need no value

DEFAULT_NOW = datetime(2026, 11, 23, 10, 0)  # a Monday


class _FileModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConversationHead(_FileModel):
    """A conversation; its steps, calls and outcome are looked at one by one."""

    name: Name
    language: Language | None = None
    now: str | None = None
    caller: str = ""
    dialled: str = ""
    systems: dict[str, Any] = {}
    steps: list[Any] = Field(min_length=1)
    asked: list[Any] | None = None
    asked_all: list[Any] | None = None
    outcome: Any = None
    audio: bool = False


class ConversationsFile(_FileModel):
    """tests/*.yaml; each conversation is read by itself, so that a mistake in one hides none in the others."""

    conversations: list[Any] = Field(min_length=1)


@dataclass(frozen=True)
class Place:
    """Where something stands: `file` as the command was given it, line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Step:
    """One step: what the caller does (ACTS), or what must be true then (EXPECTATIONS)."""

    kind: str
    value: Any
    place: Place


@dataclass(frozen=True)
class AskedFor:
    """A call of a company system that was to happen; `arguments` None: whatever they are."""

    operation: str
    arguments: Mapping[str, Any] | None


@dataclass(frozen=True)
class Outcome:
    """How the conversation is to end: `kind` one of OUTCOMES, or "handoff" with its reason."""

    kind: str
    reason: str
    place: Place

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}" if self.reason else self.kind


@dataclass(frozen=True)
class Scripted:
    """A conversation, checked. `now` has no zone: it is the firm's own time."""

    name: str
    place: Place
    language: str
    now: datetime
    steps: tuple[Step, ...]
    caller: str = ""
    dialled: str = ""
    systems: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[AskedFor, ...] | None = None  # those that `asked` names
    calls: tuple[AskedFor, ...] | None = None  # those that `asked_all` names
    asked_place: Place | None = None
    outcome: Outcome | None = None
    audio: bool = False  # it can be spoken and recognised


UNITS: dict[str, timedelta] = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1)}
