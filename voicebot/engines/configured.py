"""The services that the configuration names, as one worker holds them for all of its calls."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import aiohttp
from pipecat.services.ai_service import AIService

from asr.recogniser import Recogniser
from tts.store import PromptStore
from tts.synthesizer import SpeechRequest
from voicebot.config import HearingService, SpeakingService
from voicebot.engines.backed import BackedRecogniser, BackedVoice
from voicebot.engines.blueprint import Blueprint
from voicebot.engines.hearing import ServiceRecogniser
from voicebot.engines.race import Tell, Trust
from voicebot.engines.speaking import PREFIX, ServiceSynthesizer
from voicebot.parts import Phrase, Voice

log = logging.getLogger(__name__)


class Maker:
    """Makes services from a blueprint; all of them share the clients of the web that they ask for."""

    def __init__(self, blueprint: Blueprint) -> None:
        self._blueprint = blueprint
        self._clients: dict[str, Any] = {}
        self._closers: list[Callable[[], Awaitable[None]]] = []

    def make(self, language: str) -> AIService:
        if not self._clients and self._blueprint.clients:
            self._clients = {name: self._client(name) for name in self._blueprint.clients}
        return self._blueprint.make(language, self._clients)

    def _client(self, name: str) -> Any:
        if name == "aiohttp_session":
            session = aiohttp.ClientSession()
            self._closers.append(session.close)
            return session
        import openai  # takes seconds, and whoever asks for this has it in memory already

        client = openai.DefaultAsyncHttpxClient()
        self._closers.append(client.aclose)
        return client

    async def close(self) -> None:
        for close in self._closers:
            await close()
        self._closers.clear()


class ConfiguredHearing:
    """`recognition.service`."""

    def __init__(self, settings: HearingService) -> None:
        self._blueprint = settings.blueprint
        self._maker = Maker(self._blueprint)
        self._trust = Trust(self.name, settings.slow_s)
        self._recogniser = ServiceRecogniser(
            self._maker.make,
            self.name,
            sample_rate=settings.sample_rate,
            connections=settings.connections,
            confidence=settings.confidence,
        )

    @property
    def name(self) -> str:
        return self._blueprint.name

    def backed_by(self, ours: Recogniser, tell: Tell) -> Recogniser:
        """For one call."""
        return BackedRecogniser(self._recogniser, ours, self._trust, self._blueprint.serves, tell)

    def warm(self, language: str) -> None:
        """A call in that language begins."""
        if self._blueprint.serves(language):
            self._recogniser.warm(language)

    async def close(self) -> None:
        await self._recogniser.close()
        await self._maker.close()


class ConfiguredVoice:
    """`speech.service`. What it says of the fixed prompts is kept in `folder`, beside ours."""

    def __init__(self, settings: SpeakingService, folder: Path) -> None:
        self._blueprint = settings.blueprint
        self._maker = Maker(self._blueprint)
        self._trust = Trust(self.name, settings.slow_s)
        self._synthesizer = ServiceSynthesizer(
            self._maker.make,
            self._blueprint.fingerprint,
            self._blueprint.serves,
            sample_rate=settings.sample_rate,
            connections=settings.connections,
        )
        self._prompts = PromptStore(folder, self._synthesizer)

    @property
    def name(self) -> str:
        return self._blueprint.name

    def backed_by(self, ours: PromptStore, phrase: Phrase, tell: Tell) -> Voice:
        """For one call."""
        return BackedVoice(self._prompts, ours, phrase, self._trust, self._blueprint.serves, tell)

    def voice(self, language: str) -> str:
        """The name of the service's voice."""
        return PREFIX + language

    async def fill(self, requests: Iterable[SpeechRequest]) -> None:
        """Have the fixed prompts said. What the service cannot say now, ours does."""
        report = await self._prompts.fill(request for request in requests if self._blueprint.serves(request.language))
        log.info("prompts by %s: %d kept, %d made in %.1f s", self.name, report.kept, report.made, report.seconds)
        if report.failed:
            log.warning("%s did not say %d prompts: %s", self.name, len(report.failed), report.failed[0][1])

    def warm(self, language: str) -> None:
        """A call in that language begins."""
        if self._blueprint.serves(language):
            self._synthesizer.warm(language)

    async def close(self) -> None:
        await self._synthesizer.close()
        await self._maker.close()
