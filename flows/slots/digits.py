"""Digits: order and customer numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from flows.patterns import fits, mistake
from flows.slots.base import Rejected
from flows.slots.dictated import DictatedSlot, only_digits
from flows.spans import Span


class DigitsSlot(DictatedSlot):
    """A string of digits of a fixed `length`, or one that a `pattern` (a regular expression) fits entirely."""

    type: Literal["digits"]
    length: int | None = Field(default=None, ge=1, le=40)
    pattern: str | None = None

    def fits(self, digits: str) -> bool:
        if self.length is not None and len(digits) != self.length:
            return False
        return self.pattern is None or fits(self.pattern, digits)

    @property
    def digits_expected(self) -> int | None:
        return self.length

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        digits = only_digits(value)
        if digits is None:
            return Rejected("not_understood", {})
        if self.fits(digits):
            return digits
        if self.length is not None and len(digits) != self.length:
            return Rejected("digits_length", {"heard": digits, "length": self.length})
        return Rejected("digits_pattern", {"heard": digits})

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "digits", "value": str(value)},)

    def mistakes(self) -> list[tuple[str, str, str]]:
        if self.length is None and self.pattern is None:
            return [("type", "A slot of type `digits` needs `length` or `pattern`.", "Add for example `length: 6`.")]
        return pattern_mistakes(self.pattern)


def pattern_mistakes(pattern: str | None) -> list[tuple[str, str, str]]:
    """What is wrong with a regular expression of a flow file."""
    if why := mistake(pattern or ""):
        return [("pattern", f"`pattern` is not a regular expression: {why}.", "For example `[0-9]{6,8}`.")]
    return []
