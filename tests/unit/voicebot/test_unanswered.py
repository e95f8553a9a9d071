"""What callers said in vain is found in the records, by how often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from voicebot.events import CallerSaid, CallStarted, Decision, Stamp
from voicebot.records import RecordWriter
from voicebot.unanswered import NoRecords, unanswered

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    writer = RecordWriter(tmp_path)
    writer.start()
    for number, (bot, turns) in enumerate(
        [
            ("shop", [("Czy macie hulajnogi?", "not_known"), ("gdzie jest paczka", "understood")]),
            ("shop", [("czy macie hulajnogi", "not_known"), ("eee", "no_match"), ("dwanaście", "value_refused")]),
            ("clinic", [("czy boli", "no_match")]),
        ]
    ):
        stamp: Stamp = {"call_id": f"call-{number}", "at": AT + timedelta(days=number), "offset_s": 0.0}
        writer.submit(CallStarted(caller="", dialled="100", language="pl", bot=bot, version=0, **stamp))
        for text, kind in turns:
            writer.submit(CallerSaid(text=text, confidence=0.9, decode_ms=1.0, audio_s=1.0, **stamp))
            told: dict[str, Any] = {"reason": "not_understood"} if kind == "no_match" else {}
            if kind == "value_refused":
                kind, told = "no_match", {"reason": "digits_length"}
            writer.submit(Decision(kind=kind, data=told, **stamp))
    writer.close()
    return tmp_path


def test_they_are_counted_and_the_most_frequent_is_first(data: Path) -> None:
    found = unanswered(data, "shop")
    assert [(one.text, one.why, one.times, one.call) for one in found] == [
        ("czy macie hulajnogi", "not_known", 2, "call-1"),
        ("eee", "no_match", 1, "call-1"),
    ]


def test_of_all_bots_and_of_the_last_days(data: Path) -> None:
    assert len(unanswered(data)) == 3
    assert [one.text for one in unanswered(data, since=AT + timedelta(days=2))] == ["czy boli"]


def test_without_records(tmp_path: Path) -> None:
    with pytest.raises(NoRecords):
        unanswered(tmp_path)
