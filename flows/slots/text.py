"""Free text: what the caller says, word for word."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from flows.actions import Expectation
from flows.slots.base import Rejected, Slot
from flows.spans import Span

_LONGEST = 1000  # characters kept of one answer


class TextSlot(Slot):
    """The caller's own words."""

    type: Literal["text"]

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        return text.strip() or None if asked else None

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        if isinstance(value, str) and value.strip():
            return value.strip()[:_LONGEST]
        return Rejected("not_understood", {})

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return (str(value),)

    def expectation(self, language: str) -> Expectation:
        return Expectation("free", timeout_s=8.0)
