"""The conversation's state between two events, and what a step of the engine returns."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol
from zoneinfo import ZoneInfo

from flows.actions import Action
from flows.commands import Understood

if TYPE_CHECKING:
    from flows.slots.base import Slot


@dataclass(frozen=True)
class State:
    """Wrapper of a JSON-ready dict; treat it as a value. What is inside belongs to the engine."""

    data: Mapping[str, Any]

    @property
    def mode(self) -> Literal["listening", "calling", "transferring", "ended"]:
        """Who has to act next: the caller, a company system, the handoff, or nobody."""
        mode: Literal["listening", "calling", "transferring", "ended"] = self.data["mode"]
        return mode

    @property
    def language(self) -> str:
        """Language of the conversation, "pl" or "en"."""
        return str(self.data["language"])

    @property
    def flow(self) -> str:
        """Name of the flow the caller is in, or empty."""
        frames = self.data["frames"]
        return str(frames[-1]["flow"]) if frames else ""

    @property
    def now(self) -> datetime:
        """When the last event happened, in the firm's time zone."""
        now = datetime.fromisoformat(self.data["now"])
        return now.astimezone(ZoneInfo(self.data["zone"])) if self.data["zone"] else now

    @property
    def slots(self) -> dict[str, Any]:
        """What was collected in the flows that are running or ran last."""
        return dict(self.data["collected"])

    @property
    def personal(self) -> tuple[str, ...]:
        """Values that company systems gave and marked as personal: no record and nobody's summary shows them."""
        return tuple(self.data["personal"])

    @property
    def misses(self) -> int:
        """How often in a row the open question was not answered in words that were understood."""
        return int(self.data["misses"])

    def to_json(self) -> dict[str, Any]:
        """An own copy of the data, for `json.dumps`."""
        return copy.deepcopy(dict(self.data))

    @staticmethod
    def from_json(data: str | Mapping[str, Any]) -> State:
        """Take back what `to_json` gave, as a mapping or as JSON text."""
        loaded: Mapping[str, Any] = json.loads(data) if isinstance(data, str) else data
        return State(copy.deepcopy(dict(loaded)))


@dataclass(frozen=True)
class Step:
    """What an event led to."""

    state: State
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class FlowOption:
    """A flow that may be started now, as understanding sees it."""

    name: str
    description: str
    examples: tuple[str, ...]
    slots: Mapping[str, Slot] = field(default_factory=dict)


@dataclass(frozen=True)
class TurnContext:
    """What may be understood now.

    `question` is the open question: "intent" (what can I do), "slot" (a value), "confirm" (is this value right) or
    "more" (anything else). `slot` names the slot asked for or read back. `slots` are those of the running flow,
    `values` what they hold. `commands` are the names (see `commands.command_name`) that make sense now. `now`
    anchors dates and times. `languages` are those that the bot speaks.
    """

    language: str
    question: Literal["intent", "slot", "confirm", "more"]
    now: datetime
    commands: frozenset[str]
    flows: tuple[FlowOption, ...] = ()
    flow: str = ""
    slot: str = ""
    slots: Mapping[str, Slot] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    languages: tuple[str, ...] = ()

    @property
    def today(self) -> date:
        return self.now.date()


class Understanding(Protocol):
    """Turns an utterance into commands. Odd text never raises; what is not understood is `NoMatch`."""

    async def understand(self, text: str, context: TurnContext) -> Understood: ...
