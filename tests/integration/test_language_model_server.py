"""A language model's server that answers, refuses, stalls, lies and floods: all of it ends within the deadline."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows import Bot, EmbeddedUnderstanding, TurnContext, command_name
from flows.choosing import Question, moves, question
from flows.commands import NoMatch, SetSlot, StartFlow
from voicebot.config import LanguageModelSettings
from voicebot.errors import ServiceFailed
from voicebot.language_model.answer import Failure
from voicebot.language_model.client import LanguageModel
from voicebot.language_model.testing import FakeLanguageServer, Reply, Script, choosing, refusing
from voicebot.language_model.understanding import ChoosingUnderstanding, Decision

DEADLINE_S = 0.6
SLACK_S = 0.4  # for a busy machine
WORDS = "no i gdzie to cudo o numerze 123456"
MEANT = [
    {"command": "start_flow", "flow": "order_status"},
    {"command": "set_slot", "slot": "order_number", "words": "123456"},
]
GOOD = json.dumps({"commands": MEANT})
KNOWING = choosing({WORDS: MEANT})
COMMANDS = (StartFlow("order_status"), SetSlot("order_number", "123456"))


@pytest.fixture(scope="module")
def asked(context: TurnContext) -> Question:
    return question(WORDS, context, moves(context))


def settings_for(url: str, **more: object) -> LanguageModelSettings:
    return LanguageModelSettings.model_validate({"url": url, "model": "m", "deadline_s": DEADLINE_S, **more})


# Ways to ask


@pytest.mark.parametrize("mode", ["structured", "tools", "json"])
async def test_every_way_to_ask(asked: Question, mode: str) -> None:
    async with FakeLanguageServer(KNOWING) as server:
        model = LanguageModel(settings_for(server.url, mode=mode, extra={"reasoning_effort": "none"}))
        answer = await model.ask(asked)
        await model.aclose()
    assert (answer.failure, answer.mode, json.loads(answer.text)) == (None, mode, {"commands": MEANT})
    assert answer.tokens_in
    assert answer.tokens_out
    assert answer.first_token_s is not None
    assert answer.first_token_s <= answer.total_s
    (request,) = server.asked
    assert (request.mode, request.words) == (mode, WORDS)
    sent = {name: request.body[name] for name in ("model", "temperature", "max_tokens", "reasoning_effort")}
    assert sent == {"model": "m", "temperature": 0, "max_tokens": 300, "reasoning_effort": "none"}
    assert ("JSON of this schema" in request.body["messages"][-1]["content"]) == (mode == "json")


async def test_no_key_of_another_server_is_sent(asked: Question, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another")
    monkeypatch.setenv("OUR_KEY", "sk-ours")
    async with FakeLanguageServer(KNOWING) as server:
        for more, sent in (({}, "Bearer none"), ({"api_key": {"env": "OUR_KEY"}}, "Bearer sk-ours")):
            model = LanguageModel(settings_for(server.url, **more))
            await model.ask(asked)
            await model.aclose()
            assert server.asked[-1].headers["authorization"] == sent


@pytest.mark.parametrize("status", [400, 404, 422])
@pytest.mark.parametrize(("refused", "left"), [(["structured"], "tools"), (["structured", "tools"], "json")])
async def test_steps_down_once(asked: Question, refused: list[str], left: str, status: int) -> None:
    async with FakeLanguageServer(refusing(refused, KNOWING, status)) as server:
        model = LanguageModel(settings_for(server.url))
        answers = [await model.ask(asked) for _ in range(3)]
        await model.aclose()
    assert [(answer.failure, answer.mode) for answer in answers] == [(None, left)] * 3
    assert [request.mode for request in server.asked] == [*refused, left, left, left]


async def test_where_all_is_refused_it_is_not_the_way_to_ask(asked: Question) -> None:
    async with FakeLanguageServer(Reply(status=404)) as server:
        model = LanguageModel(settings_for(server.url))
        assert (await model.ask(asked)).failure is Failure.REFUSED
        server.script = KNOWING
        assert (await model.ask(asked)).mode == "structured"
        await model.aclose()


@pytest.mark.parametrize(
    "wrong", [{"url": "http://\u0378.example/v1"}, {"url": "http://127.0.0.1/v1", "api_key": {"env": "BAD_KEY"}}]
)
def test_what_can_not_be_asked(wrong: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAD_KEY", "sk-1\nsk-2")
    with pytest.raises(ServiceFailed):
        LanguageModel(settings_for(**{"url": "", **wrong}))  # type: ignore[arg-type]


# Failures


def _event(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n"


FAULTS: dict[str, tuple[Reply, Failure]] = {
    "400": (Reply(status=400), Failure.REFUSED),
    "401": (Reply(status=401), Failure.UNAUTHORISED),
    "403": (Reply(status=403), Failure.UNAUTHORISED),
    "429": (Reply(status=429, headers={"retry-after": "60"}), Failure.BUSY),
    "500": (Reply(status=500), Failure.SERVER_ERROR),
    "503": (Reply(status=503), Failure.SERVER_ERROR),
    "points elsewhere": (Reply(status=307, headers={"location": "http://127.0.0.1:1/"}), Failure.REFUSED),
    "slow to begin": (Reply(GOOD, first_s=30), Failure.TIMEOUT),
    "stalls at once": (Reply(GOOD, stalls_after=0), Failure.TIMEOUT),
    "stalls in the middle": (Reply(GOOD, stalls_after=5), Failure.TIMEOUT),
    "stalls at the end": (Reply(GOOD, stalls_after=1000), Failure.TIMEOUT),
    "a token a second": (Reply(GOOD, tokens_per_s=1), Failure.TIMEOUT),
    "closes at once": (Reply(GOOD, breaks_after=0), Failure.UNREACHABLE),
    "closes in the middle": (Reply(GOOD, breaks_after=5), Failure.UNREACHABLE),
    "ends without an end": (Reply(raw=_event(GOOD[:70])), Failure.UNREACHABLE),
    "cut off": (Reply(GOOD[:20], finish_reason="length"), Failure.TOO_LONG),
    "a web page": (Reply(raw=b"<html>Welcome</html>"), Failure.GARBAGE),
    "no JSON": (Reply(raw=b"data: {{{\n\n"), Failure.GARBAGE),
    "no chunks": (Reply(raw=b'data: 5\n\ndata: null\n\ndata: {"choices": [5], "usage": 7}\n\n'), Failure.GARBAGE),
    "no text": (Reply(raw=bytes(range(256)) * 10), Failure.GARBAGE),
    "packed": (Reply(raw=b"\x1f\x8b", headers={"content-encoding": "gzip"}), Failure.GARBAGE),
    "says nothing": (Reply(""), Failure.GARBAGE),
    "an error in the stream": (Reply(raw=b'data: {"error": {"message": "no"}}\n\n'), Failure.SERVER_ERROR),
}


ENDLESS = {
    "100,000 tokens": Reply("a b ", times=100_000),
    "one line without end": Reply(raw=b"data: " + b"x" * 10_000_000),
    "an error without end": Reply(status=500, raw=b"x" * 10_000_000),
}


@pytest.mark.parametrize("reply", ENDLESS.values(), ids=ENDLESS)
async def test_an_answer_without_end_is_cut_off(asked: Question, reply: Reply) -> None:
    """By its size, long before a deadline that a loaded machine could meet first."""
    async with FakeLanguageServer(reply) as server:
        model = LanguageModel(settings_for(server.url, deadline_s=10.0))
        answer = await model.ask(asked)
        await model.aclose()
    assert answer.failure is Failure.TOO_LONG


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_failure_ends_with_ours_within_the_deadline(
    shop: Bot, ours: EmbeddedUnderstanding, context: TurnContext, fault: str
) -> None:
    reply, failure = FAULTS[fault]
    told: list[Decision] = []
    async with FakeLanguageServer(reply) as server:
        model = LanguageModel(settings_for(server.url))
        understanding = ChoosingUnderstanding(ours, model, shop, settings_for(server.url), tell=told.append)
        began = time.monotonic()
        understood = await understanding.understand("no i gdzie to cudo", context)
        took = time.monotonic() - began
        await understanding.aclose()
        await model.aclose()
    expected = ours.read("no i gdzie to cudo", context)
    assert understood == replace(expected, reason=f"{expected.reason}; language model: {failure}")
    assert took < DEADLINE_S + SLACK_S
    assert [decision.outcome for decision in told] == [failure]


async def test_nobody_listens(asked: Question) -> None:
    async with FakeLanguageServer(Reply()) as server:
        url = server.url
    model = LanguageModel(settings_for(url))
    assert (await model.ask(asked)).failure is Failure.UNREACHABLE
    await model.aclose()


async def test_a_server_that_fails_is_left_alone(asked: Question) -> None:
    async with FakeLanguageServer(Reply(status=500)) as server:
        model = LanguageModel(settings_for(server.url))
        failures = [(await model.ask(asked)).failure for _ in range(5)]
        await model.aclose()
    assert failures == [Failure.SERVER_ERROR] * 3 + [Failure.LEFT_ALONE] * 2
    assert len(server.asked) == 3


async def test_a_cancelled_question_says_nothing_of_the_server(asked: Question) -> None:
    async with FakeLanguageServer(Reply(GOOD, stalls_after=3)) as server:
        model = LanguageModel(settings_for(server.url))
        for _ in range(4):
            asking = asyncio.create_task(model.ask(asked))
            await asyncio.sleep(0.05)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
        server.script = KNOWING
        assert (await model.ask(asked)).failure is None
        await model.aclose()


# Answers


async def test_an_answer_becomes_commands(shop: Bot, ours: EmbeddedUnderstanding, context: TurnContext) -> None:
    told: list[Decision] = []
    async with FakeLanguageServer(choosing({WORDS: MEANT}, Reply(tokens_per_s=200))) as server:
        settings = settings_for(server.url, deadline_s=2.0, sure=1.0, prices={"input": 1, "output": 1})
        model = LanguageModel(settings)
        understanding = ChoosingUnderstanding(ours, model, shop, settings, tell=told.append)
        understood = await understanding.understand(WORDS, context)
        await understanding.aclose()
        await model.aclose()
    assert (understood.commands, understood.source) == (COMMANDS, "llm")
    (decision,) = told
    assert (decision.outcome, decision.mode, decision.commands) == ("chosen", "structured", ("start_flow", "set_slot"))
    assert decision.cost == pytest.approx((decision.tokens_in + decision.tokens_out) / 1e6)  # type: ignore[operator]
    assert decision.first_token_ms is not None
    assert decision.first_token_ms < decision.ms


@given(texts=st.lists(st.text(max_size=300) | st.sampled_from([GOOD, GOOD[:-1], "```" + GOOD, "null"]), max_size=3))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_a_server_says_is_possible_now(
    shop: Bot, ours: EmbeddedUnderstanding, context: TurnContext, texts: list[str]
) -> None:
    script: Script = lambda asked: Reply("".join(texts))  # noqa: E731
    async with FakeLanguageServer(script) as server:
        model = LanguageModel(settings_for(server.url))
        understanding = ChoosingUnderstanding(ours, model, shop, settings_for(server.url))
        understood = await understanding.understand("no i gdzie to cudo", context)
        await understanding.aclose()
        await model.aclose()
    assert {command_name(command) for command in understood.commands} <= context.commands
    assert understood.commands in ((NoMatch(),), (StartFlow("order_status"),))
