"""A handed-over call is told by a language model where its answer comes in time and is right; else by our record."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.call_harness import Line, Phone, line
from voicebot import events
from voicebot.config import LanguageModelSettings
from voicebot.language_model.testing import Asked, FakeLanguageServer, Reply, Script, refusing
from voicebot.people_settings import AgentSettings

ANNA = AgentSettings(name="Anna", uri="sip:anna@127.0.0.1:6001")
TOLD = "Klient pyta o paczkę i chce rozmawiać z człowiekiem."
RIGHT = json.dumps({"summary": TOLD}, ensure_ascii=False)


def telling(reply: Reply) -> Script:
    """Answers the question for a summary so, and finds no match in what callers say."""
    no_match = Reply(json.dumps({"commands": [{"command": "no_match"}]}))
    return lambda asked: reply if _for_summary(asked) else no_match


def _for_summary(asked: Asked) -> bool:
    return '"summary"' in asked.body["messages"][0]["content"]


@asynccontextmanager
async def handed_over(data: Path, script: Script, **settings: Any) -> AsyncIterator[tuple[Line, Phone]]:
    """A caller asks for a person; Anna's phone answers after a second, and she decides after another."""
    async with FakeLanguageServer(script) as server:
        model = LanguageModelSettings(url=server.url, model="m", **settings)
        async with line(data, (ANNA,), language_model=model) as bot:
            phone, anna = Phone(bot.network, 6000), Phone(bot.network, 6001)
            await phone.start()
            await anna.start()
            anna.answers("1", 1.0)
            await phone.dial()
            await bot.until(events.BotSaid, step="greeting/ask")
            await bot.say("gdzie jest moja paczka")
            await bot.until(events.CallerSaid)
            await bot.until(events.BotSaid, interrupted=False, count=3)
            await bot.say("chcę rozmawiać z człowiekiem")
            await bot.until(events.AgentJoined)
            yield bot, anna
            assert anna.leg is not None
            await anna.leg.hang_up()
            await bot.over()
            await phone.stop()
            await anna.stop()
        asked = [asked for asked in server.asked if _for_summary(asked)]
        assert len({asked.mode for asked in asked}) == len(asked)  # once in each way that was not refused


def spoken_to_anna(bot: Line) -> bool:
    return any(TOLD in request.text for request in bot.voice.requests)


def summary_of(data: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((data / "calls" / "call-0" / "summary.json").read_text(encoding="utf-8"))
    return summary


def about_the_summary(bot: Line) -> list[tuple[str, str]]:
    asked = bot.events(events.LanguageModelAsked)
    return [(event.outcome, event.reason) for event in asked if event.purpose == "summary"]


@pytest.mark.parametrize("refused", [[], ["structured"], ["structured", "tools"]])
async def test_in_time(tmp_path: Path, refused: list[str]) -> None:
    async with handed_over(tmp_path, refusing(refused, telling(Reply(RIGHT)))) as (bot, _):
        pass
    assert spoken_to_anna(bot)
    assert about_the_summary(bot) == [("told", "")]
    kinds = [type(event) for event in bot.told]
    last_words = len(kinds) - 1 - kinds[::-1].index(events.BotSaid)
    (told,) = (place for place, event in enumerate(bot.told) if getattr(event, "outcome", "") == "told")
    assert told < last_words  # it was asked, and has answered, while the bot said that it hands over
    assert summary_of(tmp_path)["told"] == TOLD
    assert TOLD in (tmp_path / "calls" / "call-0" / "summary.txt").read_text(encoding="utf-8")


async def test_too_late_for_the_agent_but_not_for_the_record(tmp_path: Path) -> None:
    async with handed_over(tmp_path, telling(Reply(RIGHT, first_s=5)), summary_deadline_s=20) as (bot, _):
        await bot.until(events.LanguageModelAsked, outcome="told")
    assert not spoken_to_anna(bot)
    assert summary_of(tmp_path)["told"] == TOLD


async def test_not_answered_when_the_call_ends(tmp_path: Path) -> None:
    async with handed_over(tmp_path, telling(Reply(RIGHT, first_s=60)), summary_deadline_s=30) as (bot, _):
        pass
    assert about_the_summary(bot) == [("superseded", "the call ended, or was handed over again")]
    assert isinstance(bot.told[-1], events.CallEnded)
    assert summary_of(tmp_path)["told"] == ""


@pytest.mark.parametrize(
    ("reply", "record"),
    [
        (Reply(RIGHT, first_s=10), ("timeout", "")),
        (Reply("What a nice call."), ("nothing", "check: form")),
        (Reply('{"summary": "Bot anulował zamówienie."}'), ("nothing", "check: subject")),
        (Reply(status=500), ("server_error", "status 500")),
        (Reply(RIGHT, finish_reason="length"), ("too_long", "")),
    ],
)
async def test_what_can_not_be_used(tmp_path: Path, reply: Reply, record: tuple[str, str]) -> None:
    async with handed_over(tmp_path, telling(reply), summary_deadline_s=0.5) as (bot, _):
        pass
    assert about_the_summary(bot) == [record]
    assert not spoken_to_anna(bot)
    assert any("Prosi o rozmowę z konsultantem" in request.text for request in bot.voice.requests)
    assert summary_of(tmp_path)["told"] == ""
