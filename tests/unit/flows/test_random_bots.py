"""Whatever a bot is made of and whatever a caller does: no fault, no endless talk, and always a way to a person."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows import (
    Bot,
    CallStarted,
    CallSystem,
    Engine,
    Event,
    Handoff,
    HandoffFailed,
    Heard,
    Interrupted,
    Keys,
    Listen,
    NoInput,
    PeopleWanted,
    RecognitionDown,
    Returned,
    Say,
    State,
    Step,
    SystemResult,
    SystemSlow,
    Understood,
    load_bot,
    verification,
)
from flows import commands as c

NOW = datetime.fromisoformat("2026-11-23T10:00:00+00:00")
EXAMPLE = Path(__file__).parents[3] / "flows" / "examples" / "shop"
BOT = {
    "bot": "random",
    "languages": ["en"],
    "greeting": {"machine": "This is a machine.", "recording": "The call is recorded.", "ask": "How can I help?"},
    "closing": "Goodbye.",
    "queue": "service",
}
SYSTEMS = {"systems": {"shop": {"url": "http://127.0.0.1:1", "operations": {"order": {"path": "/o/{number}"}}}}}
FLOWS = ("one", "two", "three")
TYPES: dict[str, dict[str, Any]] = {
    "number": {"type": "digits", "length": 3, "ask": "Which number?", "shared": True},
    "amount": {"type": "integer", "ask": "How many?", "confirm": "implicit", "optional": True},
    "sure": {"type": "yes_no", "ask": "Are you sure?"},
    "day": {"type": "date", "ask": "Which day?", "confirm": "read_back"},
}
SLOTS = list(TYPES)
TODAY = "2026-12-24"

VERIFY = {"facts": ["number", "day"], "call": "shop.order", "with": {"number": "{{ number }}"}, "match": {"day": TODAY}}
MARKS = st.sampled_from(["nps", "csat", "ces"])
ENDINGS = st.sampled_from([{"handoff": "not_verified"}, {"say": "You can not be verified."}, {"ask_more": True}])
CONDITIONS = st.sampled_from(["caller", "heard_all", "not heard_all", "today > '2026'"])


def _simple(name: str) -> st.SearchStrategy[dict[str, Any]]:
    deeper = FLOWS[FLOWS.index(name) + 1 :]
    kinds: list[st.SearchStrategy[dict[str, Any]]] = [
        st.fixed_dictionaries(
            {"say": st.sampled_from(["Words.", ["Some.", "Others."]])}, optional={"when": CONDITIONS}
        ),
        st.just({"say": "The terms.", "interruptible": False}),
        st.builds(lambda slots: {"collect": slots}, st.lists(st.sampled_from(SLOTS), min_size=1, unique=True)),
        st.just({"set": {"kept": "{{ today }}"}}),
        st.just({"call": "shop.order", "with": {"number": "5"}, "save": "order", "failed": {"say": "It failed."}}),
        st.just({"callback": "wanted"}),
        st.builds(lambda kind, comment: {"survey": kind, "comment": comment}, MARKS, st.booleans()),
        st.builds(lambda ending: {"verify": {**VERIFY, "failed": ending}}, ENDINGS),
        st.just({"log": "The day is {{ today }}."}),
    ]
    if deeper:
        kinds.append(
            st.builds(
                lambda flow, save: {"sub_flow": flow, "with": {"number": "123"}, **save},
                st.sampled_from(deeper),
                st.sampled_from([{}, {"save": {"theirs": "sure"}}]),
            )
        )
    return st.one_of(kinds)


def _nested(steps: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    some = st.lists(steps, min_size=1, max_size=3)
    option = st.fixed_dictionaries({}, optional={"then": some})
    return st.one_of(
        st.builds(lambda when, then, other: {"when": when, "then": then, "else": other}, CONDITIONS, some, some),
        st.builds(
            lambda left, right, confirm: {
                "choose": {
                    "ask": "Left or right?",
                    "options": {"left": {"words": ["left"], **left}, "right": {"words": ["right"], **right}},
                    "confirm": confirm,
                }
            },
            option,
            option,
            st.sampled_from(["none", "implicit", "read_back"]),
        ),
    )


def _flow(name: str) -> st.SearchStrategy[dict[str, Any]]:
    steps = st.lists(st.recursive(_simple(name), _nested, max_leaves=4), min_size=1, max_size=4)
    ends = st.sampled_from([[], ["ask_more"], ["hang_up"], [{"handoff": "special"}]])
    return st.builds(
        lambda steps, end: {
            "flow": name,
            "description": "A task.",
            "examples": [f"I want {name}"],
            "slots": TYPES,
            "steps": [{"collect": SLOTS}, *steps, *end] if name == "three" else [*steps, {"collect": SLOTS}, *end],
        },
        steps,
        ends,
    )


def _load(files: dict[str, Any]) -> Bot:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / f"{name}.yaml").write_text(json.dumps(content), encoding="utf-8")
        return load_bot(Path(folder))


BOTS = st.fixed_dictionaries({name: _flow(name) for name in FLOWS}).map(
    lambda flows: _load({"bot": BOT, "systems": SYSTEMS, **flows})
)
NAMES = st.sampled_from([*FLOWS, "order_status", "nothing"])
SLOT_NAMES = st.sampled_from([*SLOTS, "choice_5", "order_number", "nothing"])
VALUES = st.sampled_from([None, True, False, 7, "123", "left", "2026-12-24", "123456", ""])
COMMANDS: st.SearchStrategy[c.Command] = st.one_of(
    st.builds(c.StartFlow, NAMES),
    st.builds(c.SetSlot, SLOT_NAMES, VALUES),
    st.builds(c.CorrectSlot, SLOT_NAMES, VALUES),
    st.builds(c.NoneGiven, SLOT_NAMES),
    st.builds(c.SpeakLanguage, st.sampled_from(["pl", "en", "uk"])),
    *(
        st.builds(kind)
        for kind in (c.Affirm, c.Deny, c.Repeat, c.Slower, c.Wait, c.Cancel, c.StartOver, c.NoMatch, c.AskMachine)
    ),
)
SPEECH = st.builds(
    lambda commands: Heard(Understood(tuple(commands), "test")), st.lists(COMMANDS, min_size=1, max_size=3)
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    SPEECH,
    SPEECH,
    st.builds(Keys, st.sampled_from(["1", "2", "123", "123#", "7#", "9", "#"])),
    st.just(NoInput()),
    st.builds(Interrupted, st.just(""), st.sampled_from(["", "the rest"]), st.just(())),
    st.just(Interrupted("", "the value", ("phrases/implicit",))),
    st.builds(SystemResult, st.sampled_from(["r-1", "r-2"]), st.just("ok"), st.just({})),
    st.just(SystemSlow("r-1")),
    st.just(HandoffFailed()),
    st.just(PeopleWanted("angry")),
    st.just(Returned()),
    st.just(RecognitionDown()),
)

UNANSWERED = Interrupted | SystemResult | SystemSlow | HandoffFailed | PeopleWanted
"""The caller may have heard nothing of these, and is listened to as before."""


def play(engine: Engine, step: Step, event: Event) -> Iterator[Step]:
    """The event, and the answers of the systems that are asked because of it; the state goes through JSON."""
    for number in count():
        assert number < 50, "systems are asked for ever"
        state = State.from_json(json.dumps(step.state.to_json()))
        step = engine.step(state, event, NOW)
        engine.context(step.state)
        yield step
        asked = [action for action in step.actions if isinstance(action, CallSystem)]
        if not asked:
            return
        answer = {"locked": number % 7 == 0} if asked[0].operation == verification.BEGIN else {}
        event = SystemResult(asked[0].id, "ok" if number % 2 else "failed", answer)


def _check(engine: Engine, events: list[Event], caller: str) -> Step:
    step = engine.start(CallStarted("r", caller), NOW)
    for event in events:
        before = step.state.mode
        *_, step = play(engine, step, event)
        assert step.state.mode in ("listening", "calling", "transferring", "ended")
        if before == "listening" and not isinstance(
            event, Interrupted | SystemResult | SystemSlow | HandoffFailed | PeopleWanted
        ):
            assert any(isinstance(action, Say | Listen) for action in step.actions), "nobody answers the caller"
    return step


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(bot=BOTS, events=st.lists(EVENTS, max_size=20), caller=st.sampled_from(["", "+48600100200"]))
def test_no_bot_and_no_caller_make_it_fail(bot: Bot, events: list[Event], caller: str) -> None:
    _check_ends(Engine(bot), _check(Engine(bot), events, caller))


@pytest.fixture(scope="module")
def shop() -> Engine:
    return Engine(load_bot(EXAMPLE))


@settings(max_examples=60, deadline=None)
@given(events=st.lists(EVENTS, max_size=20), caller=st.sampled_from(["", "+48600100200"]))
def test_the_example_does_not_fail_either(shop: Engine, events: list[Event], caller: str) -> None:
    _check_ends(shop, _check(shop, events, caller))


def _check_ends(engine: Engine, reached: Step) -> None:
    """From anywhere: silence ends the talk in three turns, and a person is had by asking or by 0."""
    if reached.state.mode != "listening":
        return
    step = reached
    for _ in range(3):
        *_, step = play(engine, step, NoInput())
    assert step.state.mode != "listening", "the bot talks on to nobody"
    tried_already = reached.state.data["handoff_failed"]
    for event in (Heard(Understood((c.AskHuman(),), "test")), Keys("0")):
        *_, step = play(engine, reached, event)
        given_away = any(isinstance(action, Handoff) for action in step.actions)
        assert given_away or tried_already, "no person was to be had"
