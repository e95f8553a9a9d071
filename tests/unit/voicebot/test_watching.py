"""Moods and alerts go into the stream that they come from, and the board shows them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from voicebot.events import (
    AlertAcknowledged,
    AlertRaised,
    CallEnded,
    CallerSaid,
    CallEvent,
    CallStarted,
    EventStream,
    MoodChanged,
    Outcome,
)  # fmt: skip
from voicebot.watch import watching as watching_module
from voicebot.watch.alerts import AlertRules, Alerts
from voicebot.watch.board import Board
from voicebot.watch.rows import Alert
from voicebot.watch.watching import Watching

BEGAN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def at(offset_s: float) -> dict[str, Any]:
    return {"call_id": "c1", "at": BEGAN + timedelta(seconds=offset_s), "offset_s": offset_s}


STARTED = CallStarted(caller="+48601234567", dialled="100", language="pl", bot="shop", **at(0))
ANGRY = CallerSaid(text="to skandal", confidence=0.9, decode_ms=80, audio_s=1.0, **at(4))
ENDED = CallEnded(outcome=Outcome.CONTAINED, cause="x", duration_s=9, **at(9))


async def test_from_the_callers_words_to_the_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching_module, "TICK_S", 0.01)
    stream, published, told, clock = EventStream(), list[CallEvent](), list[Alert](), [BEGAN]
    stream.attach(published.append)
    watching = Watching(stream, Board(), Alerts(AlertRules()), told.append, now=lambda: clock[0])
    task = asyncio.create_task(watching.run(), name="watching")
    await asyncio.sleep(0)
    stream.publish(STARTED)
    await asyncio.to_thread(stream.publish, ANGRY)  # from whatever thread
    await asyncio.sleep(0.02)
    [mood] = [event for event in published if isinstance(event, MoodChanged)]
    assert (mood.mood, mood.words, mood.offset_s) == ("angry", ("skandal",), 4)
    row = watching.board.call("c1")
    assert row is not None
    assert (row.mood, row.alerts, row.last_words) == ("angry", ("angry",), "to skandal")
    for second in (5, 6, 7):
        stream.publish(CallerSaid(text="no dobrze", confidence=0.9, decode_ms=80, audio_s=1.0, **at(second)))
    row = watching.board.call("c1")
    assert row is not None
    assert (row.mood, row.alerts) == ("neutral", ("angry",))
    clock[0] += timedelta(seconds=35)
    async with asyncio.timeout(5):
        while len(told) < 2:
            await asyncio.sleep(0.01)
    [_, silence] = [event for event in published if isinstance(event, AlertRaised)]
    assert (silence.kind, silence.offset_s) == ("silence", 35)
    assert [alert.kind for alert in told] == ["angry", "silence"]
    stream.publish(ENDED)
    for who in ("boss", "eva"):
        watching.acknowledge(silence.alert, who)
    assert [event.who for event in published if isinstance(event, AlertAcknowledged)] == ["boss"]
    assert {row.kind: row.acknowledged_by for row in watching.board.alerts()} == {"angry": "", "silence": "boss"}
    assert watching.board.calls() == ()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    stream.publish(STARTED)
    assert watching.board.calls() == ()
