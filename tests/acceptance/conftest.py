"""One running bot for all tests that leave it well; after each of them it holds nothing of the call any more."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.bot import SHOP_BOT, Bot, Caller, bot_folder, config, start_shop
from tests.acceptance.programs import Program, tracebacks, until
from tests.support import free_port

LONGEST_UTTERANCE_S = 6

Call = Callable[..., Caller]
StartBot = Callable[..., Bot]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "last: takes minutes; runs when everything else has passed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The example shop's address."""
    program, url = start_shop(tmp_path_factory.mktemp("shop"))
    with program:
        yield url


@pytest.fixture(scope="session")
def start_bot(tmp_path_factory: pytest.TempPathFactory, shop: str) -> Iterator[StartBot]:
    """`start_bot(settings)`: a bot that is ready. Fixed prompts are spoken once for all bots."""
    spoken = tmp_path_factory.mktemp("prompts")
    started: list[Bot] = []

    def start(settings: dict[str, Any]) -> Bot:
        prompts = Path(settings["data"]) / "prompts"
        shutil.copytree(spoken, prompts, dirs_exist_ok=True)
        bot = Bot(settings, tmp_path_factory.mktemp("bot"), {"SHOP_URL": shop})
        started.append(bot)
        bot.until_ready()
        shutil.copytree(prompts, spoken, dirs_exist_ok=True)
        return bot

    yield start
    for bot in started:
        bot.end()


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A person who lets the phone ring for a while, listens to the briefing, takes the call and talks."""
    argv = [sys.executable, "-m", "voicebot.caller.agent_phone", "--name", "Anna", "--language", "pl"]
    argv += ["--voice", "espeak:pl+Alicia", "--line", "Dzień dobry, mówi Anna.", "--answer-after", "3"]
    folder = tmp_path_factory.mktemp("agent")
    with Program([*argv, "--output", str(folder / "calls")], folder) as program:
        until(lambda: program.told() or not program.running(), 90, "the agent's phone was ready")
        assert program.running(), program.log()
        yield program


@pytest.fixture(scope="session")
def shared_bot(tmp_path_factory: pytest.TempPathFactory, start_bot: StartBot, agent: Program) -> Iterator[Bot]:
    """Answers 100 (the example bot, nobody in its queue), 101 (its shop is dead) and 102 (Anna is in its queue)."""
    folder = tmp_path_factory.mktemp("bots")
    dead = f"url: ${{SHOP_URL:-http://127.0.0.1:8090}} -> url: http://127.0.0.1:{free_port(socket.SOCK_STREAM)}"
    bots = {
        "100": SHOP_BOT,
        "101": bot_folder(folder / "dead", systems=dead),
        "102": bot_folder(folder / "staffed", bot="queue: service -> queue: people"),
    }
    people = {"agents": [{"name": "Anna", "uri": agent.told()[0]["uri"]}], "ring_s": 30, "decide_s": 40}
    bot = start_bot(
        config(
            tmp_path_factory.mktemp("data"),
            bots=bots,
            queues={"people": people},
            turns={"longest_utterance_s": LONGEST_UTTERANCE_S, "drain_s": 1},
        )
    )
    yield bot
    bot.assert_stops_cleanly()


@pytest.fixture
def bot(shared_bot: Bot) -> Iterator[Bot]:
    """The shared bot; afterwards it must be as it was before."""
    assert shared_bot.running(), f"an earlier test has ended the bot:\n{shared_bot.log()}"
    before, read, told = shared_bot.footprint(), len(shared_bot.log()), len(shared_bot.told())
    yield shared_bot
    shared_bot.until_idle(before)
    shared_bot.assert_calls_are_complete(told)
    assert tracebacks(shared_bot.log()[read:]) == ""


@pytest.fixture
def call(bot: Bot, tmp_path: Path) -> Iterator[Call]:
    """`call(steps)`: a caller of the shared bot."""
    callers: list[Caller] = []

    def dial(*steps: Any, **settings: Any) -> Caller:
        callers.append(Caller(bot, tmp_path, steps, **settings))
        return callers[-1]

    yield dial
    for caller in callers:
        caller.end()
        caller_left = caller.family()
        assert not caller_left
