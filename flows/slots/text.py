"""Free text: what the caller says, word for word."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from flows.actions import Expectation
from flows.slots.base import Rejected, Slot
from flows.spans import Span


class TextSlot(Slot):
    """The caller's own words; what is beyond `longest` characters is left away."""

    type: Literal["text"]
    longest: int = Field(default=300, ge=1, le=5000)

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        return text.strip() or None if asked else None

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        if isinstance(value, str) and value.strip():
            return value.strip()[: self.longest].strip()
        return Rejected("not_understood", {})

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return (str(value),)

    def expectation(self, language: str) -> Expectation:
        return Expectation("free", timeout_s=8.0)
