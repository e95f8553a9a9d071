"""A Pipecat TTS service as a `Synthesizer`.

Every sentence goes in as a TTSSpeakFrame with a mark behind it; what audio comes out before the mark is the sentence,
however the service made it: over HTTP, or by pieces of a websocket's contexts.
"""

from __future__ import annotations

import contextlib
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Callable

from pipecat.frames.frames import TTSAudioRawFrame, TTSSpeakFrame
from pipecat.services.ai_service import AIService

from tts.audio import sentence_pause
from tts.errors import SpeechBusy, SpeechUnavailable, UnknownVoice
from tts.stream import LearningStream, VoiceLevel
from tts.synthesizer import SpeechRequest
from tts.text import sentences
from voicebot.engines.pool import Pool
from voicebot.engines.running import Mark, RunningService
from voicebot.errors import ServiceBusy, ServiceFailed

log = logging.getLogger(__name__)

STALL_S = 5.0
"""A sentence whose next piece takes longer is given up. Our own voice is asked long before, as `slow_s` says."""

PREFIX = "service:"
"""A voice is `service:<language>`; which one that is, the service's settings say."""


class ServiceSynthesizer:
    """Implements Synthesizer; `make(language)` makes the service, `fingerprint_of(language)` tells its settings.

    A sentence comes in several chunks, as the service sends them. The tempo asked for is left out of account: services
    have settings of their own for it.
    """

    def __init__(
        self,
        make: Callable[[str], AIService],
        fingerprint_of: Callable[[str], str],
        serves: Callable[[str], bool],
        *,
        sample_rate: int = 24000,
        connections: int = 20,
    ) -> None:
        self._fingerprint_of = fingerprint_of
        self._serves = serves
        self._pool = Pool(make, connections, sample_rate, mend=RunningService.settle)
        self._levels: defaultdict[str, VoiceLevel] = defaultdict(VoiceLevel)
        self._closed = False

    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[bytes]:
        """See Synthesizer. Raises SpeechBusy when all connections are in use."""
        language = self._language(request.voice)
        if self._closed:
            raise SpeechUnavailable("The voice is closed.")
        pause = b""
        try:
            for sentence in sentences(request.text):
                if any(letter.isalnum() for letter in sentence):
                    async with contextlib.aclosing(self._sentence(sentence, language, request.sample_rate)) as pieces:
                        async for pcm in pieces:
                            yield pause + pcm
                            pause = b""
                    pause = sentence_pause(request.sample_rate)
        except ServiceBusy as error:
            raise SpeechBusy(error.message) from error
        except ServiceFailed as error:
            raise SpeechUnavailable(error.message) from error
        except TimeoutError as error:
            raise SpeechUnavailable(f"The service gave no sound for {STALL_S:g} s.") from error

    async def fingerprint(self, voice: str) -> str:
        """See Synthesizer."""
        return self._fingerprint_of(self._language(voice))

    def warm(self, language: str) -> None:
        """A call begins: connect before the bot speaks."""
        self._pool.warm(language)

    async def close(self) -> None:
        """See Synthesizer."""
        self._closed = True
        await self._pool.close()

    def _language(self, voice: str) -> str:
        language = voice.removeprefix(PREFIX)
        if language == voice or not self._serves(language):
            raise UnknownVoice(f"The service has no voice {voice!r}.")
        return language

    async def _sentence(self, sentence: str, language: str, wanted_rate: int) -> AsyncGenerator[bytes, None]:
        stream: LearningStream | None = None
        mark = Mark()
        async with self._pool.lease(language) as running:
            with running.question():
                await running.put(TTSSpeakFrame(sentence, append_to_context=False), mark)
                while (frame := await running.answer(STALL_S)) is not mark:
                    if isinstance(frame, TTSAudioRawFrame):
                        stream = stream or LearningStream(self._levels[language], frame.sample_rate, wanted_rate)
                        if pcm := stream.feed(frame.audio):
                            yield pcm
        if stream is None:
            raise ServiceFailed("The service gave no sound.")
        if rest := stream.end():
            yield rest
