"""Single rules of the floor, one story each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flows.hours import Hours
from voicebot.people_settings import AgentSettings, QueueSettings, ToQueue
from voicebot.queueing.happenings import (
    Accept,
    AgentAvailable,
    AgentBreak,
    AgentOffline,
    Announce,
    CallbackDone,
    Connect,
    Connected,
    ConnectFailed,
    ConsultDone,
    Decline,
    Ended,
    Leave,
    LineBack,
    LineLost,
    Missed,
    Offered,
    OfferFailed,
    Overflow,
    Promise,
    Returned,
    Take,
    TalkEnded,
    TransferTo,
    Withdrawn,
    WrapUpDone,
)
from voicebot.queueing.model import AgentState, EntryState, Kind, Why
from voicebot.queueing.testing import DrivenFloor, entering, profile

ADAM, BEATA = profile("adam"), profile("beata")
WARSAW = ZoneInfo("Europe/Warsaw")


def floor(**settings: Any) -> DrivenFloor:
    return DrivenFloor({"service": QueueSettings(**settings), "other": QueueSettings()}, WARSAW)


def talking(floor: DrivenFloor, entry: str = "1", login: str = "adam") -> None:
    floor.do(AgentAvailable(profile(login)), entering(entry))
    floor.do(Accept(floor.offer_id(login)), Connected(entry))


def state(floor: DrivenFloor, login: str) -> tuple[AgentState, str]:
    agent = floor.floor.agent(login)
    assert agent is not None
    return agent.state, agent.reason


def test_a_call_from_the_offer_to_the_wrap_up() -> None:
    it = floor()
    it.do(AgentAvailable(ADAM))
    (offered,) = [effect for effect in it.do(entering("1")) if isinstance(effect, Offered)]
    assert offered.offer.until == it.now + timedelta(seconds=20)
    assert isinstance(it.do(Accept(offered.offer.id))[0], Connect)
    it.do(Connected("1"), TalkEnded("1"))
    assert (it.state("1"), state(it, "adam")) == (EntryState.WRAP_UP, (AgentState.WRAP_UP, ""))
    it.wait(29)
    assert it.state("1") is EntryState.WRAP_UP
    it.do(WrapUpDone("1", "solved", "notes"))
    (ended,) = it.found(Ended)
    assert (ended.entry.outcome, ended.entry.code, ended.entry.notes) == ("served", "solved", "notes")
    assert state(it, "adam") == (AgentState.AVAILABLE, "")


def test_a_wrap_up_ends_by_time() -> None:
    it = floor(wrap_up_s=10)
    talking(it)
    it.do(TalkEnded("1"))
    it.wait(10)
    assert state(it, "adam") == (AgentState.AVAILABLE, "")


def test_nobody_answers_so_the_next_one_is_rung_and_two_in_a_row_are_a_break() -> None:
    it = floor(longest_wait_s=10_000)
    it.do(AgentAvailable(ADAM), entering("1"))
    it.do(AgentAvailable(BEATA))
    it.wait(20)
    assert it.found(Withdrawn)[0].why == "timed_out"
    assert it.found(Missed) == [Missed("adam", "1", away=False)]
    assert it.offer_id("beata") == "1:2"
    it.wait(20)
    it.wait(10.5)  # 30 s after Adam did not answer; Beata is still spared
    it.wait(20)
    assert state(it, "adam") == (AgentState.ON_BREAK, "no_answer")


def test_a_desk_phone_that_is_always_there_is_tried_again() -> None:
    phone = AgentSettings(name="Anna", uri="sip:anna@127.0.0.1")
    it = floor(agents=(phone,), ring_s=10, decide_s=5)
    it.do(AgentBreak(ADAM, "lunch"), entering("1"))
    (first,) = it.found(Offered)
    assert first.offer.until == it.now + timedelta(seconds=15)
    it.do(OfferFailed(first.offer.id, "busy"))
    it.wait(5)
    it.do(OfferFailed(it.offer_id(phone.uri), "no_answer"))
    assert state(it, phone.uri) == (AgentState.ON_BREAK, "no_answer")
    it.wait(60)
    assert it.offer_id(phone.uri) == "1:3"


def test_who_declined_is_spared_for_30_seconds_but_not_where_nobody_else_is() -> None:
    it = floor()
    it.do(AgentAvailable(ADAM), entering("1"), Decline("1:1"))
    assert it.state("1") is EntryState.WAITING
    it.wait(5)
    assert it.offer_id("adam") == "1:2"
    it.do(AgentAvailable(BEATA), Decline("1:2"))
    assert it.offer_id("beata") == "1:3"
    it.do(Decline("1:3"))
    it.wait(29)
    assert it.state("1") is EntryState.WAITING
    it.wait(1)
    assert it.state("1") is EntryState.OFFERED


def test_priority_ages() -> None:
    it = floor(ageing_s=60, longest_wait_s=10_000)
    it.do(AgentBreak(ADAM, "lunch"), entering("old"))
    it.wait(300)
    it.do(entering("urgent", urgency=4), entering("very", urgency=6))
    assert [entry.id for entry in it.floor.line("service", it.now)] == ["very", "old", "urgent"]


def test_the_agent_who_knows_the_caller_then_skills_then_idle() -> None:
    it = floor(preferred_skills=("invoices",))
    able = replace(profile("celina"), skills=frozenset({"invoices"}))
    it.do(AgentAvailable(ADAM))
    it.wait(1)
    it.do(AgentAvailable(BEATA), AgentAvailable(able))
    chosen = []
    for entry, knows in (("1", "beata"), ("2", "gone"), ("3", "")):
        it.do(entering(entry, knows=knows))
        chosen.append(it.found(Offered)[-1].offer.agent)
    assert chosen == ["beata", "celina", "adam"]


def test_language_and_skills_are_required() -> None:
    it = floor(skills=("invoices",))
    it.do(AgentAvailable(replace(ADAM, skills=frozenset({"invoices"}), languages=frozenset({"pl"}))))
    it.do(entering("en", language="en"))
    assert it.found(Overflow)[0].why == "nobody"
    it.do(entering("pl", skills=frozenset({"legal"})))
    assert len(it.found(Overflow)) == 2
    it.do(entering("fits"))
    assert it.offer_id("adam") == "fits:1"


def test_a_caller_who_leaves_stops_the_ringing() -> None:
    it = floor()
    it.do(AgentAvailable(ADAM), entering("1"), Leave("1", Why.HUNG_UP))
    assert [(one.offer.id, one.why) for one in it.found(Withdrawn)] == [("1:1", "left")]
    assert state(it, "adam") == (AgentState.AVAILABLE, "")
    assert it.found(Ended)[0].entry.state is EntryState.ABANDONED


@pytest.mark.parametrize(
    ("why", "to"),
    [
        (Why.TO_BOT, EntryState.TO_BOT),
        (Why.VOICEMAIL, EntryState.OVERFLOWED),
        (Why.ENDED_BY_SUPERVISOR, EntryState.DONE),
    ],
)
def test_other_ways_to_leave(why: Why, to: EntryState) -> None:
    it = floor()
    it.do(AgentBreak(ADAM, "lunch"), entering("1"), Leave("1", why))
    assert (it.found(Ended)[0].entry.state, it.found(Ended)[0].entry.outcome) == (to, str(why))


# Overflow


def test_the_longest_wait_and_the_longest_queue() -> None:
    it = floor(longest_wait_s=60, longest_queue=2, overflow="voicemail")
    it.do(AgentBreak(ADAM, "lunch"), entering("1"), entering("2"), entering("3"))
    assert [(one.entry.id, one.to, one.why) for one in it.found(Overflow)] == [("3", "voicemail", "longest_queue")]
    it.wait(60)
    assert [one.why for one in it.found(Overflow)] == ["longest_queue", "longest_wait", "longest_wait"]


def test_overflow_goes_to_another_queue_with_the_same_place_and_never_round() -> None:
    queues = {
        "a": QueueSettings(overflow=ToQueue(queue="b"), longest_wait_s=60),
        "b": QueueSettings(overflow=ToQueue(queue="a"), longest_wait_s=60),
    }
    it = DrivenFloor(queues)
    it.do(AgentBreak(ADAM, "lunch"), entering("1", "a"))
    began = it.now
    it.wait(60)
    entry = it.floor.entry("1")
    assert entry is not None
    assert (entry.queue, entry.entered_at, entry.queued_at) == ("b", began, it.now)
    it.wait(60)
    assert [(one.to, one.entry.queue) for one in it.found(Overflow)] == [("queue", "b"), ("callback", "b")]


def test_who_comes_when_it_is_closed_and_who_waits_when_it_closes() -> None:
    week = Hours.model_validate({"week": {"monday": "08:00-11:30"}})
    it = floor(hours=week, closed="bot", longest_wait_s=10_000)
    it.do(AgentBreak(ADAM, "lunch"), entering("1"))  # at 11:00 in Warsaw
    it.wait(1800)
    it.do(entering("2"))
    assert [(one.entry.id, one.to, one.why) for one in it.found(Overflow)] == [("2", "bot", "closed")]
    it.do(AgentAvailable(ADAM))
    assert it.offer_id("adam") == "1:1"


def test_nobody_is_signed_in_any_more() -> None:
    it = floor()
    it.do(AgentBreak(ADAM, "lunch"), entering("1"))
    assert it.state("1") is EntryState.WAITING
    it.do(AgentOffline("adam"))
    assert [(one.entry.id, one.to, one.why) for one in it.found(Overflow)] == [("1", "callback", "nobody")]


def test_who_is_on_a_break_that_nobody_chose_is_not_there() -> None:
    it = floor()
    it.do(AgentAvailable(ADAM), entering("1"), OfferFailed("1:1", "no_answer"))
    it.wait(5)
    assert it.found(Overflow) == []
    it.do(OfferFailed(it.offer_id("adam"), "no_answer"))
    assert [(one.entry.id, one.why) for one in it.found(Overflow)] == [("1", "nobody")]


# Announcements


def test_position_at_once_and_then_from_time_to_time() -> None:
    it = floor(announce_every_s=45)
    it.do(AgentBreak(ADAM, "lunch"), entering("1"), entering("2"))
    it.wait(44)
    it.do(Leave("1", Why.HUNG_UP))
    it.wait(1)
    told = [(one.entry.id, one.position, one.wait_s) for one in it.found(Announce)]
    assert told == [("1", 1, None), ("2", 2, None), ("2", 1, None)]


def test_the_wait_is_told_from_what_was_seen() -> None:
    it = floor(wrap_up_s=0)
    for number in range(8):
        talking(it, str(number))
        it.wait(100 + 5 * (number % 2))
        it.do(TalkEnded(str(number)))
    talking(it, "busy")
    it.do(entering("waits"), entering("later"))
    waits = {one.entry.id: one.wait_s for one in it.found(Announce)}
    assert waits["waits"] == pytest.approx(102.5 + 0.84 * 2.5)
    assert waits["later"] == pytest.approx(205 + 0.84 * 2.5 * 2**0.5)


# Lines


def test_a_broken_line_has_30_seconds_and_then_the_caller_goes_first() -> None:
    it = floor()
    talking(it)
    it.do(LineLost("adam"))
    it.wait(29)
    it.do(LineBack("adam"))
    it.wait(10)
    assert it.state("1") is EntryState.TALKING
    it.do(AgentBreak(BEATA, "lunch"), entering("2", urgency=50), LineLost("adam"))
    it.wait(30)
    assert [(one.entry.id, one.agent) for one in it.found(Returned)] == [("1", "adam")]
    assert state(it, "adam") == (AgentState.ON_BREAK, "line_lost")
    assert [entry.id for entry in it.floor.line("service", it.now)] == ["1", "2"]
    it.do(AgentAvailable(ADAM))
    assert it.offer_id("adam") == "1:2"


def test_the_only_agent_has_two_minutes_to_come_back_before_their_caller_goes_elsewhere() -> None:
    it = floor()
    talking(it)
    it.do(LineLost("adam"))
    it.wait(30 + 119)
    assert it.state("1") is EntryState.WAITING
    it.wait(1)
    assert state(it, "adam") == (AgentState.OFFLINE, "")
    assert [(one.to, one.why) for one in it.found(Overflow)] == [("callback", "nobody")]


def test_nothing_is_offered_over_a_broken_line() -> None:
    it = floor()
    it.do(AgentAvailable(ADAM), LineLost("adam"), entering("1"))
    assert it.state("1") is EntryState.WAITING
    it.do(LineBack("adam"))
    assert it.offer_id("adam") == "1:1"


def test_a_call_that_could_not_be_connected_goes_first() -> None:
    it = floor()
    it.do(AgentAvailable(ADAM), entering("1"), Accept("1:1"), ConnectFailed("1", "ice"))
    entry = it.floor.entry("1")
    assert entry is not None
    assert (entry.state, entry.first) == (EntryState.WAITING, True)
    assert it.found(Missed) == [Missed("adam", "1", away=False)]


# Breaks


def test_what_is_asked_for_in_a_talk_comes_after_it() -> None:
    it = floor()
    talking(it)
    it.do(AgentBreak(ADAM, "lunch"))
    assert state(it, "adam") == (AgentState.ON_CALL, "")
    it.do(TalkEnded("1"), WrapUpDone("1", "solved"))
    assert state(it, "adam") == (AgentState.ON_BREAK, "lunch")
    talking(it, "2")
    it.do(AgentOffline("adam"), TalkEnded("2"))
    assert state(it, "adam") == (AgentState.OFFLINE, "")


def test_a_break_withdraws_the_offer() -> None:
    it = floor()
    it.do(AgentAvailable(ADAM), entering("1"), AgentBreak(ADAM, "lunch"))
    assert it.found(Withdrawn)[0].why == "agent_left"
    assert it.state("1") is EntryState.WAITING
    assert it.found(Missed) == []


# Transfers


def test_a_blind_transfer_keeps_the_place_and_does_not_come_back_at_once() -> None:
    it = floor()
    it.do(entering("none"))
    talking(it)
    began = it.floor.entries[0].entered_at
    it.wait(60)
    it.do(AgentAvailable(BEATA), TransferTo("1", "1b", "other"))
    new = it.floor.entry("1b")
    assert new is not None
    assert (new.queue, new.entered_at, new.agent) == ("other", began, "beata")
    assert (it.state("1"), state(it, "adam")[0]) == (EntryState.WRAP_UP, AgentState.WRAP_UP)


def test_a_transfer_to_one_agent_waits_for_them_and_then_for_anybody() -> None:
    it = floor()
    talking(it, "1")
    talking(it, "2", "beata")
    it.do(AgentAvailable(profile("celina")), TransferTo("1", "1b", "service", only="beata"))
    assert it.state("1b") is EntryState.WAITING
    it.do(TalkEnded("2"), WrapUpDone("2", "solved"))
    assert it.offer_id("beata") == "1b:1"
    it.do(Decline("1b:1"))
    assert it.offer_id("celina") == "1b:2"


def test_a_caller_does_not_wait_for_one_agent_for_ever() -> None:
    it = floor(longest_wait_s=60)
    talking(it, "1")
    talking(it, "2", "beata")
    it.do(TransferTo("1", "1b", "service", only="beata"))
    it.wait(60)
    assert [(one.entry.id, one.why) for one in it.found(Overflow)] == [("1b", "longest_wait")]


def test_a_consult_becomes_the_callers_entry() -> None:
    it = floor()
    talking(it)
    it.do(AgentAvailable(BEATA), entering("ask", only="beata", kind=Kind.CONSULT))
    it.do(Accept(it.offer_id("beata")), Connected("ask"), ConsultDone("1", "ask"))
    entry = it.floor.entry("ask")
    assert entry is not None
    assert (entry.kind, entry.state, entry.agent) == (Kind.CALL, EntryState.TALKING, "beata")
    it.do(TalkEnded("ask"))
    assert state(it, "beata")[0] is AgentState.WRAP_UP


def test_a_consult_is_for_nobody_else_and_does_not_wait() -> None:
    it = floor()
    talking(it)
    it.do(AgentAvailable(BEATA), AgentAvailable(profile("celina")))
    it.do(entering("ask", only="beata", kind=Kind.CONSULT), Decline("ask:1"))
    it.do(AgentBreak(BEATA, "lunch"), entering("again", only="beata", kind=Kind.CONSULT))
    assert [(one.entry.id, one.entry.outcome) for one in it.found(Ended)] == [
        ("ask", "declined"),
        ("again", "not_available"),
    ]


# Callbacks


def test_a_callback_keeps_the_place_and_has_three_tries() -> None:
    it = floor(longest_wait_s=100_000)
    it.do(AgentBreak(ADAM, "lunch"), entering("1"))
    it.wait(60)
    it.do(entering("2"), Leave("1", Why.CALLBACK, "+48601234567"))
    (callback, waiting) = it.floor.line("service", it.now)
    assert (callback.kind, waiting.id) == (Kind.CALLBACK, "2")
    it.do(Leave("2", Why.HUNG_UP), AgentAvailable(ADAM))
    for pause_s in (600, 3600, None):
        it.do(Accept(it.offer_id("adam")), ConnectFailed(callback.id, "no_answer"))
        if pause_s is not None:
            it.wait(pause_s - 1)
            assert state(it, "adam") == (AgentState.AVAILABLE, "")
            it.wait(1)
    last = it.found(Ended)[-1].entry
    assert (last.state, last.outcome, last.tries) == (EntryState.DONE, "gave_up", 3)


def test_callbacks_are_made_within_the_hours_and_may_be_taken_by_hand() -> None:
    week = Hours.model_validate({"week": {"monday": "08:00-11:30", "tuesday": "08:00-11:30"}})
    it = floor(hours=week)
    it.do(AgentBreak(ADAM, "lunch"))
    it.wait(1800)
    it.do(Promise("c", "+48601234567", "pl", "service"), AgentAvailable(ADAM))
    assert it.found(Offered) == []
    assert it.floor.next_at() == it.now + timedelta(hours=20.5)
    name = it.floor.entries[0].id
    it.do(AgentBreak(ADAM, "training"), Take(name, "adam"), Connected(name), TalkEnded(name))
    it.do(CallbackDone(name, "reached"), WrapUpDone(name, "solved"))
    assert it.found(Ended)[0].entry.outcome == "reached"
    assert state(it, "adam") == (AgentState.ON_BREAK, "training")


def test_a_promise_made_twice_is_one_also_when_it_was_kept() -> None:
    it = floor()
    promise = Promise("c", "+48601234567", "pl", "service")
    it.do(promise, promise)
    (entry,) = it.floor.entries
    it.do(CallbackDone(entry.id, "reached"), promise)
    assert it.floor.entries == ()


def test_who_has_an_agent_stands_in_no_queue() -> None:
    it = floor()
    talking(it)
    it.do(AgentBreak(BEATA, "lunch"), entering("2"), Promise("c", "+48601234567", "pl", "service"))
    it.wait(10)
    line = it.floor.line("service", it.now)
    assert [entry.id for entry in line if entry.kind is Kind.CALL] == ["2"]
    assert [entry.kind for entry in line if entry.id != "2"] == [Kind.CALLBACK]
