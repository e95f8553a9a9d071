from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows import (
    Bot,
    CallStarted,
    CallSystem,
    Engine,
    Event,
    Handoff,
    HandoffFailed,
    HangUp,
    Heard,
    Keys,
    Listen,
    NoInput,
    Note,
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
    plain_text,
)
from flows import commands as c

NOW = datetime.fromisoformat("2026-11-23T10:00:00+00:00")
STORE = """
flow: store
description: Everything that a flow can do.
offer: try everything
examples: [everything]
slots:
  count: {type: integer, minimum: 0, maximum: 9, ask: How many?}
  sure: {type: yes_no, ask: Sure?}
  way: {type: choice, options: {courier: [courier], shop: [in the shop]}, ask: Which way?, confirm: read_back}
  day: {type: date, ask: Which day?, confirm: read_back}
  words: {type: text, ask: Tell me.}
steps:
  - collect: count
    label: again
  - go_to: order
    when: count == 9
  - collect: sure
  - collect: way
    when: sure
  - collect: day
  - collect: words
  - set: {twice: "{{ count * 2 }}", of: "{{ 10 // count }}"}
  - call: shop.cancel
    with: {number: "{{ twice }}"}
    save: done
    not_found: {say: Not there., retry: count}
    failed: {say: It failed., go_to: again}
    unknown_outcome: {handoff: outcome_unknown, queue: sales}
  - say: "{{ done.left | number }} left on {{ day | date }}."
    when: done.left is defined
  - handoff: special
    when: count == 7
  - hang_up
"""


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Bot:
    folder = tmp_path_factory.mktemp("store")
    base = Path(__file__).parents[2] / "data" / "flows" / "base"
    for name in ("bot.yaml", "systems.yaml", "order.yaml"):
        text = (base / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8")
    bot_yaml = (
        "bot: store\nlanguages: [en]\ngreeting:\n  machine: This is a machine.\n  recording: The call is recorded.\n"
        "  ask: How can I help?\nclosing: Goodbye.\nqueue: service\nlimits: {turns_per_flow: 12, turns_per_call: 40}\n"
    )
    (folder / "bot.yaml").write_text(bot_yaml)
    (folder / "order.yaml").write_text(
        "flow: order\ndescription: An order.\nexamples: [my order]\n"
        "slots:\n  number: {type: digits, length: 6, ask: What number?, confirm: read_back}\n"
        "steps:\n  - collect: number\n  - call: shop.order\n    with: {number: '{{ number }}'}\n    save: order\n"
        "    failed: {handoff: system_down}\n  - say: 'It is {{ order.place }}.'\n  - ask_more\n"
    )
    (folder / "store.yaml").write_text(STORE)
    return load_bot(folder)


@pytest.fixture(scope="module")
def engine(bot: Bot) -> Engine:
    return Engine(bot)


def heard(*commands: c.Command) -> Heard:
    return Heard(Understood(commands, "test"))


def texts(step: Step) -> list[str]:
    return [plain_text(action.spans) for action in step.actions if isinstance(action, Say)]


def notes(step: Step) -> list[str]:
    return [action.kind for action in step.actions if isinstance(action, Note)]


def begin(engine: Engine, *events: Event, caller: str = "") -> Step:
    step = engine.start(CallStarted("c1", caller), NOW)
    for event in events:
        step = engine.step(step.state, event, NOW)
    return step


SLOTS = st.sampled_from(["count", "sure", "way", "day", "words", "number", "nothing"])
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 12), st.text(max_size=5),
    st.sampled_from(["123456", "shop", "courier", "2026-12-24", "2020-01-01", "123"]),
)  # fmt: skip
COMMANDS = st.one_of(
    st.builds(c.StartFlow, st.sampled_from(["store", "order", "nothing", "callback"])),
    st.builds(c.SetSlot, SLOTS, VALUES),
    st.builds(c.CorrectSlot, SLOTS, VALUES),
    *(st.builds(kind) for kind in (c.Affirm, c.Deny, c.Repeat, c.Wait, c.Cancel, c.NoMatch, c.RefuseRecording)),
)
RARE = st.one_of(st.builds(c.Goodbye), st.builds(c.AskHuman))
DATA = st.one_of(
    st.none(), st.integers(), st.text(max_size=4), st.dictionaries(st.sampled_from(["place", "left"]), VALUES)
)
OUTCOMES = st.sampled_from(["ok", "ok", "not_found", "failed", "unknown"])
EVENTS = st.one_of(
    st.builds(Heard, st.builds(Understood, st.lists(COMMANDS, max_size=3).map(tuple), st.just("test"))),
    st.builds(Heard, st.builds(Understood, st.lists(COMMANDS, max_size=3).map(tuple), st.just("test"))),
    st.builds(Heard, st.builds(Understood, st.lists(RARE, max_size=1).map(tuple), st.just("test"))),
    st.builds(Keys, st.text("0123456789*#", max_size=8)),
    st.just(NoInput()),
    st.builds(SystemResult, st.sampled_from(["c1-1", "c1-2"]), OUTCOMES, DATA),
    st.builds(SystemSlow, st.sampled_from(["c1-1", "c1-2"])),
    st.just(HandoffFailed("busy")),
    st.builds(PeopleWanted, st.sampled_from(["angry", "rule"])),
    st.builds(Returned, st.sampled_from(["", "order", "nothing"])),
    st.just(RecognitionDown()),
)
WAITING = {"listening": Listen, "calling": CallSystem, "transferring": Handoff, "ended": HangUp}


def results(step: Step, outcome: str, data: object) -> Iterator[SystemResult]:
    for action in step.actions:
        if isinstance(action, CallSystem):
            yield SystemResult(action.id, outcome, data)  # type: ignore[arg-type]


@settings(max_examples=300, deadline=None)
@given(events=st.lists(EVENTS, max_size=25), outcome=OUTCOMES, data=DATA, caller=st.sampled_from(["", "+48600100200"]))
def test_whatever_happens_somebody_has_to_act(
    engine: Engine, events: list[Event], outcome: str, data: object, caller: str
) -> None:
    """Never an exception; the state survives JSON; every change of mode comes with the action that it waits for."""
    step = engine.start(CallStarted("c1", caller), NOW)
    waiting = list(events)
    while waiting:
        before = step.state
        event = waiting.pop(0)
        state = State.from_json(json.dumps(before.to_json()))
        assert state.to_json() == before.to_json()
        step = engine.step(state, event, NOW + timedelta(seconds=1))
        assert before.to_json() == state.to_json(), "a step must not change the state it was given"
        wanted = WAITING[step.state.mode]
        acts = [action for action in step.actions if isinstance(action, Listen | CallSystem | Handoff | HangUp)]
        assert len(acts) <= 1
        assert [type(action) for action in acts] in ([], [wanted])
        assert acts or step.state.mode == before.mode
        if before.mode == "listening" and isinstance(event, Heard | Keys | NoInput | RecognitionDown):
            assert acts, "the caller said something and nobody answers"
        if acts:
            assert step.actions[-1] is acts[0], "nothing comes after what is waited for"
        json.dumps([action.data for action in step.actions if isinstance(action, Note)])
        engine.context(step.state)
        waiting = [*results(step, outcome, data), *waiting]
    again = engine.start(CallStarted("c1", caller), NOW)
    for event in events[:3]:
        assert engine.step(again.state, event, NOW) == engine.step(again.state, event, NOW)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.builds(heard, COMMANDS), st.just(NoInput())), min_size=45, max_size=60))
def test_no_conversation_goes_on_forever(engine: Engine, events: list[Event]) -> None:
    step = engine.start(CallStarted("c1"), NOW)
    for event in events:
        step = engine.step(step.state, event, NOW)
        for result in results(step, "failed", None):
            step = engine.step(step.state, result, NOW)
    assert step.state.mode in ("transferring", "ended")


def test_no_match_is_never_said_twice_in_the_same_words(engine: Engine) -> None:
    step = begin(engine, heard(c.StartFlow("order")))
    last = ""
    for event in [heard(c.NoMatch()), heard(c.SetSlot("number", "123456")), heard(c.Deny())] * 2 + [heard(c.NoMatch())]:
        step = engine.step(step.state, event, NOW)
        said = [plain_text(a.spans) for a in step.actions if isinstance(a, Say) and a.step == "phrases/no_match"]
        if said:
            assert said[0] != last
            last = said[0]
    assert last


def test_impossible_commands_are_dropped_and_noted(engine: Engine) -> None:
    step = begin(engine, heard(c.Affirm(), c.StartFlow("nothing"), c.CorrectSlot("number", "1")))
    assert notes(step).count("command_dropped") == 3
    assert texts(step)[0] == "Sorry, I did not get that."
    step = begin(engine, heard(c.StartFlow("order"), c.SetSlot("count", 3), c.SetSlot("number", "123456")))
    assert step.state.slots == {"number": "123456"}
    assert "command_dropped" in notes(step)


def test_several_slots_at_once(engine: Engine) -> None:
    step = begin(engine, heard(c.StartFlow("store"), c.SetSlot("count", 2), c.SetSlot("sure", False)))
    assert texts(step) == ["Which day?"]


def test_a_slot_corrected_later_leads_back_to_it(engine: Engine) -> None:
    step = begin(engine, heard(c.StartFlow("store"), c.SetSlot("count", 2), c.SetSlot("sure", True)))
    step = engine.step(step.state, heard(c.SetSlot("way", "shop")), NOW)
    step = engine.step(step.state, heard(c.Affirm()), NOW)
    step = engine.step(step.state, heard(c.CorrectSlot("way", "courier")), NOW)
    assert texts(step) == ["All right, I have changed that.", "Courier. Is that right?"]


def test_a_slow_system_is_announced_and_a_late_answer_of_another_call_ignored(engine: Engine) -> None:
    step = begin(engine, heard(c.StartFlow("order"), c.SetSlot("number", "123456")), heard(c.Affirm()))
    call = step.actions[-1]
    assert isinstance(call, CallSystem)
    assert call.slow_after_s == 1.2
    slow = engine.step(step.state, SystemSlow(call.id), NOW)
    assert texts(slow) == ["One moment, I am checking that."]
    other = engine.step(slow.state, SystemResult("c1-99", "ok", {}), NOW)
    assert other.state.mode == "calling"
    done = engine.step(other.state, SystemResult(call.id, "ok", {"place": "here"}), NOW)
    assert texts(done)[0] == "It is here."
    assert engine.step(done.state, SystemSlow(call.id), NOW).actions == (
        Note("event_ignored", {"event": "SystemSlow", "mode": "listening"}),
    )


@pytest.mark.parametrize("outcome", ["not_found", "failed", "unknown"])
def test_outcomes_without_a_branch_count_as_failed(engine: Engine, outcome: str) -> None:
    step = begin(engine, heard(c.StartFlow("order"), c.SetSlot("number", "123456")), heard(c.Affirm()))
    step = engine.step(step.state, SystemResult("c1-1", outcome, None), NOW)  # type: ignore[arg-type]
    handoff = step.actions[-1]
    assert isinstance(handoff, Handoff)
    assert handoff.reason == "system_down"


def test_an_answer_without_what_the_flow_says_is_a_handoff(engine: Engine) -> None:
    step = begin(engine, heard(c.StartFlow("order"), c.SetSlot("number", "123456")), heard(c.Affirm()))
    step = engine.step(step.state, SystemResult("c1-1", "ok", {}), NOW)
    assert step.actions[-1] == Handoff("service", "flow_error", "The conversation's script has a mistake.")


def test_the_unknown_outcome_has_its_own_branch_and_queue(engine: Engine) -> None:
    start = heard(c.StartFlow("store"), c.SetSlot("count", 2), c.SetSlot("sure", False), c.SetSlot("words", "x"))
    step = begin(engine, start, heard(c.SetSlot("day", "2026-12-24")), heard(c.Affirm()))
    call = step.actions[-1]
    assert isinstance(call, CallSystem)
    assert call.arguments == {"number": 4}
    step = engine.step(step.state, SystemResult(call.id, "unknown"), NOW)
    handoff = step.actions[-1]
    assert isinstance(handoff, Handoff)
    assert (handoff.queue, handoff.reason) == ("sales", "outcome_unknown")


def test_a_value_that_can_not_be_worked_out_is_a_handoff(engine: Engine) -> None:
    start = heard(c.StartFlow("store"), c.SetSlot("count", 0), c.SetSlot("sure", False), c.SetSlot("words", "x"))
    step = begin(engine, start, heard(c.SetSlot("day", "2026-12-24")), heard(c.Affirm()))
    assert "flow_error" in notes(step)
    assert isinstance(step.actions[-1], Handoff)


@pytest.mark.parametrize(
    ("keys", "mode", "slots"),
    [
        ("0", "transferring", {}),
        ("0#", "listening", {"count": 0}),
        ("5", "listening", {"count": 5}),
        ("99#", "listening", {}),
    ],
)
def test_key_zero(engine: Engine, keys: str, mode: str, slots: dict[str, int]) -> None:
    """Alone it is a person; followed by # it is the value zero where zero is a valid answer."""
    step = begin(engine, heard(c.StartFlow("store")), Keys(keys))
    assert step.state.mode == mode
    assert step.state.slots == slots


@pytest.mark.parametrize("event", [Keys("0"), heard(c.AskHuman())])
def test_a_person_can_be_had_while_a_system_is_asked(engine: Engine, event: Event) -> None:
    step = begin(engine, heard(c.StartFlow("order"), c.SetSlot("number", "123456")), heard(c.Affirm()), event)
    assert isinstance(step.actions[-1], Handoff)
    assert engine.step(step.state, SystemResult("c1-1", "ok", {"place": "x"}), NOW).state.mode == "transferring"


def test_keys_are_offered_when_speech_is_not_recognised_then_a_person(engine: Engine) -> None:
    step = begin(engine, heard(c.StartFlow("order")), RecognitionDown())
    assert texts(step)[0] == "I have trouble understanding speech right now."
    assert any("hash key" in text for text in texts(step))
    step = engine.step(step.state, RecognitionDown(), NOW)
    assert texts(step) == ["I have trouble understanding speech right now. I am connecting you to an agent."]
    known = [c.SetSlot("count", 1), c.SetSlot("sure", False), c.SetSlot("day", "2026-12-06")]
    step = begin(engine, heard(c.StartFlow("store"), *known), heard(c.Affirm()), RecognitionDown())
    assert isinstance(step.actions[-1], Handoff)


def test_expectations(engine: Engine) -> None:
    def expected(step: Step) -> tuple[str, int | None, bool]:
        listen = step.actions[-1]
        assert isinstance(listen, Listen)
        return listen.expect.kind, listen.expect.length, listen.expect.keys

    assert expected(begin(engine)) == ("intent", None, False)
    asked = begin(engine, heard(c.StartFlow("order")))
    assert expected(asked) == ("digits", 6, True)
    assert expected(engine.step(asked.state, heard(c.SetSlot("number", "123456")), NOW)) == ("yes_no", None, False)
    waiting = engine.step(asked.state, heard(c.Wait()), NOW).actions[-1]
    assert isinstance(waiting, Listen)
    assert waiting.expect.timeout_s == 30.0


def test_the_disclosures_and_the_handoff_can_not_be_talked_over(engine: Engine) -> None:
    start = begin(engine)
    assert [a.interruptible for a in start.actions if isinstance(a, Say)] == [False, False, True]
    handoff = engine.step(start.state, heard(c.AskHuman()), NOW)
    assert [a.interruptible for a in handoff.actions if isinstance(a, Say)] == [False]


def test_nobody_free_and_the_number_never_understood_ends_honestly(engine: Engine) -> None:
    step = begin(engine, heard(c.AskHuman()), HandoffFailed("busy"))
    for _ in range(3):
        step = engine.step(step.state, heard(c.NoMatch()), NOW)
    assert texts(step) == ["I could not take down the number. Please call us again later.", "Goodbye."]
    assert step.actions[-1] == HangUp("failed")
    step = begin(engine, heard(c.AskHuman()), HandoffFailed("busy"), caller="+48600100200")
    for _ in range(3):
        step = engine.step(step.state, heard(c.AskHuman()), NOW)
    assert step.actions[-1] == HangUp("callback")


def test_a_rule_gives_the_call_to_people_with_the_words_for_its_reason(engine: Engine) -> None:
    asked = begin(engine, heard(c.StartFlow("order")))
    step = engine.step(asked.state, PeopleWanted("angry", "complaints"), NOW)
    assert texts(step) == ["I understand. I am connecting you to an agent."]
    assert step.actions[-1] == Handoff("complaints", "angry", "The caller said something that shows anger.")


def test_a_rule_does_not_send_a_call_to_people_of_whom_nobody_was_free(engine: Engine) -> None:
    failed = begin(engine, heard(c.AskHuman()), HandoffFailed("busy"))
    step = engine.step(failed.state, PeopleWanted("angry"), NOW)
    assert [action for action in step.actions if not isinstance(action, Note)] == []
    assert step.state.mode == "listening"


def test_people_give_the_call_back_to_a_flow_or_to_whatever_the_caller_wants(engine: Engine) -> None:
    with_people = begin(engine, heard(c.StartFlow("store")), heard(c.AskHuman()))
    assert with_people.state.mode == "transferring"
    named = engine.step(with_people.state, Returned("order"), NOW)
    assert (named.state.mode, named.state.flow) == ("listening", "order")
    unnamed = engine.step(with_people.state, Returned(), NOW)
    assert (unnamed.state.flow, texts(unnamed)) == ("", ["Can I help you with anything else?"])
    again = engine.step(unnamed.state, heard(c.AskHuman()), NOW)
    assert isinstance(again.actions[-1], Handoff)


def test_who_does_not_want_to_wait_is_called_back_without_an_apology(engine: Engine) -> None:
    step = begin(engine, heard(c.AskHuman()), HandoffFailed("callback_wanted"), caller="+48600100200")
    assert texts(step)[0] == "All right."
    assert engine.step(step.state, heard(c.Affirm()), NOW).actions[-1] == HangUp("callback")


def test_who_is_to_have_people_at_once_is_greeted_and_given_to_them(engine: Engine) -> None:
    step = engine.start(CallStarted("c1", people="overloaded"), NOW)
    (handoff,) = [action for action in step.actions if isinstance(action, Handoff)]
    assert handoff.reason == "overloaded"
    said = [action.step for action in step.actions if isinstance(action, Say)]
    assert said[:2] == ["greeting/machine", "greeting/recording"]
    assert said[-1] == "phrases/handoff_overloaded"
    assert "greeting/ask" not in said
