"""Inside the speech process: which thread synthesises what, in which order, and how much may wait.

Work is queued sentence by sentence, first come first served, so a long text of one call does not keep another call
waiting for longer than one sentence. espeak-ng is not reentrant and owns a single thread; Piper has another one.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

from tts.audio import Samples, sentence_pause, telephone_pcm
from tts.errors import SpeechBusy, UnknownVoice
from tts.pronunciation import PHONEMES
from tts.synthesizer import SpeechRequest
from tts.text import sentences

_PHONEMES = re.compile(f"{PHONEMES[0]}([^{''.join(PHONEMES)}]*){PHONEMES[1]}")


class Voice(Protocol):
    """One loaded voice; used from its family's thread only."""

    sample_rate: int

    def say(self, sentence: str, rate: float, cancelled: threading.Event) -> Samples:
        """Mono samples in [-1, 1]; may return early with less when `cancelled` is set."""
        ...


class VoiceFamily(Protocol):
    """The voices behind one prefix (`espeak`, `piper`); used from one thread only."""

    def voice(self, name: str) -> Voice:
        """Loaded at the first use. Raises UnknownVoice or VoiceMissing."""
        ...

    def fingerprint(self, name: str) -> str:
        """See Synthesizer.fingerprint. Raises UnknownVoice or VoiceMissing."""
        ...


@dataclass
class _Lane:
    """A family, its one thread, and when each unfinished sentence was asked for."""

    family: VoiceFamily
    thread: ThreadPoolExecutor
    asked_at: dict[int, float] = field(default_factory=dict)


class SpeechEngine:
    """Synthesises for all calls.

    `queue_limit` bounds the sentences waiting or under way in each family: the next one is refused with SpeechBusy.
    """

    def __init__(self, families: Mapping[str, VoiceFamily], queue_limit: int = 32) -> None:
        self._lanes = {
            prefix: _Lane(family, ThreadPoolExecutor(1, thread_name_prefix=f"{prefix}-voices"))
            for prefix, family in families.items()
        }
        self._queue_limit = queue_limit
        self._tickets = 0

    async def speak(self, request: SpeechRequest) -> AsyncIterator[bytes]:
        """PCM of the text, a chunk per sentence. Raises SpeechBusy, UnknownVoice, SpeechUnavailable."""
        for index, sentence in enumerate(sentences(request.text)):
            pcm = await self._sentence(replace(request, text=sentence))
            yield sentence_pause(request.sample_rate) + pcm if index else pcm

    async def fingerprint(self, voice: str) -> str:
        """See Synthesizer.fingerprint."""
        lane, name = self._lane(voice)
        return await asyncio.get_running_loop().run_in_executor(lane.thread, lane.family.fingerprint, name)

    def waiting(self) -> dict[str, int]:
        """Sentences waiting or under way, by family."""
        return {prefix: len(lane.asked_at) for prefix, lane in self._lanes.items()}

    def oldest_s(self) -> float:
        """Age of the oldest unfinished sentence; one that only grows means a thread that hangs."""
        asked = [at for lane in self._lanes.values() for at in lane.asked_at.values()]
        return time.monotonic() - min(asked) if asked else 0.0

    def close(self) -> None:
        """Drop what waits; a sentence under way is left to end by itself."""
        for lane in self._lanes.values():
            lane.thread.shutdown(wait=False, cancel_futures=True)

    async def _sentence(self, request: SpeechRequest) -> bytes:
        lane, name = self._lane(request.voice)
        if len(lane.asked_at) >= self._queue_limit:
            raise SpeechBusy(
                f"{self._queue_limit} sentences already wait to be spoken.", "Allow fewer calls, or use a faster voice."
            )
        cancelled = threading.Event()

        def work() -> bytes:
            if cancelled.is_set():
                return b""
            voice = lane.family.voice(name)
            samples = voice.say(_harmless(request.text), request.rate, cancelled)
            return b"" if cancelled.is_set() else telephone_pcm(samples, voice.sample_rate, request.sample_rate)

        self._tickets += 1
        ticket = self._tickets
        lane.asked_at[ticket] = time.monotonic()
        future = lane.thread.submit(work)
        # Counted until the thread has let go of it, not until the caller has: work given up that runs on is load too.
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: _on_loop(loop, lane, ticket))
        try:
            return await asyncio.wrap_future(future)
        finally:
            cancelled.set()

    def _lane(self, voice: str) -> tuple[_Lane, str]:
        prefix, _, name = voice.partition(":")
        if prefix not in self._lanes or not name:
            raise UnknownVoice(
                f"There is no voice {voice!r}.", "Name one as espeak:pl, espeak:en+f3 or piper:pl_PL-gosia-medium."
            )
        return self._lanes[prefix], name


def _on_loop(loop: asyncio.AbstractEventLoop, lane: _Lane, ticket: int) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(lane.asked_at.pop, ticket, None)


def _harmless(text: str) -> str:
    """Without control characters and without `[[`, by which a text could smuggle raw phonemes into either engine.

    Phonemes of a pronunciation list come between private characters and leave in `[[ ]]`, as Piper wants them.
    """
    pieces = _PHONEMES.split(text)
    return "".join(f"[[{_printable(piece)}]]" if at % 2 else _printable(piece) for at, piece in enumerate(pieces))


def _printable(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable.replace("[[", " ").replace("]]", " ")
