"""Whose turn it is: one model for all calls, one decode at a time, a bounded queue in front of it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from asr.errors import AsrError, RecogniserBusy, RecogniserTimeout, RecogniserUnavailable
from asr.recogniser import RecognitionRequest, Transcript

log = logging.getLogger(__name__)


class Transcriber(Protocol):
    """What the engine drives; `asr.decoder.Decoder` is one."""

    def transcribe(self, request: RecognitionRequest, is_abandoned: Callable[[], bool]) -> Transcript: ...


@dataclass(order=True)
class _Job:
    """Sorted as it shall be served: finals before partials, then the oldest."""

    partial: bool
    number: int
    request: RecognitionRequest = field(compare=False)
    answer: asyncio.Future[Transcript] = field(compare=False)


class Engine:
    """Serves requests of all calls with one model, in a thread of its own.

    Order: finals before partials, oldest first. The queue holds `queue_limit` waiting requests. When it is full, a
    final takes the place of the newest waiting partial, which ends with RecogniserBusy; any other newcomer is refused
    with RecogniserBusy at once, so that nobody waits for what will come too late. A request whose deadline has passed
    or whose task was cancelled is taken out and never decoded; one that is being decoded stops at its next piece, and
    what it still costs until then (one window) is the price of a model that cannot be interrupted.
    """

    def __init__(self, decoder: Transcriber, *, queue_limit: int = 64) -> None:
        self._decoder = decoder
        self._queue_limit = queue_limit
        self._waiting: list[_Job] = []
        self._numbers = itertools.count()
        self._wake = asyncio.Event()
        self._executor = ThreadPoolExecutor(1, "recogniser")
        self._worker: asyncio.Task[None] | None = None
        self._current: _Job | None = None
        self.decoded = 0  # to the end

    @property
    def depth(self) -> int:
        """Requests waiting, without the one being decoded."""
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        return self._current is not None

    def start(self) -> None:
        self._worker = asyncio.create_task(self._work(), name="recogniser engine")

    async def transcribe(self, request: RecognitionRequest) -> Transcript:
        """Raises RecogniserBusy, RecogniserTimeout, RecogniserUnavailable, RequestRefused."""
        if self._worker is None or self._worker.done():
            raise RecogniserUnavailable("The recogniser is not running.")
        self._make_room(request)
        answer: asyncio.Future[Transcript] = asyncio.get_running_loop().create_future()
        job = _Job(not request.final, next(self._numbers), request, answer)
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
        if len(self._waiting) < self._queue_limit:
            return
        partials = [job for job in self._waiting if job.partial]
        full = RecogniserBusy(
            f"{len(self._waiting)} requests wait for the recogniser.",
            "Allow fewer calls, or use a faster device or model.",
        )
        if not newcomer.final or not partials:
            raise full
        displaced = max(partials)
        self._forget(displaced)
        if not displaced.answer.done():
            displaced.answer.set_exception(full)

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
            job = heapq.heappop(self._waiting)
            if job.answer.done():
                continue
            self._current = job
            try:
                transcript = await loop.run_in_executor(
                    self._executor, self._decoder.transcribe, job.request, job.answer.done
                )
                self.decoded += 1
                if not job.answer.done():
                    job.answer.set_result(transcript)
            except Exception as error:
                self._failed(job, error)
            finally:
                self._current = None

    def _failed(self, job: _Job, error: Exception) -> None:
        if job.answer.done():
            return  # nobody waits: cancelled, or past its deadline
        if not isinstance(error, AsrError):
            log.error("call %s: decoding failed", job.request.call_id, exc_info=error)
            error = RecogniserUnavailable(f"The recogniser failed on this request: {error}.")
        job.answer.set_exception(error)

    async def close(self) -> None:
        """Everything waiting ends with RecogniserUnavailable; the decode under way is waited for. Idempotent."""
        worker, self._worker = self._worker, None
        for job in [*self._waiting, *([self._current] if self._current else [])]:
            if not job.answer.done():
                job.answer.set_exception(RecogniserUnavailable("The recogniser is closing."))
        self._waiting.clear()
        if worker is not None:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
        await asyncio.to_thread(self._executor.shutdown)
