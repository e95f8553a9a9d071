"""Whole numbers: how many, how old."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from flows.actions import Expectation
from flows.corrections import takes
from flows.money import find_amount
from flows.numbers import find_numbers
from flows.slots.base import Rejected, Slot
from flows.spans import Span
from flows.words import tokens

# Counts that are no number words.
_COUNTED = {
    "pl": {
        "para": 2, "pare": 2, "tuzin": 12, "raz": 1, "pojedynczo": 1, "sam": 1, "sama": 1, "zadnych": 0, "zadnego": 0,
        "zadnej": 0, "zaden": 0, "zadna": 0, "wcale": 0, "oboje": 2, "obaj": 2, "obie": 2, "dwukrotnie": 2,
        "dziesiatka": 10, "dwudziestka": 20, "trzydziestka": 30, "czterdziestka": 40, "setka": 100, "setke": 100,
    },
    "en": {"couple": 2, "pair": 2, "dozen": 12, "once": 1, "twice": 2, "none": 0, "both": 2, "single": 1, "myself": 1},
}  # fmt: skip
_GROUPED = re.compile(r"(?<![\d.,])(\d{1,3})(?:[ \u00a0.,](\d{3}))(?:[ \u00a0.,](\d{3}))?(?![\d.,]\d|\d)")


class IntegerSlot(Slot):
    """A whole number between `minimum` and `maximum`, both included."""

    keys_phrase: ClassVar[str] = "keys_digits"

    type: Literal["integer"]
    minimum: int = Field(default=0)
    maximum: int = Field(default=1_000_000)

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> int | None:
        if not asked:
            numbers = [number for number in find_numbers(text, language) if not number.ordinal]
            value = numbers[0].value if len(numbers) == 1 else None
            return value if value is not None and self.minimum <= value <= self.maximum else None
        found = [number for piece in takes(text, language) if (number := self._read(piece, language)) is not None]
        return found[-1] if found else None

    def _read(self, text: str, language: str) -> int | None:
        """The last number of a text: "12", "1 200", "minus pięć", "półtora tysiąca", "a dozen"."""
        text = _GROUPED.sub(lambda found: "".join(group for group in found.groups() if group), text)
        words = tokens(text)
        if "poltora" in words or "pol" in words or "half" in words:
            amount = find_amount(text, language)
            if amount is not None and amount.value == int(amount.value):
                return int(amount.value)
        numbers = [number for number in find_numbers(words, language, fuzzy=True) if not number.ordinal]
        if not numbers:
            counted = [_COUNTED[language][word] for word in words if word in _COUNTED[language]]
            return counted[-1] if counted else None
        last = numbers[-1]
        if last.end < len(words) and words[last.end] in ("tuziny", "tuzinow", "dozen", "dozens"):
            return last.value * 12
        return -last.value if self.minimum < 0 and last.start and words[last.start - 1] == "minus" else last.value

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
        return int(keys) if keys.isascii() and keys.isdigit() and len(keys) < 10 else None

    def mistakes(self) -> list[tuple[str, str, str]]:
        if self.minimum > self.maximum:
            return [("minimum", "`minimum` is above `maximum`.", "Swap them.")]
        return []
