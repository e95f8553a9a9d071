"""What Pipecat leaves to the application: its transport (a SIP leg), its voice, who answers in place of an LLM.

Everything else of the stock bot is Pipecat's own; see `benchmarks.latency_stock`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from typing import Any, cast

from pipecat.audio.resamplers.soxr_stream_resampler import SOXRStreamAudioResampler
from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    EndWorkerFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMContextFrame,
    OutputAudioRawFrame,
    StartFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor, FrameProcessorSetup
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TTSService
from pipecat.services.whisper.stt import WhisperSTTService
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams

from benchmarks.latency_dialog import VOICES, Answer, Dialog
from telephony.leg import Leg
from tts.synthesizer import SpeechRequest, Synthesizer

TELEPHONE_HZ, PIPELINE_HZ = 8000, 16000
LEAD_S = 0.2  # audio handed to the telephone before its time, so that a busy event loop is not heard at once
_FRAME_S = 0.02
_READ_AT_ONCE = 4 * TELEPHONE_HZ // 50


class SipInput(BaseInputTransport):
    """What the caller says, in frames of 20 ms, at 16 kHz."""

    def __init__(self, leg: Leg, params: TransportParams, quality: str) -> None:
        super().__init__(params)
        self._leg = leg
        self._upsampler = SOXRStreamAudioResampler(quality=quality, clear_after_secs=None)  # type: ignore[arg-type]
        self._receiving: asyncio.Task[None] | None = None

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)
        self._receiving = self.create_task(self._receive())

    async def stop(self, frame: EndFrame) -> None:
        await super().stop(frame)
        await self._stop_receiving()

    async def cancel(self, frame: CancelFrame) -> None:
        await super().cancel(frame)
        await self._stop_receiving()

    async def cleanup(self) -> None:
        await super().cleanup()  # type: ignore[no-untyped-call]
        await self._stop_receiving()

    async def _stop_receiving(self) -> None:
        if self._receiving is not None:
            task, self._receiving = self._receiving, None
            await self.cancel_task(task)

    async def _receive(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            pcm = self._leg.read(_READ_AT_ONCE)
            if pcm:
                audio = await self._upsampler.resample(pcm, TELEPHONE_HZ, PIPELINE_HZ)
                await self.push_audio_frame(InputAudioRawFrame(audio, PIPELINE_HZ, 1))
            due = max(due + _FRAME_S, loop.time())
            await asyncio.sleep(due - loop.time())


class SipOutput(BaseOutputTransport):
    """What the bot says. Writing blocks as long as it takes to say it, as Pipecat's own transports do."""

    def __init__(self, leg: Leg, params: TransportParams) -> None:
        super().__init__(params)
        self._leg = leg
        self._heard_until = 0.0  # loop time at which what was written is over

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, InterruptionFrame):
            self._leg.flush()
            self._heard_until = 0.0

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        now = asyncio.get_running_loop().time()
        self._leg.write(frame.audio)
        self._heard_until = max(self._heard_until, now) + len(frame.audio) / 2 / TELEPHONE_HZ
        await asyncio.sleep(max(0.0, self._heard_until - LEAD_S - now))
        return True


class ShopHearing(WhisperSTTService):
    """Pipecat's service, with less of the silence before the words than the second that it keeps."""

    def __init__(self, preroll_s: float, **options: Any) -> None:
        super().__init__(**options)
        self._preroll_s = preroll_s

    async def setup(self, setup: FrameProcessorSetup) -> None:  # type: ignore[override]
        await super().setup(setup)
        self._audio_buffer_size_1s = 2 * int(self.sample_rate * self._preroll_s)


class ShopVoice(TTSService):
    """Our speech process as a service of Pipecat's: the same voice, at the telephone's rate."""

    def __init__(self, speech: Synthesizer, language: str) -> None:
        voice = VOICES[language]
        settings = TTSSettings(model=None, voice=voice, language=None)
        super().__init__(push_start_frame=True, push_stop_frames=True, sample_rate=TELEPHONE_HZ, settings=settings)
        self._speech = speech
        self._language = language
        self._voice = voice

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        request = SpeechRequest(text, self._language, self._voice, TELEPHONE_HZ)
        async for pcm in self._speech.synthesize(request):
            yield TTSAudioRawFrame(pcm, TELEPHONE_HZ, 1, context_id=context_id)


class DialogAnswers(FrameProcessor):
    """Stands where the LLM would: greets, then answers every turn of the caller."""

    def __init__(self, dialog: Dialog) -> None:
        super().__init__()
        self._dialog = dialog

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame):
            said = cast(dict[str, Any], frame.context.get_messages()[-1])
            await self._say(self._dialog.heard(str(said["content"])))
            return
        await self.push_frame(frame, direction)
        if isinstance(frame, StartFrame):
            await self._say(self._dialog.begin())

    async def silent(self) -> None:
        """The caller has said nothing for a while."""
        await self._say(self._dialog.silent())

    async def _say(self, answering: Awaitable[Answer]) -> None:
        answer = await answering
        for text in answer.texts:
            await self.push_frame(TTSSpeakFrame(text))
        if answer.over:
            await self.push_frame(EndWorkerFrame())
