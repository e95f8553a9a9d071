"""When people answer: hours of the week, holidays, single days, summer time."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from flows.hours import Hours

WARSAW = ZoneInfo("Europe/Warsaw")
HOURS = Hours.model_validate(
    {
        "week": {"monday-friday": "08:00-12:00, 13:00-18:00", "saturday": "09:00-13:00"},
        "holidays": "pl",
        "closed": ["2026-12-31"],
        "open": {"2026-12-27": "10:00-14:00"},
    }
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WARSAW)


@pytest.mark.parametrize(
    ("now", "are_open"),
    [
        ("2026-11-23T07:59", False),
        ("2026-11-23T08:00", True),
        ("2026-11-23T12:00", False),
        ("2026-11-23T13:00", True),
        ("2026-11-23T18:00", False),
        ("2026-11-28T12:59", True),  # Saturday
        ("2026-11-29T12:00", False),  # Sunday
        ("2026-11-11T10:00", False),  # Independence Day
        ("2026-06-04T10:00", False),  # Corpus Christi moves with Easter
        ("2026-12-24T10:00", False),  # a public holiday since 2025
        ("2024-12-24T10:00", True),
        ("2026-12-27T11:00", True),  # a Sunday with hours of its own
        ("2026-12-31T10:00", False),
    ],
)
def test_hours_of_a_year(now: str, are_open: bool) -> None:
    assert HOURS.are_open(at(now)) is are_open


@pytest.mark.parametrize(
    ("now", "opening"),
    [
        ("2026-11-23T09:00", "2026-11-23T09:00"),
        ("2026-11-23T12:30", "2026-11-23T13:00"),
        ("2026-11-27T19:00", "2026-11-28T09:00"),
        ("2026-11-28T14:00", "2026-11-30T08:00"),
        ("2026-12-23T18:30", "2026-12-27T10:00"),
        ("2026-03-28T14:00", "2026-03-30T08:00"),  # the night in between lacks an hour
        ("2026-10-24T14:00", "2026-10-26T08:00"),  # that one has one more
    ],
)
def test_the_next_opening_is_told_in_local_time(now: str, opening: str) -> None:
    assert HOURS.next_opening(at(now)) == at(opening)


def test_hours_that_never_come() -> None:
    assert Hours.model_validate({"week": {}}).next_opening(at("2026-11-23T09:00")) is None


@given(st.datetimes(min_value=datetime(2025, 1, 1), max_value=datetime(2028, 12, 31)))
def test_nobody_answers_until_the_next_opening(moment: datetime) -> None:
    now = moment.replace(tzinfo=WARSAW)
    opening = HOURS.next_opening(now)
    assert opening is not None
    assert HOURS.are_open(opening)
    assert opening >= now
    step = now
    while not HOURS.are_open(now) and step < opening and step < now + timedelta(days=1):
        assert not HOURS.are_open(step)
        step += timedelta(minutes=47)


@pytest.mark.parametrize(
    ("week", "told"),
    [
        ({"monday": "8-18"}, "must be hours like"),
        ({"monday": "18:00-08:00"}, "must begin before they end"),
        ({"monday": "08:00-12:00, 11:00-18:00"}, "overlap"),
        ({"monday": "08:00-25:00"}, "no clock shows"),
        ({"moonday": "08:00-18:00"}, "has no days `moonday`"),
        ({"monday-friday": "08:00-18:00", "friday": "08:00-16:00"}, "names friday twice"),
        ({"monday": 8}, "must be hours like"),
        ("always", "must name days"),
    ],
)
def test_hours_with_a_mistake(week: object, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Hours.model_validate({"week": week})


def test_days_may_go_round_the_weekend() -> None:
    hours = Hours.model_validate({"week": {"saturday-monday": "10:00-24:00"}})
    assert hours.of(date(2026, 11, 29)) == hours.of(date(2026, 11, 30)) == ((600, 1440),)
    assert not hours.of(date(2026, 12, 1))
