"""Plays scripted conversations by telephone, one after the other, against the whole bot."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from flows import Bot, EmbeddedUnderstanding
from flows.actions import CallSystem
from flows.scripted import Played, Scripted, play
from flows.testing import FakeSystemClient
from voicebot.app import App
from voicebot.audio_tests.talk import AudioTalk, PhoneProcess
from voicebot.audio_tests.watched import Exchange, Watch, WatchedEngine
from voicebot.bots import LoadedBot
from voicebot.config import Config, NumberSettings
from voicebot.demo.stage import LOCALHOST, free_port
from voicebot.events import EventStream
from voicebot.parts import RunningBot
from voicebot.people_settings import HttpSettings, QueueSettings
from voicebot.sip_settings import SipSettings

_LINES = {"pl": "100", "en": "200"}
ENDED_S = 20.0  # for the bot to take down a call that was hung up


@asynccontextmanager
async def telephone_bot(bot: Bot, settings: Config | None) -> AsyncIterator[AudioBot]:
    """The bot on loopback, with the ears and the voice of `settings` (the offline ones without)."""
    with tempfile.TemporaryDirectory(prefix="voicebot-test-") as folder:
        data = Path(folder)
        config = _config(bot, data, settings)
        exchange, events = Exchange(), EventStream()
        events.attach(exchange.heard)

        def make(loaded: LoadedBot, config: Config) -> RunningBot:
            return RunningBot(
                *(loaded.bot, WatchedEngine(loaded.bot, exchange), EmbeddedUnderstanding(loaded.bot), exchange),
                *(config.speech, loaded.pronunciations, loaded.recordings, loaded.version),
            )

        app = App(config, events, make)
        await app.start()
        try:
            async with PhoneProcess(config.speech.voices_dir, data / "phone.log") as phone:
                yield AudioBot(exchange, phone, config)
        finally:
            await app.stop()


class AudioBot:
    """The bot that answers, and the phone that calls it."""

    def __init__(self, exchange: Exchange, phone: PhoneProcess, config: Config) -> None:
        self._exchange = exchange
        self._phone = phone
        self._config = config

    async def play(
        self, scripted: Scripted, systems: FakeSystemClient, changes: Callable[[CallSystem], bool]
    ) -> Played:
        """One conversation. Raises ProcessFailed when the caller's telephone is gone."""
        began = time.monotonic()
        start = scripted.now.replace(tzinfo=self._config.timezone)
        watch = Watch(scripted, systems, lambda: start + timedelta(seconds=time.monotonic() - began) + talk.shifted)
        uri = f"sip:{_LINES[scripted.language]}@{LOCALHOST}:{self._config.sip.port}"
        talk = AudioTalk(scripted, watch, self._phone, uri)
        self._exchange.watch = watch
        try:
            return await play(scripted, talk, changes)
        finally:
            await talk.end()
            await watch.ended(ENDED_S)


def _config(bot: Bot, data: Path, settings: Config | None) -> Config:
    given: dict[str, Any] = {}
    if settings is not None:
        given = {"recognition": settings.recognition, "speech": settings.speech, "timezone": settings.timezone}
    numbers = [NumberSettings(number=_LINES[name], bot=bot.folder, language=name) for name in bot.languages]
    return Config(
        data=data,
        numbers=tuple(numbers),
        queues={name: QueueSettings() for name in bot.queues},  # nobody answers in any
        sip=SipSettings(address=LOCALHOST, port=free_port(socket.SOCK_DGRAM), max_calls=2),
        http=HttpSettings(port=0),
        **given,
    )
