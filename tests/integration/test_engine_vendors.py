"""Pipecat's own vendor code behind our seams, against servers on loopback that speak the vendors' protocols.

OpenAI over HTTP (recognition and speech), OpenAI's realtime recognition and Cartesia's speech over websockets: one of
each kind of service that the adapters know. All are configured as an administrator does it, from a `voicebot.yaml`.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from asr.errors import RecogniserUnavailable
from asr.recogniser import Recogniser, RecognitionRequest
from asr.testing import ScriptedRecogniser
from tts.errors import SpeechUnavailable
from tts.store import PromptStore
from tts.synthesizer import SpeechRequest
from tts.testing import ToneSynthesizer
from voicebot.config import Config, load_config
from voicebot.engines.configured import ConfiguredHearing, ConfiguredVoice
from voicebot.engines.race import Why
from voicebot.engines.speaking import ServiceSynthesizer

TEXT = "gdzie jest moja paczka"
ASK = RecognitionRequest(b"\x10\x27\xf0\xd8" * 4000, 8000, "pl", "call")
SAY = SpeechRequest("Paczka jest w drodze.", "pl", "tone:1", 8000)


@dataclass
class Vendor:
    """Servers of both companies. `down`: answers with an error. `asked`: what was asked of it."""

    port: int = 0
    down: bool = False
    asked: list[dict[str, Any]] = field(default_factory=list)
    sockets: int = 0

    async def transcriptions(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        with wave.open(io.BytesIO(file.file.read())) as sound:
            heard = {"rate": sound.getframerate(), "seconds": sound.getnframes() / sound.getframerate()}
        self.asked.append({"language": form["language"], "model": form["model"], **heard})
        if self.down:
            return web.json_response({"error": {"message": "no credit"}}, status=400)
        return web.json_response({"text": TEXT})

    async def speech(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append({**body, "key": request.headers["Authorization"]})
        if self.down:
            return web.json_response({"error": {"message": "no credit"}}, status=400)
        return web.Response(body=tone(1.0, 24000), content_type="audio/pcm")

    async def realtime(self, request: web.Request) -> web.WebSocketResponse:
        socket = await self._accept(request)
        await socket.send_json({"type": "session.created"})
        seconds = 0.0
        async for message in socket:
            told = json.loads(message.data)
            if told["type"] == "session.update":
                self.asked.append(told["session"]["audio"]["input"]["transcription"])
                await socket.send_json({"type": "session.updated"})
            elif told["type"] == "input_audio_buffer.append":
                seconds += len(base64.b64decode(told["audio"])) / 2 / 24000
            elif told["type"] == "input_audio_buffer.commit" and self.down:
                kind = "conversation.item.input_audio_transcription.failed"
                await socket.send_json({"type": kind, "error": {"message": "no credit"}})
            elif told["type"] == "input_audio_buffer.commit":
                self.asked.append({"seconds": seconds})
                kind = "conversation.item.input_audio_transcription.completed"
                await socket.send_json({"type": kind, "transcript": TEXT})
        return socket

    async def cartesia(self, request: web.Request) -> web.WebSocketResponse:
        socket = await self._accept(request)
        async for message in socket:
            told = json.loads(message.data)
            context = {"context_id": told["context_id"]}
            if told.get("cancel"):
                continue
            if told["transcript"]:
                self.asked.append(told)
            elif self.down:
                await socket.send_json({"type": "error", "error": "no credit", **context})
            else:  # an empty transcript: nothing more comes, so speak
                for at in range(0, 48000, 4800):
                    piece = base64.b64encode(tone(1.0, 24000)[at : at + 4800]).decode()
                    await socket.send_json({"type": "chunk", "data": piece, **context})
                await socket.send_json({"type": "done", **context})
        return socket

    async def _accept(self, request: web.Request) -> web.WebSocketResponse:
        self.sockets += 1
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        return socket


def tone(seconds: float, sample_rate: int) -> bytes:
    moments = np.arange(round(seconds * sample_rate)) / sample_rate
    return bytes((0.1 * np.sin(2 * np.pi * 300 * moments) * 32767).astype("<i2").tobytes())


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    vendor = Vendor()
    app = web.Application()
    app.router.add_post("/v1/audio/transcriptions", vendor.transcriptions)
    app.router.add_post("/v1/audio/speech", vendor.speech)
    app.router.add_get("/v1/realtime", vendor.realtime)
    app.router.add_get("/tts/websocket", vendor.cartesia)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    vendor.port = runner.addresses[0][1]
    yield vendor
    await runner.cleanup()


HEARING = {
    "http": """
    class: pipecat.services.openai.stt.OpenAISTTService
    arguments: {{api_key: {{env: VENDOR_KEY}}, base_url: "http://127.0.0.1:{port}/v1"}}
    settings: {{model: whisper-1}}""",
    "websocket": """
    class: pipecat.services.openai.stt.OpenAIRealtimeSTTService
    arguments: {{api_key: {{env: VENDOR_KEY}}, base_url: "ws://127.0.0.1:{port}/v1/realtime"}}
    settings: {{model: gpt-realtime-whisper}}""",
}
SPEAKING = {
    "http": """
    class: pipecat.services.openai.tts.OpenAITTSService
    arguments: {{api_key: {{env: VENDOR_KEY}}, base_url: "http://127.0.0.1:{port}/v1"}}
    slow_s: 10  # how quick this machine is, is no matter here
    languages: {{pl: {{voice: nova}}}}""",
    "websocket": """
    class: pipecat.services.cartesia.tts.CartesiaTTSService
    arguments: {{api_key: {{env: VENDOR_KEY}}, url: "ws://127.0.0.1:{port}/tts/websocket"}}
    slow_s: 10  # how quick this machine is, is no matter here
    languages: {{pl: {{voice: nova}}}}""",
}


@pytest.fixture
def configured(vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`configured(part, service)`: the configuration with that service."""
    monkeypatch.setenv("VENDOR_KEY", "sk-very-secret")

    def load(part: str, service: str) -> Config:
        path = tmp_path / "voicebot.yaml"
        told = service.format(port=vendor.port)
        path.write_text(
            f'numbers: [{{number: "*", bot: shop, language: pl}}]\n{part}:\n  service:{told}\n', encoding="utf-8"
        )
        return load_config(path)

    return load


def hearing(config: Config) -> ConfiguredHearing:
    assert config.recognition.service is not None
    return ConfiguredHearing(config.recognition.service)


def alone(service: ConfiguredHearing) -> Recogniser:
    """Without ours behind it."""
    return service._recogniser


def phrase(text: str, language: str, sample_rate: int, voice: str = "", *, pace: float = 1.0) -> SpeechRequest:
    return SpeechRequest(text, language, voice or "tone:1", sample_rate)


@pytest.mark.parametrize("kind", HEARING)
async def test_an_utterance_is_recognised(vendor: Vendor, configured: Any, kind: str) -> None:
    service = hearing(configured("recognition", HEARING[kind]))
    async with asyncio.timeout(20):
        for _ in range(2):
            heard = await alone(service).transcribe(ASK)
            assert (heard.text, heard.language, heard.confidence) == (TEXT, "pl", 0.8)
        await service.close()
    assert vendor.asked[0]["language"] == "pl"
    assert vendor.asked[-1]["seconds"] >= 0.99 * ASK.seconds
    assert vendor.sockets == (1 if kind == "websocket" else 0)


@pytest.mark.parametrize("kind", HEARING)
async def test_an_error_of_recognition_is_told_and_ours_answers(vendor: Vendor, configured: Any, kind: str) -> None:
    vendor.down = True
    service = hearing(configured("recognition", HEARING[kind]))
    told: list[Why] = []
    async with asyncio.timeout(20):
        with pytest.raises(RecogniserUnavailable, match="no credit"):
            await alone(service).transcribe(ASK)
        backed = service.backed_by(ScriptedRecogniser(["tak"]), told.append)
        assert (await backed.transcribe(ASK)).text == "tak"
        await service.close()
    assert told == [Why.FAILED]


@pytest.mark.parametrize("kind", SPEAKING)
async def test_a_sentence_is_spoken(vendor: Vendor, configured: Any, kind: str, tmp_path: Path) -> None:
    service = ConfiguredVoice(configured("speech", SPEAKING[kind]).speech.service, tmp_path)
    voice = service.backed_by(PromptStore(tmp_path, ToneSynthesizer()), phrase, lambda why: pytest.fail(why))
    async with asyncio.timeout(20):
        for _ in range(2):
            pcm = b"".join([chunk async for chunk in voice.say(SAY.text, "pl", 8000)])
            assert len(pcm) / 2 / 8000 == pytest.approx(1.0, abs=0.05)
        await service.close()
    asked = vendor.asked[0]
    assert asked.get("input", asked.get("transcript")) == SAY.text
    assert asked["voice"] in ("nova", {"mode": "id", "id": "nova"})
    assert vendor.sockets == (1 if kind == "websocket" else 0)


@pytest.mark.parametrize("kind", SPEAKING)
async def test_an_error_of_speech_is_told_and_ours_answers(
    vendor: Vendor, configured: Any, kind: str, tmp_path: Path
) -> None:
    vendor.down = True
    service = ConfiguredVoice(configured("speech", SPEAKING[kind]).speech.service, tmp_path)
    told: list[Why] = []
    voice = service.backed_by(PromptStore(tmp_path, ToneSynthesizer()), phrase, told.append)
    async with asyncio.timeout(20):
        with pytest.raises(SpeechUnavailable, match="no credit"):
            await alone_said(service)
        pcm = b"".join([chunk async for chunk in voice.say(SAY.text, "pl", 8000)])
        await service.close()
    assert len(pcm) / 2 / 8000 == pytest.approx(0.06 * len(SAY.text), abs=0.05)
    assert told == [Why.FAILED]


async def alone_said(service: ConfiguredVoice) -> bytes:
    synthesizer: ServiceSynthesizer = service._synthesizer
    request = SpeechRequest(SAY.text, "pl", "service:pl", 8000)
    return b"".join([chunk async for chunk in synthesizer.synthesize(request)])
