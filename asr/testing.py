"""Fakes of the hearing side, for tests of those who call it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from asr.errors import AsrError, RecogniserTimeout, RecogniserUnavailable, RequestRefused
from asr.recogniser import RecognitionRequest, Transcript, Word

Answer = str | Transcript | AsrError
Script = Callable[[RecognitionRequest], Answer]


class ScriptedRecogniser:
    """Answers final requests from a list, one after the other, or all requests from a function.

    A list that has run out answers with silence (empty text), and so are partial requests answered. `delay_s` passes
    before every answer and counts against the request's deadline. `requests` keeps every request, `cancelled` those
    whose task was cancelled while it waited.
    """

    def __init__(self, answers: Iterable[Answer] | Script = (), *, delay_s: float = 0.0) -> None:
        self._script: Script | None = answers if callable(answers) else None
        self._answers: deque[Answer] = deque() if callable(answers) else deque(answers)
        self._closed = asyncio.Event()
        self.delay_s = delay_s
        self.requests: list[RecognitionRequest] = []
        self.cancelled: list[RecognitionRequest] = []

    def add(self, *answers: Answer) -> None:
        self._answers.extend(answers)

    async def transcribe(self, request: RecognitionRequest) -> Transcript:
        if len(request.audio) % 2 or not 8000 <= request.sample_rate <= 48000:
            raise RequestRefused("The audio is not 16-bit PCM at 8000 to 48000 Hz.")
        if self._closed.is_set():
            raise RecogniserUnavailable("The recogniser is closed.")
        self.requests.append(request)
        try:
            await self._wait(min(self.delay_s, request.deadline_s))
        except asyncio.CancelledError:
            self.cancelled.append(request)
            raise
        if self.delay_s >= request.deadline_s:
            raise RecogniserTimeout(f"No text within {request.deadline_s:g} s.")
        answer: Answer = ""
        if self._script is not None:
            answer = self._script(request)
        elif self._answers and request.final:
            answer = self._answers.popleft()
        if isinstance(answer, AsrError):
            raise answer
        return answer if isinstance(answer, Transcript) else transcript(answer, request)

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closed.wait(), seconds)
        except TimeoutError:
            return
        raise RecogniserUnavailable("The recogniser was closed.")

    async def close(self) -> None:
        self._closed.set()


def transcript(text: str, request: RecognitionRequest, *, confidence: float = 0.95) -> Transcript:
    """A transcript of `text` as if spoken evenly over the request's audio; empty text is silence."""
    parts = text.split()
    share = request.seconds / len(parts) if parts else 0.0
    words = tuple(Word(part, i * share, (i + 1) * share, confidence) for i, part in enumerate(parts))
    return Transcript(
        text=" ".join(parts),
        language=request.language,
        confidence=confidence if parts else 0.0,
        no_speech=0.0 if parts else 1.0,
        words=words,
        audio_s=request.seconds,
        decode_s=0.0,
        model="scripted",
    )
