"""Keys become one entry by `#`, by their number, or when no more come."""

from __future__ import annotations

import asyncio

import pytest

from flows import Expectation
from voicebot import key_entry
from voicebot.key_entry import KeyEntry

SIX = Expectation("digits", keys=True, length=6)
ANY_NUMBER = Expectation("digits", keys=True)


@pytest.mark.parametrize(
    ("expect", "pressed", "entered"),
    [
        (SIX, "123456", ["123456"]),
        (SIX, "12#", ["12#"]),
        (ANY_NUMBER, "12345678#", ["12345678#"]),
        (Expectation("intent"), "10", ["1", "0"]),
        (SIX, "12345", []),
    ],
)
async def test_an_entry_ends_by_its_number_or_a_hash(expect: Expectation, pressed: str, entered: list[str]) -> None:
    found: list[str] = []
    keys = KeyEntry(found.append)
    for key in pressed:
        keys.press(key, expect)
    assert (found, keys.begun) == (entered, not entered)
    keys.forget()


async def test_what_was_begun_is_entered_when_no_more_come_unless_it_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_entry, "BETWEEN_KEYS_S", 0.01)
    found: list[str] = []
    keys = KeyEntry(found.append)
    keys.press("1", SIX)
    keys.forget()
    keys.press("2", SIX)
    async with asyncio.timeout(5):
        while not found:
            await asyncio.sleep(0.01)
    assert found == ["2"]
