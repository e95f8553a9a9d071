"""The floor in the database: what a crash leaves, what a sick disk does, and that callbacks are kept in one place."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from voicebot.events import CallbackPromised
from voicebot.people_settings import QueueSettings
from voicebot.queueing.happenings import (
    Accept,
    AgentAvailable,
    AgentBreak,
    Announce,
    CallbackDone,
    Connected,
    ConnectFailed,
    Effect,
    Event,
    Leave,
    Offered,
    Promise,
    TalkEnded,
    Tick,
    WrapUpDone,
)
from voicebot.queueing.model import AgentState, EntryState, Why
from voicebot.queueing.store import StoredFloor
from voicebot.queueing.testing import BEGAN, entering, profile
from voicebot.records import RecordWriter, WriterSettings
from voicebot.records.database import DATABASE

QUEUES = {"service": QueueSettings()}
ADAM = profile("adam")
AWAY = AgentBreak(ADAM, "lunch")


class Kept:
    """A stored floor with a clock that is set by hand."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.now = BEGAN
        self.effects: list[Effect] = []
        self.stored: StoredFloor

    async def start(self) -> None:
        self.stored = await StoredFloor.open(self.data, QUEUES, UTC, self.effects.extend, clock=lambda: self.now)

    async def crash(self) -> None:
        """Nothing is written any more that is not written yet."""
        self.effects.clear()
        self.stored._engine.dispose()
        await self.start()

    async def do(self, *events: Event) -> None:
        for event in events:
            await self.stored.apply(event)

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def found(self, kind: type[Any]) -> list[Any]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def waiting(self) -> list[str]:
        now = self.now
        return [entry.caller for entry in self.stored.floor.line("service", now)]


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    kept = Kept(tmp_path)
    await kept.start()
    yield kept
    await kept.stored.close()


def row(data: Path, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(data / DATABASE)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


async def test_an_offer_is_on_the_disk_before_it_is_made(tmp_path: Path) -> None:
    states: list[list[tuple[Any, ...]]] = []

    def look(effects: tuple[Effect, ...]) -> None:
        if any(isinstance(effect, Offered) for effect in effects):
            states.append(row(tmp_path, "select id, state, agent from queue_entries"))

    stored = await StoredFloor.open(tmp_path, QUEUES, UTC, look, clock=lambda: BEGAN)
    await stored.apply(AgentAvailable(ADAM))
    await stored.apply(entering("1"))
    assert states == [[("1", "offered", "adam")]]
    await stored.close()


async def test_after_a_crash_callers_are_lost_and_who_rings_again_gets_the_old_place(kept: Kept) -> None:
    await kept.do(AWAY, entering("1", caller="+48601000001"))
    kept.later(60)
    await kept.do(entering("2", caller="+48601000002"))
    kept.later(60)
    await kept.crash()
    assert row(kept.data, "select id, state, outcome from queue_entries") == [
        ("1", "lost", "lost"),
        ("2", "lost", "lost"),
    ]
    kept.later(600)
    await kept.do(entering("3", caller="+48601000003"), entering("4", caller="+48601000002"))
    kept.later(301)
    await kept.do(entering("5", caller="+48601000001"))  # a second too late
    assert kept.waiting() == ["+48601000002", "+48601000003", "+48601000001"]


async def test_an_old_place_is_given_back_once_and_never_to_a_withheld_number(kept: Kept) -> None:
    await kept.do(AWAY, entering("1", caller=""), entering("2"))
    await kept.crash()
    kept.later(60)
    await kept.do(AWAY, entering("3", caller=""), entering("4"), entering("5"))
    entered = {entry.id: entry.entered_at for entry in kept.stored.floor.entries}
    assert entered == {"3": kept.now, "4": BEGAN, "5": kept.now}


async def test_callbacks_survive_in_their_order_with_their_tries(kept: Kept) -> None:
    await kept.do(AWAY, entering("1"))
    kept.later(10)
    await kept.do(Promise("c2", "+48601000002", "pl", "service"), entering("3", caller="+48601000003"))
    kept.later(10)
    await kept.do(Leave("1", Why.CALLBACK, "+48601000001"))
    assert kept.waiting() == ["+48601000001", "+48601000002", "+48601000003"]
    await kept.do(AgentAvailable(ADAM))
    (offered,) = kept.found(Offered)
    await kept.do(Accept(offered.offer.id), AWAY, ConnectFailed(offered.entry.id, "no_answer"))
    await kept.crash()
    await kept.do(AWAY)
    assert {entry.caller: entry.tries for entry in kept.stored.floor.entries} == {"+48601000001": 1, "+48601000002": 0}
    assert kept.waiting() == ["+48601000002"]
    kept.later(600)
    await kept.do(Tick())
    assert kept.waiting() == ["+48601000001", "+48601000002"]


async def test_a_promise_of_the_bot_and_one_of_the_queue_are_one_row(kept: Kept) -> None:
    writer = RecordWriter(kept.data, WriterSettings(gather_s=0.01))
    writer.start()
    event = CallbackPromised(number="601 000 001", queue="service", call_id="c1", at=BEGAN, offset_s=1.0)
    promise = Promise("c1", "+48601000001", "pl", "service")
    for first in ("event", "queue"):
        if first == "queue":
            await kept.do(promise)
        writer.submit(event)
        assert writer.flush()
        await kept.do(promise)
    writer.close()
    assert row(kept.data, "select call_id, number, queue, state from callbacks") == [
        ("c1", "+48601000001", "service", "waiting")
    ]
    (entry,) = kept.stored.floor.entries
    await kept.do(CallbackDone(entry.id, "reached"))
    await kept.crash()
    await kept.do(promise)
    assert kept.stored.floor.entries == ()
    assert row(kept.data, "select done_at is null from callbacks") == [(0,)]


async def test_a_promise_that_only_the_records_know_is_taken_up_at_the_start(kept: Kept) -> None:
    writer = RecordWriter(kept.data, WriterSettings(gather_s=0.01))
    writer.start()
    writer.submit(CallbackPromised(number="601000001", queue="service", call_id="c1", at=BEGAN, offset_s=1.0))
    writer.close()
    await kept.crash()
    assert kept.waiting() == ["+48601000001"]


async def test_agents_have_to_show_themselves_after_a_restart_but_a_break_goes_on(kept: Kept) -> None:
    await kept.do(AgentAvailable(ADAM), AgentBreak(profile("beata"), "lunch"))
    await kept.crash()
    agents = {agent.login: (agent.state, agent.reason) for agent in kept.stored.floor.agents}
    assert agents == {"adam": (AgentState.ON_BREAK, "restarted"), "beata": (AgentState.ON_BREAK, "lunch")}
    kept.later(121)
    await kept.do(Tick())
    agents = {agent.login: (agent.state, agent.reason) for agent in kept.stored.floor.agents}
    assert agents == {"adam": (AgentState.OFFLINE, ""), "beata": (AgentState.ON_BREAK, "lunch")}


async def test_a_locked_database_loses_nobody_and_holds_nobody_up(kept: Kept, caplog: pytest.LogCaptureFixture) -> None:
    lock = sqlite3.connect(kept.data / DATABASE, isolation_level=None)
    lock.execute("begin immediate")
    loop = asyncio.get_running_loop()
    began = loop.time()
    await kept.do(AgentAvailable(ADAM), entering("1"))
    (offered,) = kept.found(Offered)
    await kept.do(Accept(offered.offer.id), Connected("1"), TalkEnded("1"))
    assert loop.time() - began < 2.0
    assert "it goes on in memory" in caplog.text
    lock.execute("rollback")
    lock.close()
    async with asyncio.timeout(5):
        while kept.stored.failing:
            await kept.do(Tick())
            await asyncio.sleep(0.05)
    assert row(kept.data, "select id, state from queue_entries") == [("1", "wrap_up")]


async def test_whoever_keeps_the_shared_threads_busy_does_not_hold_up_the_queue(kept: Kept) -> None:
    done = threading.Event()
    loop = asyncio.get_running_loop()
    jammed = [loop.run_in_executor(None, done.wait, 10) for _ in range(64)]
    try:
        await kept.do(AWAY, entering("1"))
        assert (kept.stored.failing, row(kept.data, "select id from queue_entries")) == ("", [("1",)])
    finally:
        done.set()
        await asyncio.gather(*jammed)


async def test_effects_are_carried_out_though_nobody_waits_for_them_any_more(kept: Kept) -> None:
    await kept.do(AWAY)
    task = asyncio.create_task(kept.stored.apply(entering("1")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await kept.do(Tick())
    assert [effect.entry.id for effect in kept.found(Announce)] == ["1"]


async def test_a_wrap_up_is_kept_also_when_it_comes_late(kept: Kept) -> None:
    await kept.do(AgentAvailable(ADAM), entering("1"))
    (offered,) = kept.found(Offered)
    await kept.do(Accept(offered.offer.id), Connected("1"), TalkEnded("1"))
    kept.later(31)
    await kept.do(Tick(), WrapUpDone("1", "solved", "Faktura wysłana."), WrapUpDone("1", "complaint"))
    assert row(kept.data, "select state, code, notes from queue_entries") == [("done", "solved", "Faktura wysłana.")]


async def test_time_is_kept_by_itself(tmp_path: Path) -> None:
    effects: list[Effect] = []
    queues = {"service": QueueSettings(longest_wait_s=0.1)}
    stored = await StoredFloor.open(tmp_path, queues, UTC, effects.extend)
    await stored.apply(AWAY)
    clock = asyncio.create_task(stored.keep_time())
    await stored.apply(entering("1"))
    async with asyncio.timeout(5):
        while stored.floor.entry("1") is not None:
            await asyncio.sleep(0.01)
    clock.cancel()
    await asyncio.gather(clock, return_exceptions=True)
    await stored.close()
    assert row(tmp_path, "select state, outcome from queue_entries") == [(str(EntryState.OVERFLOWED), "callback")]
    assert datetime.now(UTC) > BEGAN
