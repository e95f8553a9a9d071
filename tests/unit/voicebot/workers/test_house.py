"""What the house makes of what its workers tell, without any process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from voicebot.config import load_config
from voicebot.errors import CallNotFound
from voicebot.events import BotSaid, CallEnded, CallEvent, CallStarted, Outcome, to_json
from voicebot.model_processes import model_processes
from voicebot.processes import BACK, DEAF
from voicebot.workers.control import RemoteCalls
from voicebot.workers.house import House
from voicebot.workers.lines import WorkerLines

ANNA, JAN = "+48601000001", "+48601000002"


class Told:
    """A house with two workers that are told of, and what it publishes."""

    def __init__(self, folder: Path) -> None:
        file = folder / "voicebot.yaml"
        file.write_text("workers: 2\nnumbers: [{number: '*', bot: bot, language: pl}]\n", encoding="utf-8")
        config = load_config(file)
        self.house = House(config, file)
        self.house._models = model_processes(config, folder)
        self.house._lines = self.lines = WorkerLines(folder, self.house._told, self.house._gone)
        self.house._workers = {number: self.house._worker(number, folder, file) for number in (1, 2)}
        self.published: list[CallEvent] = []
        self.house.events.attach(self.published.append)

    def event(self, worker: int, event: CallEvent) -> None:
        self.house._told(worker, "event", to_json(event))

    def begins(self, worker: int, call_id: str, caller: str) -> None:
        began = datetime.now(UTC) - timedelta(seconds=30)
        asked: dict[str, Any] = {"dialled": "100", "language": "pl", "bot": "shop"}
        self.event(worker, CallStarted(caller=caller, **asked, call_id=call_id, at=began, offset_s=0.0))

    def ends(self, worker: int, call_id: str, outcome: Outcome, cause: str) -> None:
        stamp: dict[str, Any] = {"call_id": call_id, "at": datetime.now(UTC), "offset_s": 30.0}
        self.event(worker, CallEnded(outcome=outcome, cause=cause, duration_s=30.0, **stamp))

    @property
    def cut_off(self) -> set[str]:
        """Whom the workers are told of."""
        return set(self.lines._news.cut_off)


@pytest.fixture
async def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


@pytest.mark.parametrize(("what", "cause"), [("died with status -9", "worker_died"), (DEAF, "worker_deaf")])
async def test_the_calls_of_a_worker_that_is_gone_are_lost_and_no_others(told: Told, what: str, cause: str) -> None:
    told.begins(1, "one", ANNA)
    told.begins(2, "two", JAN)
    told.begins(1, "three", "")
    told.house._process_told(1, what)
    told.house._gone(1)
    ended = [event for event in told.published if isinstance(event, CallEnded)]
    assert [(end.call_id, end.outcome, end.cause) for end in ended] == [
        ("one", Outcome.LOST, cause),
        ("three", Outcome.LOST, cause),
    ]
    assert ended[0].duration_s == pytest.approx(30, abs=2)
    assert told.cut_off == {ANNA}
    assert told.house.health()["calls"] == 1


async def test_who_was_cut_off_is_told_once_by_whichever_worker(told: Told) -> None:
    told.begins(1, "one", ANNA)
    told.house._gone(1)
    told.begins(2, "two", ANNA)
    assert told.cut_off == {ANNA}, "the worker that answers has not asked yet"
    stamp: dict[str, Any] = {"call_id": "two", "at": datetime.now(UTC), "offset_s": 2.0}
    told.event(2, BotSaid(text="", heard_text="", step="", interrupted=False, **stamp))
    assert told.cut_off == set()


async def test_a_call_that_the_sip_stack_broke_off_counts_as_cut_off(told: Told) -> None:
    told.begins(1, "one", ANNA)
    told.begins(1, "two", JAN)
    told.ends(1, "one", Outcome.LOST, "endpoint_dead")
    told.ends(1, "two", Outcome.ABANDONED, "remote_hangup")
    assert told.cut_off == {ANNA}
    told.house._gone(1)
    assert sum(isinstance(event, CallEnded) for event in told.published) == 2, "neither ended twice"


async def test_calls_are_commanded_where_they_are(told: Told, tmp_path: Path) -> None:
    calls = RemoteCalls(told.house._whose)
    told.begins(2, "two", JAN)
    calls.check("two")
    assert told.house._whose("two") == tmp_path / "worker2"
    with pytest.raises(CallNotFound):
        calls.check("one")
    told.ends(2, "two", Outcome.CONTAINED, "remote_hangup")
    with pytest.raises(CallNotFound):
        await calls.end("two")


async def test_health_is_of_all_and_of_each(told: Told) -> None:
    for process in (*told.house._models, *(worker.process for worker in told.house._workers.values())):
        process.ready = True
    closed = {"sip": "sip:bot@10.0.0.1:5060", "status": "ok", "refused": 2, "admission": "sound is late"}
    told.house._told(1, "state", closed)
    told.house._told(2, "state", {**closed, "refused": 3, "admission": "open"})
    told.begins(1, "one", ANNA)
    health = told.house.health()
    assert (health["status"], health["calls"], health["refused"], health["admission"]) == ("ok", 1, 5, "open")
    assert health["workers"] == [
        {"name": "worker 1", **closed, "calls": 1},
        {"name": "worker 2", **closed, "refused": 3, "admission": "open", "calls": 0},
    ]
    told.house._process_told(2, "died with status 1")
    told.house._workers[2].process.ready = False
    health = told.house.health()
    assert (health["status"], health["refused"], health["admission"]) == ("degraded", 5, "sound is late")
    told.house._process_told(2, BACK)
    told.house._told(2, "state", {**closed, "refused": 1})
    assert told.house.health()["refused"] == 6
