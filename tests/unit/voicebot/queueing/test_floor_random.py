"""Whatever happens on a floor, in whatever order: nobody is lost, nobody is served twice, order is kept."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.people_settings import QueueSettings, ToQueue
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
from voicebot.queueing.model import Kind, Profile, Why
from voicebot.queueing.testing import DrivenFloor

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
    st.booleans(),
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

    def __init__(self) -> None:
        self.floor = DrivenFloor(QUEUES, UTC)
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


@settings(max_examples=200, deadline=None)
@given(st.lists(_steps, max_size=60))
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
@given(st.lists(_steps, max_size=40))
def test_a_tick_leaves_nothing_that_is_due(steps: list[tuple[str, Any]]) -> None:
    life = Life()
    for name, data in steps:
        life.step(name, data)
        life.floor.do(Tick())
        due = life.floor.floor.next_at()
        assert due is None or due > life.floor.now - timedelta(microseconds=1), (due, life.floor.now)
