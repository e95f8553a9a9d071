"""Failed verifications across calls and restarts."""

from __future__ import annotations

import asyncio
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows import CallSystem
from flows.testing import FakeSystemClient
from flows.verification import BEGIN, WITHDRAW
from voicebot.errors import RecordsUnavailable
from voicebot.records.database import DATABASE
from voicebot.verifications import KEY_FILE, StoredAttempts, VerifyingSystems, load_key

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


async def test_five_failed_tries_lock_for_a_day_whoever_counts(tmp_path: Path) -> None:
    first = StoredAttempts(tmp_path, "shop")
    for number in range(5):
        assert await first.begin(f"a{number}", "number", "12 3", NOW)
    first.close()
    again = StoredAttempts(tmp_path, "shop")
    assert not await again.begin("b", "number", "123", NOW + timedelta(hours=23))
    assert await again.begin("c", "number", "124", NOW)
    assert await again.begin("d", "zip", "123", NOW)
    assert await again.begin("e", "number", "123", NOW + timedelta(hours=24))
    again.close()
    other = StoredAttempts(tmp_path, "clinic")
    assert await other.begin("f", "number", "123", NOW)
    other.close()


async def test_a_try_that_is_withdrawn_does_not_count(tmp_path: Path) -> None:
    attempts = StoredAttempts(tmp_path, "shop")
    for number in range(12):
        assert await attempts.begin(str(number), "number", "123", NOW)
        await attempts.withdraw(str(number))
    attempts.close()


async def test_many_calls_at_once_get_no_more_tries_than_one(tmp_path: Path) -> None:
    attempts = [StoredAttempts(tmp_path, "shop") for _ in range(4)]
    assert await attempts[0].begin("first", "number", "123", NOW)
    begun = await asyncio.gather(
        *(attempts[number % 4].begin(f"t{number}", "number", "123", NOW) for number in range(12))
    )
    assert sum(begun) == 4
    for one in attempts:
        one.close()


async def test_neither_the_fact_nor_the_key_is_in_the_database(tmp_path: Path) -> None:
    attempts = StoredAttempts(tmp_path, "shop")
    await attempts.begin("a", "number", "987654321", NOW)
    attempts.close()
    kept = (tmp_path / DATABASE).read_bytes()
    assert b"987654321" not in kept
    assert load_key(tmp_path) not in kept
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600


def test_a_damaged_key_is_told(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(RecordsUnavailable, match="damaged"):
        load_key(tmp_path)


async def test_systems_answer_about_tries_and_everything_else(tmp_path: Path) -> None:
    inner = FakeSystemClient({"shop.order": {"id": 1}})
    systems = VerifyingSystems(inner, StoredAttempts(tmp_path, "shop"), lambda: NOW)
    begin = CallSystem("c1", BEGIN, {"try": "t", "fact": "number", "value": "1"})
    assert (await systems.call(begin)).data == {"locked": False}
    assert (await systems.call(CallSystem("c2", WITHDRAW, {"try": "t"}))).outcome == "ok"
    assert (await systems.call(CallSystem("c3", "shop.order"))).data == {"id": 1}
    await systems.close()
    assert inner.closed


async def test_tries_that_can_not_be_counted_have_failed(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"no database at all, but long enough to be looked at" * 20)
    systems = VerifyingSystems(FakeSystemClient(), StoredAttempts(tmp_path, "shop"), lambda: NOW)
    begin = CallSystem("c1", BEGIN, {"try": "t", "fact": "number", "value": "1"})
    assert (await systems.call(begin)).outcome == "failed"
    await systems.close()
