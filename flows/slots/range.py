"""From one value to another: "od piątego do ósmego grudnia", "między piątą a siódmą", "from two to four"."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any, Literal

from flows.actions import Expectation
from flows.clock import find_time
from flows.corrections import takes
from flows.day_words import month_named
from flows.numbers import find_numbers
from flows.slots.amount import AmountSlot
from flows.slots.base import Rejected, Slot
from flows.slots.date import DateSlot
from flows.slots.integer import IntegerSlot
from flows.slots.time import TimeSlot
from flows.spans import Span
from flows.spoken_ranges import named_days, named_hours
from flows.words import tokens

_ASK = {"": "?"}
_BETWEEN = {
    "pl": re.compile(
        r"\s(?:do|a)\s|–|\s-\s|(?<=\d)-(?=\d)|\bnajwyżej\s|\bnajwyzej\s|\bnajwięcej\s|\bnajwiecej\s", re.IGNORECASE
    ),
    "en": re.compile(r"\s(?:to|till|until|and|through)\s|–|\s-\s|(?<=\d)-(?=\d)|\bat most\s", re.IGNORECASE),
}
_START = {
    "pl": re.compile(r".*\b(?:od|między|miedzy|pomiędzy|pomiedzy|najmniej)\b", re.IGNORECASE | re.DOTALL),
    "en": re.compile(r".*\b(?:from|between|at least)\b", re.IGNORECASE | re.DOTALL),
}
_WORDS = {
    "date": {"pl": ("od ", " do "), "en": ("from ", " to ")},
    "time": {"pl": ("od ", " do "), "en": ("from ", " to ")},
    "integer": {"pl": ("od ", " do "), "en": ("from ", " to ")},
    "amount": {"pl": ("najmniej ", ", najwięcej "), "en": ("at least ", ", at most ")},
}


class RangeSlot(Slot):
    """Two values of one type, kept as {"from": ..., "to": ...}."""

    type: Literal["range"]
    of: Literal["date", "time", "integer", "amount"]

    def _ends(self) -> DateSlot | TimeSlot | IntegerSlot | AmountSlot:
        match self.of:
            case "date":
                return DateSlot(type="date", ask=_ASK)
            case "time":
                return TimeSlot(type="time", ask=_ASK)
            case "integer":
                return IntegerSlot(type="integer", ask=_ASK)
        return AmountSlot(type="amount", ask=_ASK)

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> dict[str, Any] | None:
        found: dict[str, Any] | None = None
        for piece in takes(text, language) if asked else [text]:
            found = self._between(piece, language, now, asked=asked) or self._named(piece, language, now) or found
        return found

    def _named(self, text: str, language: str, now: datetime) -> dict[str, Any] | None:
        """ "W przyszłym tygodniu", "po południu"."""
        if self.of == "date":
            return named_days(text, language, now.date())
        return named_hours(text, language) if self.of == "time" else None

    def _between(self, text: str, language: str, now: datetime, *, asked: bool) -> dict[str, Any] | None:
        """The two sides of "to"; which "to" it is shows when both sides are values."""
        begun = _START[language].match(text)
        if begun is None and not asked:
            return None
        rest = text[begun.end() :] if begun else text
        # "One hundred and one to one hundred and two": an "and" is the middle only where there is nothing better.
        for between in sorted(
            _BETWEEN[language].finditer(rest), key=lambda found: found[0].strip().lower() in ("and", "a")
        ):
            ends = self._pair(rest[: between.start()], rest[between.end() :], language, now)
            if ends is not None:
                return {"from": ends[0], "to": ends[1]}
        return None

    def _pair(self, first: str, last: str, language: str, now: datetime) -> tuple[Any, Any] | None:
        match self.of:
            case "date":
                return self._days(first, last, language, now)
            case "time":
                return _hours(first, last, language, now)
        slot = self._ends()
        low, high = (slot.parse(side, language, now, asked=True) for side in (first, last))
        return None if low is None or high is None else (low, high)

    def _days(self, first: str, last: str, language: str, now: datetime) -> tuple[str, str] | None:
        """ "Od piątego do ósmego grudnia": the month of the last is the first's; the last one follows the first."""
        slot = DateSlot(type="date", ask=_ASK)
        named = next((w for w in tokens(last) if month_named(w, language)), None)
        if (
            named is not None
            and find_numbers(first, language)
            and not any(month_named(w, language) for w in tokens(first))
        ):
            number = find_numbers(first, language)[-1]
            first = " ".join([*tokens(first)[: number.end], named])
        low = slot.parse(first, language, now, asked=True)
        if low is None or isinstance(slot.accept(low, now), Rejected):
            return None
        start = datetime.combine(date.fromisoformat(low), now.time())
        high = slot.parse(last, language, start, asked=True)
        return None if high is None else (low, high)

    def accept(self, value: Any, now: datetime) -> dict[str, Any] | Rejected:
        if not isinstance(value, dict) or set(value) != {"from", "to"}:
            return Rejected("not_understood", {})
        slot = self._ends()
        low, high = slot.accept(value["from"], now), slot.accept(value["to"], now)
        for end in (low, high):
            if isinstance(end, Rejected):
                return end
        in_order = float(low) <= float(high) if self.of == "amount" else low <= high  # type: ignore[arg-type, operator]
        return {"from": low, "to": high} if in_order else Rejected("range_order", {})

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        before, between = _WORDS[self.of][language]
        slot = self._ends()
        ends = [
            dict(span) for end in ("from", "to") for span in slot.spans(value[end], language) if isinstance(span, dict)
        ]
        if self.of == "integer":
            ends = [{**span, "case": "genitive"} for span in ends]
        return (before, ends[0], between, ends[1])

    def expectation(self, language: str) -> Expectation:
        return Expectation("free", timeout_s=8.0)


def _hours(first: str, last: str, language: str, now: datetime) -> tuple[str, str] | None:
    """ "Od ósmej do czwartej" ends in the afternoon; "between two and four in the afternoon" begins in it, too."""
    low, high = (find_time(side, language, now, asked=True) for side in (first, last))
    if low is None or high is None:
        return None
    start, end = low.clock, high.clock
    if high.half == "pm" and low.other is not None and start < low.other < end:
        start = low.other
    if end <= start and high.other is not None:
        end = high.other
    return start, end
