"""A bot that is asked for more than it can do: new callers are refused, or given to people, by setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.bot import Bot, Caller, config
from tests.acceptance.conftest import StartBot
from tests.acceptance.programs import until

pytestmark = pytest.mark.timeout(300)

ALWAYS = {"media_late_ms": 0.001}  # the media thread is always a microsecond late


def closed(bot: Bot) -> bool:
    health = bot.health()
    return health is not None and health["admission"] == "sound is late"


def test_new_calls_are_refused_and_health_says_why(start_bot: StartBot, tmp_path: Path) -> None:
    with start_bot(config(tmp_path / "data", overload=ALWAYS)) as bot:
        until(lambda: closed(bot), 20, lambda: f"no call is taken: {bot.health()}")
        with Caller(bot, tmp_path, ["listen"]) as caller:
            result = caller.result()
        assert (result["answered"], result["end_cause"]) == (False, "busy")
        health = bot.health()
        assert health is not None
        assert (health["status"], health["refused"], health["calls"]) == ("ok", 1, 0)
        assert "refused a call to 100: sound is late" in bot.log()


def test_new_calls_go_to_people_after_the_greeting(start_bot: StartBot, tmp_path: Path) -> None:
    with start_bot(config(tmp_path / "data", overload={**ALWAYS, "then": "people"})) as bot:
        until(lambda: closed(bot), 20, lambda: f"the bot takes no call: {bot.health()}")
        with Caller(bot, tmp_path, ["listen", "listen"]) as caller:
            record = caller.call()
            started = record.until("handoff_started", timeout_s=60)
            assert started["reason"] == "overloaded"
            caller.hang_up()
            record.ended()
        greeting, why = record.said().split("\n")[0], record.said()
        assert "automatyczny" in greeting, "that a machine speaks is said first"
        assert "wyjątkowo dużo rozmów" in why
        assert "W czym mogę pomóc?" not in why
