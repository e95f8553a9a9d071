"""Messages in the records: listed, heard, found on disk, and gone when the caller refuses to be recorded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from voicebot.errors import VoicemailNotFound
from voicebot.events import REFUSED, CallEvent, CallStarted, RecordingStopped, VoicemailLeft
from voicebot.records import CallFolder, RecordWriter, WriterSettings
from voicebot.records.database import Database
from voicebot.records.voicemails import Voicemails
from voicebot.summary import summarise

BEGAN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PESEL = "44051401359"


def at(minute: float, call_id: str = "c1") -> dict[str, Any]:
    return {"call_id": call_id, "at": BEGAN + timedelta(minutes=minute), "offset_s": minute * 60}


def left(id: str, minute: float, *, queue: str = "service", text: str = "proszę oddzwonić") -> VoicemailLeft:
    return VoicemailLeft(
        voicemail=id, queue=queue, number="601 234 567", duration_s=7.5, text=text, **at(minute, f"call-{id}")
    )


@pytest.fixture
def voicemails(tmp_path: Path) -> Iterator[Voicemails]:
    database = Database(tmp_path)
    yield Voicemails(database, tmp_path)
    database.close()


def write(data: Path, *events: CallEvent) -> None:
    writer = RecordWriter(data, WriterSettings(gather_s=0.01))
    writer.start()
    for event in events:
        writer.submit(event)
    assert writer.flush()
    writer.close()


def test_they_are_listed_the_newest_first(tmp_path: Path, voicemails: Voicemails) -> None:
    start = CallStarted(caller="+48601234567", dialled="100", language="pl", bot="shop", **at(0, "call-a"))
    write(tmp_path, start, left("a", 1), left("b", 2, queue="complaints"), left("c", 3))
    assert [one.id for one in voicemails.list()] == ["c", "b", "a"]
    assert [one.id for one in voicemails.list(queues=["service"])] == ["c", "a"]
    assert [one.id for one in voicemails.list(before=BEGAN + timedelta(minutes=3), limit=1)] == ["b"]
    one = voicemails.get("a")
    assert (one.call_id, one.queue, one.duration_s, one.transcript) == ("call-a", "service", 7.5, "proszę oddzwonić")
    assert one.number.endswith("601234567")
    assert one.left_at == BEGAN + timedelta(minutes=1)
    assert (one.heard_by, one.heard_at) == ("", None)


def test_who_heard_it_first_stays(tmp_path: Path, voicemails: Voicemails) -> None:
    write(tmp_path, left("a", 1), left("b", 2))
    heard_at = BEGAN + timedelta(hours=1)
    assert voicemails.mark_heard("a", "anna", heard_at).heard_by == "anna"
    again = voicemails.mark_heard("a", "jan", heard_at + timedelta(hours=1))
    assert (again.heard_by, again.heard_at) == ("anna", heard_at)
    assert {one.id: one.heard_by for one in voicemails.list()} == {"a": "anna", "b": ""}


def test_the_sound_lies_in_the_folder_of_the_call(tmp_path: Path, voicemails: Voicemails) -> None:
    write(tmp_path, left("a", 1))
    with pytest.raises(VoicemailNotFound):
        voicemails.audio("a")
    path = CallFolder(tmp_path / "calls" / "call-a").voicemail("a")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"RIFF")
    assert voicemails.audio("a") == path


def test_what_is_not_there_is_said_to_be_so(tmp_path: Path, voicemails: Voicemails) -> None:
    write(tmp_path, left("a", 1))
    for ask in (voicemails.get, voicemails.audio, lambda id: voicemails.mark_heard(id, "anna", BEGAN)):
        with pytest.raises(VoicemailNotFound):
            ask("../../a")


def test_secret_numbers_are_masked(tmp_path: Path, voicemails: Voicemails) -> None:
    write(tmp_path, left("a", 1, text=f"mój pesel {PESEL}"))
    assert voicemails.get("a").transcript == "mój pesel [PESEL]"


def test_who_refuses_to_be_recorded_takes_the_message_back(tmp_path: Path, voicemails: Voicemails) -> None:
    folder = CallFolder(tmp_path / "calls" / "call-a")
    folder.make()
    folder.voicemail("a").write_bytes(b"RIFF")
    refusal = RecordingStopped(reason=REFUSED, **at(2, "call-a"))
    write(tmp_path, left("a", 1), left("b", 1), refusal)
    folder.write(summarise([left("a", 1), refusal], "pl", {}))
    assert [one.id for one in voicemails.list()] == ["b"]
    assert not folder.path.exists()
