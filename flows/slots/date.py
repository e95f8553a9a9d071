"""Days: "jutro", "w przyszły czwartek", "szóstego grudnia", "za trzy dni", "the sixth of december", "2026-12-06"."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from flows.actions import Expectation
from flows.corrections import takes
from flows.day_words import RELATIVE, month_named
from flows.days import Days
from flows.numbers import find_numbers
from flows.slots.base import Rejected, Slot
from flows.spans import Span
from flows.words import tokens


class DateSlot(Slot):
    """A day, stored as "2026-12-06". A day without a year is the next one; `past: true` takes the last one instead."""

    keys_phrase: ClassVar[str] = "keys_date"

    type: Literal["date"]
    past: bool = False
    within_days: int | None = Field(default=None, ge=0, le=100_000)

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        value: str | None = None
        for piece in takes(text, language) if asked else [text]:
            value = (
                (self.amend(value, piece, language, now) if value else None)
                or self._find(piece, language, now, asked=asked)
                or value
            )
        return value

    def _find(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        return Days(text, language, now.date(), past=self.past, asked=asked).find()

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        try:
            day = date.fromisoformat(value)
        except TypeError:
            return Rejected("not_understood", {})
        except ValueError:
            return Rejected("date_unknown" if _named(value) else "not_understood", {})
        heard, today = {"heard": day.isoformat()}, now.date()
        if self.past and day > today:
            return Rejected("date_future", heard)
        if not self.past and day < today:
            return Rejected("date_past", heard)
        if self.within_days is not None and abs((day - today).days) > self.within_days:
            limit = date.fromordinal(
                max(today.toordinal() + (-1 if self.past else 1) * self.within_days, 1)
            ).isoformat()
            if self.past:
                return Rejected("date_too_early", {**heard, "earliest": limit})
            return Rejected("date_too_far", {**heard, "latest": limit})
        return day.isoformat()

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "date", "value": str(value)},)

    def expectation(self, language: str) -> Expectation:
        return Expectation("free", hints=tuple(RELATIVE[language]), keys=True)

    def amend(self, value: Any, text: str, language: str, now: datetime) -> str | None:
        """ "(Not) the sixth, the seventh": the last day named replaces the day; other corrections are new dates."""
        year, month, day = map(int, str(value).split("-"))
        numbers = find_numbers(text, language)
        if not numbers or numbers[-1].value > 31 or _has_month(text, language):
            return self._last(value, text, language, now)
        only_days = all(number.ordinal or tokens(text)[number.start].isdigit() for number in numbers)
        if only_days and (len(numbers) == 1 or (len(numbers) == 2 and numbers[0].value == day)):
            moved = f"{year:04d}-{month:02d}-{numbers[-1].value:02d}"
            return moved if _exists(moved) else None
        return self._last(value, text, language, now)

    def _last(self, value: str, text: str, language: str, now: datetime) -> str | None:
        """Of "(not) Thursday, Friday" the one that is not the value."""
        words = text.split()[:12]
        for cut in range(1, len(words)):
            new = self._find(" ".join(words[cut:]), language, now, asked=True)
            if new and self._find(" ".join(words[:cut]), language, now, asked=True) == value:
                return new
        return self._find(text, language, now, asked=True)

    def from_keys(self, keys: str, now: datetime) -> str | None:
        """Day and month, four digits; a year of two or four digits may follow."""
        if not (keys.isascii() and keys.isdigit() and len(keys) in (4, 6, 8)):
            return None
        return self._find(".".join(filter(None, (keys[:2], keys[2:4], keys[4:]))), "pl", now, asked=True)


def _has_month(text: str, language: str) -> bool:
    return any(month_named(word, language) for word in tokens(text))


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def _named(value: str) -> bool:
    """Whether it is written as a date, though no calendar has it."""
    parts = value.split("-")
    return len(parts) == 3 and all(part.isascii() and part.isdigit() for part in parts)
