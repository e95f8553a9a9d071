"""Pipecat services with nobody behind them, of every kind that the adapters have to do with, for tests."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor, FrameProcessorSetup
from pipecat.services.settings import STTSettings, TTSSettings
from pipecat.services.stt_service import SegmentedSTTService, STTService
from pipecat.services.tts_service import TTSService
from pipecat.utils.time import time_now_iso8601


@dataclass
class FakeVendor:
    """What the company behind a fake service does; a test may change it at any time.

    `hangs`: never answers. `error`: answers with this error, when `breaks_after` is set only after so many pieces of
    audio. `unmarked`: does not say which transcript is the last. `asked` keeps what it was asked, `open` the ids
    of the services that were set up and not cleaned up, `made` counts all.
    """

    text_of: Callable[[bytes], str] = lambda audio: ""
    delay_s: float = 0.0
    hangs: bool = False
    error: str = ""
    breaks_after: int = 0
    unmarked: bool = False
    amplitude: float = 0.3
    character_s: float = 0.06
    asked: list[Any] = field(default_factory=list, repr=False)
    made: int = 0
    open: set[int] = field(default_factory=set)

    async def think(self) -> None:
        await asyncio.sleep(3600.0 if self.hangs else self.delay_s)

    def tone(self, text: str, sample_rate: int) -> list[bytes]:
        """A tenth of a second of silence, then a tone as long as the text, in pieces of 100 ms."""
        count = round(len(text) * self.character_s * sample_rate)
        tone = self.amplitude * np.sin(2 * np.pi * 220 / sample_rate * np.arange(count))
        pcm = (np.concatenate([np.zeros(sample_rate // 10), tone]) * 32767).astype("<i2").tobytes()
        step = 2 * (sample_rate // 10)
        return [pcm[at : at + step] for at in range(0, len(pcm), step)]


class _Counted(FrameProcessor):
    """Tells the vendor that it was set up and cleaned up."""

    _vendor: FakeVendor

    async def setup(self, setup: FrameProcessorSetup) -> None:  # type: ignore[override]
        await super().setup(setup)
        self._vendor.open.add(self.id)

    async def cleanup(self) -> None:
        await super().cleanup()  # type: ignore[no-untyped-call]
        self._vendor.open.discard(self.id)


class SegmentEars(_Counted, SegmentedSTTService):
    """As services over HTTP are: `run_stt` gets the whole utterance."""

    Settings = STTSettings

    def __init__(self, *, vendor: FakeVendor, settings: STTSettings | None = None, **kwargs: Any) -> None:
        super().__init__(settings=_stored(STTSettings(model=None, language=None), settings), **_QUICK, **kwargs)
        self._vendor = vendor
        vendor.made += 1

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        with wave.open(io.BytesIO(audio)) as file:
            heard = file.readframes(file.getnframes())
        self._vendor.asked.append(heard)
        await self._vendor.think()
        if self._vendor.error:
            yield ErrorFrame(self._vendor.error)
        elif text := self._vendor.text_of(heard):
            yield TranscriptionFrame(text, "", time_now_iso8601())


class StreamEars(_Counted, STTService):
    """As services over websockets are: audio goes in, transcripts come when they come, nothing for silence."""

    Settings = STTSettings

    def __init__(self, *, vendor: FakeVendor, settings: STTSettings | None = None, **kwargs: Any) -> None:
        super().__init__(settings=_stored(STTSettings(model=None, language=None), settings), **_QUICK, **kwargs)
        self._vendor = vendor
        self._heard = b""
        self._answering: asyncio.Task[None] | None = None
        vendor.made += 1

    async def cleanup(self) -> None:
        if self._answering is not None:
            await self.cancel_task(self._answering)
        await super().cleanup()

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        self._heard += audio
        yield None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStartedSpeakingFrame):
            self._heard = b""
        elif isinstance(frame, VADUserStoppedSpeakingFrame):
            self._vendor.asked.append(self._heard)
            self._answering = self.create_task(self._answer(self._heard))

    async def _answer(self, heard: bytes) -> None:
        await self._vendor.think()
        if self._vendor.error:
            await self.push_error(self._vendor.error)
            return
        words = self._vendor.text_of(heard).split()
        for number, word in enumerate(words, start=1):
            await self.push_frame(InterimTranscriptionFrame(word, "", time_now_iso8601()))
            last = number == len(words) and not self._vendor.unmarked
            await self.push_frame(TranscriptionFrame(word, "", time_now_iso8601(), finalized=last))


class WholeVoice(_Counted, TTSService):
    """As services over HTTP are: `run_tts` gives the audio itself."""

    Settings = TTSSettings

    def __init__(self, *, vendor: FakeVendor, settings: TTSSettings | None = None, **kwargs: Any) -> None:
        defaults = TTSSettings(model=None, voice=None, language=None)
        super().__init__(push_start_frame=True, push_stop_frames=True, settings=_stored(defaults, settings), **kwargs)
        self._vendor = vendor
        vendor.made += 1

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        self._vendor.asked.append(text)
        await self._vendor.think()
        for number, piece in enumerate(self._vendor.tone(text, self.sample_rate)):
            if self._vendor.error and number >= self._vendor.breaks_after:
                yield ErrorFrame(self._vendor.error)
                return
            yield TTSAudioRawFrame(piece, self.sample_rate, 1, context_id=context_id)


class ContextVoice(WholeVoice):
    """As services over websockets are: `run_tts` sends the text, audio comes to its context from elsewhere."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._sending: set[asyncio.Task[None]] = set()

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        self._vendor.asked.append(text)
        self._sending.add(self.create_task(self._send(text, context_id)))
        yield None

    async def _send(self, text: str, context_id: str) -> None:
        await self._vendor.think()
        await self.append_to_audio_context(context_id, TTSStartedFrame(context_id=context_id))
        for number, piece in enumerate(self._vendor.tone(text, self.sample_rate)):
            if self._vendor.error and number >= self._vendor.breaks_after:
                await self.push_error(self._vendor.error)
                return
            frame = TTSAudioRawFrame(piece, self.sample_rate, 1, context_id=context_id)
            await self.append_to_audio_context(context_id, frame)
        await self.append_to_audio_context(context_id, TTSStoppedFrame(context_id=context_id))
        await self.remove_audio_context(context_id)

    async def cleanup(self) -> None:
        for task in self._sending:
            await self.cancel_task(task)
        await super().cleanup()


_QUICK: dict[str, Any] = {"ttfs_p99_latency": 0.5}


def _stored(defaults: Any, given: Any) -> Any:
    if given is not None:
        defaults.apply_update(given)
    return defaults
