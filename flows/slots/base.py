"""What every slot type has in common. A type is one class in one module, registered in `flows.slots`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from flows.actions import Expectation
from flows.spans import Span
from flows.texts import Text, Wordings


@dataclass(frozen=True)
class Rejected:
    """Why a value is not accepted: a stable word that names a phrase ("digits_length"), and what that phrase needs."""

    reason: str
    details: dict[str, Any]


class Slot(BaseModel, ABC):
    """Settings of a slot as written in the flow file, and what its type knows about values.

    Values are plain JSON. All methods are pure and never raise for odd text. `now` is the hour of the call; one with
    a zone that has summer time makes "in two hours" right on the nights when the clocks change.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    # The phrase that tells how to key a value in, of types whose keys are gathered to an entry.
    keys_phrase: ClassVar[str] = ""

    ask: Text
    no_match: Wordings = []
    no_input: Wordings = []
    confirm: Literal["none", "implicit", "read_back"] = "none"
    shared: bool = False  # known for the whole call, not only to its flow
    optional: bool = False  # the caller may say that there is none

    @abstractmethod
    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> Any | None:
        """The value that a text gives, or None. Unless it was asked for, only what is beyond doubt."""

    @abstractmethod
    def accept(self, value: Any, now: datetime) -> Any | Rejected:
        """The value in its stored form, or why it is wrong. Values come from understanding and may be anything."""

    @abstractmethod
    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        """How an accepted value is read back."""

    @abstractmethod
    def expectation(self, language: str) -> Expectation:
        """What to listen for when it is asked for."""

    def plainest(self, value: Any, text: str, language: str) -> bool:
        """Whether nothing simpler can be meant by the text than this value, which was parsed from it."""
        return True

    def amend(self, value: Any, text: str, language: str, now: datetime) -> Any | None:
        """The value after a correction such as "not six, seven"; `text` comes without the leading "no"."""
        return self.parse(text, language, now, asked=True)

    def from_keys(self, keys: str, now: datetime) -> Any | None:
        """The value that keys give (without `#`), or None."""
        return None

    def join(self, first: Any, second: Any, now: datetime) -> Any | None:
        """The value that two partial answers give together, or None where a type has no such thing."""
        return None

    def mistakes(self) -> list[tuple[str, str, str]]:
        """Settings that contradict each other: key, sentence, remedy."""
        return []
