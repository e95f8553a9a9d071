"""When people answer: a week, public holidays, single days. Pure; times are local, in the time zone of `now`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal

import holidays
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_RANGE = re.compile(r"\s*(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s*")
_LOOK_AHEAD_DAYS = 400

# Minutes since midnight, from (inclusive) and until (exclusive).
Range = tuple[int, int]


def _ranges(value: Any) -> tuple[Range, ...]:
    """ "08:00-12:00, 13:00-18:00" as ranges in order."""
    if not isinstance(value, str):
        raise PydanticCustomError("hours", 'must be hours like "08:00-18:00", in quotes')
    found: list[Range] = []
    for part in value.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise PydanticCustomError("hours", 'must be hours like "08:00-18:00", several with commas')
        opens, closes = _minutes(match[1]), _minutes(match[2])
        if opens >= closes:
            raise PydanticCustomError("hours", "must begin before they end; what goes past midnight is two days' hours")
        found.append((opens, closes))
    found.sort()
    if any(first[1] > second[0] for first, second in pairwise(found)):
        raise PydanticCustomError("hours", "overlap")
    return tuple(found)


def _minutes(text: str) -> int:
    hour, minute = (int(part) for part in text.split(":"))
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        raise PydanticCustomError("hours", f"name a time that no clock shows: {text}")
    return 60 * hour + minute


def _week(value: Any) -> dict[int, Any]:
    """By day of the week, Monday is 0; "monday-friday" stands for five of them."""
    if not isinstance(value, dict):
        raise PydanticCustomError("week", 'must name days, like `monday-friday: "08:00-18:00"`')
    days: dict[int, Any] = {}
    for name, hours in value.items():
        first, _, last = str(name).partition("-")
        if first not in WEEKDAYS or (last and last not in WEEKDAYS):
            known = ", ".join(WEEKDAYS)
            raise PydanticCustomError("week", f"has no days `{name}`: write days such as {known}, or monday-friday")
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        for day in range(begin, end + 1) if begin <= end else (*range(begin, 7), *range(end + 1)):
            if day in days:
                raise PydanticCustomError("week", f"names {WEEKDAYS[day]} twice")
            days[day] = hours
    return days


_HOURS_SCHEMA = {"type": "string", "examples": ["08:00-18:00"]}
OpenHours = Annotated[tuple[Range, ...], BeforeValidator(_ranges), WithJsonSchema(_HOURS_SCHEMA)]
Week = Annotated[
    dict[int, OpenHours],
    BeforeValidator(_week),
    WithJsonSchema({"type": "object", "additionalProperties": _HOURS_SCHEMA}),
]


class Hours(BaseModel):
    """`hours` of bot.yaml. `open` wins over `closed`, both over holidays and the week."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    week: Week
    holidays: Literal["pl"] | None = None
    closed: list[date] = Field(default=[])
    open: Mapping[date, OpenHours] = Field(default={})

    def of(self, day: date) -> tuple[Range, ...]:
        """The hours of a day, none when nobody answers."""
        if day in self.open:
            return self.open[day]
        if day in self.closed or (self.holidays is not None and day in _holidays(self.holidays, day.year)):
            return ()
        return self.week.get(day.weekday(), ())

    def are_open(self, now: datetime) -> bool:
        """Whether somebody answers now."""
        minute = 60 * now.hour + now.minute
        return any(opens <= minute < closes for opens, closes in self.of(now.date()))

    def next_opening(self, now: datetime) -> datetime | None:
        """When people answer next: now, if they do; None when they never will, as far as a year and more."""
        if self.are_open(now):
            return now
        minute = 60 * now.hour + now.minute
        for ahead in range(_LOOK_AHEAD_DAYS):
            day = now.date() + timedelta(days=ahead)
            later = [opens for opens, _ in self.of(day) if ahead or opens > minute]
            if later:
                return datetime.combine(day, time(later[0] // 60, later[0] % 60), now.tzinfo)
        return None


@lru_cache(maxsize=32)
def _holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country.upper(), years=year))
