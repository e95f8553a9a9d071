"""Whatever happens on a floor, in whatever order: nobody is lost, nobody is served twice, order is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from voicebot.people_settings import QueueSettings, ToQueue
from voicebot.queueing import rows
from voicebot.queueing.floor import Floor
from voicebot.queueing.happenings import (
    Accept,
    AgentAvailable,
    AgentBreak,
    AgentChanged,
    AgentOffline,
    CallbackDone,
    Connected,
    ConnectFailed,
    ConsultDone,
    Decline,
    Ended,
    Enter,
    Event,
    Leave,
    LineBack,
    LineLost,
    Offered,
    OfferFailed,
    Promise,
    Take,
    TalkEnded,
    Tick,
    TransferTo,
    WrapUpDone,
)
from voicebot.queueing.ledger import Changes
from voicebot.queueing.model import AgentState, EntryState, Kind, Profile, Why
from voicebot.queueing.testing import DrivenFloor, entering, profile
from voicebot.records.database import DATABASE, open_database, upgrade
from voicebot.records.models import AgentStateRow, CallbackRow, CallRow, QueueEntryRow

QUEUES = {
    "service": QueueSettings(overflow=ToQueue(queue="spare"), longest_wait_s=300, longest_queue=4),
    "spare": QueueSettings(skills=("invoices",), priority=2, wrap_up_s=0, longest_wait_s=120),
    "third": QueueSettings(
        agents=({"name": "Anna", "uri": "sip:anna@127.0.0.1"},),  # type: ignore[arg-type]
        ring_s=5,
        preferred_skills=("english",),
    ),
}
LOGINS = ("adam", "beata", "celina")
_ids = st.integers(0, 7).map(str)
_queue = st.sampled_from([*QUEUES, "unknown"])
_login = st.sampled_from([*LOGINS, "sip:anna@127.0.0.1", "nobody"])
_languages = st.sampled_from([frozenset({"pl"}), frozenset({"pl", "en"}), frozenset({"en"})])
_skills = st.sampled_from([frozenset[str](), frozenset({"invoices"}), frozenset({"invoices", "english"})])
_profile = st.builds(
    Profile,
    st.sampled_from(LOGINS),
    st.just("Name"),
    st.sampled_from([frozenset[str](), frozenset({"service"}), frozenset({"service", "spare"})]),
    _skills,
    _languages,
    st.sampled_from(["", "sip:adam@127.0.0.1"]),
)
_why = st.sampled_from(Why)
_number = st.sampled_from(["+48601234567", "+48601234568"])
_kind = st.sampled_from([Kind.CALL, Kind.CALL, Kind.CALL, Kind.CONSULT])


def _entry_of(floor: DrivenFloor, pick: int) -> str:
    entries = floor.floor.entries
    return entries[pick % len(entries)].id if entries else "gone"


@st.composite
def _enter(draw: st.DrawFn) -> tuple[str, Any]:
    return "enter", {
        "language": draw(st.sampled_from(["pl", "en", ""])),
        "queue": draw(_queue),
        "urgency": draw(st.none() | st.integers(-2, 5)),
        "skills": draw(_skills),
        "knows": draw(st.sampled_from(["", *LOGINS])),
        "only": draw(st.sampled_from(["", "", "", *LOGINS])),
        "kind": draw(_kind),
    }


# What happens, as a recipe: which entry or offer it is about is found when it is applied, so that most of it fits.
_steps = st.one_of(
    _enter(),
    st.tuples(st.just("promise"), st.tuples(_ids, _number, _queue)),
    st.tuples(st.just("leave"), st.tuples(st.integers(0, 9), _why, st.sampled_from(["", "+48601234567"]))),
    st.tuples(st.just("offer"), st.tuples(st.integers(0, 9), st.sampled_from([Accept, Accept, Decline, OfferFailed]))),
    st.tuples(st.just("old_offer"), st.tuples(st.integers(0, 99), st.sampled_from([Accept, Decline, OfferFailed]))),
    st.tuples(
        st.just("about"),
        st.tuples(st.integers(0, 9), st.sampled_from([Connected, Connected, ConnectFailed, TalkEnded, WrapUpDone])),
    ),
    st.tuples(st.just("take"), st.tuples(st.integers(0, 9), _login)),
    st.tuples(st.just("callback_done"), st.tuples(st.integers(0, 9), st.sampled_from(["reached", "gave_up"]))),
    st.tuples(st.just("transfer"), st.tuples(st.integers(0, 9), _queue, st.sampled_from(["", *LOGINS]))),
    st.tuples(st.just("consult_done"), st.tuples(st.integers(0, 9), st.integers(0, 9))),
    st.tuples(st.just("line"), st.tuples(_login, st.sampled_from([LineLost, LineLost, LineBack]))),
    st.tuples(st.just("available"), _profile),
    st.tuples(st.just("available"), _profile),
    st.tuples(st.just("break"), _profile),
    st.tuples(st.just("changed"), _profile),
    st.tuples(st.just("offline"), _login),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 3.0, 10.0, 31.0, 200.0, 4000.0])),
)


class Life:
    """A floor, and what has to be true of its whole life."""

    def __init__(self, keep: Callable[[Changes], None] = lambda changes: None) -> None:
        self.floor = DrivenFloor(QUEUES, UTC, keep)
        self.came = 0
        self.entered: list[str] = []
        self.offers: list[str] = []

    def step(self, name: str, data: Any) -> None:
        if name == "wait":
            self.floor.wait(data)
        else:
            event = self._event(name, data)
            if isinstance(event, Enter):
                self.entered.append(event.entry)
            self.floor.do(event)
        self.offers = [offered.offer.id for offered in self.floor.found(Offered)]
        assert len(self.offers) == len(set(self.offers)), "two offers have one id"

    def _event(self, name: str, data: Any) -> Event:
        about = _entry_of(self.floor, data[0]) if isinstance(data, tuple) and isinstance(data[0], int) else ""
        match name:
            case "enter":
                self.came += 1
                return Enter(f"e{self.came}", f"call-{self.came}", "+48601234567", **data)
            case "promise":
                return Promise(f"call-{data[0]}", data[1], "pl", data[2])
            case "leave":
                return Leave(about, data[1], data[2])
            case "offer" | "old_offer":
                known = self.offers if name == "old_offer" else self._open_offers()
                offer = known[data[0] % len(known)] if known else "gone:1"
                return data[1](offer, "busy") if data[1] is OfferFailed else data[1](offer)  # type: ignore[no-any-return]
            case "about":
                more = {ConnectFailed: ("failed",), WrapUpDone: ("solved", "notes")}.get(data[1], ())
                return data[1](about, *more)  # type: ignore[no-any-return]
            case "take":
                return Take(about, data[1])
            case "callback_done":
                return CallbackDone(about, data[1])
            case "transfer":
                self.came += 1
                return TransferTo(about, f"e{self.came}", data[1], data[2])
            case "consult_done":
                return ConsultDone(about, _entry_of(self.floor, data[1]))
            case "line":
                return data[1](data[0])  # type: ignore[no-any-return]
            case "available":
                return AgentAvailable(data)
            case "break":
                return AgentBreak(data, "lunch")
            case "changed":
                return AgentChanged(data)
            case "offline":
                return AgentOffline(data)
        raise AssertionError(name)

    def _open_offers(self) -> list[str]:
        return [entry.offer.id for entry in self.floor.floor.entries if entry.offer is not None]


@settings(max_examples=60, deadline=None)
@given(st.lists(_steps, min_size=20, max_size=80))
def test_whatever_happens_the_rules_hold(steps: list[tuple[str, Any]]) -> None:
    life = Life()
    for name, data in steps:
        life.step(name, data)  # its rules are checked after every event
    ended = [effect.entry.id for effect in life.floor.found(Ended)]
    assert len(ended) == len(set(ended))
    alive = {entry.id for entry in life.floor.floor.entries}
    assert not alive & set(ended)
    assert set(life.entered) <= alive | set(ended), "a caller has vanished"


@settings(max_examples=50, deadline=None)
@given(st.lists(_steps, min_size=10, max_size=50))
def test_a_tick_leaves_nothing_that_is_due(steps: list[tuple[str, Any]]) -> None:
    life = Life()
    for name, data in steps:
        life.step(name, data)
        life.floor.do(Tick())
        due = life.floor.floor.next_at()
        assert due is None or due > life.floor.now, (due, life.floor.now)


# Crashes


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder: Path = tmp_path_factory.mktemp("floor")
    engine = open_database(folder / DATABASE)
    upgrade(engine)
    yield engine
    engine.dispose()


def _places(floor: Floor) -> list[tuple[Any, ...]]:
    """Callbacks in the order of their places, with all that has to outlive a crash."""
    callbacks = [entry for entry in floor.entries if entry.kind is Kind.CALLBACK]
    callbacks.sort(key=lambda entry: (entry.entered_at, entry.number))
    return [
        (one.id, one.number, one.caller, one.queue, one.language, one.urgency, one.skills, one.entered_at, one.tries)
        for one in callbacks
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(_steps | st.just(("crash", None)), min_size=20, max_size=60))
def test_a_crash_at_any_moment_loses_no_callback_and_no_order(engine: Engine, steps: list[tuple[str, Any]]) -> None:
    with engine.begin() as connection:
        for table in (QueueEntryRow, CallbackRow, AgentStateRow, CallRow):
            connection.execute(delete(table))
    life = Life(lambda changes: rows.write(engine, (*changes.entries, *changes.agents)))
    lost: set[str] = set()
    for name, data in [*steps, ("crash", None)]:
        if name != "crash":
            life.step(name, data)
            continue
        before = life.floor.floor
        lost |= {entry.id for entry in before.entries if entry.kind is not Kind.CALLBACK}
        restored = rows.restore(engine, QUEUES, life.floor.now)
        life.floor.floor = Floor(QUEUES, UTC, life.floor.now, restored=restored)
        assert _places(life.floor.floor) == _places(before)
        life.floor.do(Tick())
    ended = {effect.entry.id for effect in life.floor.found(Ended)}
    with engine.connect() as connection:
        kept = {row.id: row.state for row in connection.execute(select(QueueEntryRow.id, QueueEntryRow.state))}
    assert set(life.entered) <= ended | lost
    assert {name for name in kept if kept[name] == EntryState.LOST} == lost & set(kept)
    assert set(life.entered) <= set(kept)


# Order

_simple = st.one_of(
    st.just(("enter", "")),
    st.just(("enter", "")),
    st.tuples(st.sampled_from(["accept", "decline", "miss", "end", "available", "break"]), st.sampled_from(LOGINS)),
    st.tuples(st.just("wait"), st.sampled_from(["1", "7", "35"])),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_simple, min_size=10, max_size=80))
def test_who_came_first_is_offered_first(steps: list[tuple[str, str]]) -> None:
    floor = DrivenFloor({"service": QueueSettings(longest_wait_s=10_000, longest_queue=100)})
    floor.do(*(AgentAvailable(profile(login)) for login in LOGINS))
    came = 0
    for name, data in steps:
        agent = floor.floor.agent(data)
        offer = floor.offer_id(data) if agent is not None and agent.state is AgentState.OFFERED else ""
        match name:
            case "enter":
                came += 1
                floor.do(entering(str(came), caller=f"+4860123{came:04}"))
            case "accept" if offer:
                floor.do(Accept(offer), Connected(offer.partition(":")[0]))
            case "decline" if offer:
                floor.do(Decline(offer))
            case "miss" if offer:
                floor.do(OfferFailed(offer, "busy"))
            case "end" if agent is not None and agent.state is AgentState.ON_CALL:
                floor.do(TalkEnded(agent.entry), WrapUpDone(agent.entry, "solved"))
            case "available":
                floor.do(AgentAvailable(profile(data)))
            case "break":
                floor.do(AgentBreak(profile(data), "lunch"))
            case "wait":
                floor.wait(float(data))
    first: list[int] = []
    for offered in floor.found(Offered):
        number = int(offered.entry.id)
        if number not in first:
            first.append(number)
    assert first == sorted(first)
