"""A configured service first, ours behind it: on an error, when it is slow, and while it is left alone."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from asr.errors import AsrError
from asr.recogniser import Recogniser, RecognitionRequest, Transcript
from tts.audio import pause_after, sentence_pause
from tts.errors import TtsError
from tts.store import PromptStore
from tts.synthesizer import SpeechRequest
from tts.text import sentences
from voicebot.engines.breaker import Verdict
from voicebot.engines.race import VERDICTS, Tell, Trust, Why, race
from voicebot.engines.speaking import PREFIX
from voicebot.parts import Phrase

log = logging.getLogger(__name__)


class BackedRecogniser:
    """Implements `asr.recogniser.Recogniser` for one call. Partial results and unsure languages are for ours."""

    def __init__(
        self, service: Recogniser, ours: Recogniser, trust: Trust, serves: Callable[[str], bool], tell: Tell
    ) -> None:
        self._service = service
        self._ours = ours
        self._trust = trust
        self._serves = serves
        self._tell = tell

    async def transcribe(self, request: RecognitionRequest) -> Transcript:
        """See Recogniser."""
        if not request.final or request.languages or not self._serves(request.language):
            return await self._ours.transcribe(request)
        if not self._trust.ask():
            self._tell(Why.LEFT_ALONE)
            return await self._ours.transcribe(request)
        verdict = Verdict.NONE
        try:
            raced = await race(
                lambda: self._service.transcribe(request), lambda: self._ours.transcribe(request), self._trust.slow_s
            )
            # A service that says nothing when nothing was said is not slow.
            silent = raced.why is Why.SLOW and not raced.value.text
            verdict = Verdict.NONE if silent else VERDICTS[raced.why]
        except AsrError:
            verdict = Verdict.BAD
            raise
        finally:
            self._trust.ended(verdict)
        if raced.why is not None and not silent:
            log.warning("%s: %s", self._trust.name, raced.error or f"no text within {self._trust.slow_s:g} s")
            self._tell(raced.why)
        return raced.value

    async def close(self) -> None:
        """The service and ours are shared by calls and closed by whoever opened them."""


@dataclass
class _Begun:
    """A text whose first sound is there."""

    first: bytes
    rest: AsyncIterator[bytes]
    by_service: bool
    broken: bool = False

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        try:
            if self.first:
                yield self.first
            async for pcm in self.rest:
                yield pcm
        finally:
            await self.close()

    async def close(self) -> None:
        if isinstance(self.rest, AsyncGenerator):
            await self.rest.aclose()


async def _begin(pieces: AsyncIterator[bytes], *, by_service: bool) -> _Begun:
    begun = _Begun(b"", pieces, by_service)
    try:
        begun.first = await anext(pieces, b"")
    except BaseException:
        await begun.close()
        raise
    return begun


class BackedVoice:
    """Implements Voice: the service's voice for one call; what it cannot say, ours says, to the end of the text.

    A sentence that breaks off is said again from its beginning by ours: better twice than not at all.
    """

    def __init__(
        self,
        service: PromptStore,
        ours: PromptStore,
        phrase: Phrase,
        trust: Trust,
        serves: Callable[[str], bool],
        tell: Tell,
    ) -> None:
        self._service = service
        self._ours = ours
        self._phrase = phrase
        self._trust = trust
        self._serves = serves
        self._tell = tell

    async def say(self, text: str, language: str, sample_rate: int, pace: float = 1.0) -> AsyncIterator[bytes]:
        """See Voice."""

        def by_service(part: str) -> SpeechRequest:
            return self._phrase(part, language, sample_rate, PREFIX + language, pace=pace)

        kept = self._service.get(by_service(text)) if self._serves(language) else None
        if kept is not None:
            yield kept
            return
        left = sentences(text) if self._serves(language) else []
        said = ""
        while left or not said:
            rest = self._phrase(" ".join(left) if said else text, language, sample_rate, pace=pace)
            begun = await self._sentence(by_service(left[0]), rest) if left else await self._by_ours(rest)
            pause = pause_after(said, sample_rate) if said else b""
            async with contextlib.aclosing(self._to_its_end(begun, rest)) as pieces:
                async for pcm in pieces:
                    yield pause + pcm
                    pause = b""
            if begun.broken or not begun.by_service:
                return
            said, left = left[0], left[1:]

    async def _sentence(self, theirs: SpeechRequest, rest: SpeechRequest) -> _Begun:
        """The first sound of the service's sentence, or of all the rest by ours."""
        if not self._trust.ask():
            self._tell(Why.LEFT_ALONE)
            return await self._by_ours(rest)
        verdict: Verdict | None = Verdict.NONE
        try:
            raced = await race(
                lambda: _begin(self._service.speak(theirs, keep=False), by_service=True),
                lambda: self._by_ours(rest),
                self._trust.slow_s,
                drop=_Begun.close,
            )
            if raced.why is None:
                verdict = None  # told at the end of the sentence
            else:
                verdict = VERDICTS[raced.why]
                self._report(raced.why, raced.error)
            return raced.value
        except TtsError:
            verdict = Verdict.BAD
            raise
        finally:
            if verdict is not None:
                self._trust.ended(verdict)

    async def _to_its_end(self, begun: _Begun, rest: SpeechRequest) -> AsyncGenerator[bytes, None]:
        verdict = Verdict.GOOD
        try:
            async with contextlib.aclosing(begun.pieces()) as pieces:
                async for pcm in pieces:
                    yield pcm
        except TtsError as error:
            if not begun.by_service:
                raise
            verdict = Verdict.BAD
            begun.broken = True
            self._report(Why.FAILED, error)
        finally:
            if begun.by_service:
                self._trust.ended(verdict)
        if begun.broken:
            yield sentence_pause(rest.sample_rate)
            again = await self._by_ours(rest)
            async with contextlib.aclosing(again.pieces()) as pieces:
                async for pcm in pieces:
                    yield pcm

    def _by_ours(self, rest: SpeechRequest) -> Coroutine[Any, Any, _Begun]:
        return _begin(self._ours.speak(rest, keep=False), by_service=False)

    def _report(self, why: Why, error: BaseException | None) -> None:
        log.warning("%s: %s", self._trust.name, error or f"no sound within {self._trust.slow_s:g} s")
        self._tell(why)
