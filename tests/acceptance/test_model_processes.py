"""The recogniser and the speech process are killed while somebody talks to the bot: the call is served all the same."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.acceptance.bot import RECOGNISER, SPEECH, Bot, CallRecord
from tests.acceptance.conftest import Call
from tests.acceptance.programs import until

pytestmark = pytest.mark.timeout(300)

SENTENCE_S = 4.0  # longer than it takes to say it and to fall silent

ORDER_BY_VOICE = [
    "listen",
    {"say": "gdzie jest moja paczka"},
    {"listen": {"silence_ms": 1200, "deadline_s": 60}},
    {"keys": "123456"},
    {"listen": {"silence_ms": 1200, "deadline_s": 60}},
    {"keys": "1"},
    {"listen": 1500},
    {"keys": "2"},
    "listen",
]


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def replaced(bot: Bot, module: str, pid: int, restarts: int) -> None:
    """Another one runs, and health says so."""
    until(lambda: bot.family(module) - {pid}, 60, f"another {module}")
    name = {RECOGNISER: "recogniser", SPEECH: "speech"}[module]
    until(
        lambda: (health := bot.health()) and health["status"] == "ok" and health["restarts"][name] == restarts + 1,
        60,
        lambda: f"{name} was restarted once: {bot.health()}",
    )
    assert pid not in bot.family()


def restarts(bot: Bot, name: str) -> int:
    health = bot.health()
    assert health is not None
    return int(health["restarts"][name])


def served(record: CallRecord) -> None:
    assert record.ended(80)["outcome"] == "contained", record.story()
    assert "Zamówienie jeden dwa trzy, cztery pięć sześć jest w drodze." in record.said()


@pytest.mark.parametrize("moment", ["before the caller speaks", "while the words are recognised"])
def test_the_recogniser_is_killed(bot: Bot, call: Call, moment: str) -> None:
    before, pid = restarts(bot, "recogniser"), bot.child(RECOGNISER)
    script = list(ORDER_BY_VOICE)
    if moment == "while the words are recognised":
        script.insert(2, ORDER_BY_VOICE[2])  # hears that it takes a moment, and then the question
    caller = call(*script)
    record = caller.call()
    record.until("bot_said", text="W czym mogę pomóc?")
    if moment == "while the words are recognised":
        os.kill(pid, signal.SIGSTOP)  # so that the request is under way when it dies
        caller.until("says")
        time.sleep(SENTENCE_S)  # nothing tells from outside that a request waits
        assert record.heard() == []
    kill(pid)
    replaced(bot, RECOGNISER, pid, before)
    served(record)
    assert len(record.heard()) == 1, record.story()
    assert "paczka" in record.heard()[0]
    assert "Chwileczkę." in record.said() or moment == "before the caller speaks"
    assert caller.result()["problems"] == []


def test_the_speech_process_is_killed(bot: Bot, call: Call) -> None:
    before, pid = restarts(bot, "speech"), bot.child(SPEECH)
    caller = call(*ORDER_BY_VOICE)
    record = caller.call()
    record.until("bot_said", text="numer zamówienia", timeout_s=60)
    kill(pid)  # the read-back that comes next is in no store
    replaced(bot, SPEECH, pid, before)
    served(record)
    assert "jeden dwa trzy, cztery pięć sześć. Zgadza się?" in record.said()
    assert caller.result()["problems"] == []
