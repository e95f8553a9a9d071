"""Flows within flows: digressions and the way back, sub flows, choices, nested steps, variants, shared values."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import EmbeddedUnderstanding, Engine, FlowProblems, State, load_bot
from flows.actions import PromiseCallback, Say
from flows.commands import (
    Cancel,
    Command,
    CorrectSlot,
    Deny,
    Repeat,
    SetSlot,
    Slower,
    StartFlow,
    StartOver,
    Understood,
)
from flows.events import Heard, Interrupted
from flows.testing import Conversation, FakeSystemClient

BOT = """
bot: demo
languages: [en]
greeting: {machine: This is a machine., recording: The call is recorded., ask: How can I help?}
closing: Goodbye.
queue: service
"""
ORDER = """
flow: order
description: Where is it?
examples: [where is my order]
slots:
  number: {type: digits, length: 3, ask: Which number?, shared: true}
  day: {type: date, ask: Which day?, confirm: implicit}
steps:
  - collect: [number, day]
  - when: number == "123"
    then:
      - say: It is here.
      - when: caller
        then: [{say: You called.}]
        else: [{say: You are nobody.}]
    else:
      - say: It is there.
  - choose:
      ask: Home or work?
      options:
        home:
          words: [home]
          then: [{say: Home it is.}, {sub_flow: address, with: {zip: "{{ number }}"}, save: {where: zip}}]
        work: {words: [work]}
      save: wish
  - say: "Wish {{ wish }}, {{ where if where is defined else 'nowhere' }}."
"""
ADDRESS = """
flow: address
entry: false
description: Asks for the zip.
slots:
  zip: {type: digits, length: 3, ask: Which zip?}
  street: {type: text, ask: Which street?}
steps:
  - collect: [zip, street]
  - say: "Street {{ street }}."
"""
HOURS = """
flow: hours
description: When is it open?
examples: [when are you open, opening hours]
slots:
  number: {type: digits, length: 3, ask: For which number?, shared: true}
steps:
  - collect: number
  - say: [We open at nine., At nine we open.]
"""
RING = """
flow: ring
description: The caller wants to be rung.
examples: [please ring me, call me back]
steps:
  - callback: wanted
  - when: callback_promised
    then: [{say: We will.}]
    else: [{say: We will not.}]
"""


@pytest.fixture
def conversation(tmp_path: Path) -> Conversation:
    files = {"bot": BOT, "order": ORDER, "address": ADDRESS, "hours": HOURS, "ring": RING}
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    bot = load_bot(tmp_path)
    return Conversation(Engine(bot), EmbeddedUnderstanding(bot), FakeSystemClient())


async def do(conversation: Conversation, *commands: Command) -> list[str]:
    """Commands straight to the engine; the state goes through JSON on the way."""
    conversation._state = State.from_json(conversation.state.to_json())
    return await conversation.send(Heard(Understood(commands, "test")))


async def test_nested_steps_a_choice_and_a_sub_flow(conversation: Conversation) -> None:
    await conversation.start(caller="")
    await conversation.say("where is my order")
    await conversation.say("one two three")
    heard = await conversation.say("on monday")
    assert heard[0].endswith("all right.")
    assert heard[1:] == ["It is here.", "You are nobody.", "Home or work?"]
    assert await conversation.press("1") == ["Home it is.", "Which street?"]
    heard = await conversation.say("high street")
    assert heard[:2] == ["Street high street.", "Wish home, 123."]


async def test_an_option_without_steps_goes_on_after_the_choice(conversation: Conversation) -> None:
    await conversation.start(caller="600100200")
    await conversation.say("where is my order")
    await conversation.say("one two four")
    assert (await conversation.say("on monday"))[1:] == ["It is there.", "Home or work?"]
    assert (await conversation.say("work"))[0] == "Wish work, nowhere."


async def test_a_digression_comes_back_with_a_reminder_and_knows_what_is_shared(conversation: Conversation) -> None:
    await conversation.start()
    await conversation.say("where is my order")
    await conversation.say("one two three")
    heard = await conversation.say("when are you open")
    assert heard[1:] == ["Let us go back to where we were.", "Which day?"]
    again = await conversation.say("when are you open")
    assert again[0] != heard[0], "never the same words twice running"
    assert conversation.state.slots["number"] == "123"


async def test_who_asks_for_a_flow_that_waits_goes_back_to_it(conversation: Conversation) -> None:
    await conversation.start()
    await do(conversation, StartFlow("order"))
    assert await do(conversation, StartFlow("hours")) == ["For which number?"]
    assert await do(conversation, StartFlow("order")) == ["Let us go back to where we were.", "Which number?"]
    assert [frame["flow"] for frame in conversation.state.data["frames"]] == ["order"]


async def test_two_wishes_in_one_sentence_are_done_one_after_the_other(conversation: Conversation) -> None:
    await conversation.start()
    await do(conversation, StartFlow("hours"), StartFlow("order"))
    heard = await conversation.say("one two three")
    assert heard[1:] == ["Let us go back to where we were.", "Which day?"]


async def test_cancelling_leaves_the_digression_only(conversation: Conversation) -> None:
    await conversation.start()
    await do(conversation, StartFlow("order"))
    await do(conversation, StartFlow("hours"))
    heard = await do(conversation, Cancel())
    assert heard == ["All right, we will leave that.", "Let us go back to where we were.", "Which number?"]
    assert (await do(conversation, Cancel()))[0] == "All right, we will leave that."
    assert conversation.state.flow == ""


async def test_starting_over_forgets_what_was_collected_even_what_is_shared(conversation: Conversation) -> None:
    await conversation.start()
    await conversation.say("where is my order")
    await conversation.say("one two three")
    assert await do(conversation, StartOver()) == ["All right, let us start again.", "Which number?"]
    assert conversation.state.slots == {}


async def test_a_sub_flow_is_no_answer_to_what_a_caller_asks_for(conversation: Conversation) -> None:
    await conversation.start()
    await do(conversation, StartFlow("address"))
    assert conversation.state.flow == ""


async def test_slower_stays_so(conversation: Conversation) -> None:
    await conversation.start()
    await do(conversation, Slower())
    await do(conversation, StartFlow("order"))
    said = [action for action in conversation.actions if hasattr(action, "pace")]
    assert {action.pace for action in said} == {0.8}


@pytest.mark.parametrize(
    ("answer", "promised", "after"), [("yes", True, "We will."), ("never mind", False, "We will not.")]
)
async def test_a_call_back_is_promised_and_the_flow_goes_on(
    conversation: Conversation, answer: str, promised: bool, after: str
) -> None:
    await conversation.start(caller="600100200")
    await do(conversation, StartFlow("ring"))
    heard = await conversation.say(answer)
    assert (PromiseCallback("600100200", "service", "wanted") in conversation.actions) is promised
    assert after in heard
    assert not conversation.ended


async def test_the_flow_knows_that_it_was_not_heard_to_the_end(conversation: Conversation) -> None:
    await conversation.start()
    await conversation.send(Interrupted("How can", "I help?"))
    assert conversation.state.data["heard_all"] is False
    await conversation.silence()
    assert conversation.state.data["heard_all"] is True


ENDING = """
flow: desk
description: Ask the desk.
examples: [ask the desk]
steps:
  - choose:
      ask: Which?
      options:
        all: {words: [all]}
        desk: {words: [desk], then: [{handoff: desk}]}
  - {when: today == "x", then: [ask_more], else: [{say: Sure.}]}
  - ask_more
"""


def test_ways_that_end_within_a_choice_are_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "bot.yaml").write_text(BOT)
    (tmp_path / "desk.yaml").write_text(ENDING)
    load_bot(tmp_path)
    (tmp_path / "desk.yaml").write_text(ENDING.replace("{say: Sure.}", "ask_more"))
    with pytest.raises(FlowProblems, match=r"desk\.yaml:12:5: This step is never reached\."):
        load_bot(tmp_path)


async def test_what_was_missed_is_said_again_and_no_more(conversation: Conversation) -> None:
    await conversation.start()
    await conversation.say("where is my order")
    await conversation.say("one two three")
    *_, choice = await conversation.say("on monday")
    (*_, last) = (action.step for action in conversation.actions if isinstance(action, Say))
    await conversation.send(Interrupted("", choice, (last,)))
    assert await do(conversation, Repeat()) == [choice]


async def test_silence_after_an_interruption_says_what_was_missed(conversation: Conversation) -> None:
    await conversation.start()
    await conversation.say("where is my order")
    await conversation.say("one two three")
    *_, nobody, choice = await conversation.say("on monday")
    steps = tuple(action.step for action in conversation.actions if isinstance(action, Say))
    await conversation.send(Interrupted("", "all of it", steps[-2:]))
    assert await conversation.silence() == ["I can not hear anything.", nobody, choice]
    assert (await conversation.silence())[1:] == [choice], "now it was heard"


async def test_a_value_that_was_talked_over_is_said_again_before_it_counts(conversation: Conversation) -> None:
    await conversation.start()
    await conversation.say("where is my order")
    await conversation.say("one two three")
    value, *_ = await conversation.say("on monday")
    await conversation.send(Interrupted("", value, ("phrases/implicit",)))
    assert (await conversation.press("2"))[0] == value


async def test_a_value_that_was_only_said_can_be_denied(conversation: Conversation) -> None:
    await conversation.start()
    await conversation.say("where is my order")
    await conversation.say("one two three")
    await conversation.say("on monday")
    assert await do(conversation, Deny()) == ["All right, let us try again.", "Which day?"]
    assert "day" not in conversation.state.slots


async def test_a_value_of_the_flow_beneath_is_corrected_and_its_sub_flow_begun_anew(conversation: Conversation) -> None:
    await conversation.start()
    await conversation.say("where is my order")
    await conversation.say("one two three")
    await conversation.say("on monday")
    await conversation.press("1")
    assert conversation.state.flow == "address"
    heard = await do(conversation, CorrectSlot("day", "2026-12-24"))
    assert heard[0] == "All right, I have changed that."
    assert heard[-1] == "Home or work?"
    assert conversation.state.flow == "order"


async def test_a_digression_stays_when_the_flow_beneath_it_is_corrected(conversation: Conversation) -> None:
    await conversation.start()
    await do(conversation, StartFlow("order"))
    await do(conversation, SetSlot("number", "123"), SetSlot("day", "2026-12-24"))
    await do(conversation, StartFlow("ring"))
    assert conversation.state.flow == "callback"
    heard = await do(conversation, CorrectSlot("day", "2026-12-23"))
    assert heard[0] == "All right, I have changed that."
    assert conversation.state.flow == "callback"
    assert conversation.state.data["frames"][0]["slots"]["day"] == "2026-12-23"


async def test_a_choice_is_corrected_later(conversation: Conversation) -> None:
    await conversation.start()
    await do(conversation, StartFlow("order"))
    await do(conversation, SetSlot("number", "123"), SetSlot("day", "2026-12-24"))
    await do(conversation, SetSlot("wish", "home"))
    assert conversation._engine.context(conversation.state).values["day"] == "2026-12-24"
    heard = await do(conversation, CorrectSlot("wish", "work"))
    assert "Wish work, nowhere." in heard


async def test_who_asks_for_the_task_again_stays_in_its_sub_flow(conversation: Conversation) -> None:
    await conversation.start()
    await do(conversation, StartFlow("order"))
    await do(conversation, SetSlot("number", "123"), SetSlot("day", "2026-12-24"))
    await conversation.press("1")
    assert (await do(conversation, StartFlow("order")))[-1] == "Which street?"
    assert conversation.state.flow == "address"


async def test_starting_over_keeps_what_another_flow_has_learnt(conversation: Conversation) -> None:
    await conversation.start()
    await do(conversation, StartFlow("hours"), SetSlot("number", "123"))
    await do(conversation, StartFlow("order"))
    assert await do(conversation, StartOver()) == ["All right, let us start again.", "Which day?"]


EARLY = {
    "bot": BOT,
    "alpha": """
flow: alpha
description: A.
examples: [alpha please]
slots: {sure: {type: yes_no, ask: Sure?}}
steps: [collect: sure, {sub_flow: beneath, save: {day: day}}, {say: "On {{ day | date }}."}, ask_more]
""",
    "beneath": """
flow: beneath
entry: false
description: B.
slots: {day: {type: date, ask: Which day?}}
steps: [collect: day]
""",
    "beta": """
flow: beta
description: C.
examples: [beta please]
slots: {day: {type: date, ask: When then?}}
steps: [collect: day, {say: Noted.}, ask_more]
""",
}


@pytest.fixture
async def early(tmp_path: Path) -> Conversation:
    for name, text in EARLY.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    bot = load_bot(tmp_path)
    talk = Conversation(Engine(bot), EmbeddedUnderstanding(bot), FakeSystemClient())
    await talk.start()
    day = SetSlot("day", "2031-12-01")
    assert await talk.send(Heard(Understood((StartFlow("alpha"), day), "test"))) == ["Sure?"]
    return talk


async def test_what_was_said_early_is_not_asked_by_the_sub_flow(early: Conversation) -> None:
    said = await early.send(Heard(Understood((SetSlot("sure", True),), "test")))
    assert said[0].startswith("On ")


@pytest.mark.parametrize("leaving", [Cancel(), StartOver()])
async def test_what_was_said_early_goes_with_its_task(early: Conversation, leaving: Command) -> None:
    await early.send(Heard(Understood((leaving,), "test")))
    await early.send(Heard(Understood((SetSlot("sure", True),), "test")))
    said = await early.send(Heard(Understood((StartFlow("beta"),), "test")))
    assert said[-1] == "When then?"


async def test_another_task_takes_nothing_that_was_said_early(early: Conversation) -> None:
    said = await early.send(Heard(Understood((StartFlow("beta"),), "test")))
    assert said[-1] == "When then?"
