"""A Pipecat STT service as a `Recogniser`.

Services of both kinds are asked by the utterance. One that takes whole segments (`SegmentedSTTService`) is called for
each; one that takes a stream gets the utterance at once, between the frames of voice activity that it expects, and
answers by frames, the last of which may say that it is the last.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import numpy as np
import soxr
from pipecat.audio.utils import pcm_to_wav
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    TranscriptionFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.services.ai_service import AIService
from pipecat.services.stt_service import SegmentedSTTService

from asr.errors import RecogniserBusy, RecogniserTimeout, RecogniserUnavailable, RequestRefused
from asr.recogniser import RecognitionRequest, Transcript
from voicebot.engines.pool import Pool
from voicebot.engines.running import RunningService
from voicebot.errors import ServiceBusy, ServiceFailed

CHUNK_S = 0.1
SILENCE_S = 0.8
"""Sent behind the utterance: services that look for its end themselves wait for silence."""

QUIET_S = 0.3
"""A service that does not mark its last words is done when it has said nothing for so long."""


class ServiceRecogniser:
    """Implements `asr.recogniser.Recogniser`; `make(language)` makes the service.

    Hints, partial results and a choice among languages are not known to services: they are left out of account. Words
    have no times, and `confidence` is the one that is given here, for services do not agree on any.
    """

    def __init__(
        self,
        make: Callable[[str], AIService],
        name: str,
        *,
        sample_rate: int = 16000,
        connections: int = 20,
        confidence: float = 0.8,
    ) -> None:
        self._name = name
        self._confidence = confidence
        self._pool = Pool(make, connections, sample_rate)
        self._closed = asyncio.Event()

    async def transcribe(self, request: RecognitionRequest) -> Transcript:
        """See Recogniser. Raises RecogniserBusy when all connections are in use."""
        if len(request.audio) % 2 or not 8000 <= request.sample_rate <= 48000:
            raise RequestRefused("The audio is not 16-bit PCM at 8000 to 48000 Hz.")
        if self._closed.is_set():
            raise RecogniserUnavailable("The recogniser is closed.")
        began = time.monotonic()
        asking = asyncio.create_task(self._ask(request), name=f"ask {self._name}")
        closed = asyncio.create_task(self._closed.wait(), name="recogniser closed")
        try:
            await asyncio.wait({asking, closed}, timeout=request.deadline_s, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                if self._closed.is_set():
                    raise RecogniserUnavailable("The recogniser was closed.")
                raise RecogniserTimeout(f"No text within {request.deadline_s:g} s.")
            text = asking.result()
        except ServiceBusy as error:
            raise RecogniserBusy(error.message) from error
        except ServiceFailed as error:
            raise RecogniserUnavailable(error.message) from error
        finally:
            closed.cancel()
            asking.cancel()
            await asyncio.gather(asking, closed, return_exceptions=True)
        return self._transcript(text, request, time.monotonic() - began)

    def warm(self, language: str) -> None:
        """A call begins: connect before its caller speaks."""
        self._pool.warm(language)

    async def close(self) -> None:
        """See Recogniser."""
        self._closed.set()
        await self._pool.close()

    async def _ask(self, request: RecognitionRequest) -> str:
        async with self._pool.lease(request.language) as running:
            service = running.service
            if isinstance(service, SegmentedSTTService):
                return await _segment(service, _resampled(request, service.sample_rate))
            with running.question():
                return await _stream(running, _resampled(request, getattr(service, "sample_rate", request.sample_rate)))

    def _transcript(self, text: str, request: RecognitionRequest, took_s: float) -> Transcript:
        return Transcript(
            text=text,
            language=request.language,
            confidence=self._confidence if text else 0.0,
            no_speech=0.0 if text else 1.0,
            words=(),
            audio_s=request.seconds,
            decode_s=took_s,
            model=self._name,
        )


async def _segment(service: SegmentedSTTService, audio: bytes) -> str:
    """Its own queue of segments is passed by: what is called can be cancelled, and its end is known, texts or none."""
    texts = []
    given = pcm_to_wav(audio, service.sample_rate) if service.wants_wav_segments else audio
    async with contextlib.aclosing(service.run_stt(given)) as frames:
        async for frame in frames:
            if isinstance(frame, ErrorFrame):
                raise ServiceFailed(f"{service.name}: {frame.error}")
            if isinstance(frame, TranscriptionFrame):
                texts.append(frame.text.strip())
    return " ".join(text for text in texts if text)


async def _stream(running: RunningService, audio: bytes) -> str:
    """Waits for as long as it is let: a service that has heard nothing says nothing."""
    rate = running.service.sample_rate  # type: ignore[attr-defined]
    await running.put(VADUserStartedSpeakingFrame())
    await running.put(*_chunks(audio, rate))
    await running.put(VADUserStoppedSpeakingFrame())
    await running.put(*_chunks(bytes(2 * round(SILENCE_S * rate)), rate))
    texts: list[str] = []
    with contextlib.suppress(TimeoutError):
        while True:
            frame: Frame = await running.answer(QUIET_S if texts else None)
            if isinstance(frame, TranscriptionFrame) and frame.text.strip():
                texts.append(frame.text.strip())
                if frame.finalized:
                    break
    await running.put(UserStoppedSpeakingFrame())
    return " ".join(texts)


def _chunks(pcm: bytes, sample_rate: int) -> list[Frame]:
    step = 2 * round(CHUNK_S * sample_rate)
    return [InputAudioRawFrame(pcm[at : at + step], sample_rate, 1) for at in range(0, len(pcm), step)]


def _resampled(request: RecognitionRequest, sample_rate: int) -> bytes:
    if request.sample_rate == sample_rate:
        return request.audio
    samples = np.frombuffer(request.audio, dtype="<i2")
    return bytes(soxr.resample(samples, request.sample_rate, sample_rate).astype("<i2").tobytes())
