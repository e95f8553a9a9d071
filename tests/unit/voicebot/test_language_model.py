"""Understanding with a language model: when it is asked, what it costs, and that ours counts whenever it fails."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows import Bot, CallStarted, EmbeddedUnderstanding, Engine, Heard, TurnContext, Understood, load_bot
from flows.choosing import Question, Spoken
from flows.commands import (
    Affirm,
    AskHuman,
    Command,
    Emergency,
    NoMatch,
    RefuseRecording,
    SetSlot,
    StartFlow,
)
from voicebot.config import LanguageModelSettings, PriceSettings
from voicebot.language_model.answer import Answer, Failure
from voicebot.language_model.understanding import ChoosingUnderstanding, Decision

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SHOP = Path(__file__).parents[3] / "flows" / "examples" / "shop"
SETTINGS = LanguageModelSettings(
    url="http://127.0.0.1:1/v1", model="m", deadline_s=0.2, prices=PriceSettings(input=2, output=8)
)
START = json.dumps({"commands": [{"command": "start_flow", "flow": "order_status"}]})


class Model:
    """Answers with `text` after `after_s`, or what `answer` makes of the question."""

    name = "fake"

    def __init__(self, text: str = START, after_s: float = 0.0, answer: Answer | None = None) -> None:
        self._answer = answer or Answer("structured", text, None, "", 1000, 20, 0.01, 0.02)
        self._after_s = after_s
        self.questions: list[Question] = []
        self.cancelled = 0

    async def ask(self, question: Question, deadline_s: float | None = None) -> Answer:
        self.questions.append(question)
        try:
            await asyncio.sleep(self._after_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self._answer


class Ours:
    """Understands always the same."""

    def __init__(self, *commands: Command, confidence: float = 0.3) -> None:
        self.understood = Understood(commands or (NoMatch(),), "embedded", confidence, "guessed")

    async def understand(self, text: str, context: TurnContext) -> Understood:
        return self.understood


@pytest.fixture(scope="module")
def shop() -> Bot:
    return load_bot(SHOP)


@pytest.fixture(scope="module")
def context(shop: Bot) -> TurnContext:
    engine = Engine(shop)
    return engine.context(engine.start(CallStarted("c", language="pl"), NOW).state)


@pytest.fixture(scope="module")
def asked(shop: Bot) -> TurnContext:
    """The order number is asked for."""
    engine = Engine(shop)
    state = engine.start(CallStarted("c", language="pl"), NOW).state
    return engine.context(engine.step(state, Heard(Understood((StartFlow("order_status"),), "t")), NOW).state)


Make = Callable[..., ChoosingUnderstanding]


@pytest.fixture
async def make(shop: Bot) -> Any:
    made: list[ChoosingUnderstanding] = []

    def build(model: Any, ours: Any = None, **more: Any) -> ChoosingUnderstanding:
        made.append(ChoosingUnderstanding(ours or Ours(), model, shop, SETTINGS, **more))
        return made[-1]

    yield build
    for each in made:
        await each.aclose()


# Who is asked


async def test_what_ours_does_not_know_is_chosen(make: Make, context: TurnContext) -> None:
    told: list[Decision] = []
    understood = await make(Model(), tell=told.append).understand("no gdzie to cudo", context)
    assert (understood.commands, understood.source, understood.confidence) == ((StartFlow("order_status"),), "llm", 0.8)
    (decision,) = told
    assert decision == Decision(
        "structured", "chosen", "", 20, 10, 1000, 20, (1000 * 2 + 20 * 8) / 1e6, ("start_flow",), ()
    )


async def test_both_say_the_same(make: Make, context: TurnContext) -> None:
    understood = await make(Model(), Ours(StartFlow("order_status"), confidence=0.6)).understand("co z tym", context)
    assert (understood.source, understood.confidence) == ("llm", 0.95)


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("paczka", Ours(StartFlow("order_status"), confidence=0.8)),
        ("", Ours()),
        ("...", Ours()),
        ("pali się", Ours(Emergency(), confidence=0.5)),
        ("człowieka", Ours(AskHuman(), confidence=0.5)),
        ("bez nagrywania paczka", Ours(RefuseRecording(), StartFlow("order_status"), confidence=0.5)),
    ],
)
async def test_the_model_is_not_asked(make: Make, context: TurnContext, text: str, ours: Ours) -> None:
    model = Model()
    assert await make(model, ours).understand(text, context) is ours.understood
    assert model.questions == []


async def test_half_a_number_is_not_asked_about(make: Make, asked: TurnContext) -> None:
    model = Model()
    ours = Ours(SetSlot("order_number", "123"), confidence=0.6)
    assert await make(model, ours).understand("sto dwadzieścia trzy", asked) is ours.understood
    assert model.questions == []


async def test_an_emergency_is_offered_where_the_bot_declares_one(make: Make, context: TurnContext, shop: Bot) -> None:
    model = Model()
    await make(model).understand("no gdzie to cudo", context)
    assert "emergency" not in json.dumps(model.questions[0].schema)
    clinic = load_bot(SHOP.parents[1] / "starters" / "clinic")
    other = ChoosingUnderstanding(Ours(), model, clinic, SETTINGS)
    await other.understand("no gdzie to cudo", context)
    await other.aclose()
    assert "emergency" in json.dumps(model.questions[1].schema)


async def test_the_last_turns_are_told(make: Make, context: TurnContext) -> None:
    model = Model()
    await make(model, turns=lambda: [Spoken("bot", "W czym mogę pomóc?")]).understand("no to", context)
    assert 'bot: "W czym mogę pomóc?"' in model.questions[0].user


# Ours counts


@pytest.mark.parametrize("failure", list(Failure))
async def test_ours_counts_when_the_model_fails(make: Make, context: TurnContext, failure: Failure) -> None:
    told: list[Decision] = []
    ours = Ours(StartFlow("order_status"), confidence=0.5)
    model = Model(answer=Answer("tools", failure=failure, detail="status 500", total_s=0.1))
    understood = await make(model, ours, tell=told.append).understand("co z tym", context)
    assert understood == replace(ours.understood, reason=f"guessed; language model: {failure}")
    assert told == [Decision("tools", str(failure), "status 500", 100)]


@pytest.mark.parametrize("text", ["", "{", '{"commands": [{"command": "no_match"}]}', '{"commands": ["transfer"]}'])
async def test_ours_counts_when_nothing_is_chosen(make: Make, context: TurnContext, text: str) -> None:
    told: list[Decision] = []
    ours = Ours(StartFlow("order_status"), confidence=0.5)
    understood = await make(Model(text), ours, tell=told.append).understand("co z tym", context)
    assert (understood.commands, understood.source) == (ours.understood.commands, "embedded")
    assert told[0].outcome == "nothing"
    assert told[0].commands == ()


async def test_a_model_that_breaks_its_deadline_is_not_waited_for(make: Make, context: TurnContext) -> None:
    began = time.monotonic()
    understood = await make(Model(after_s=30)).understand("co z tym", context)
    assert time.monotonic() - began < SETTINGS.deadline_s + 0.3
    assert understood.reason == "guessed; language model: timeout"


async def test_what_was_dropped_is_told_without_words(make: Make, context: TurnContext) -> None:
    told: list[Decision] = []
    lie = {"command": "set_slot", "slot": "order_number", "words": "654321"}
    text = json.dumps({"commands": [{"command": "start_flow", "flow": "order_status"}, lie]})
    await make(Model(text), tell=told.append).understand("co z tym", context)
    assert told[0].reason == "the caller did not say that"
    assert "654321" not in repr(told)


# One question for the same words


async def test_the_end_of_a_turn_finds_the_answer_to_its_pause(make: Make, context: TurnContext) -> None:
    model, told = Model(after_s=0.05), list[Decision]()
    understanding = make(model, tell=told.append)
    first, last = await asyncio.gather(
        understanding.understand("co z tą paczką", context), understanding.understand("Co z tą paczką?", context)
    )
    again = await understanding.understand("co z tą paczką", context)
    assert first.commands == last.commands == again.commands == (StartFlow("order_status"),)
    assert len(model.questions) == len(told) == 1


async def test_who_stops_waiting_does_not_end_the_question(make: Make, context: TurnContext) -> None:
    model = Model(after_s=0.05)
    understanding = make(model)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(understanding.understand("co z tym", context), 0.01)
    assert (await understanding.understand("co z tym", context)).source == "llm"
    assert len(model.questions) == 1


async def test_other_words_cancel_the_question(make: Make, context: TurnContext) -> None:
    model, told = Model(after_s=0.05), list[Decision]()
    understanding = make(model, tell=told.append)
    understanding.prepare(Understood((NoMatch(),), "test", 0.0), "co z", context)
    await asyncio.sleep(0.01)
    assert (await understanding.understand("co z tą paczką", context)).source == "llm"
    assert model.cancelled == 1
    assert [decision.outcome for decision in told] == ["superseded", "chosen"]
    assert (await understanding.understand("co z", context)).source == "llm", "asked anew"
    assert len(model.questions) == 3


async def test_who_goes_on_after_the_turn_takes_nothing_from_its_answer(make: Make, context: TurnContext) -> None:
    model = Model(after_s=0.05)
    understanding = make(model)
    waiting = asyncio.create_task(understanding.understand("co z tą paczką", context))
    await asyncio.sleep(0.01)
    understanding.prepare(Understood((NoMatch(),), "test", 0.0), "halo", context)
    assert (await waiting).source == "llm"
    await understanding.aclose()


async def test_who_presses_keys_does_not_wait(make: Make, context: TurnContext) -> None:
    model = Model(after_s=0.5)
    understanding = make(model)
    waiting = asyncio.create_task(understanding.understand("co z tą paczką", context))
    await asyncio.sleep(0.01)
    understanding.hurry()
    assert (await waiting).reason == "guessed; language model: superseded"


async def test_an_answer_is_found_at_a_later_hour(make: Make, context: TurnContext) -> None:
    model = Model()
    understanding = make(model)
    await understanding.understand("co z tą paczką", context)
    await understanding.understand("co z tą paczką", replace(context, now=context.now + timedelta(seconds=2)))
    assert len(model.questions) == 1


async def test_another_question_of_the_bot_is_another_matter(
    make: Make, context: TurnContext, asked: TurnContext
) -> None:
    model = Model()
    understanding = make(model)
    await understanding.understand("no nie wiem", context)
    await understanding.understand("no nie wiem", asked)
    assert len(model.questions) == 2


async def test_the_end_of_the_call(make: Make, context: TurnContext) -> None:
    model = Model(after_s=30)
    understanding = make(model)
    waiting = asyncio.create_task(understanding.understand("co z tym", context))
    await asyncio.sleep(0.01)
    await understanding.aclose()
    assert model.cancelled == 1
    assert (await waiting).commands == (NoMatch(),)
    assert (await understanding.understand("co z tym", context)).commands == (NoMatch(),)
    assert len(model.questions) == 1


async def test_with_our_own_understanding(make: Make, shop: Bot, asked: TurnContext) -> None:
    """ "Nie wiem, gdzie jest ten numer" has no digits; the model finds a wish that our phrases lack."""
    wait = json.dumps({"commands": [{"command": "wait"}]})
    model = Model(wait)
    understanding = make(model, EmbeddedUnderstanding(shop))
    said = await understanding.understand("sekundkę bo muszę po okulary pójść do drugiego pokoju w sypialni", asked)
    assert (said.source, [type(command).__name__ for command in said.commands]) == ("llm", ["Wait"])
    assert (await understanding.understand("123456", asked)).commands == (SetSlot("order_number", "123456"),)
    assert not isinstance(said.commands[0], Affirm)
    assert len(model.questions) == 1
