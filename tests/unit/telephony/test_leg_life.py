"""State and events of a leg."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.leg import LEG_MOVES, Answered, Digit, EndCause, Ended, Held, LegState, Ringing
from telephony.leg_life import MAX_WAITING_EVENTS, LegLife, checked_keys


async def _events(life: LegLife) -> list[object]:
    async with asyncio.timeout(2):
        return [event async for event in life.events()]


async def test_a_call_from_the_first_ring_to_the_end() -> None:
    life = LegLife("a")
    life.ring()
    life.ring()
    assert life.answer()
    life.press("1")
    life.hold(True)
    life.hold(False)
    assert life.end(EndCause.REMOTE_HANGUP, "bye")
    assert await _events(life) == [
        Ringing(),
        Answered(),
        Digit("1"),
        Held(True),
        Held(False),
        Ended(EndCause.REMOTE_HANGUP, "bye"),
    ]
    assert await _events(life) == []


async def test_what_comes_after_the_end_changes_nothing() -> None:
    life = LegLife("a")
    life.end(EndCause.CANCELLED)
    assert not life.answer()
    assert not life.end(EndCause.FAILED)
    life.ring()
    life.press("1")
    life.hold(True)
    assert life.state is LegState.ENDED
    assert not life.was_up
    assert await _events(life) == [Ended(EndCause.CANCELLED)]


async def test_keys_before_the_answer_and_strange_keys_are_dropped() -> None:
    life = LegLife("a")
    life.press("1")
    life.answer()
    for key in ("E", "", "12", "a"):
        life.press(key)
    life.end(EndCause.LOCAL_HANGUP)
    assert await _events(life) == [Answered(), Digit("A"), Ended(EndCause.LOCAL_HANGUP)]


async def test_a_peer_that_floods_us_with_keys_costs_bounded_memory_and_not_the_end() -> None:
    life = LegLife("a")
    life.answer()
    for _ in range(3 * MAX_WAITING_EVENTS):
        life.press("7")
    life.end(EndCause.REMOTE_HANGUP)
    events = await _events(life)
    assert len(events) == MAX_WAITING_EVENTS + 1
    assert events[0] == Answered()
    assert events[-1] == Ended(EndCause.REMOTE_HANGUP)
    assert life.dropped_events == 2 * MAX_WAITING_EVENTS + 1


async def test_one_consumer_after_another_misses_nothing() -> None:
    life = LegLife("a")
    life.answer()
    async for event in life.events():
        assert event == Answered()
        break
    life.press("5")
    life.end(EndCause.REMOTE_HANGUP)
    assert await _events(life) == [Digit("5"), Ended(EndCause.REMOTE_HANGUP)]


async def test_a_consumer_that_is_cancelled_leaves_its_place_to_another() -> None:
    life = LegLife("a")
    first = asyncio.create_task(life.take())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = asyncio.create_task(life.take())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="consumer"):
        await life.take()
    life.answer()
    assert await second == Answered()


async def test_settled_means_up_or_over() -> None:
    life = LegLife("a")
    waiting = asyncio.create_task(life.settled())
    await asyncio.sleep(0)
    assert not waiting.done()
    life.answer()
    assert await waiting is LegState.UP
    life.end(EndCause.REMOTE_HANGUP)
    await life.over()
    assert await life.settled() is LegState.ENDED


@given(st.lists(st.sampled_from(["ring", "answer", "end", "press"]), max_size=12))
def test_states_move_only_as_the_table_allows(steps: list[str]) -> None:
    life = LegLife("a")
    for step in steps:
        before = life.state
        if step == "end":
            life.end(EndCause.FAILED)
        elif step == "press":
            life.press("1")
        else:
            getattr(life, step)()
        assert life.state is before or life.state in LEG_MOVES[before]


def test_keys_are_checked_and_put_in_capitals() -> None:
    assert checked_keys("12*#ad") == "12*#AD"
    assert checked_keys("") == ""
    with pytest.raises(ValueError, match="not DTMF keys: E X"):
        checked_keys("1xE")
