"""House and workers tell each other what happens, over a real socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from voicebot.events import BotTaken, CallEnded, CallerSaid, CallEvent, Outcome, from_json
from voicebot.queueing.happenings import Promise
from voicebot.watch.payloads import Payload
from voicebot.workers.lines import DELIVERIES, PROMISES, HouseGone, HouseLine, News, WorkerLines

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
STAMP: dict[str, Any] = {"call_id": "call-1", "at": NOON, "offset_s": 1.5}


class Telling:
    """A house, and what it heard."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard: list[tuple[int, str, Any]] = []
        self.gone: list[int] = []
        self.lines = WorkerLines(folder, lambda *told: self.heard.append(told), self.gone.append)
        self.news: list[News] = []
        self.house_gone = 0

    def worker(self, number: int) -> HouseLine:
        def gone() -> None:
            self.house_gone += 1

        return HouseLine(self.folder, number, self.news.append, gone)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Telling]:
    telling = Telling(tmp_path)
    await telling.lines.start()
    yield telling
    await telling.lines.close()


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_what_happens_comes_in_its_order_and_then_the_end(house: Telling) -> None:
    worker = house.worker(1)
    await worker.open()
    said = [
        CallerSaid(text=f"zażółć {number}", confidence=0.5, decode_ms=1.0, audio_s=1.0, **STAMP)
        for number in range(500)
    ]
    for event in said:
        worker.event(event)
    await worker.close()
    await until(lambda: house.gone == [1])
    assert [from_json(told) for _, kind, told in house.heard if kind == "event"] == said


async def test_from_another_thread_too(house: Telling) -> None:
    worker = house.worker(2)
    await worker.open()
    ended = CallEnded(outcome=Outcome.CONTAINED, cause="remote_hangup", duration_s=3.0, **STAMP)
    thread = threading.Thread(target=worker.event, args=(ended,))
    thread.start()
    thread.join()
    await until(lambda: house.heard)
    assert from_json(house.heard[0][2]) == ended
    await worker.close()


async def test_promises_deliveries_and_states(house: Telling) -> None:
    worker = house.worker(1)
    await worker.open()
    promise = Promise("call-1", "+48601234567", "pl", "service", skills=frozenset({"vip"}), entered_at=NOON)
    payload = Payload("summary", "call-1", "{}", "Temat", "Treść")
    worker.promise(promise)
    worker.deliver(payload)
    worker.state({"status": "ok"})
    worker.event(BotTaken(bot="shop", version=1, **STAMP))  # the house tells it itself
    await until(lambda: len(house.heard) == 3)
    kinds = {kind: told for _, kind, told in house.heard}
    assert PROMISES.validate_python(kinds["promise"]) == promise
    assert DELIVERIES.validate_python(kinds["delivery"]) == payload
    assert kinds["state"] == {"status": "ok"}
    await worker.close()


async def test_news_reach_who_is_there_and_who_comes(house: Telling) -> None:
    first, second = house.worker(1), house.worker(2)
    await first.open()
    assert first.news == News()
    news = News({"+48601234567": NOON}, hears=False)
    house.lines.tell(news)
    await until(lambda: house.news == [news])
    await second.open()
    assert second.news == news
    house.lines.tell(news)  # nothing new
    house.lines.tell(News())
    await until(lambda: len(house.news) == 3)
    await first.close()
    await second.close()


async def test_a_line_that_cannot_be_used_stops_no_other(house: Telling, caplog: pytest.LogCaptureFixture) -> None:
    def fail(worker: int, kind: str, told: Any) -> None:
        house.heard.append((worker, kind, told))
        if told == {"status": "bad"}:
            raise ValueError("no such thing")

    house.lines._told = fail
    worker = house.worker(1)
    await worker.open()
    worker.state({"status": "bad"})
    worker.state({"status": "ok"})
    await until(lambda: len(house.heard) == 2)
    assert "what worker 1 told cannot be used" in caplog.text
    await worker.close()


async def test_a_worker_notices_that_the_house_is_gone(tmp_path: Path) -> None:
    house = Telling(tmp_path)
    with pytest.raises(HouseGone):
        await house.worker(1).open()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(News().line())
        writer.close()

    server = await asyncio.start_unix_server(hang_up, tmp_path / "house")
    worker = house.worker(1)
    await worker.open()
    await until(lambda: house.house_gone)
    ended: CallEvent = CallEnded(outcome=Outcome.LOST, cause="", duration_s=0.0, **STAMP)
    worker.event(ended)  # nobody hears it, and nothing is raised
    await worker.close()
    server.close()
    await server.wait_closed()
