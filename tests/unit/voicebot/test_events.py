"""Events survive JSON, and the stream never lets a reader hold up the call."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from voicebot.errors import UnreadableEvent
from voicebot.events import (
    EVENT_TYPES,
    BotSaid,
    CallClock,
    CallEnded,
    CallEvent,
    CallStarted,
    EventStream,
    KeysPressed,
    Outcome,
    Stamp,
    TurnTimed,
    event_name,
    from_json,
    to_json,
)

STAMP: Stamp = {"call_id": "c1", "at": datetime(2026, 11, 23, 10, 0, tzinfo=UTC), "offset_s": 1.5}

SAMPLES: dict[str, Any] = {
    "str": "zażółć", "int": 7, "bool": True, "float": 0.25, "Outcome": Outcome.HANDED_OFF, "datetime": STAMP["at"],
    "int | None": 7, "float | None": None, "Sequence[str]": ["affirm"],
    "Mapping[str, Any]": {"command": "start_flow", "slots": [1, None]}, "Mapping[str, float]": {"decode": 80.0},
    "Mapping[str, str]": {"X-Tenant": "shop"},
}  # fmt: skip


def sample(kind: type[CallEvent]) -> CallEvent:
    return kind(**{field.name: SAMPLES[str(field.type)] for field in fields(kind)})


def key(keys: str, call_id: str = "c1") -> KeysPressed:
    return KeysPressed(keys=keys, call_id=call_id, at=STAMP["at"], offset_s=0.0)


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_every_event_survives_json(kind: type[CallEvent]) -> None:
    event = sample(kind)
    assert from_json(json.loads(json.dumps(to_json(event)))) == event


def test_every_event_class_is_listed() -> None:
    assert set(EVENT_TYPES) == set(CallEvent.__subclasses__())


def test_names_are_the_words_of_the_class() -> None:
    assert event_name(BotSaid) == "bot_said"
    assert to_json(key("1"))["event"] == "keys_pressed"


def test_times_are_written_in_utc() -> None:
    warsaw = timezone(timedelta(hours=1))
    event = KeysPressed(keys="1", call_id="c", at=datetime(2026, 11, 23, 11, 0, tzinfo=warsaw), offset_s=0)
    assert to_json(event)["at"] == "2026-11-23T10:00:00+00:00"


@pytest.mark.parametrize(
    "data",
    [
        {"event": "sneezed", "call_id": "c1"},
        {},
        {"event": "keys_pressed", "call_id": "c1", "at": "yesterday", "offset_s": 0, "keys": "1"},
        {"event": "keys_pressed", "call_id": "c1", "at": "2026-11-23T10:00:00+00:00", "offset_s": 0},
        {**to_json(CallEnded(outcome=Outcome.FAILED, cause="", duration_s=1, **STAMP)), "outcome": "won"},
    ],
)
def test_what_is_no_event_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(UnreadableEvent):
        from_json(data)


def test_clock_stamps_by_the_monotonic_clock() -> None:
    times = iter([100.0, 102.5])
    clock = CallClock("c1", now=lambda: STAMP["at"], monotonic=lambda: next(times))
    started = CallStarted(caller="", dialled="1", language="pl", bot="shop", **clock.stamp())
    assert (started.call_id, started.at, started.offset_s) == ("c1", STAMP["at"], 2.5)


def test_total_of_a_turn() -> None:
    assert TurnTimed(stages={"pause": 120.0, "decode": 80.0}, **STAMP).total_ms == 200.0


def test_a_raising_sink_is_logged_and_the_others_still_read(caplog: pytest.LogCaptureFixture) -> None:
    stream = EventStream()
    seen: list[CallEvent] = []

    def broken(event: CallEvent) -> None:
        raise RuntimeError("no disk")

    stream.attach(broken)
    detach = stream.attach(seen.append)
    stream.publish(key("1"))
    detach()
    stream.publish(key("2"))
    assert seen == [key("1")]
    assert "keys_pressed" in caplog.text
