"""Stretches of time that have a name: "w przyszłym tygodniu", "in December", "po południu", "this weekend"."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from flows.day_words import LAST, NEXT, month_named
from flows.numbers import find_numbers
from flows.words import similar, tokens

# In the order in which they are looked for.
_HOURS = {
    "pl": (
        ("przed poludniem", "06:00", "12:00"), ("po poludniu", "12:00", "18:00"), ("popoludniu", "12:00", "18:00"),
        ("popoludnie", "12:00", "18:00"), ("rano", "06:00", "12:00"), ("z rana", "06:00", "12:00"),
        ("wieczorem", "18:00", "22:00"), ("wieczor", "18:00", "22:00"), ("w nocy", "22:00", "23:59"),
        ("caly dzien", "00:00", "23:59"), ("o kazdej porze", "00:00", "23:59"), ("obojetnie", "00:00", "23:59"),
    ),
    "en": (
        ("morning", "06:00", "12:00"), ("before noon", "06:00", "12:00"), ("afternoon", "12:00", "18:00"),
        ("evening", "18:00", "22:00"), ("at night", "22:00", "23:59"), ("all day", "00:00", "23:59"),
        ("any time", "00:00", "23:59"), ("anytime", "00:00", "23:59"),
    ),
}  # fmt: skip
_WEEK = {"pl": ("tygodniu", "tydzien"), "en": ("week",)}
_WEEKEND = {"pl": ("weekend", "weekendzie", "weekendy"), "en": ("weekend",)}
_MONTH = {"pl": ("miesiacu", "miesiac"), "en": ("month",)}


def named_hours(text: str, language: str) -> dict[str, str] | None:
    """A part of the day without an hour."""
    joined = f" {' '.join(tokens(text))} "
    if find_numbers(text, language):
        return None
    return next(({"from": low, "to": high} for words, low, high in _HOURS[language] if f" {words} " in joined), None)


def named_days(text: str, language: str, today: date) -> dict[str, str] | None:
    """A week, a weekend or a month; what of it has passed is left away."""
    words = tokens(text)
    if find_numbers(words, language):
        return None
    later = any(similar(word, form) for word in words for form in NEXT[language])
    if any(similar(word, form) for word in words for form in LAST[language]):
        return None
    monday = today - timedelta(days=today.weekday()) + timedelta(days=7 * later)
    if any(word in words for word in _WEEKEND[language]):
        return _days(monday + timedelta(days=5), monday + timedelta(days=6), today)
    if any(word in words for word in _WEEK[language]):
        return _days(monday, monday + timedelta(days=6), today)
    if any(word in words for word in _MONTH[language]):
        year, month = divmod(today.year * 12 + today.month - 1 + later, 12)
        return _month(year, month + 1, today)
    named = next(filter(None, (month_named(word, language) for word in words)), None)
    return None if named is None else _month(today.year + (named < today.month), named, today)


def _month(year: int, month: int, today: date) -> dict[str, str]:
    return _days(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]), today)


def _days(first: date, last: date, today: date) -> dict[str, str]:
    return {"from": max(first, today).isoformat(), "to": last.isoformat()}
