"""Bots change while calls go on: a call ends under the version that it began with, the next one has the new version."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from telephony.leg import Leg
from tests.integration.call_harness import PATIENCE_S, SHOP, ZONE, Line, Phone, ended, line
from voicebot import live_bots
from voicebot.bots import load_bots
from voicebot.call import Call
from voicebot.config import Config, NumberSettings
from voicebot.events import BotRefused, BotSaid, BotTaken, CallEnded, CallStarted
from voicebot.fixed_prompts import fixed_prompts
from voicebot.live_bots import LiveBots
from voicebot.parts import RunningBot
from voicebot.people_settings import QueueSettings
from voicebot.versions import Package, VersionStore

SOON_S = 0.05


@dataclass
class Switchboard:
    """A line whose calls are answered by what was published, or by a folder."""

    line: Line
    bots: LiveBots
    config: Config
    phones: list[Phone]

    async def call(self) -> Leg:
        phone = Phone(self.line.network, 5070 + len(self.phones))
        self.phones.append(phone)
        await phone.start()
        return await phone.dial()


@asynccontextmanager
async def switchboard(data: Path, number: NumberSettings) -> AsyncIterator[Switchboard]:
    config = Config(data=data, numbers=(number,), queues={"service": QueueSettings()})
    async with line(data) as on_line:

        async def get_ready(source: Any, bot: RunningBot) -> None:
            report = await on_line.services.prompts.fill(fixed_prompts(bot, ("pl",)))
            assert not report.failed

        bots = LiveBots(config, get_ready, on_line.services.events)
        bots.add(load_bots(config).items())

        counted = itertools.count()

        async def serve(leg: Leg) -> None:
            async with bots.in_call(number.source) as bot:
                call_id = f"call-{next(counted)}"
                services, desk = on_line.services, on_line.desk
                await Call(services, desk, bot, number, leg, call_id, lambda: datetime.now(ZONE)).run()

        on_line.endpoint.on_incoming(lambda leg: on_line.calls.append(asyncio.create_task(serve(leg), name="call")))
        watching = asyncio.create_task(bots.watch(), name="watch")
        board = Switchboard(on_line, bots, config, [])
        try:
            yield board
        finally:
            watching.cancel()
            await asyncio.wait({watching})
            for phone in board.phones:
                await phone.stop()
            await asyncio.gather(*on_line.calls)
            await bots.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_bots, "LOOK_EVERY_S", SOON_S)


def files(folder: Path, goodbye: str) -> Package:
    """The shop with other last words."""
    if not folder.exists():
        shutil.copytree(SHOP, folder)
    bot = (SHOP / "bot.yaml").read_text(encoding="utf-8").replace("Dziękuję za telefon. Do widzenia.", goodbye)
    (folder / "bot.yaml").write_text(bot, encoding="utf-8")
    return Package.of_folder(folder)


async def heard_goodbye(on_line: Line, leg: Leg, call_id: str) -> str:
    """Let the caller say goodbye; the bot's last words."""
    await on_line.until(BotSaid, step="greeting/ask", call_id=call_id)
    await on_line.say("do widzenia")
    await ended(leg)
    await on_line.until(CallEnded, call_id=call_id)
    return str([event.text for event in on_line.events(BotSaid) if event.call_id == call_id][-1])


async def test_a_call_ends_under_its_version_and_the_next_one_has_the_new_one(tmp_path: Path) -> None:
    store = VersionStore(tmp_path / "data")
    store.publish("shop", files(tmp_path / "shop", "Wersja pierwsza."), author="ola")
    number = NumberSettings(number="*", published="shop", language="pl")
    async with switchboard(tmp_path / "data", number) as board:
        first = await board.call()
        await board.line.until(CallStarted, call_id="call-0")
        store.publish("shop", files(tmp_path / "shop", "Wersja druga."), author="ola")
        await board.line.until(BotTaken, version=2)
        made = len(board.line.voice.requests)
        assert await heard_goodbye(board.line, first, "call-0") == "Wersja pierwsza."
        second = await board.call()
        assert await heard_goodbye(board.line, second, "call-1") == "Wersja druga."
        said = [request.text for request in board.line.voice.requests[made:]]
        assert "Wersja druga." not in said, "its prompts were there before it took a call"
        store.roll_back("shop", 1, author="ola")
        await board.line.until(BotTaken, version=1)
        third = await board.call()
        assert await heard_goodbye(board.line, third, "call-2") == "Wersja pierwsza."
        versions = [event.version for event in board.line.events(CallStarted)]
        assert versions == [1, 2, 1]
    store.close()


async def test_a_version_that_cannot_be_used_leaves_the_one_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = VersionStore(tmp_path / "data")
    good = files(tmp_path / "shop", "Wersja pierwsza.")
    store.publish("shop", good, author="ola")
    number = NumberSettings(number="*", published="shop", language="pl")
    async with switchboard(tmp_path / "data", number) as board:
        broken = good.files["bot.yaml"].replace(b"queue: service", b"queue: nowhere")
        store.publish("shop", Package({**good.files, "bot.yaml": broken}), author="ola")
        refused = await board.line.until(BotRefused, version=2)
        assert "shop, version 2: /bot.yaml" in refused.message
        assert "nowhere" in refused.message
        await asyncio.sleep(5 * SOON_S)
        assert len(board.line.events(BotRefused)) == 1, "it is not tried over and over"
        assert "version 2 of the bot shop cannot be used, version 1 of the bot shop goes on answering" in caplog.text
        leg = await board.call()
        assert await heard_goodbye(board.line, leg, "call-0") == "Wersja pierwsza."
    store.close()


async def test_a_folder_is_loaded_anew_when_told_so(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    files(folder, "Przed zmianą.")
    async with switchboard(tmp_path / "data", NumberSettings(number="*", bot=folder, language="pl")) as board:
        first = await board.call()
        await board.line.until(CallStarted, call_id="call-0")
        (folder / "extra.yaml").write_text("flow: extra\n", encoding="utf-8")
        await board.bots.reload()
        assert "extra.yaml" in (await board.line.until(BotRefused)).message
        (folder / "extra.yaml").unlink()
        files(folder, "Po zmianie.")
        await board.bots.reload()
        await board.line.until(BotTaken, bot="shop", version=0)
        old = board.line.events(BotTaken)
        assert len(old) == 1
        assert await heard_goodbye(board.line, first, "call-0") == "Przed zmianą."
        second = await board.call()
        assert await heard_goodbye(board.line, second, "call-1") == "Po zmianie."


async def test_what_a_bot_holds_is_closed_after_its_last_call(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    files(folder, "Do widzenia.")
    async with switchboard(tmp_path / "data", NumberSettings(number="*", bot=folder, language="pl")) as board:
        before = board.bots[folder]
        closed: list[RunningBot] = []
        close = before.systems.close

        async def noted() -> None:
            closed.append(before)
            await close()

        object.__setattr__(before.systems, "close", noted)
        leg = await board.call()
        await board.line.until(CallStarted, call_id="call-0")
        await board.bots.reload()
        assert closed == []
        await heard_goodbye(board.line, leg, "call-0")
        async with asyncio.timeout(PATIENCE_S):
            while not closed:
                await asyncio.sleep(0.01)
    assert closed == [before]
