"""The files of a call: whole or not there, masked, and none for a caller who refused recording."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from voicebot.events import (
    REFUSED,
    BotSaid,
    CallEnded,
    CallerSaid,
    CallEvent,
    CallStarted,
    KeysPressed,
    Outcome,
    RecordingStopped,
)
from voicebot.records import CallFolder, transcribe
from voicebot.records.privacy import redact_event, redact_events, without_words
from voicebot.summary import summarise

PESEL = "44051401359"


def at(offset_s: float) -> dict[str, Any]:
    return {"call_id": "c1", "at": datetime(2026, 11, 23, 10, 0, tzinfo=UTC), "offset_s": offset_s}


def said(text: str, offset_s: float) -> CallerSaid:
    return CallerSaid(text=text, confidence=0.9, decode_ms=80, audio_s=1.0, **at(offset_s))


def whole_call() -> list[CallEvent]:
    return [
        CallStarted(caller=PESEL, dialled="100", language="pl", bot="shop", **at(0)),
        BotSaid(text="Dzień dobry", step="greeting/machine", **at(1)),
        said(f"pesel {PESEL}", 3),
        BotSaid(text="Proszę podać numer", step="order_status/1", interrupted=True, heard_text="Proszę", **at(64)),
        *[KeysPressed(keys=sign, **at(65)) for sign in "12#"],
        CallEnded(outcome=Outcome.CONTAINED, cause="remote_hangup", duration_s=70, **at(70)),
    ]


def test_the_transcript_of_a_diverted_call_says_what_was_dialled_at_first() -> None:
    diverted = CallStarted(caller="", dialled="100", diverted_from="+48221112233", language="pl", bot="shop", **at(0))
    head = transcribe([diverted]).as_text().splitlines()[0]
    assert (
        head
        == "Rozmowa c1 z 2026-11-23 10:00:00+00:00: numer zastrzeżony -> 100 (przekierowane z +48221112233), wynik: -"
    )


def test_transcript_files(tmp_path: Path) -> None:
    folder = CallFolder(tmp_path / "calls" / "c1")
    folder.write(summarise(whole_call(), "pl", {}))
    data = json.loads((tmp_path / "calls" / "c1" / "transcript.json").read_text())
    assert {name: value for name, value in data.items() if name != "turns"} == {
        "call_id": "c1",
        "caller": PESEL,  # a telephone number by its place, whatever it looks like
        "dialled": "100",
        "diverted_from": "",
        "language": "pl",
        "outcome": "contained",
        "started_at": "2026-11-23T10:00:00+00:00",
    }
    assert [(turn["who"], turn["text"], turn["at_s"], turn["confidence"], turn["step"]) for turn in data["turns"]] == [
        ("bot", "Dzień dobry", 1, None, "greeting/machine"),
        ("caller", "pesel [PESEL]", 3, 0.9, None),
        ("bot", "Proszę", 64, None, "order_status/1"),
        ("caller", "12#", 65, None, None),
    ]
    assert (folder.path / "transcript.txt").read_text() == (
        f"Rozmowa c1 z 2026-11-23 10:00:00+00:00: {PESEL} -> 100, wynik: contained\n"
        "\n"
        "[00:01] Bot: Dzień dobry\n"
        "[00:03] Dzwoniący: pesel [PESEL]\n"
        "[01:04] Bot: Proszę (przerwane)\n"
        "[01:05] Dzwoniący (klawisze): 12#\n"
    )


def test_summary_files(tmp_path: Path) -> None:
    folder = CallFolder(tmp_path)
    folder.write(summarise(whole_call(), "pl", {"pesel": PESEL}))
    assert json.loads((tmp_path / "summary.json").read_text())["collected"] == [
        {"name": "pesel", "label": "pesel", "value": "[PESEL]", "certainty": None, "masked": True}
    ]
    assert "pesel: [PESEL]" in (tmp_path / "summary.txt").read_text()


def test_a_caller_who_refused_leaves_no_files(tmp_path: Path) -> None:
    folder = CallFolder(tmp_path / "c1")
    folder.write(summarise(whole_call(), "pl", {}))
    folder.recording.write_bytes(b"RIFF")
    events = [*whole_call()[:-1], RecordingStopped(reason=REFUSED, **at(66)), whole_call()[-1]]
    folder.write(summarise(events, "pl", {}))
    assert not folder.path.exists()


def test_keeping_nothing_leaves_files_that_are_not_ours(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("x")
    CallFolder(tmp_path).keep_nothing()
    assert (tmp_path / "note.txt").exists()


def test_a_full_disk_leaves_the_old_file_whole_and_no_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = CallFolder(tmp_path)
    folder.write(summarise(whole_call()[:3], "pl", {}))
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        folder.write(summarise(whole_call(), "pl", {}))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == before


def test_a_call_that_was_never_answered() -> None:
    transcript = transcribe([])
    assert transcript.turns == ()
    assert "number withheld" in transcript.as_text()
    assert transcript.as_json()["started_at"] is None


def test_telephone_numbers_stay_by_their_place() -> None:
    event = whole_call()[0]
    assert redact_event(event) is event


def test_events_without_words_keep_when_and_what() -> None:
    for event in whole_call():
        bare = without_words(event)
        assert (type(bare), bare.at, bare.offset_s) == (type(event), event.at, event.offset_s)
    assert transcribe([without_words(event) for event in whole_call()]).turns[1].text == ""


def test_refusal_anywhere_takes_the_words_of_the_whole_call() -> None:
    events = redact_events([*whole_call(), RecordingStopped(reason=REFUSED, **at(80))])
    assert not any(turn.text for turn in transcribe(events).turns)


def test_an_endless_dictation_is_not_held_back_for_ever() -> None:
    assert len(redact_events([said("5", n) for n in range(500)])) == 500
