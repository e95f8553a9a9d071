"""Days: "jutro", "w piątek", "szóstego grudnia", "za trzy dni", "the sixth of december", "2026-12-06"."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Literal

from flows.actions import Expectation
from flows.numbers import Number, find_numbers
from flows.slots.base import Rejected, Slot
from flows.spans import Span
from flows.words import begins, similar, tokens

_MONTHS = {
    "pl": "stycz* lut* mar* kwie* maj* czerw* lip* sierp* wrze* pazdzier* listopad* grud*".split(),
    "en": "januar* februar* march april may june july august septem* octob* novem* decem*".split(),
}
_WEEKDAYS = {
    # "piąty" and "czwartego" are numbers, not Friday and Thursday: weekdays have to be exact.
    "pl": "poniedzial* wtor* sroda|srode|srody czwartek*|czwartk* piatek*|piatk* sobot* niedziel*".split(),
    "en": "monday tuesday wednesday thursday friday saturday sunday".split(),
}
_RELATIVE = {
    "pl": {"przedwczoraj": -2, "wczoraj": -1, "dzisiaj": 0, "dzis": 0, "jutro": 1, "pojutrze": 2},
    "en": {"yesterday": -1, "today": 0, "tomorrow": 1},
}
_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_DAY_FIRST = re.compile(r"\b(\d{1,2})[./](\d{1,2})(?:[./](\d{4}))?\b")


class DateSlot(Slot):
    """A day, stored as "2026-12-06". A day without a year is the next one; `past: true` takes the last one instead."""

    type: Literal["date"]
    past: bool = False

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        today = now.date()
        found = self._written(text, today) or self._spoken(tokens(text), language, today, asked=asked)
        return found.isoformat() if found else None

    def _written(self, text: str, today: date) -> date | None:
        if match := _ISO.search(text):
            return _day(int(match[1]), int(match[2]), int(match[3]))
        if match := _DAY_FIRST.search(text):
            if match[3]:
                return _day(int(match[3]), int(match[2]), int(match[1]))
            return self._nearest(int(match[2]), int(match[1]), today)
        return None

    def _spoken(self, words: list[str], language: str, today: date, *, asked: bool) -> date | None:
        joined = " ".join(words)
        if "day after tomorrow" in joined:
            return today + timedelta(days=2)
        for word, days in _RELATIVE[language].items():
            if word in words:
                return today + timedelta(days=days)
        numbers = find_numbers(words, language)
        month = _index(words, _MONTHS[language])
        if month is not None and (in_month := [n for n in numbers if 1 <= n.value <= 31]):
            year = next((n.value for n in numbers if 1900 <= n.value <= 2200), None)
            day = in_month[-1].value if language == "pl" and year is None else in_month[0].value
            return _day(year, month + 1, day) if year else self._nearest(month + 1, day, today)
        days_ahead = _days_ahead(words, numbers, language)
        if days_ahead is not None:
            return today + timedelta(days=days_ahead)
        weekday = _index(words, _WEEKDAYS[language], begins)
        if weekday is not None:
            back = -7 if self.past else 0
            return today + timedelta(days=((weekday - today.weekday() - 1) % 7) + 1 + back)
        ordinals = [number.value for number in numbers if number.ordinal]
        return self._nearest_day(ordinals[-1], today) if asked and ordinals else None

    def _nearest(self, month: int, day: int, today: date) -> date | None:
        years = (today.year, today.year - 1) if self.past else (today.year, today.year + 1)
        return self._first_fitting([_day(year, month, day) for year in years], today)

    def _nearest_day(self, day: int, today: date) -> date | None:
        step = -1 if self.past else 1
        months = [divmod(today.year * 12 + today.month - 1 + step * n, 12) for n in range(3)]
        return self._first_fitting([_day(year, month + 1, day) for year, month in months], today)

    def _first_fitting(self, days: list[date | None], today: date) -> date | None:
        return next((d for d in days if d is not None and (d <= today if self.past else d >= today)), None)

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        try:
            day = date.fromisoformat(value)
        except (TypeError, ValueError):
            return Rejected("not_understood", {})
        if self.past and day > now.date():
            return Rejected("date_future", {"heard": day.isoformat()})
        if not self.past and day < now.date():
            return Rejected("date_past", {"heard": day.isoformat()})
        return day.isoformat()

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "date", "value": str(value)},)

    def expectation(self, language: str) -> Expectation:
        return Expectation("free", hints=tuple(_RELATIVE[language]))

    def amend(self, value: Any, text: str, language: str, now: datetime) -> str | None:
        """ "(Not) the sixth, the seventh": the last day named replaces the day; other corrections are new dates."""
        current = date.fromisoformat(value)
        numbers = find_numbers(text, language)
        if len(numbers) == 2 and numbers[0].value == current.day and _index(tokens(text), _MONTHS[language]) is None:
            moved = _day(current.year, current.month, numbers[1].value)
            return moved.isoformat() if moved else None
        return self.parse(text, language, now, asked=True)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _index(words: list[str], patterns: list[str], same: Callable[[str, str], bool] = similar) -> int | None:
    """Position in the list of the last pattern that a word fits; `|` separates alternatives."""
    found = [i for word in words for i, p in enumerate(patterns) if any(same(word, one) for one in p.split("|"))]
    return found[-1] if found else None


def _days_ahead(words: list[str], numbers: list[Number], language: str) -> int | None:
    """ "za trzy dni", "za tydzień", "in two weeks"."""
    marker, units = {
        "pl": ("za", {"dzien": 1, "dni": 1, "tydzien": 7, "tygodnie": 7, "tygodni": 7}),
        "en": ("in", {"day": 1, "days": 1, "week": 7, "weeks": 7}),
    }[language]
    unit = next((units[word] for word in words if word in units), None)
    if marker not in words or unit is None:
        return None
    return unit * (numbers[0].value if numbers and numbers[0].value < 366 else 1)
