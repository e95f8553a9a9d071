"""Whose turn it is: one model for all calls, one decode at a time, a bounded queue in front of it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from asr.errors import AsrError, RecogniserBusy, RecogniserTimeout, RecogniserUnavailable
from asr.recogniser import RecognitionRequest, Transcript

log = logging.getLogger(__name__)

STUCK_S = 20.0
STUCK_S_PER_AUDIO_S = 2.0
CLOSE_S = 3.0
REST = 3.0  # partials of the background take a quarter of the model's time at most

_WHEN_TIME = "Partial texts and those of the background come when there is time."
_OUT_OF_MEMORY = ("out of memory", "bad_alloc", "alloc_failed")


class Transcriber(Protocol):
    """What the engine drives; `asr.decoder.Decoder` is one."""

    def transcribe(self, request: RecognitionRequest, is_abandoned: Callable[[], bool]) -> Transcript: ...

    def transcribe_batch(self, requests: Sequence[RecognitionRequest]) -> list[Transcript | AsrError]: ...

    def batch_key(self, request: RecognitionRequest) -> Hashable | None:
        """Requests with the same key may be decoded together; None: alone."""
        ...


@dataclass(order=True)
class _Job:
    """Sorted as it shall be served: by rank, then the oldest."""

    rank: int
    number: int
    request: RecognitionRequest = field(compare=False)
    answer: asyncio.Future[Transcript] = field(compare=False)


class Engine:
    """Serves requests of all calls with one model, in a thread of its own.

    Order: by `RecognitionRequest.rank` (finals, partials, the background), oldest first; those that may share a batch
    with the first are taken along, up to `batch_limit`, but never one of another rank. What is in the background is
    decoded alone: whoever comes meanwhile waits for one of them at most.

    Overflow: the queue holds `queue_limit` waiting requests. When it is full, a newcomer takes the place of the newest
    of the lowest rank below its own, and is refused where there is none, so that nobody waits for what will come too
    late. Partials are shed before that: one is refused while a final of a caller waits, one that waits gives way to a
    newer one of its call and to its call's final. Partials of the background get what nobody else wants: one is refused
    while anything waits, and for `REST` times as long as the last of them took. All these end with RecogniserBusy.

    A request whose deadline has passed or whose task was cancelled is taken out and never decoded; one that is being
    decoded stops at its next piece, and what it still costs until then (one window) is the price of a model that cannot
    be interrupted. A batch that fails is repeated in halves, so that one request cannot spoil the others'; memory that
    ran out makes batches smaller for good, and a request that does not fit alone ends with RecogniserBusy.

    stuck_s: a decode that takes longer (and twice the length of its audio) hangs: `stuck` turns true. Nothing in this
    process can end it; its owner must replace the process.
    """

    def __init__(
        self, decoder: Transcriber, *, queue_limit: int = 64, batch_limit: int = 1, stuck_s: float = STUCK_S
    ) -> None:
        self._decoder = decoder
        self._queue_limit = queue_limit
        self.batch_limit = batch_limit
        self._stuck_s = stuck_s
        self._waiting: list[_Job] = []
        self._numbers = itertools.count()
        self._wake = asyncio.Event()
        self._executor = ThreadPoolExecutor(1, "recogniser")
        self._worker: asyncio.Task[None] | None = None
        self._running: Future[list[Transcript | Exception]] | None = None
        self._current: list[_Job] = []
        self._since = 0.0
        self._rest_until = 0.0
        self.decoded = 0  # to the end
        self.batches = 0  # of two or more
        self.shed = 0  # partials and requests of the background that were refused or gave way

    @property
    def depth(self) -> int:
        """Requests waiting, without those being decoded."""
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        return bool(self._current)

    @property
    def stuck(self) -> bool:
        """The decode under way takes absurdly long."""
        if not self._current:
            return False
        allowed = self._stuck_s + STUCK_S_PER_AUDIO_S * sum(job.request.seconds for job in self._current)
        return asyncio.get_running_loop().time() - self._since > allowed

    def start(self) -> None:
        self._worker = asyncio.create_task(self._work(), name="recogniser engine")

    async def transcribe(self, request: RecognitionRequest) -> Transcript:
        """Raises RecogniserBusy, RecogniserTimeout, RecogniserUnavailable, RequestRefused."""
        if self._worker is None or self._worker.done():
            raise RecogniserUnavailable("The recogniser is not running.")
        self._make_room(request)
        answer: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()
        job = _Job(request.rank, next(self._numbers), request, answer)
        heapq.heappush(self._waiting, job)
        self._wake.set()
        try:
            async with asyncio.timeout(request.deadline_s):
                return await answer
        except TimeoutError:
            raise RecogniserTimeout(f"No text within {request.deadline_s:g} s.") from None
        finally:
            answer.cancel()
            self._forget(job)

    def _make_room(self, newcomer: RecognitionRequest) -> None:
        outdated = [job for job in self._waiting if not job.request.final and job.request.call_id == newcomer.call_id]
        for job in outdated:
            self._shed(job, "A newer request of its call has come.")
        if not newcomer.final and self._others_first(newcomer):
            self.shed += 1
            raise RecogniserBusy("Others wait for their final text.", _WHEN_TIME)
        if len(self._waiting) < self._queue_limit:
            return
        message = f"{len(self._waiting)} requests wait for the recogniser."
        last = max(self._waiting)
        if last.rank <= newcomer.rank:
            self.shed += newcomer.rank > 0
            raise RecogniserBusy(message, "Allow fewer calls, or use a faster device or model.")
        self._shed(last, message)

    def _others_first(self, partial: RecognitionRequest) -> bool:
        if partial.background:
            return bool(self._waiting) or asyncio.get_running_loop().time() < self._rest_until
        return any(job.rank == 0 for job in self._waiting)

    def _shed(self, job: _Job, why: str) -> None:
        self.shed += 1
        self._forget(job)
        if not job.answer.done():
            job.answer.set_exception(RecogniserBusy(why, _WHEN_TIME))

    def _forget(self, job: _Job) -> None:
        if job in self._waiting:
            self._waiting.remove(job)
            heapq.heapify(self._waiting)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            jobs = self._next()
            if not jobs:
                continue
            self._current, self._since = jobs, loop.time()
            try:
                self._running = self._executor.submit(self._decode, jobs)
                answers = await asyncio.wrap_future(self._running)
                for job, answer in zip(jobs, answers, strict=True):
                    self._settle(job, answer)
            finally:
                self._current = []
                if jobs[0].request.background and not jobs[0].request.final:
                    self._rest_until = loop.time() + REST * (loop.time() - self._since)

    def _next(self) -> list[_Job]:
        """The first in turn, and those that may be decoded together with it."""
        first = heapq.heappop(self._waiting)
        if first.answer.done():
            return []
        jobs = [first]
        together = self.batch_limit > 1 and self._waiting and not first.request.background
        key = self._decoder.batch_key(first.request) if together else None
        if key is None:
            return jobs
        for job in sorted(self._waiting):
            if len(jobs) == self.batch_limit or job.rank != first.rank:
                break
            if not job.answer.done() and self._decoder.batch_key(job.request) == key:
                jobs.append(job)
        for job in jobs[1:]:
            self._forget(job)
        return jobs

    def _decode(self, jobs: Sequence[_Job]) -> list[Transcript | Exception]:
        """On the recogniser's thread: an answer or an error for each job."""
        jobs = list(jobs)
        if len(jobs) == 1:
            try:
                return [self._decoder.transcribe(jobs[0].request, jobs[0].answer.done)]
            except Exception as error:
                return [error]
        try:
            answers = self._decoder.transcribe_batch([job.request for job in jobs])
            self.batches += 1
            return list(answers)
        except Exception as error:
            half = len(jobs) // 2
            if _out_of_memory(error):
                self.batch_limit = half
                log.warning("no memory for a batch of %d, from now on at most %d: %s", len(jobs), half, error)
            else:
                log.warning("a batch of %d failed, repeated in halves: %s", len(jobs), error)
            return self._decode(jobs[:half]) + self._decode(jobs[half:])

    def _settle(self, job: _Job, answer: Transcript | Exception) -> None:
        if isinstance(answer, Transcript):
            self.decoded += 1
        if job.answer.done():
            return  # nobody waits: cancelled, or past its deadline
        if isinstance(answer, Transcript):
            job.answer.set_result(answer)
            return
        if not isinstance(answer, AsrError):
            log.error("call %s: decoding failed", job.request.call_id, exc_info=answer)
            if _out_of_memory(answer):
                answer = RecogniserBusy(
                    f"There is not enough memory for this request: {answer}.", "Use a smaller model, or free memory."
                )
            else:
                answer = RecogniserUnavailable(f"The recogniser failed on this request: {answer}.")
        job.answer.set_exception(answer)

    async def close(self) -> bool:
        """Everything waiting ends with RecogniserUnavailable; the decode under way is waited for. Idempotent.

        False when it did not end within 3 s: its thread is stuck, and the process cannot end by itself.
        """
        worker, self._worker = self._worker, None
        for job in [*self._waiting, *self._current]:
            if not job.answer.done():
                job.answer.set_exception(RecogniserUnavailable("The recogniser is closing."))
        self._waiting.clear()
        if worker is not None:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        self._executor.shutdown(wait=False)
        if self._running is None or self._running.done():
            return True
        done, _ = await asyncio.wait({asyncio.wrap_future(self._running)}, timeout=CLOSE_S)
        return bool(done)


def _out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(part in str(error).lower() for part in _OUT_OF_MEMORY)
