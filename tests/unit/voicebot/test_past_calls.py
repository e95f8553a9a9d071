"""Past calls are found by number, outcome and words, and a caller's earlier ones by who calls."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select, text

from voicebot.events import (
    REFUSED,
    AgentJoined,
    AgentSaid,
    AlertRaised,
    BotSaid,
    CallEnded,
    CallerSaid,
    CallEvent,
    CallStarted,
    Decision,
    MoodChanged,
    Outcome,
    RecordingStopped,
    SupervisorJoined,
    WrappedUp,
)
from voicebot.records import CallRecords
from voicebot.records.database import DATABASE, open_database, upgrade
from voicebot.records.models import CallRow
from voicebot.records.raised import alerts_of, had_alert
from voicebot.records.store import CallStore, NumberedEvent

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NUMBER = "+48601234567"


class Past:
    """Writes calls as a process that has served them."""

    def __init__(self, data: Path) -> None:
        self._engine = open_database(data / DATABASE)
        upgrade(self._engine)
        self.store = CallStore(self._engine)
        self.numbers = 0

    def call(
        self, call_id: str, *events: Callable[[dict[str, Any]], CallEvent], at: datetime = NOON, caller: str = NUMBER
    ) -> None:
        stamps = [{"call_id": call_id, "at": at + timedelta(seconds=n), "offset_s": float(n)} for n in range(100)]
        self.write(
            CallStarted(caller=caller, dialled="100", language="pl", bot="shop", **stamps[0]),
            *(make(stamps[n]) for n, make in enumerate(events, 1)),
        )

    def write(self, *events: CallEvent) -> None:
        first = self.numbers
        self.numbers += len(events)
        self.store.write([NumberedEvent(first + n, event) for n, event in enumerate(events)])

    def close(self) -> None:
        self._engine.dispose()


def caller(text: str) -> Callable[[dict[str, Any]], CallEvent]:
    return lambda stamp: CallerSaid(text=text, confidence=0.9, decode_ms=1.0, audio_s=1.0, **stamp)


def bot(text: str) -> Callable[[dict[str, Any]], CallEvent]:
    return lambda stamp: BotSaid(text=text, step="order/1", **stamp)


def flow(name: str, title: str = "", entered: str = "asked") -> Callable[[dict[str, Any]], CallEvent]:
    data = {"flow": name, "entered": entered, "title": title}
    return lambda stamp: Decision(kind="flow_started", data=data, **stamp)


def mood(name: str) -> Callable[[dict[str, Any]], CallEvent]:
    return lambda stamp: MoodChanged(mood=name, words=[], **stamp)


def alert(kind: str, name: str = "") -> Callable[[dict[str, Any]], CallEvent]:
    return lambda stamp: AlertRaised(alert=name or kind, kind=kind, text="To skandal.", **stamp)


def joined(agent: str, name: str = "", uri: str = "") -> Callable[[dict[str, Any]], CallEvent]:
    return lambda stamp: AgentJoined(uri=uri, agent=agent, name=name, **stamp)


def ended(stamp: dict[str, Any]) -> CallEvent:
    return CallEnded(outcome=Outcome.CONTAINED, cause="remote_hangup", duration_s=9.0, **stamp)


@pytest.fixture
def past(tmp_path: Path) -> Iterator[Past]:
    past = Past(tmp_path)
    yield past
    past.close()


@pytest.fixture
def records(tmp_path: Path, past: Past) -> Iterator[CallRecords]:
    records = CallRecords(tmp_path)
    yield records
    records.close()


def test_a_call_tells_what_it_was_about_who_served_it_and_what_came_of_it(past: Past, records: CallRecords) -> None:
    past.call(
        "c1",
        flow("order_status", "stan zamówienia"),
        flow("verify", "sprawdzenie", entered="sub"),
        mood("angry"),
        flow("callback"),
        joined("ola", "Ola Nowak"),
        ended,
        lambda stamp: WrappedUp(agent="ola", code="complaint", notes="Oddzwonić jutro.", **stamp),
    )
    (call,) = records.list()
    assert (call.why, call.mood) == ("stan zamówienia", "angry")
    assert (call.agent, call.agent_name) == ("ola", "Ola Nowak")
    assert (call.wrap_up_code, call.notes) == ("complaint", "Oddzwonić jutro.")
    assert records.get("c1").was_served_by("ola")
    assert not records.get("c1").was_served_by("jan")


def test_a_caller_who_calmed_down_is_kept_as_they_were_before(past: Past, records: CallRecords) -> None:
    past.call("c1", *map(mood, ("impatient", "angry", "neutral")), ended)
    past.call("c2", *map(mood, ("impatient", "neutral")), ended)
    past.call("c3", ended)
    assert {call.id: call.mood for call in records.list()} == {"c1": "angry", "c2": "impatient", "c3": "neutral"}


def test_calls_are_found_by_the_alerts_that_were_raised_in_them(past: Past, records: CallRecords) -> None:
    past.call("quiet", caller("dzień dobry"), ended)
    past.call("loud", alert("loop"), alert("angry"), alert("loop", "again"), ended, at=NOON + timedelta(hours=1))
    past.call("late", alert("wait"), at=NOON + timedelta(hours=2))

    def found(kind: str) -> list[str]:
        return [call.id for call in records.list(alert=kind)]

    assert [call.alerts for call in records.list()] == [("wait",), ("loop", "angry"), ()]
    assert (found("angry"), found("silence"), found("")) == (["loud"], [], ["late", "loud"])
    assert [call.id for call in records.list(alert="", limit=1, before=NOON + timedelta(hours=2))] == ["loud"]
    assert records.get("loud").alerts == ("loop", "angry")
    assert records.get("loud").for_agents().alerts == ()
    assert [type(event) for event in records.get("loud").for_agents().events] == [CallStarted, CallEnded]


def test_the_alerts_of_a_call_are_found_by_their_index(past: Past, tmp_path: Path) -> None:
    """Else the list of past calls would read all events of all calls."""
    past.call("c1", alert("angry"), ended)
    engine = open_database(tmp_path / DATABASE)
    try:
        with engine.connect() as connection:
            for query in (select(CallRow.id).where(had_alert("angry")), alerts_of(["c1"])):
                compiled = query.compile(engine, compile_kwargs={"literal_binds": True})
                plan = connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}")).all()
                assert "USING INDEX events_of_alerts" in str(plan)
    finally:
        engine.dispose()


def test_a_supervisor_who_takes_over_serves_the_call(past: Past, records: CallRecords) -> None:
    def took_over(stamp: dict[str, Any]) -> CallEvent:
        return SupervisorJoined(login="eva", mode="taken_over", listen="1", name="Ewa", **stamp)

    past.call("c1", joined("ola"), lambda stamp: SupervisorJoined(login="adam", mode="listen", listen="2", **stamp))
    past.call("c2", joined("ola"), took_over)
    assert {call.id: call.agent for call in records.list()} == {"c1": "ola", "c2": "eva"}


def test_a_flow_without_a_title_is_told_by_its_name(past: Past, records: CallRecords) -> None:
    past.call("c1", flow("order_status"))
    assert records.list()[0].why == "order status"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("żółwia", ["c1"]),
        ("ZOLWIA", ["c1"]),
        ("żół", ["c1"]),
        ("paczka żółwia", ["c1"]),
        ("paczka", ["c2", "c1"]),
        ("konsultantka", ["c2"]),
        ("100%", []),
        ("%", ["c2", "c1"]),
        ("słonia", []),
    ],
)
def test_a_call_is_found_by_all_words_of_all_who_spoke(
    past: Past, records: CallRecords, text: str, found: list[str]
) -> None:
    past.call("c1", bot("Gdzie jest paczka?"), caller("Czekam na żółwia."), ended)
    past.call(
        "c2",
        caller("Moja paczka"),
        lambda stamp: AgentSaid(
            agent="ola", text="Tu konsultantka.", confidence=0.9, decode_ms=1.0, audio_s=1.0, **stamp
        ),
        ended,
        at=NOON + timedelta(hours=1),
    )
    assert [call.id for call in records.list(text=text)] == found


def test_a_call_is_found_by_a_part_of_the_number(past: Past, records: CallRecords) -> None:
    past.call("c1")
    past.call("c2", caller="+48 22_5%")
    assert [call.id for call in records.list(caller="601234")] == ["c1"]
    assert [call.id for call in records.list(caller="_5%")] == ["c2"]
    assert records.list(caller="6%7") == ()
    assert records.list(caller="601234", outcome="failed") == ()


def test_words_of_a_caller_who_refused_are_found_by_nobody(past: Past, records: CallRecords, tmp_path: Path) -> None:
    past.call("c1", caller("tajemnica"), flow("order_status", "stan zamówienia"))
    past.write(RecordingStopped(reason=REFUSED, call_id="c1", at=NOON + timedelta(seconds=5), offset_s=5.0))
    past.write(ended({"call_id": "c1", "at": NOON + timedelta(seconds=9), "offset_s": 9.0}))
    assert records.list(text="tajemnica") == ()
    assert records.get("c1").why == ""
    past.close()
    assert b"tajemnica" not in (tmp_path / DATABASE).read_bytes()


def test_a_call_that_was_cut_off_is_found_by_its_words(past: Past, records: CallRecords) -> None:
    past.call("c1", caller("żyrafa"))
    assert records.list(text="żyrafa") == ()
    past.store.mark_lost(NOON + timedelta(days=1))
    assert [call.outcome for call in records.list(text="żyrafa")] == ["lost"]


def test_callers_whose_calls_were_cut_off_lately_are_known(past: Past, records: CallRecords) -> None:
    past.call("c1", caller("żyrafa"))
    past.call("c2", caller("żyrafa"), ended)
    past.store.mark_lost(NOON + timedelta(days=1))
    (call,) = [call for call in records.list() if call.outcome == "lost"]
    assert call.ended_at is not None
    assert records.lost_since(call.ended_at) == {NUMBER: call.ended_at}
    assert records.lost_since(call.ended_at + timedelta(seconds=1)) == {}


def test_writing_events_twice_does_not_write_words_twice(past: Past, records: CallRecords, tmp_path: Path) -> None:
    for _ in range(2):
        past.numbers = 0
        past.call("c1", caller("żyrafa"), ended)
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        assert connection.execute("SELECT words FROM call_words").fetchall() == [("zyrafa",)]
    connection.close()


def test_an_agent_is_told_of_earlier_calls_of_the_same_number(past: Past, records: CallRecords) -> None:
    for day in range(4):
        past.call(f"c{day}", flow("f", "dostawa"), joined("ola", "Ola"), ended, at=NOON + timedelta(days=day))
    past.call("other", caller="+48500", at=NOON)
    past.call("withheld", caller="", at=NOON)
    found = records.earlier_calls(NUMBER, NOON + timedelta(days=3), limit=2)
    assert [(call.id, call.why, call.agent, call.outcome) for call in found] == [
        ("c2", "dostawa", "Ola", "contained"),
        ("c1", "dostawa", "Ola", "contained"),
    ]
    assert records.earlier_calls("", NOON + timedelta(days=9)) == ()


def test_the_agent_who_talked_with_a_caller_last_is_known_for_a_while(past: Past, records: CallRecords) -> None:
    past.call("c1", joined("ola"), at=NOON)
    past.call("c2", joined("jan"), at=NOON + timedelta(days=1))
    past.call("c3", at=NOON + timedelta(days=2))
    past.call("c4", joined("", uri="sip:desk@pbx"), caller="+48500")
    past.call("c5", joined("eva"), caller="")
    assert records.last_agent(NUMBER, NOON + timedelta(days=3)) == "jan"
    assert records.last_agent("+48500", NOON) == "sip:desk@pbx"
    assert records.last_agent(NUMBER, NOON + timedelta(days=92)) == ""
    assert records.last_agent("", NOON) == ""


def test_calls_of_an_earlier_release_stay_readable(tmp_path: Path) -> None:
    engine = open_database(tmp_path / DATABASE)
    config = Config()
    config.set_main_option("script_location", "voicebot.records:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        connection.exec_driver_sql(
            "INSERT INTO calls (id, caller, dialled, language, bot, version, started_at, outcome, cause, recording,"
            " queue, handoff_reason)"
            f" VALUES ('c1', '{NUMBER}', '', 'pl', 'shop', 0, '2026-11-01 10:00:00', 'handed_off', '', 'kept',"
            " 'service', 'caller_asked')"
        )
        for number, data in enumerate(('{"uri": "sip:ola@pbx"}', '{"uri": "", "agent": "jan", "name": "Jan"}')):
            connection.exec_driver_sql(
                "INSERT INTO events (call_id, number, at, offset_s, event, data)"
                f" VALUES ('c1', {number}, '2026-11-01 10:00:05', {number}, 'agent_joined', ?)",
                (data,),
            )
    upgrade(engine)
    engine.dispose()
    records = CallRecords(tmp_path)
    (call,) = records.list()
    assert (call.agent, call.agent_name, call.mood, call.why) == ("jan", "Jan", "neutral", "")
    assert records.list(text="cokolwiek") == ()
    records.close()
