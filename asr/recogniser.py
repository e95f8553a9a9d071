"""The seam of speech recognition: what a call asks for, and what it gets back.

Implementations: `asr.client.RecogniserClient` (the recogniser process), `asr.testing.ScriptedRecogniser` (a fake).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class RecognitionRequest:
    """One piece of speech.

    audio: signed 16-bit little-endian mono PCM at `sample_rate` (8000 to 48000 Hz). About 0.25 s of what came before
        and after the speech should be in it.
    language: ISO 639-1 code, e.g. "pl"; the model is told it and never guesses, unless `languages` are given.
    languages: others that the call allows; then the most probable one of these and `language` is taken.
    call_id: for logs, and by it a waiting partial gives way to what is newer; two speakers of a call need two.
    final: False for a partial result while the caller may still be speaking; partials wait behind finals.
    background: nobody waits for the answer (a talk between people is written down): it comes after everything else.
    deadline_s: from the call of `transcribe`; afterwards `RecogniserTimeout`.
    hints: words and phrases that the flow waits for. They bias decoding, they never appear unless they were heard.
    """

    audio: bytes
    sample_rate: int
    language: str
    call_id: str
    final: bool = True
    deadline_s: float = 5.0
    hints: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    background: bool = False

    @property
    def rank(self) -> int:
        """0 is served first: finals, then partials, then finals and partials of the background."""
        return 2 * self.background + (not self.final)

    @property
    def seconds(self) -> float:
        return len(self.audio) / 2 / self.sample_rate


@dataclass(frozen=True)
class Word:
    """Times in seconds from the start of the request's audio; confidence 0..1."""

    text: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class Alternative:
    """Another text for the same sound, nearly as probable. confidence: the best text's, by how much less it is."""

    text: str
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """What was heard. `text` is empty when nothing was said; then `words` is empty and `confidence` is 0.

    confidence: 0..1, how often such texts are wholly right when the model is calibrated (`asr.confidence`), else the
        geometric mean of the token probabilities. Words have theirs. no_speech: 0..1, the belief that nobody spoke.
    audio_s: length of the request's audio. decode_s: time spent by the model, waiting in the queue not counted.
    alternatives: the most probable first; none for speech that was decoded in several pieces.
    rejected: why there is no text, or why part of it was thrown away.
    """

    text: str
    language: str
    confidence: float
    no_speech: float
    words: tuple[Word, ...]
    audio_s: float
    decode_s: float
    model: str
    alternatives: tuple[Alternative, ...] = ()
    rejected: str = ""


class Recogniser(Protocol):
    async def transcribe(self, request: RecognitionRequest) -> Transcript:
        """Text of one piece of speech; cancelling the task cancels the work.

        Raises RecogniserBusy, RecogniserTimeout, RecogniserUnavailable, RequestRefused.
        """
        ...

    async def close(self) -> None:
        """Ends all waiting requests with RecogniserUnavailable; idempotent."""
        ...
