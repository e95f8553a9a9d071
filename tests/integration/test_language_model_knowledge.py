"""A caller's question, answered from the knowledge by way of a language model's server, honest and hostile."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows import CallStarted, EmbeddedUnderstanding, Engine, Heard, load_bot
from flows.actions import Say
from flows.choosing import Question
from flows.commands import AskKnowledge
from flows.knowledge import Grounded, ground
from flows.spans import plain_text
from voicebot.config import LanguageModelSettings
from voicebot.language_model.answer import Answer
from voicebot.language_model.client import LanguageModel
from voicebot.language_model.testing import Asked, FakeLanguageServer, Reply, Script
from voicebot.language_model.understanding import ChoosingUnderstanding, Decision

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SHOP = load_bot(Path(__file__).parents[2] / "flows" / "starters" / "shop")
OURS = EmbeddedUnderstanding(SHOP)
DEADLINE_S, SLACK_S = 0.8, 0.4
ASKED = "czy można u was kupić kartę podarunkową"
FOUND = SHOP.knowledge.answer(ASKED, "pl")
assert FOUND is not None
SENTENCE, SOURCE = FOUND.sentence, FOUND.source
OTHER_WORDS = f"Tak, {SENTENCE[0].lower()}{SENTENCE[1:]}"
UNKNOWN = "jak się nazywa wasz prezes i ile ma lat"


def answering(answer: str, sources: Any = (1,), **how: Any) -> Script:
    """Says that something is asked, and answers so."""

    def script(asked: Asked) -> Reply:
        if "The passages:" not in asked.body["messages"][-1]["content"]:
            return Reply(json.dumps({"commands": [{"command": "ask_knowledge"}]}))
        return Reply(json.dumps({"answer": answer, "sources": list(sources)}, ensure_ascii=False), **how)

    return script


class Told:
    """What a turn came to."""

    def __init__(self, said: list[str], decisions: list[Decision], requests: int, took_s: float) -> None:
        self.said, self.requests, self.took_s = said, requests, took_s
        self.outcomes = [(each.purpose, each.outcome) for each in decisions]


async def ask(script: Script | Reply, text: str = ASKED, *, pause: bool = False, **more: Any) -> Told:
    """Ask the bot this; by default our own understanding is never sure enough."""
    engine, decisions = Engine(SHOP), list[Decision]()
    state = engine.start(CallStarted("c", language="pl"), NOW).state
    context = engine.context(state)
    async with FakeLanguageServer(script) as server:
        values = {"url": server.url, "model": "m", "deadline_s": DEADLINE_S, "sure": 1, **more}
        configured = LanguageModelSettings.model_validate(values)
        model = LanguageModel(configured)
        understanding = ChoosingUnderstanding(OURS, model, SHOP, configured, tell=decisions.append)
        began = time.monotonic()
        if pause:
            understanding.prepare(OURS.read(text, context), text, context)
        understood = await understanding.understand(text, context)
        took_s = time.monotonic() - began
        await understanding.aclose()
        await model.aclose()
        requests = len(server.asked)
    step = engine.step(state, Heard(understood), NOW)
    return Told([plain_text(each.spans) for each in step.actions if isinstance(each, Say)], decisions, requests, took_s)


@pytest.mark.parametrize("mode", ["structured", "tools", "json"])
async def test_a_passage_is_reworded(mode: str) -> None:
    told = await ask(answering(OTHER_WORDS), mode=mode)
    assert told.said[0] == OTHER_WORDS
    assert told.outcomes == [("meaning", "chosen"), ("rewording", "reworded")]


async def test_what_ours_is_sure_of_needs_no_choosing() -> None:
    told = await ask(answering(OTHER_WORDS), sure=0.5)
    assert (told.said[0], told.outcomes) == (OTHER_WORDS, [("rewording", "reworded")])


async def test_a_pause_prepares_both_questions() -> None:
    told = await ask(answering(OTHER_WORDS), pause=True)
    assert (told.said[0], told.requests) == (OTHER_WORDS, 2)


async def test_rewording_can_be_switched_off() -> None:
    told = await ask(answering(OTHER_WORDS), reword=False)
    assert (told.said[0], told.outcomes) == (SENTENCE, [("meaning", "chosen")])


async def test_what_no_passage_answers_is_not_known() -> None:
    told = await ask(answering("Nasz prezes ma sto lat."), UNKNOWN)
    assert "nie wiem" in told.said[0]
    assert told.outcomes == [("meaning", "chosen")]


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (answering("Karta podarunkowa kosztuje milion złotych."), "nothing"),
        (answering(OTHER_WORDS, [7]), "nothing"),
        (answering(""), "nothing"),
        (answering(OTHER_WORDS, stalls_after=2), "timeout"),
        (answering(OTHER_WORDS, first_s=30), "timeout"),
        (answering(OTHER_WORDS, raw=b"\x00garbage"), "garbage"),
        (answering(OTHER_WORDS, breaks_after=2), "unreachable"),
        (answering(OTHER_WORDS, status=500), "server_error"),
    ],
)
async def test_else_the_passage_speaks_for_itself(script: Script, outcome: str) -> None:
    told = await ask(script)
    assert told.said[0] == SENTENCE
    assert told.outcomes == [("meaning", "chosen"), ("rewording", outcome)]
    assert told.took_s < DEADLINE_S + SLACK_S


class Deaf:
    """Chooses, and does not keep its deadline when it should reword."""

    name = "deaf"

    async def ask(self, question: Question, deadline_s: float | None = None) -> Answer:
        if question.name == "answer":
            await asyncio.sleep(30)
        return Answer("structured", json.dumps({"commands": ["ask_knowledge"]}))


async def test_what_was_chosen_counts_when_the_second_answer_never_comes() -> None:
    engine = Engine(SHOP)
    context = engine.context(engine.start(CallStarted("c", language="pl"), NOW).state)
    configured = LanguageModelSettings.model_validate({"url": "http://x", "model": "m", "deadline_s": 0.3, "sure": 1})
    understanding = ChoosingUnderstanding(OURS, Deaf(), SHOP, configured)
    understood = await understanding.understand(ASKED, context)
    await understanding.aclose()
    assert (understood.commands, understood.source) == ((AskKnowledge((SOURCE,)),), "llm")
    assert understood.reason.endswith("language model: timeout")


async def test_who_could_not_choose_is_not_asked_to_reword() -> None:
    told = await ask(Reply(status=500))
    assert (told.said[0], told.outcomes) == (SENTENCE, [("meaning", "server_error")])


HOSTILE = st.lists(
    st.sampled_from([*OTHER_WORDS.split(), *"nie sto 500 zł gratis Kowalski gwarantuję <b> www.zlo.pl".split()]),
    max_size=12,
).map(" ".join)


@given(answer=HOSTILE, sources=st.lists(st.integers(0, 4), max_size=3))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_a_server_answers_what_is_said_is_grounded(answer: str, sources: list[int]) -> None:
    (said, *_) = (await ask(answering(answer, sources), sure=0.5)).said
    passages = [match.passage for match in SHOP.knowledge.search(ASKED, "pl")]
    assert said == SENTENCE or (said == answer and isinstance(ground(said, passages, "pl"), Grounded))


def test_the_question_is_one_that_ours_finds_a_passage_for() -> None:
    engine = Engine(SHOP)
    context = engine.context(engine.start(CallStarted("c", language="pl"), NOW).state)
    assert OURS.read(ASKED, context).commands == (AskKnowledge((SOURCE,)),)
