"""Deliveries reach receivers that fail, stall or are away; they survive a restart, and nobody waits for them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from voicebot.events import REFUSED, CallerSaid, CallStarted, RecordingStopped
from voicebot.records.database import DATABASE, open_database, upgrade
from voicebot.summary import summarise
from voicebot.watch import deliveries as deliveries_module
from voicebot.watch import outbox as outbox_module
from voicebot.watch import webhooks
from voicebot.watch.deliveries import DONE, GIVEN_UP, WAITING, Deliveries
from voicebot.watch.outbox import Outbox, OutboxSettings
from voicebot.watch.payloads import Payload, alert_payload, summary_payload
from voicebot.watch.rows import Alert
from voicebot.watch.webhooks import Webhook, sign, verified

SECRET = "a secret of some length"
QUICK = OutboxSettings(pause_s=0.05, longest_pause_s=0.2, look_s=0.5)
PAYLOAD = Payload("summary", "c1", json.dumps({"event": "summary", "why": "zażółć"}, ensure_ascii=False))


@pytest.fixture
def deliveries(tmp_path: Path) -> Iterator[Deliveries]:
    engine = open_database(tmp_path / DATABASE)
    upgrade(engine)
    engine.dispose()
    kept = Deliveries(tmp_path)
    yield kept
    kept.close()


class Receiver:
    """A real HTTP server whose answers are listed; the last one is for all that come after."""

    def __init__(self, *answers: int | str) -> None:
        self.answers = list(answers)
        self.paths: list[str] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.stalling = 0
        self._closing = asyncio.Event()
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.paths.append(request.path)
        self.got.append((dict(request.headers), await request.read()))
        how = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if how == "stall":
            self.stalling += 1
            await self._closing.wait()
        if how == "redirect":
            raise web.HTTPFound(self.url + "/elsewhere")
        return web.Response(status=int(how), text="x" * 100_000)

    @asynccontextmanager
    async def open(self, port: int = 0) -> AsyncIterator[Receiver]:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self._closing.set()
            await runner.cleanup()


@asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[Outbox]:
    task = asyncio.create_task(outbox.run(), name="outbox")
    try:
        yield outbox
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], Any], timeout_s: float = 10.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.02)


def hook(url: str, *events: str) -> Webhook:
    return Webhook(url, SECRET, frozenset(events or ("summary", "alert")))


async def test_a_delivery_is_signed_and_done_and_its_words_go(deliveries: Deliveries) -> None:
    async with (
        Receiver(204).open() as receiver,
        running(Outbox(deliveries, [hook(receiver.url)], settings=QUICK)) as box,
    ):
        box.put(PAYLOAD)
        await until(lambda: deliveries.counts() == {DONE: 1})
    [(headers, body)] = receiver.got
    assert json.loads(body) == json.loads(PAYLOAD.body)
    assert headers["X-Voicebot-Event"] == "summary"
    stamp, signature = headers["X-Voicebot-Timestamp"], headers["X-Voicebot-Signature"]
    assert verified(SECRET, stamp, body, signature, time.time())
    assert not verified("another secret", stamp, body, signature, time.time())
    assert not verified(SECRET, stamp, body + b" ", signature, time.time())
    assert not verified(SECRET, stamp, body, signature, time.time() + 301)
    assert not verified(SECRET, "soon", body, signature, time.time())
    [delivery] = deliveries.all()
    assert (delivery.id, delivery.body, delivery.tries) == (headers["X-Voicebot-Delivery"], "", 1)


def test_the_signature_is_the_documented_one() -> None:
    assert sign("secret", 1700000000, b'{"event": "alert"}') == (
        "v1=c46ae8a9e8ba971c85198256f0145bec93621856e733b48190137e37a08030ba"
    )


async def test_many_deliveries_arrive_once_each(deliveries: Deliveries) -> None:
    async with Receiver(200).open() as receiver:
        async with running(Outbox(deliveries, [hook(receiver.url)], settings=QUICK)) as box:
            for _ in range(150):
                box.put(PAYLOAD)
            await until(lambda: deliveries.counts() == {DONE: 150}, 30)
    assert len(receiver.got) == len({headers["X-Voicebot-Delivery"] for headers, _ in receiver.got}) == 150


async def test_a_receiver_that_fails_gets_it_again_under_the_same_id(deliveries: Deliveries) -> None:
    async with Receiver(500, 404, 200).open() as receiver:
        async with running(Outbox(deliveries, [hook(receiver.url)], settings=QUICK)) as box:
            box.put(PAYLOAD)
            await until(lambda: deliveries.counts() == {DONE: 1})
    assert len(receiver.got) == 3
    assert len({headers["X-Voicebot-Delivery"] for headers, _ in receiver.got}) == 1
    assert deliveries.all()[0].tries == 3


async def test_a_redirect_is_not_followed(deliveries: Deliveries) -> None:
    async with Receiver("redirect").open() as receiver:
        async with running(Outbox(deliveries, [hook(receiver.url + "/here")], settings=QUICK)) as box:
            box.put(PAYLOAD)
            await until(lambda: deliveries.all() and deliveries.all()[0].tries >= 2)
    assert "redirect" in deliveries.all()[0].trouble
    assert set(receiver.paths) == {"/here"}


async def test_one_who_stalls_holds_up_no_other(deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "DEADLINE_S", 1.0)
    async with Receiver("stall").open() as slow, Receiver(200).open() as quick:
        async with running(Outbox(deliveries, [hook(slow.url), hook(quick.url)], settings=QUICK)) as box:
            for _ in range(20):
                box.put(PAYLOAD)
            await until(lambda: len(quick.got) == 20)
            assert slow.stalling <= 2 * QUICK.at_once_each
            await until(lambda: any("No answer within" in delivery.trouble for delivery in deliveries.all()))


async def test_a_receiver_that_is_away_gets_it_when_it_is_back_even_after_a_restart(deliveries: Deliveries) -> None:
    async with Receiver(200).open() as away:
        url = away.url
    async with running(Outbox(deliveries, [hook(url)], settings=QUICK)) as box:
        box.put(PAYLOAD)
        await until(lambda: deliveries.all() and deliveries.all()[0].tries >= 1)
    assert deliveries.counts() == {WAITING: 1}
    assert "cannot be reached" in deliveries.all()[0].trouble
    back = Receiver(200)
    async with back.open(int(url.rpartition(":")[2])), running(Outbox(deliveries, [hook(url)], settings=QUICK)):
        await until(lambda: deliveries.counts() == {DONE: 1})
    assert len(back.got) == 1


async def test_what_was_put_before_the_end_is_kept(deliveries: Deliveries) -> None:
    async with running(Outbox(deliveries, [hook("http://127.0.0.1:9")], settings=QUICK)) as box:
        await asyncio.sleep(0.1)
        box.put(PAYLOAD)
    assert deliveries.counts() == {WAITING: 1}


async def test_after_a_day_it_is_given_up_and_shown(deliveries: Deliveries) -> None:
    clock = [datetime(2026, 11, 23, 10, 0, tzinfo=UTC)]
    async with Receiver(500).open() as receiver:
        box = Outbox(deliveries, [hook(receiver.url)], settings=QUICK, now=lambda: clock[0])
        async with running(box):
            box.put(PAYLOAD)
            await until(lambda: len(receiver.got) == 1 and not box._sending)
            clock[0] += timedelta(hours=24)
            box.put(PAYLOAD)  # wakes it
            await until(lambda: deliveries.counts().get(GIVEN_UP) == 1)
    given_up = next(delivery for delivery in deliveries.all() if delivery.state == GIVEN_UP)
    assert (given_up.trouble, given_up.body, given_up.tries) == ("The answer was 500.", "", 2)


def test_pauses_grow_to_an_hour() -> None:
    pauses = [OutboxSettings().pause_after(tries) for tries in (1, 2, 3, 10, 11, 5000)]
    assert pauses == [5, 10, 20, 2560, 3600, 3600]


async def test_only_those_get_an_event_who_want_it(deliveries: Deliveries) -> None:
    box = Outbox(deliveries, [hook("http://a", "alert"), hook("http://b", "summary")], mail_to=["x@example.com"])
    box.put(PAYLOAD)
    assert [(delivery.channel, delivery.target) for delivery in box._new] == [("webhook", "http://b")]


async def test_a_webhook_that_is_configured_no_more_gets_nothing(deliveries: Deliveries) -> None:
    async with running(Outbox(deliveries, [hook("http://127.0.0.1:9")], settings=QUICK)) as box:
        box.put(PAYLOAD)
        await until(lambda: deliveries.counts())
    async with running(Outbox(deliveries, settings=QUICK)):
        await until(lambda: "not configured" in deliveries.all()[0].trouble)


async def test_the_outbox_is_bounded_in_memory_and_on_the_disk(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "MOST_IN_MEMORY", 30)
    monkeypatch.setattr(deliveries_module, "MOST_WAITING", 20)
    monkeypatch.setattr(deliveries_module, "MOST_FINISHED", 5)
    async with Receiver(200).open() as receiver:
        box = Outbox(deliveries, [hook(receiver.url)], settings=QUICK)
        for _ in range(50):
            box.put(PAYLOAD)
        assert len(box._new) == 30
        async with running(box):
            await until(lambda: len(receiver.got) == 20 and not box._sending)
    assert sum(deliveries.counts().values()) == 5


async def test_putting_takes_no_time_whatever_the_disk_does(deliveries: Deliveries) -> None:
    box = Outbox(deliveries, [hook("http://127.0.0.1:9")], settings=QUICK)
    began = time.perf_counter()
    for _ in range(1000):
        box.put(PAYLOAD)
    assert time.perf_counter() - began < 0.5


def test_secrets_are_not_shown() -> None:
    assert SECRET not in repr(hook("http://a"))


def test_of_a_caller_who_refused_recording_no_words_are_sent() -> None:
    stamp: dict[str, Any] = {"call_id": "c1", "at": datetime(2026, 11, 23, 10, 0, tzinfo=UTC), "offset_s": 1}
    said = CallerSaid(text="sekret", confidence=1, decode_ms=1, audio_s=1, **stamp)
    started = CallStarted(caller="+48601", dialled="1", language="pl", bot="b", **stamp)
    kept = json.loads(summary_payload(summarise([started, said], "pl", {"note": "sekret"}), "ended").body)
    assert (kept["moment"], kept["summary"]["why"], kept["recording_refused"]) == ("ended", "sekret", False)
    refused = summarise([started, said, RecordingStopped(reason=REFUSED, **stamp)], "pl", {"note": "sekret"})
    body = summary_payload(refused, "handed_over").body
    assert "sekret" not in body
    assert json.loads(body)["summary"]["who"] == "+48601"


def test_an_alert_as_json_and_as_a_letter() -> None:
    alert = Alert("c1-angry-1", "angry", "c1", "Rozmówca jest zdenerwowany.", datetime(2026, 11, 23, 10, 0, tzinfo=UTC))
    payload = alert_payload(alert, "https://bot.example/board")
    assert json.loads(payload.body)["alert"] == {
        "id": "c1-angry-1", "kind": "angry", "call_id": "c1", "text": "Rozmówca jest zdenerwowany.",
        "at": "2026-11-23T10:00:00+00:00",
    }  # fmt: skip
    assert payload.subject == "Voicebot: Rozmówca jest zdenerwowany."
    assert "https://bot.example/board" in payload.text
