"""What reaches the database and how: masked, complete, in order, whatever the disk does."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event as sa_event
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from voicebot.errors import CallNotFound, RecordsUnavailable
from voicebot.events import (
    REFUSED,
    BotSaid,
    CallbackPromised,
    CallEnded,
    CallerSaid,
    CallerSaying,
    CallEvent,
    CallStarted,
    Decision,
    Fault,
    HandoffStarted,
    KeysPressed,
    LanguageModelAsked,
    Outcome,
    RecordingStopped,
    TurnTimed,
    to_json,
)
from voicebot.records import CallRecord, CallRecords, RecordWriter, WriterSettings
from voicebot.records.database import DATABASE, open_database, upgrade
from voicebot.records.models import Base
from voicebot.records.privacy import LiveLines
from voicebot.records.spill import SpillFile
from voicebot.records.store import CallStore, NumberedEvent
from voicebot.records.writer import SPILL

BEGAN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
PESEL = "44051401359"
QUICK = WriterSettings(gather_s=0.01, retry_s=0.01, longest_retry_s=0.05, busy_timeout_s=0.05)


def at(offset_s: float, call_id: str = "c1") -> dict[str, Any]:
    return {"call_id": call_id, "at": BEGAN + timedelta(seconds=offset_s), "offset_s": offset_s}


def started(call_id: str = "c1") -> CallStarted:
    return CallStarted(caller="+48601234567", dialled="100", language="pl", bot="shop", **at(0, call_id))


def said(words: str, offset_s: float = 2.0, call_id: str = "c1") -> CallerSaid:
    return CallerSaid(text=words, confidence=0.9, decode_ms=80.0, audio_s=1.2, **at(offset_s, call_id))


def ended(call_id: str = "c1") -> CallEnded:
    return CallEnded(outcome=Outcome.CONTAINED, cause="remote_hangup", duration_s=9.0, **at(9, call_id))


def key(sign: str, offset_s: float = 3.0) -> KeysPressed:
    return KeysPressed(keys=sign, **at(offset_s))


def bot(words: str, **more: Any) -> BotSaid:
    return BotSaid(text=words, step="s/1", **more, **at(4))


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[RecordWriter]:
    writer = RecordWriter(tmp_path, QUICK)
    writer.start()
    yield writer
    writer.close()


def store(data: Path, events: Sequence[CallEvent], settings: WriterSettings = QUICK) -> None:
    """A whole life of a writer."""
    writer = RecordWriter(data, settings)
    writer.start()
    for event in events:
        writer.submit(event)
    writer.close()


def read(data: Path, call_id: str = "c1") -> CallRecord:
    records = CallRecords(data)
    try:
        return records.get(call_id)
    finally:
        records.close()


def words_of(data: Path, call_id: str = "c1") -> list[str]:
    return [getattr(event, "text", getattr(event, "keys", "")) for event in read(data, call_id).events]


def on_disk(data: Path) -> bytes:
    return b"".join(path.read_bytes() for path in data.rglob("*") if path.is_file())


def test_a_call_comes_back_as_it_was(tmp_path: Path) -> None:
    events = [
        started(),
        bot("Dzień dobry"),
        said("gdzie jest zamówienie 123456"),
        Decision(kind="understood", data={"commands": ["start_flow"]}, **at(3)),
        TurnTimed(stages={"decode": 80.0}, **at(3)),
        HandoffStarted(queue="service", reason="caller_asked", **at(5)),
        CallbackPromised(number="601234567", **at(6)),
        ended(),
    ]
    store(tmp_path, events)
    record = read(tmp_path)
    assert list(record.events) == events
    assert (record.outcome, record.cause, record.duration_s) == ("contained", "remote_hangup", 9.0)
    assert (record.caller, record.dialled, record.language, record.bot) == ("+48601234567", "100", "pl", "shop")
    assert (record.queue, record.handoff_reason, record.recording) == ("service", "caller_asked", "kept")
    assert (record.started_at, record.ended_at) == (BEGAN, BEGAN + timedelta(seconds=9))
    connection = sqlite3.connect(tmp_path / DATABASE)
    assert connection.execute("select call_id, number, done_at from callbacks").fetchall() == [
        ("c1", "+48601234567", None)
    ]
    connection.close()


def test_what_is_of_the_moment_is_kept_by_nobody(tmp_path: Path) -> None:
    lines: list[str] = []
    live = LiveLines(lines.append)
    events = [started(), CallerSaying(text="mój pesel to cztery cztery", **at(2)), ended()]
    for event in events:
        live(event)
    store(tmp_path, events)
    assert list(read(tmp_path).events) == [events[0], events[2]]
    assert "pesel" not in "".join(lines)
    assert b"pesel" not in on_disk(tmp_path)


def test_calls_are_listed_newest_first_and_in_pages(tmp_path: Path) -> None:
    events = [
        CallStarted(
            caller="", dialled="1", language="pl", bot="b", call_id=f"c{n}", at=BEGAN + timedelta(hours=n), offset_s=0
        )
        for n in range(5)
    ]
    store(tmp_path, [*events, ended("c3")])
    records = CallRecords(tmp_path)
    assert [call.id for call in records.list(limit=2)] == ["c4", "c3"]
    assert [call.id for call in records.list(before=BEGAN + timedelta(hours=3))] == ["c2", "c1", "c0"]
    assert [call.id for call in records.list(outcome="contained")] == ["c3"]
    with pytest.raises(CallNotFound):
        records.get("c9")
    records.close()


def test_secret_numbers_are_masked_before_they_are_written(tmp_path: Path) -> None:
    store(
        tmp_path,
        [
            started(),
            said(f"mój pesel to {PESEL}"),
            Decision(kind="slot_set", data={"slot": "card", "value": ["4111111111111111"]}, **at(3)),
            Fault(stage="shop", message=f"400 for {PESEL}", **at(3)),
            bot("Dziękuję", interrupted=True, heard_text=f"numer {PESEL}"),
            ended(),
        ],
    )
    assert PESEL.encode() not in on_disk(tmp_path)
    assert b"4111111111111111" not in on_disk(tmp_path)
    assert words_of(tmp_path)[1] == "mój pesel to [PESEL]"


def test_numbers_dictated_in_pieces_are_masked(tmp_path: Path) -> None:
    keys = [key(sign) for sign in PESEL]
    timed = TurnTimed(stages={}, **at(3))
    model = LanguageModelAsked(
        **dict.fromkeys(("first_token_ms", "tokens_in", "tokens_out", "cost")),
        **{
            "mode": "json",
            "outcome": "chosen",
            "reason": "",
            "ms": 5,
            "commands": [],
            "dropped": [],
            "purpose": "meaning",
        },
        **at(3),
    )
    store(
        tmp_path,
        [
            started(),
            *keys[:4], bot("Proszę", interrupted=True), *keys[4:],
            bot("Dziękuję"),
            said("cztery cztery zero pięć"), timed, model, said("czternaście zero jeden"),
            said("trzysta pięćdziesiąt dziewięć"),
            said("to wszystko"),
            ended(),
        ],
    )  # fmt: skip
    words = words_of(tmp_path)
    assert not any(sign.isdigit() for word in words for sign in word)
    assert "cztery cztery" not in " ".join(words)
    assert read(tmp_path).events[-3].offset_s == said("").offset_s
    assert words[-2] == "to wszystko"


def test_an_order_number_on_the_keys_stays(tmp_path: Path) -> None:
    store(tmp_path, [started(), *[key(sign) for sign in "123456"], bot("Dziękuję"), ended()])
    assert "".join(words_of(tmp_path)[1:7]) == "123456"


def test_a_caller_who_refused_recording_leaves_no_words(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path, QUICK)
    writer.start()
    for event in (started(), said("sekret pierwszy", 1), Decision(kind="slot_set", data={"v": "sekret"}, **at(1))):
        writer.submit(event)
    assert writer.flush()
    assert words_of(tmp_path)[1] == "sekret pierwszy"
    for event in (RecordingStopped(reason=REFUSED, **at(2)), said("sekret drugi", 3), key("7", 4), ended()):
        writer.submit(event)
    assert writer.flush()
    writer.submit(Fault(stage="x", message="sekret after the end", **at(10)))
    writer.close()
    record = read(tmp_path)
    assert record.recording == REFUSED
    assert record.caller == "+48601234567"
    assert [getattr(event, "text", getattr(event, "keys", "")) for event in record.events] == [""] * 8
    assert record.events[1].offset_s == 1
    assert b"sekret" not in on_disk(tmp_path)


def test_a_recording_that_stopped_for_another_reason_keeps_the_words(tmp_path: Path) -> None:
    store(tmp_path, [started(), said("paczka"), RecordingStopped(reason="disk_full", **at(2)), ended()])
    assert words_of(tmp_path)[1] == "paczka"
    assert read(tmp_path).recording == "disk_full"


def test_a_call_whose_process_died_is_lost_at_the_next_start(tmp_path: Path) -> None:
    script = f"""
    import os
    from tests.unit.voicebot.test_records import *
    writer = RecordWriter(Path({str(tmp_path)!r}), QUICK)
    writer.start()
    for event in (started(), said("halo", 2.5), started("c2"), ended("c2")):
        writer.submit(event)
    assert writer.flush(10)
    os._exit(9)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=60, check=False).returncode == 9
    assert read(tmp_path).outcome == ""
    store(tmp_path, [])
    record = read(tmp_path)
    assert (record.outcome, record.duration_s) == ("lost", 2.5)
    assert record.ended_at == BEGAN + timedelta(seconds=2.5)
    assert read(tmp_path, "c2").outcome == "contained"


def test_a_locked_database_is_tried_again(tmp_path: Path, writer: RecordWriter) -> None:
    locker = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    try:
        writer.submit(started())
        assert not writer.flush(0.3)
        assert "locked" in writer.health().failing
    finally:
        locker.rollback()
        locker.close()
    assert writer.flush(10)
    assert writer.health().failing == ""
    assert read(tmp_path).outcome == ""


def test_a_database_locked_at_the_start_does_not_hinder_it(tmp_path: Path) -> None:
    store(tmp_path, [started("old")])
    locker = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    writer = RecordWriter(tmp_path, QUICK)
    try:
        writer.start()
        now = CallStarted(caller="", dialled="", language="pl", bot="", call_id="new", at=datetime.now(UTC), offset_s=0)
        writer.submit(now)
    finally:
        locker.rollback()
        locker.close()
    assert writer.flush(10)
    assert read(tmp_path, "old").outcome == "lost"
    assert read(tmp_path, "new").outcome == ""
    writer.close()


class RefusingStore(CallStore):
    """A store whose disk is full until it is told otherwise."""

    def __init__(self, data: Path) -> None:
        self.engine = open_database(data / DATABASE)
        super().__init__(self.engine)
        self.refusing = True
        self.refused = threading.Event()

    def write(self, batch: Sequence[NumberedEvent]) -> None:
        if self.refusing:
            self.refused.set()
            raise OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full"))
        super().write(batch)


@pytest.fixture
def refusing(tmp_path: Path) -> Iterator[RefusingStore]:
    refusing = RefusingStore(tmp_path)
    yield refusing
    refusing.engine.dispose()


def test_a_crowded_queue_spills_masked_and_everything_is_stored_when_there_is_room_again(
    tmp_path: Path, refusing: RefusingStore
) -> None:
    settings = WriterSettings(queue=100, batch=20, gather_s=0.01, retry_s=0.01, longest_retry_s=0.02)
    writer = RecordWriter(tmp_path, settings, refusing)
    writer.start()
    writer.submit(started())
    assert refusing.refused.wait(10)
    for n in range(90):
        writer.submit(Fault(stage=str(n), message=f"pesel {PESEL}", **at(n)))
    spill = SpillFile(tmp_path / SPILL)
    wait_until(lambda: writer.health().spilled > 0)
    assert spill.waiting()
    assert PESEL.encode() not in on_disk(tmp_path)
    refusing.refusing = False
    wait_until(lambda: writer.flush(0.05) and not spill.waiting())
    writer.close()
    faults = [event for event in read(tmp_path).events if isinstance(event, Fault)]
    assert [fault.stage for fault in faults] == [str(n) for n in range(90)]
    assert writer.health().dropped == 0


def test_what_cannot_be_stored_at_the_end_is_spilled_and_read_back_at_the_next_start(
    tmp_path: Path, refusing: RefusingStore
) -> None:
    writer = RecordWriter(tmp_path, QUICK, refusing)
    writer.start()
    for event in (started(), said(f"pesel {PESEL}"), key("1"), ended()):
        writer.submit(event)
    writer.close()
    lines = (tmp_path / SPILL).read_text().splitlines()
    assert len(lines) == 4
    assert PESEL not in "".join(lines)
    (tmp_path / SPILL).write_text("\n".join([*lines, lines[0], '{"number": 9, "event": "torn']))
    store(tmp_path, [])
    assert words_of(tmp_path) == ["", "pesel [PESEL]", "1", ""]
    assert read(tmp_path).outcome == "contained"
    assert not (tmp_path / SPILL).exists()


def test_when_nothing_can_be_written_the_oldest_go_and_the_caller_never_waits(
    tmp_path: Path, refusing: RefusingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: SpillFile, batch: Sequence[NumberedEvent]) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(SpillFile, "append", full)
    settings = WriterSettings(queue=50, batch=10, gather_s=0.01, retry_s=0.01, longest_retry_s=0.02)
    writer = RecordWriter(tmp_path, settings, refusing)
    writer.start()
    for n in range(500):
        writer.submit(Fault(stage=str(n), message="", **at(n)))
    wait_until(lambda: writer.health().dropped >= 450)
    assert writer.health().queued <= 50
    refusing.refusing = False
    writer.submit(ended())
    assert writer.flush(10)
    writer.close()
    assert read(tmp_path).outcome == "contained"
    health = writer.health()
    assert health.written + health.dropped == 501


def test_a_really_full_database(tmp_path: Path, writer: RecordWriter) -> None:
    writer.submit(started())
    assert writer.flush()

    @sa_event.listens_for(writer._engine, "begin")
    def little_room(connection: Any) -> None:
        pages = 1 if full else 1_000_000
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")

    full = True
    for n in range(200):
        writer.submit(Fault(stage=str(n), message="x" * 200, **at(n)))
    wait_until(lambda: "full" in writer.health().failing)
    full = False
    assert writer.flush(10)
    assert len(read(tmp_path).events) == 201


def test_one_bad_event_does_not_hold_up_the_others(tmp_path: Path, writer: RecordWriter) -> None:
    writer.submit(started())
    writer.submit(Decision(kind="odd", data={"path": Path("/x"), "broken": "\ud800"}, **at(1)))
    writer.submit(Decision(kind="worse", data={(1, 2): 3}, **at(1)))  # type: ignore[dict-item]
    writer.submit(Fault(stage="nan", message="", call_id="c1", at=BEGAN, offset_s=float("nan")))
    writer.submit(ended())
    assert writer.flush(10)
    assert writer.health().dropped == 2
    record = read(tmp_path)
    assert record.outcome == "contained"
    assert to_json(record.events[1])["data"] == {"path": "/x", "broken": "?"}


def test_an_event_of_an_unknown_call_is_kept(tmp_path: Path) -> None:
    store(tmp_path, [Fault(stage="leg", message="gone", **at(2))])
    assert read(tmp_path).started_at == BEGAN


def test_storing_twice_is_storing_once(tmp_path: Path) -> None:
    engine = open_database(tmp_path / DATABASE)
    upgrade(engine)
    batch = [NumberedEvent(1, started()), NumberedEvent(2, CallbackPromised(number="600100200", **at(1)))]
    for _ in range(2):
        CallStore(engine).write(batch)
    engine.dispose()
    assert len(read(tmp_path).events) == 2


def test_the_database_is_locked_for_as_many_statements_however_many_calls_end(tmp_path: Path) -> None:
    engine = open_database(tmp_path / DATABASE)
    upgrade(engine)
    written: list[str] = []
    sa_event.listen(engine, "before_cursor_execute", lambda *told: written.append(told[2].split()[0]))
    counts = []
    for first, calls in ((0, 2), (2, 80)):
        names = [f"c{number}" for number in range(first, first + calls)]
        life = [event for name in names for event in (started(name), said("gdzie jest paczka", 2, name), ended(name))]
        written.clear()
        CallStore(engine).write([NumberedEvent(number, event) for number, event in enumerate(life)])
        counts.append(len([statement for statement in written if statement in ("INSERT", "UPDATE")]))
    engine.dispose()
    assert counts[0] == counts[1]
    records = CallRecords(tmp_path)
    assert len(records.list(outcome="contained", text="paczka")) == 82
    records.close()


def test_a_call_is_found_by_what_was_said_in_all_its_batches(tmp_path: Path) -> None:
    engine = open_database(tmp_path / DATABASE)
    upgrade(engine)
    rest = [NumberedEvent(3, said("do widzenia", 3)), NumberedEvent(4, ended())]
    for batch in ([NumberedEvent(1, started()), NumberedEvent(2, said("gdzie jest paczka"))], rest, rest):
        CallStore(engine).write(batch)
    with engine.connect() as connection:
        assert connection.scalar(text("select words from call_words")) == "gdzie jest paczka do widzenia"
    engine.dispose()


def test_migrations_make_exactly_the_tables_of_the_models(tmp_path: Path) -> None:
    engine = open_database(tmp_path / DATABASE)
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    engine.dispose()


def test_a_migration_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    blocker = sqlite3.connect(tmp_path / DATABASE)
    blocker.execute("CREATE TABLE callbacks (id INTEGER)")
    blocker.commit()
    with pytest.raises(RecordsUnavailable, match="callbacks"):
        RecordWriter(tmp_path, QUICK).start()
    assert [name for (name,) in blocker.execute("SELECT name FROM sqlite_master")] == ["callbacks"]
    blocker.close()


def test_a_database_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    store(tmp_path, [])
    connection = sqlite3.connect(tmp_path / DATABASE)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(RecordsUnavailable, match="not of this release"):
        RecordWriter(tmp_path, QUICK).start()


@pytest.mark.parametrize("trouble", ["folder is a file", "not a database"])
def test_a_wrong_place_is_told_at_the_start(tmp_path: Path, trouble: str) -> None:
    data = tmp_path / "data"
    if trouble == "folder is a file":
        data.write_text("")
    else:
        data.mkdir()
        (data / DATABASE).write_text("hello " * 1000)
    with pytest.raises(RecordsUnavailable) as caught:
        RecordWriter(data, QUICK).start()
    assert str(data) in caught.value.message
    assert caught.value.remedy


def test_reading_where_nothing_is_tells_so_and_makes_nothing(tmp_path: Path) -> None:
    records = CallRecords(tmp_path)
    with pytest.raises(RecordsUnavailable):
        records.list()
    records.close()
    assert not list(tmp_path.iterdir())


def test_closing_twice_and_without_a_start(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path, QUICK)
    writer.close()
    writer.start()
    writer.close()
    writer.close()


def test_no_thread_and_no_open_file_is_left(tmp_path: Path) -> None:
    store(tmp_path, [started(), ended()])
    assert "records" not in {thread.name for thread in threading.enumerate()}
    assert [path.name for path in tmp_path.iterdir()] == [DATABASE]  # the log was folded in: nobody holds the file


def test_a_torn_line_of_the_spill_file_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spill = SpillFile(tmp_path / SPILL)
    spill.append([NumberedEvent(1, started())])

    def no_sync(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("voicebot.records.spill.os.fsync", no_sync)
    with pytest.raises(OSError, match="No space"):
        spill.append([NumberedEvent(2, ended())])
    assert [[item.number for item in batch] for batch in spill.batches(10)] == [[1]]
    assert json.loads((tmp_path / SPILL).read_text())["event"] == "call_started"


def wait_until(condition: Any, timeout_s: float = 10.0) -> None:
    pause = threading.Event()
    for _ in range(int(timeout_s / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it did not happen in time")
