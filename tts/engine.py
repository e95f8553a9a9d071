"""Inside the speech process: what is synthesised on which threads, and how much may wait.

Work is done by sentences or chunks of them, so a long text of one call does not keep another call waiting. espeak-ng is
not reentrant and owns a single thread; Piper has as many as there are processors for it.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tts.audio import Samples, sentence_pause, telephone_pcm
from tts.errors import SpeechBusy, UnknownVoice
from tts.lane import Lane, Playback
from tts.pronunciation import PHONEMES
from tts.stream import TelephoneStream
from tts.synthesizer import SpeechRequest
from tts.text import sentences

_PHONEMES = re.compile(f"{PHONEMES[0]}([^{''.join(PHONEMES)}]*){PHONEMES[1]}")


class Voice(Protocol):
    """One loaded voice; used from the threads of its family only."""

    sample_rate: int
    gain: float | None
    """What brings it to the common level, for a voice that gives its sentences in chunks: each joins the one before,
    and the same sentence is the same samples every time. None: a sentence is whole, and levelled by itself."""

    def say(self, sentence: str, rate: float, cancelled: threading.Event) -> Iterator[Samples]:
        """Mono samples in [-1, 1]; may give up early when `cancelled` is set."""
        ...


class VoiceFamily(Protocol):
    """The voices behind one prefix (`espeak`, `piper`)."""

    threads: int
    """How many threads may use it at once."""

    def voice(self, name: str) -> Voice:
        """Loaded at the first use. Raises UnknownVoice or VoiceMissing."""
        ...

    def fingerprint(self, name: str) -> str:
        """See Synthesizer.fingerprint. Raises UnknownVoice or VoiceMissing."""
        ...


@dataclass(frozen=True)
class Piece:
    """Some of the audio asked for. `streamed`: of a voice that gives sentences in chunks, see Voice.gain."""

    pcm: bytes
    streamed: bool


class SpeechEngine:
    """Synthesises for all calls.

    `queue_limit` bounds the sentences waiting or under way in each family: the next one is refused with SpeechBusy.
    """

    def __init__(self, families: Mapping[str, VoiceFamily], queue_limit: int = 32) -> None:
        self._families = families
        self._lanes = {prefix: Lane(f"{prefix}-voices", family.threads) for prefix, family in families.items()}
        self._queue_limit = queue_limit

    async def speak(self, request: SpeechRequest, ahead_s: float = 0.0) -> AsyncGenerator[Piece]:
        """The text in pieces. `ahead_s` is how much of an earlier text its caller has still to hear.

        Raises SpeechBusy, UnknownVoice, SpeechUnavailable.
        """
        family, lane, name = self._of(request.voice)
        if lane.waiting() >= self._queue_limit:
            raise SpeechBusy(
                f"{self._queue_limit} sentences already wait to be spoken.", "Allow fewer calls, or use a faster voice."
            )
        playback = Playback(ahead_s)
        cancelled = threading.Event()
        steps = _steps(family, name, request, cancelled)
        try:
            while (piece := await lane.run(lambda: next(steps, None), playback.dry_at)) is not None:
                if piece.pcm:
                    playback.heard(len(piece.pcm) / 2 / request.sample_rate)
                    yield piece
        finally:
            cancelled.set()

    async def fingerprint(self, voice: str) -> str:
        """See Synthesizer.fingerprint. The voice is loaded too: who asks about it is going to speak with it."""
        family, lane, name = self._of(voice)

        def work() -> str:
            family.voice(name)
            return family.fingerprint(name)

        return await lane.run(work)

    def waiting(self) -> dict[str, int]:
        """Sentences waiting or under way, by family."""
        return {prefix: lane.waiting() for prefix, lane in self._lanes.items()}

    def oldest_s(self) -> float:
        """Age of the oldest step of a sentence not yet done; one that only grows means a thread that hangs."""
        asked = [at for lane in self._lanes.values() if (at := lane.oldest_at()) is not None]
        return time.monotonic() - min(asked) if asked else 0.0

    def close(self) -> None:
        """Drop what waits; a sentence under way is left to end by itself."""
        for lane in self._lanes.values():
            lane.close()

    def _of(self, voice: str) -> tuple[VoiceFamily, Lane, str]:
        prefix, _, name = voice.partition(":")
        if prefix not in self._lanes or not name:
            raise UnknownVoice(
                f"There is no voice {voice!r}.", "Name one as espeak:pl, espeak:en+f3 or piper:pl_PL-gosia-medium."
            )
        return self._families[prefix], self._lanes[prefix], name


def _steps(family: VoiceFamily, name: str, request: SpeechRequest, cancelled: threading.Event) -> Iterator[Piece]:
    """The text, piece by piece as it is computed; to be driven on a thread of the family."""
    for at, sentence in enumerate(sentences(request.text)):
        pause = sentence_pause(request.sample_rate) if at else b""
        voice = family.voice(name)
        said = voice.say(_harmless(sentence), request.rate, cancelled)
        if voice.gain is None:
            pieces = list(said)
            samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
            if cancelled.is_set():
                return
            yield Piece(pause + telephone_pcm(samples, voice.sample_rate, request.sample_rate), streamed=False)
        else:
            stream = TelephoneStream(voice.sample_rate, request.sample_rate, voice.gain)
            for samples in said:
                pcm = stream.push(samples)
                yield Piece(pause + pcm if pcm else b"", streamed=True)
                pause = b"" if pcm else pause
            yield Piece(stream.end(), streamed=True)


def _harmless(text: str) -> str:
    """Without control characters and without `[[`, by which a text could smuggle raw phonemes into either engine.

    Phonemes of a pronunciation list come between private characters and leave in `[[ ]]`, as Piper wants them.
    """
    pieces = _PHONEMES.split(text)
    return "".join(f"[[{_printable(piece)}]]" if at % 2 else _printable(piece) for at, piece in enumerate(pieces))


def _printable(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable.replace("[[", " ").replace("]]", " ")
