"""Starting and stopping the worker, with the parts that take long replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telephony.leg import EndpointSettings, Registration
from telephony.testing import MemoryEndpoint, MemoryNetwork
from tests.integration.call_harness import SHOP
from tts.errors import VoiceMissing
from tts.store import PromptStore
from tts.synthesizer import SpeechRequest
from voicebot import app
from voicebot.app import App
from voicebot.bots import load_bots
from voicebot.config import Config, NumberSettings, SpeechSettings
from voicebot.errors import ConfigError
from voicebot.people_settings import QueueSettings
from voicebot.processes import ChildProcess
from voicebot.serving import Wishes, serve


def settings(data: Path, **speech: object) -> Config:
    return Config(
        data=data,
        numbers=(NumberSettings(number="100", bot=SHOP, language="pl"),),
        queues={"service": QueueSettings()},
        speech=SpeechSettings.model_validate(speech),
    )


async def test_told_to_stop_while_it_starts_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, ended = asyncio.Event(), []

    async def start(process: ChildProcess) -> None:
        stop.set()
        await asyncio.sleep(600)  # a model being fetched

    async def end(process: ChildProcess) -> None:
        ended.append(process.name)

    monkeypatch.setattr(ChildProcess, "start", start)
    monkeypatch.setattr(ChildProcess, "stop", end)
    async with asyncio.timeout(20):
        await serve(App(settings(tmp_path)), Wishes(stop=stop))
    assert sorted(ended) == ["browser audio", "recogniser", "speech"]


class _NoVoice:
    async def fingerprint(self, voice: str) -> str:
        raise VoiceMissing(f"The voice {voice} is not here.", "Fetch it.")

    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[bytes]:
        raise VoiceMissing(f"The voice {request.voice} is not here.", "Fetch it.")
        yield b""

    async def close(self) -> None:
        return


async def test_a_voice_that_is_missing_keeps_it_from_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def start(process: ChildProcess) -> None:
        return

    monkeypatch.setattr(ChildProcess, "start", start)
    monkeypatch.setattr(app, "PromptStore", lambda folder, synthesizer: PromptStore(folder, _NoVoice()))
    monkeypatch.setattr(app, "BaresipEndpoint", None)  # it must not come so far
    with pytest.raises(VoiceMissing):
        await serve(App(settings(tmp_path, voices={"pl": "piper:missing"})), Wishes())


def test_a_number_in_a_language_without_a_voice_is_told(tmp_path: Path) -> None:
    config = settings(tmp_path, voices={"en": "espeak:en-us"})
    with pytest.raises(ConfigError, match=r"The number 100 is set to pl, but no voice speaks it\. Add pl"):
        load_bots(config)


@pytest.mark.parametrize(
    ("registration", "status", "told"),
    [
        (None, "ok", None),
        (Registration("pbx", registered=True), "ok", "registered"),
        (Registration("pbx", registered=False, detail="403 Forbidden"), "degraded", "403 Forbidden"),
    ],
)
async def test_health_tells_a_lost_registration(
    tmp_path: Path, registration: Registration | None, status: str, told: str | None
) -> None:
    class Registering(MemoryEndpoint):
        @property
        def registration(self) -> Registration | None:
            return registration

    worker = App(settings(tmp_path))
    worker._endpoint = Registering(EndpointSettings("127.0.0.1"), MemoryNetwork())
    report = worker.health()
    assert (report["status"], report.get("registration")) == (status, told)
