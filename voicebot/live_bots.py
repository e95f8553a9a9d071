"""The bots that answer now, and how others take their place while calls go on: load, check, make ready, swap."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from flows import Bot, EmbeddedUnderstanding, Engine, FlowError
from flows.systems import SystemClient
from tts.errors import TtsError
from voicebot.bots import LoadedBot, load_source, sources
from voicebot.config import BotSource, Config
from voicebot.errors import VoicebotError
from voicebot.events import BotRefused, BotTaken, EventStream, Stamp
from voicebot.parts import RunningBot
from voicebot.verifications import StoredAttempts, VerifyingSystems
from voicebot.versions import VersionStore

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0

GetReady = Callable[[BotSource, RunningBot], Awaitable[None]]
"""Makes the prompts of a bot before it takes calls. Raises TtsError when it could not speak."""

Make = Callable[[LoadedBot, Config], RunningBot]


class LiveBots:
    """By source. A call keeps the bot that it began with; a bot's connections are closed after its last call."""

    def __init__(self, config: Config, get_ready: GetReady, events: EventStream, make: Make | None = None) -> None:
        self._config = config
        self._get_ready = get_ready
        self._events = events
        self._make = make or running
        self._bots: dict[BotSource, RunningBot] = {}
        self._calls: Counter[int] = Counter()  # by the identity of the bot, which its calls keep alive
        self._refused: dict[BotSource, int] = {}  # published versions that were tried in vain
        self._changing = asyncio.Lock()
        self._blind = False

    def add(self, bots: Iterable[tuple[BotSource, LoadedBot]]) -> None:
        """The bots to begin with; their prompts are made by whoever starts. Raises SettingMissing."""
        for source, loaded in bots:
            self._bots[source] = self._make(loaded, self._config)

    def __getitem__(self, source: BotSource) -> RunningBot:
        return self._bots[source]

    def answering(self) -> tuple[Bot, ...]:
        """The bots that take new calls, each once."""
        return tuple({id(each.bot): each.bot for each in self._bots.values()}.values())

    @asynccontextmanager
    async def in_call(self, source: BotSource) -> AsyncIterator[RunningBot]:
        """The bot for one call, from its first ring to its last record."""
        bot = self._bots[source]
        self._calls[id(bot)] += 1
        try:
            yield bot
        finally:
            self._calls[id(bot)] -= 1
            await self._close_unused(bot)

    async def reload(self) -> None:
        """Load every bot anew, from its folder or its version. What cannot be used leaves the one before in place."""
        self._refused.clear()
        for source in sources(self._config):
            await self._change(source, None)

    async def watch(self) -> None:
        """Take up published versions as they come, until cancelled."""
        published = [source for source in sources(self._config) if isinstance(source, str)]
        store = VersionStore(self._config.data)
        try:
            while published:
                await asyncio.sleep(LOOK_EVERY_S)
                for name in published:
                    await self._look(store, name)
        finally:
            store.close()

    async def close(self) -> None:
        """Close the connections of the bots that answer; call it after the last call."""
        for bot in self._bots.values():
            await bot.systems.close()

    async def _look(self, store: VersionStore, name: str) -> None:
        try:
            number = await asyncio.to_thread(store.current, name)
        except VoicebotError as error:
            if not self._blind:
                log.error("cannot look for new versions, and go on trying: %s", error)
            self._blind = True
            return
        self._blind = False
        if number not in (self._bots[name].version, self._refused.get(name)):
            await self._change(name, number)

    async def _change(self, source: BotSource, number: int | None) -> None:
        async with self._changing:
            before = self._bots[source]
            try:
                loaded = await asyncio.to_thread(load_source, source, self._config, version=number)
                bot = await asyncio.to_thread(self._make, loaded, self._config)
            except (FlowError, VoicebotError, OSError) as error:
                self._refuse(source, before, number, error)
                return
            try:
                await self._get_ready(source, bot)
            except BaseException as error:
                await bot.systems.close()
                if not isinstance(error, TtsError):
                    raise
                self._refuse(source, before, number, error)
                return
            self._bots[source] = bot
            await self._close_unused(before)
        log.info("new calls are answered by %s", _called(bot))
        self._events.publish(BotTaken(bot=bot.bot.name, version=bot.version, **_stamp()))

    def _refuse(self, source: BotSource, kept: RunningBot, number: int | None, error: Exception) -> None:
        if number is not None:
            self._refused[source] = number
        log.error("%s cannot be used, %s goes on answering: %s", _wanted(source, number), _called(kept), error)
        name = source if isinstance(source, str) else kept.bot.name
        self._events.publish(BotRefused(bot=name, version=number or 0, message=str(error), **_stamp()))

    async def _close_unused(self, bot: RunningBot) -> None:
        if self._calls[id(bot)] == 0 and not any(bot is other for other in self._bots.values()):
            del self._calls[id(bot)]
            await bot.systems.close()


def running(loaded: LoadedBot, config: Config) -> RunningBot:
    """Ready for calls but for its prompts. Raises SettingMissing."""
    bot = loaded.bot
    attempts = StoredAttempts(config.data, bot.name)
    systems = VerifyingSystems(SystemClient(bot), attempts, lambda: datetime.now(config.timezone))
    return RunningBot(
        *(bot, Engine(bot), EmbeddedUnderstanding(bot), systems),
        *(config.speech, loaded.pronunciations, loaded.recordings, loaded.version),
    )


def _called(bot: RunningBot) -> str:
    return f"version {bot.version} of the bot {bot.bot.name}" if bot.version else f"the bot {bot.bot.name}"


def _wanted(source: BotSource, number: int | None) -> str:
    return f"version {number} of the bot {source}" if number is not None else f"the bot {source}"


def _stamp() -> Stamp:
    return {"call_id": "", "at": datetime.now(UTC), "offset_s": 0.0}
