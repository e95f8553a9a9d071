"""Digits: order, customer and telephone numbers."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from flows.actions import Expectation
from flows.numbers import digit_readings, digit_runs, find_numbers
from flows.slots.base import Rejected, Slot
from flows.spans import Span


class DigitsSlot(Slot):
    """A string of digits of a fixed `length`, or one that a `pattern` (a regular expression) fits entirely."""

    entered_by_keys: ClassVar[bool] = True

    type: Literal["digits"]
    length: int | None = Field(default=None, ge=1, le=40)
    pattern: str | None = None

    def _fits(self, digits: str) -> bool:
        if self.length is not None and len(digits) != self.length:
            return False
        return self.pattern is None or re.fullmatch(self.pattern, digits) is not None

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        runs = digit_runs(text, language, fuzzy=asked)
        fitting = [next(filter(self._fits, digit_readings(run)), None) for run in runs]
        found = [digits for digits in fitting if digits is not None]
        if found:
            return found[-1] if asked else found[0]
        if not asked or not runs:
            return None
        together = [number for run in runs for number in run]
        whole = next(filter(self._fits, digit_readings(together)), None)
        return whole or "".join(number.digits for number in together)

    def plainest(self, value: Any, text: str, language: str) -> bool:
        """ "Six hundred twenty-two" is 622 rather than 60022, though a longer number may be asked for."""
        runs = digit_runs(text, language, fuzzy=True)
        return any(value == next(digit_readings(run)) for run in runs)

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        digits = re.sub(r"[\s-]", "", str(value))
        if not (digits.isascii() and digits.isdigit()):
            return Rejected("not_understood", {})
        if self._fits(digits):
            return digits
        if self.length is not None and len(digits) != self.length:
            return Rejected("digits_length", {"heard": digits, "length": self.length})
        return Rejected("digits_pattern", {"heard": digits})

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "digits", "value": str(value)},)

    def expectation(self, language: str) -> Expectation:
        return Expectation("digits", length=self.length, timeout_s=8.0, keys=True)

    def amend(self, value: Any, text: str, language: str, now: datetime) -> str | None:
        """A whole new number, or "(not) six, seven": the second takes the place of the first if that is there once."""
        said = [number.digits for number in find_numbers(text, language, fuzzy=True)]
        if self._fits("".join(said)):
            return "".join(said)
        for cut in range(1, len(said)):
            old, new = "".join(said[:cut]), "".join(said[cut:])
            if str(value).count(old) == 1 and len(old) == len(new):
                return str(value).replace(old, new)
        return self.parse(text, language, now, asked=True)

    def from_keys(self, keys: str, now: datetime) -> str | None:
        return keys if keys.isdigit() else None

    def join(self, first: Any, second: Any, now: datetime) -> str | None:
        whole = f"{first}{second}"
        return whole if self._fits(whole) else None

    def mistakes(self) -> list[tuple[str, str, str]]:
        if self.length is None and self.pattern is None:
            return [("type", "A slot of type `digits` needs `length` or `pattern`.", "Add for example `length: 6`.")]
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                return [("pattern", f"`pattern` is not a regular expression: {error}.", "For example `[0-9]{6,8}`.")]
        return []
