"""The benchmark of a language model: who says what, how the scripted model answers, and what becomes of the figures."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

import pytest

from benchmarks.latency_callers import right_answers
from benchmarks.latency_dialog import Shop
from benchmarks.latency_measure import Call, Turn
from benchmarks.llm import SCENARIOS, measured, named, script, tables, talks
from flows import CallStarted, TurnContext
from flows.choosing import moves, question, read
from flows.commands import Goodbye, StartFlow
from voicebot.config import LanguageModelSettings
from voicebot.language_model.testing import Asked

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
DEFAULT_SURE = LanguageModelSettings.model_fields["sure"].default


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop.load()


@pytest.fixture(scope="module")
def context(shop: Shop) -> TurnContext:
    return shop.engine.context(shop.engine.start(CallStarted("c", language="pl"), datetime(2026, 11, 23)).state)


async def test_ours_is_sure_of_the_one_kind_of_sentence_and_not_of_the_other(shop: Shop, context: TurnContext) -> None:
    for name, sure in (("sure", True), ("unsure", False)):
        for sentence in BY_NAME[name].sentences:
            understood = await shop.understanding.understand(sentence, context)
            assert (understood.confidence >= DEFAULT_SURE) == sure, sentence


async def test_the_model_alone_brings_about_the_right_answer(shop: Shop) -> None:
    answers = {name: (await right_answers(talks(scenario, 1)[0], shop))[0] for name, scenario in BY_NAME.items()}
    assert answers["llm"] == answers["sure"] != answers["unsure"]
    assert {answers[name] for name in ("llm_stalled", "llm_dies", "llm_away")} == {answers["unsure"]}


def test_every_sentence_is_said_in_every_voice() -> None:
    said = [(talk.voice, talk.lines[0].text) for talk in talks(BY_NAME["llm"], 18)]
    assert set(Counter(said).values()) == {2}


def test_the_scripted_model_starts_the_flow_whatever_was_heard_and_knows_a_goodbye(context: TurnContext) -> None:
    scenario = BY_NAME["llm"]
    assert scenario.reply is not None
    for words, command in (("miał być wczoraj", StartFlow("order_status")), ("do widzenia", Goodbye())):
        asked = Asked({"messages": question(words, context, moves(context), ()).messages(with_schema=False)}, {})
        assert read(script(scenario.reply)(asked).text, words, context).commands == (command,)


def test_the_dying_model_dies_in_mid_answer() -> None:
    reply = BY_NAME["llm_dies"].reply
    assert reply is not None
    assert reply.breaks_after is not None
    assert 0 < 4 * reply.breaks_after < len(reply.text)
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(reply.text[: 4 * reply.breaks_after])


def test_questions_are_those_of_the_measured_turn() -> None:
    calls = [_call("right", 1500), _call("wrong", 1400)]
    asked = {"event": "language_model_asked", "outcome": "chosen"}
    events = [
        {**asked, "call_id": "a", "outcome": "superseded"},
        {"event": "caller_said", "call_id": "a"},
        {**asked, "call_id": "a", "outcome": "timeout"},
        {"event": "turn_timed", "call_id": "a"},
        {**asked, "call_id": "b"},
        {**asked, "call_id": "b", "outcome": "left_alone"},
        {**asked, "call_id": "a"},
    ]
    found = measured(calls, events)
    assert found.outcomes == {"superseded": 1, "timeout": 1, "chosen": 1, "left_alone": 1}
    assert (found.turns.p50, found.turns.right, found.turns.lost, found.questions_per_turn) == (1500, 1, 1, 1.5)


def test_figures_have_the_names_of_the_scenarios_and_are_null_where_nothing_was_measured() -> None:
    told = named({"llm_stalled": measured([_call("right", 1600)], [])})
    assert told["v2v_llm_stalled_p95_ms"] == 1600
    assert {name: value for name, value in told.items() if value is None}.keys() >= {
        *("v2v_sure_p50_ms", "v2v_unsure_p50_ms", "v2v_llm_p50_ms", "v2v_llm_p95_ms"),
        *("v2v_llm_dies_p95_ms", "v2v_llm_away_p95_ms", "turns_lost_llm", "questions_per_turn_llm"),
    }
    assert "llm_stalled" in tables({"llm_stalled": measured([_call("right", 1600)], [])})


def _call(fate: str, took_ms: float) -> Call:
    return Call(0, 20, (Turn("measured", "pl", 10, fate, took_ms), Turn("goodbye", "pl", 15, "right", 700)), ())  # type: ignore[arg-type]
