"""The board is a fold of events: rows follow the calls, readers get what changed, and nothing grows for ever."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from voicebot.events import (
    REFUSED,
    AgentCalled,
    AgentJoined,
    AgentLeft,
    AgentOffered,
    AgentRefused,
    AgentSaid,
    AlertAcknowledged,
    AlertRaised,
    BotSaid,
    CallbackPromised,
    CallEnded,
    CallerSaid,
    CallEvent,
    CallHeld,
    CallResumed,
    CallStarted,
    Decision,
    Fault,
    HandoffStarted,
    MoodChanged,
    Outcome,
    QueueEntered,
    QueueLeft,
    RecordingStopped,
    SupervisorJoined,
    SupervisorLeft,
    TurnTimed,
    VoicemailLeft,
    WrappedUp,
)  # fmt: skip
from voicebot.records import CallRecords, RecordWriter
from voicebot.watch import board as board_module
from voicebot.watch.board import COUNTED, FORGET_AFTER, Board
from voicebot.watch.rows import Phase

BEGAN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def at(offset_s: float, call_id: str = "c1") -> dict[str, Any]:
    return {"call_id": call_id, "at": BEGAN + timedelta(seconds=offset_s), "offset_s": offset_s}


def started(call_id: str = "c1", offset_s: float = 0) -> CallStarted:
    stamp = at(offset_s, call_id) | {"offset_s": 0.0}
    return CallStarted(caller="+48601234567", dialled="100", language="pl", bot="shop", **stamp)


def ended(call_id: str = "c1", offset_s: float = 90) -> CallEnded:
    return CallEnded(outcome=Outcome.HANDED_OFF, cause="remote_hangup", duration_s=90, **at(offset_s, call_id))


def caller(text: str, offset_s: float = 3, call_id: str = "c1") -> CallerSaid:
    return CallerSaid(text=text, confidence=0.9, decode_ms=80, audio_s=1.0, **at(offset_s, call_id))


def fold(*events: CallEvent, **settings: Any) -> Board:
    board = Board(**settings)
    for event in events:
        board.happened(event)
    return board


def row_after(*events: CallEvent) -> Any:
    return fold(started(), *events).call("c1")


def test_a_call_from_the_first_ring_to_the_talk() -> None:
    steps: list[tuple[CallEvent, Phase]] = [
        (started(), Phase.BOT),
        (HandoffStarted(queue="service", reason="caller_asked", **at(20)), Phase.WAITING),
        (QueueEntered(queue="service", entry="e1", **at(20)), Phase.WAITING),
        (AgentOffered(agent="anna", name="Anna", **at(25)), Phase.OFFERED),
        (AgentRefused(uri="", cause="no_answer", agent="anna", **at(45)), Phase.WAITING),
        (AgentCalled(uri="sip:jan@pbx", **at(46)), Phase.OFFERED),
        (AgentJoined(uri="sip:jan@pbx", **at(50)), Phase.AGENT),
        (CallHeld(agent="jan", **at(60)), Phase.ON_HOLD),
        (CallResumed(agent="jan", **at(70)), Phase.AGENT),
        (CallHeld(agent="jan", why="consulting", **at(75)), Phase.CONSULTING),
        (AgentOffered(agent="ola", **at(76)), Phase.CONSULTING),
        (AgentJoined(uri="", agent="ola", name="Ola", **at(80)), Phase.AGENT),
        (AgentLeft(agent="sip:jan@pbx", why="transferred", **at(81)), Phase.AGENT),
        (AgentLeft(agent="ola", why="line_lost", **at(85)), Phase.WAITING),
        (SupervisorJoined(login="boss", mode="taken_over", listen="l1", **at(86)), Phase.AGENT),
        (AgentLeft(agent="boss", why="to_bot", **at(88)), Phase.BOT),
    ]
    board = Board()
    for event, phase in steps:
        board.happened(event)
        row = board.call("c1")
        assert row is not None
        assert row.phase is phase, event
    assert row.phase_since == BEGAN + timedelta(seconds=88)
    assert (row.agent, row.queue, row.entry, row.bot, row.language) == ("", "service", "e1", "shop", "pl")
    board.happened(ended())
    assert board.calls() == ()


def test_a_row_says_who_was_asked_and_who_talks() -> None:
    waiting = HandoffStarted(queue="q", reason="r", **at(1))
    offered = AgentOffered(agent="anna", name="Anna Nowak", **at(2))
    assert row_after(waiting, offered).agent_name == "Anna Nowak"
    assert row_after(waiting, offered, AgentRefused(uri="", cause="declined", **at(3))).agent == ""
    assert row_after(AgentJoined(uri="sip:jan@pbx", **at(3))).agent_name == "sip:jan@pbx"


def test_a_row_follows_flow_step_mood_and_words() -> None:
    row = row_after(
        Decision(kind="flow_started", data={"flow": "order_status"}, **at(2)),
        caller("gdzie jest moja paczka"),
        MoodChanged(mood="angry", words=["skandal"], **at(4)),
        BotSaid(text="Proszę podać numer", step="order_status/1", interrupted=True, heard_text="Proszę", **at(5)),
    )
    assert (row.flow, row.step, row.mood, row.last_words) == ("order_status", "order_status/1", "angry", "Proszę")
    said = AgentSaid(agent="anna", text="x" * 500, confidence=1, decode_ms=1, audio_s=1, **at(9))
    assert len(row_after(said).last_words) == board_module.LONGEST_WORDS
    assert row_after(Decision(kind="flow_started", data={"flow": "a"}, **at(2)),
                     Decision(kind="flow_done", data={"flow": "a"}, **at(3))).flow == ""  # fmt: skip
    assert row_after(Decision(kind="language", data={"wanted": "en", "spoken": True}, **at(2))).language == "en"


def test_after_a_refusal_no_words_stand_on_the_board() -> None:
    alert = AlertRaised(alert="a1", kind="keyword", text="adwokat", **at(4))
    board = fold(started(), caller("sekret"), alert, RecordingStopped(reason=REFUSED, **at(5)))
    row = board.call("c1")
    assert row is not None
    assert (row.last_words, row.alerts) == ("", ("keyword",))
    assert board.alerts()[0].text == ""


def test_listeners_are_counted_by_what_they_listen_with() -> None:
    join = SupervisorJoined(login="boss", mode="listen", listen="l1", **at(1))
    louder = SupervisorJoined(login="boss", mode="barge", listen="l1", **at(2))
    other = SupervisorJoined(login="eva", mode="listen", listen="l2", **at(3))
    left = SupervisorLeft(login="boss", mode="barge", listen="l1", **at(4))
    assert [row_after(*events).listeners for events in ((join,), (join, louder), (join, louder, other))] == [1, 1, 2]
    assert row_after(join, louder, other, left).listeners == 1


def test_an_alert_stays_until_somebody_has_seen_to_it_even_after_the_call() -> None:
    raised = AlertRaised(alert="a1", kind="angry", text="Zdenerwowany.", **at(5))
    board = fold(started(), raised)
    assert row_after(raised).alerts == ("angry",)
    before = board.revision
    board.happened(ended())
    board.happened(AlertAcknowledged(alert="a1", kind="angry", who="boss", **at(100)))
    changes = board.changes(before)
    assert changes.calls == {"c1": None}
    alert = changes.alerts["a1"]
    assert alert is not None
    assert (alert.acknowledged_by, alert.acknowledged_at) == ("boss", BEGAN + timedelta(seconds=100))


def test_a_call_whose_beginning_was_missed_has_a_row() -> None:
    board = fold(AgentJoined(uri="", agent="anna", **at(300)))
    row = board.call("c1")
    assert row is not None
    assert (row.phase, row.started_at, row.caller) == (Phase.AGENT, BEGAN, "")


@pytest.mark.parametrize(
    "late",
    [
        Fault(stage="recording", message="x", **at(95)),
        WrappedUp(agent="anna", code="solved", **at(120)),
        AlertAcknowledged(alert="a", kind="angry", who="boss", **at(95)),
    ],
)
def test_what_comes_after_the_end_brings_no_call_back(late: CallEvent) -> None:
    assert fold(started(), ended(), late).calls() == ()
    if not isinstance(late, Fault):
        assert fold(late).calls() == ()


def test_readers_get_what_changed_and_only_that() -> None:
    board = fold(started("c1"), started("c2"))
    seen = board.changes()
    assert seen.whole
    assert set(seen.calls) == {"c1", "c2"}
    board.happened(caller("dzień dobry", call_id="c2"))
    board.happened(TurnTimed(stages={"speech": 9.0}, **at(4, "c1")))  # nothing that a row shows
    changes = board.changes(seen.revision)
    assert not changes.whole
    assert set(changes.calls) == {"c2"}
    assert board.changes(changes.revision).calls == {}
    board.happened(ended("c1"))
    assert board.changes(seen.revision).calls["c1"] is None
    assert board.changes(board.revision + 7).whole  # of another process


def test_a_reader_at_any_revision_ends_with_the_same_board() -> None:
    chance = random.Random(7)
    board, known, revision = Board(), dict[str, Any](), 0
    for step in range(3000):
        call_id = f"c{chance.randrange(40)}-{step // 400}"
        event = chance.choice([started(call_id), caller(str(step), step, call_id), ended(call_id)])
        board.happened(event)
        if chance.random() < 0.02:
            changes = board.changes(revision)
            known = {} if changes.whole else known
            for key, row in changes.calls.items():
                if row is None:
                    known.pop(key, None)
                else:
                    known[key] = row
            revision = changes.revision
            assert known == {row.call_id: row for row in board.calls()}


def test_nothing_grows_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board_module, "MOST_CALLS", 50)
    monkeypatch.setattr(board_module, "MOST_ALERTS", 20)
    board = Board()
    for n in range(500):
        board.happened(started(f"c{n}", n))
        board.happened(AlertRaised(alert=f"a{n}", kind="angry", text="", **at(n, f"c{n}")))
    assert (len(board.calls()), len(board.alerts())) == (50, 20)
    assert len(board._seen) == 50
    old = board.changes(1)  # what went since then is known only in part
    assert len([row for row in old.calls.values() if row is not None]) == 50
    board.tick(BEGAN + timedelta(seconds=500) + FORGET_AFTER)
    assert board.calls() == ()


def entered(entry: str, offset_s: float, queue: str = "service") -> QueueEntered:
    return QueueEntered(queue=queue, entry=entry, **at(offset_s, f"call-{entry}"))


def left(entry: str, why: str, waited_s: float, offset_s: float = 50) -> QueueLeft:
    return QueueLeft(queue="service", entry=entry, why=why, waited_s=waited_s, **at(offset_s, f"call-{entry}"))


def promised(entry: str, offset_s: float = 70) -> CallbackPromised:
    return CallbackPromised(number="+48601234567", **at(offset_s, f"call-{entry}"))


def queue_after(*events: CallEvent, **settings: Any) -> Any:
    return next(row for row in fold(*events, **settings).queues() if row.name == "service")


def test_the_figures_of_a_queue() -> None:
    row = queue_after(
        *[entered(entry, n) for n, entry in enumerate("abcdefgh")],
        left("a", "answered", 10), left("b", "answered", 50), left("c", "hung_up", 5), left("d", "hung_up", 40),
        left("e", "callback", 60), promised("e"), left("f", "overflow", 90),
        service_levels_s={"service": 20.0},
    )  # fmt: skip
    assert (row.entered, row.answered, row.in_time, row.abandoned, row.hasty) == (8, 2, 1, 2, 1)
    assert (row.callbacks, row.overflowed, row.waiting) == (1, 1, 2)
    assert row.waiting_since == BEGAN + timedelta(seconds=6)
    assert row.service_level == pytest.approx(1 / 3)
    assert row.speed_of_answer_s == 30.0


def test_a_callback_counts_when_it_is_promised_to_who_left_the_queue_for_it() -> None:
    pressed = (entered("a", 1), left("a", "callback", 30))
    assert queue_after(*pressed).callbacks == 0
    assert queue_after(*pressed, ended("call-a"), promised("a")).callbacks == 0
    assert queue_after(*pressed, promised("a"), promised("a")).callbacks == 1
    assert queue_after(entered("a", 1), left("a", "to_bot", 30), promised("a")).callbacks == 0


def test_a_message_counts_when_it_is_left() -> None:
    gone = (entered("a", 1), left("a", "voicemail", 30), ended("call-a"))
    message = VoicemailLeft(voicemail="v", queue="service", number="", duration_s=4, text="", **at(95, "call-a"))
    assert queue_after(*gone).voicemails == 0
    assert queue_after(*gone, message).voicemails == 1


def test_a_queue_that_nobody_entered_has_a_row_without_figures() -> None:
    row = queue_after(service_levels_s={"service": 20.0})
    assert (row.waiting, row.service_level, row.speed_of_answer_s) == (0, None, None)


def test_the_figures_begin_anew_at_midnight_of_the_firm_and_who_waits_waits_on() -> None:
    warsaw = ZoneInfo("Europe/Warsaw")
    night = 12.9 * 3600  # 22:54 in UTC, 23:54 in Warsaw
    board = fold(entered("a", night), entered("b", night), left("a", "answered", 9, night), zone=warsaw)
    board.tick(BEGAN + timedelta(hours=12.99))
    assert board.queues()[0].answered == 1
    board.tick(BEGAN + timedelta(hours=13.1))
    assert (board.queues()[0].answered, board.queues()[0].entered, board.queues()[0].waiting) == (0, 0, 1)


def test_a_caller_who_hangs_up_unheard_of_does_not_wait_for_ever() -> None:
    row = queue_after(entered("a", 1), ended("call-a", 61))
    assert (row.waiting, row.abandoned, row.hasty) == (0, 1, 0)
    row = queue_after(entered("a", 1), left("a", "hung_up", 30, 31), ended("call-a", 31))
    assert row.abandoned == 1


def test_a_place_that_was_kept_is_not_counted_twice() -> None:
    assert queue_after(entered("a", 1), entered("a", 30)).entered == 1


def test_the_figures_of_the_day_come_back_after_a_restart(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path)
    writer.start()
    wanted = (entered("b", 60), left("b", "callback", 5, 65), promised("b"), entered("c", 61))
    for event in (entered("old", -9999), entered("a", 1), left("a", "answered", 9), *wanted, caller("x")):
        writer.submit(event)
    writer.close()
    records = CallRecords(tmp_path)
    board = Board()
    board.restore(records.happened_since(BEGAN, COUNTED))
    records.close()
    (row,) = board.queues()
    assert (row.answered, row.entered, row.callbacks, row.waiting) == (1, 3, 1, 0)
    assert board.calls() == ()
