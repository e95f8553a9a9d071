"""`voicebot serve` is told to stop, or is killed, while a caller talks to it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.acceptance.bot import ORDER_BY_KEYS, RECOGNISER, SPEECH, Caller, config
from tests.acceptance.conftest import StartBot
from tests.acceptance.programs import until

pytestmark = pytest.mark.timeout(300)


def test_sigterm_lets_the_call_end_and_takes_no_other(start_bot: StartBot, tmp_path: Path) -> None:
    with start_bot(config(tmp_path / "data")) as bot:
        with Caller(bot, tmp_path, [*ORDER_BY_KEYS, "listen"]) as caller, Caller(bot, tmp_path, ["listen"]) as second:
            second_call = second.call()
            second.hang_up()
            second_call.ended()
            record = caller.call()
            record.until("bot_said", text="W czym mogę pomóc?")
            bot.send(signal.SIGTERM)
            until(lambda: (health := bot.health()) and health["status"] == "draining", 10, "it drains")
            with Caller(bot, tmp_path, ["listen"]) as late:
                result = late.result()
            assert (result["answered"], result["end_cause"]) == (False, "busy")
            assert not record.events("call_ended"), "the call was over before another could be refused"
            assert record.ended(60)["outcome"] == "contained", record.story()
            assert caller.result()["problems"] == []
        assert bot.wait(60) == 0, bot.log()
        bot.assert_nothing_left()
        assert bot.ports_are_free()
        assert record.file("transcript.json")["outcome"] == "contained"
        assert record.file("summary.json")


def test_who_rings_again_after_a_crash_is_told_of_it(start_bot: StartBot, tmp_path: Path) -> None:
    settings = config(tmp_path / "data")
    with start_bot(settings) as bot, Caller(bot, tmp_path, ["listen", {"wait": 60}]) as caller:
        record = caller.call()
        record.until("bot_said", text="Rozmowa jest nagrywana.")
        time.sleep(2)  # the records have it
        os.kill(bot.pid, signal.SIGKILL)
        bot.wait(10)
        until(lambda: not bot.family(), 20, "its processes ended")
    with start_bot(settings) as bot, Caller(bot, tmp_path, ["listen"], number=caller.number) as again:
        record = again.call()
        record.until("bot_said", text="usterka po naszej stronie")
        record.until("bot_said", text="W czym mogę pomóc?")


def test_a_killed_bot_takes_its_children_along(start_bot: StartBot, tmp_path: Path) -> None:
    with start_bot(config(tmp_path / "data")) as bot:
        with Caller(bot, tmp_path, ["listen", {"wait": 60}]) as caller:
            caller.call().until("bot_said", text="W czym mogę pomóc?")
            assert bot.family(RECOGNISER)
            assert bot.family(SPEECH)
            os.kill(bot.pid, signal.SIGKILL)
            bot.wait(10)
            until(lambda: not bot.family(), 20, "the recogniser and the speech process ended by themselves")
        assert bot.ports_are_free()
