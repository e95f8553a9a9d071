"""Yes or no. Understanding sets it from `Affirm` and `Deny`; the words live in flows/phrases."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from flows.actions import Expectation
from flows.phrasebook import understood_phrases
from flows.slots.base import Rejected, Slot
from flows.spans import Span


class YesNoSlot(Slot):
    """True or false."""

    type: Literal["yes_no"]

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> bool | None:
        if not asked:
            return None
        phrases = understood_phrases(language)
        if phrases["deny"].starts(text):
            return False
        return True if phrases["affirm"].starts(text) else None

    def accept(self, value: Any, now: datetime) -> bool | Rejected:
        return value if isinstance(value, bool) else Rejected("not_understood", {})

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return (({"pl": "tak", "en": "yes"} if value else {"pl": "nie", "en": "no"})[language],)

    def expectation(self, language: str) -> Expectation:
        return Expectation("yes_no")

    def from_keys(self, keys: str, now: datetime) -> bool | None:
        return {"1": True, "2": False}.get(keys)
