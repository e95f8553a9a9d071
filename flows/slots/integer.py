"""Whole numbers: how many, how old."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from flows.actions import Expectation
from flows.numbers import find_numbers
from flows.slots.base import Rejected, Slot
from flows.spans import Span


class IntegerSlot(Slot):
    """A whole number between `minimum` and `maximum`, both included."""

    entered_by_keys: ClassVar[bool] = True

    type: Literal["integer"]
    minimum: int = Field(default=0)
    maximum: int = Field(default=1_000_000)

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> int | None:
        numbers = [number for number in find_numbers(text, language, fuzzy=asked) if not number.ordinal]
        if not numbers or (len(numbers) > 1 and not asked):
            return None
        value = numbers[-1].value
        return value if asked or self.minimum <= value <= self.maximum else None

    def accept(self, value: Any, now: datetime) -> int | Rejected:
        if isinstance(value, bool) or not isinstance(value, int):
            return Rejected("not_understood", {})
        if self.minimum <= value <= self.maximum:
            return value
        return Rejected("integer_range", {"heard": value, "minimum": self.minimum, "maximum": self.maximum})

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "number", "value": int(value)},)

    def expectation(self, language: str) -> Expectation:
        return Expectation("digits", keys=True)

    def from_keys(self, keys: str, now: datetime) -> int | None:
        return int(keys) if keys.isdigit() and len(keys) < 10 else None

    def mistakes(self) -> list[tuple[str, str, str]]:
        if self.minimum > self.maximum:
            return [("minimum", "`minimum` is above `maximum`.", "Swap them.")]
        return []
