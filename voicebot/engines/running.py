"""One Pipecat service, running in a small pipeline of its own.

A service is written for a pipeline: it connects when it is set up, starts with a StartFrame, answers by frames that it
pushes, and reports errors upstream. So it gets one: an ear for errors in front of it, a collector behind it, nothing
else; and a runner of its own, for a shared one leaks (docs/adr/0007).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from contextvars import Context
from dataclasses import dataclass, field

from pipecat.frames.frames import CancelFrame, DataFrame, EndFrame, ErrorFrame, Frame, InterruptionFrame, StartFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.ai_service import AIService
from pipecat.workers.runner import WorkerRunner

from voicebot.errors import ServiceFailed

log = logging.getLogger(__name__)

OPEN_S = 10.0
END_S = 5.0
SETTLE_S = 2.0
FRAMES_WAITING = 64
"""Answers not yet taken; beyond it the service waits. When nobody listens answers are dropped."""


@dataclass
class Mark(DataFrame):
    """Comes out of a service behind everything that was put into it before."""

    interruptible: bool = field(default=False, init=False)


class _Ear(FrameProcessor):
    """Takes the errors that come upstream."""

    def __init__(self, running: RunningService) -> None:
        super().__init__()
        self._running = running

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, ErrorFrame):
            await self._running.take(frame)
        else:
            await self.push_frame(frame, direction)


class _Collector(FrameProcessor):
    """Takes what the service pushes downstream."""

    def __init__(self, running: RunningService) -> None:
        super().__init__()
        self._running = running

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if direction is FrameDirection.DOWNSTREAM:
            await self._running.take(frame)
        if direction is FrameDirection.UPSTREAM or isinstance(frame, StartFrame | EndFrame | CancelFrame):
            await self.push_frame(frame, direction)


class RunningService:
    """`open`, then ask one thing at a time, then `close`.

    `spoilt` while a question is under way, and after one that was not answered to its end.
    """

    def __init__(self, service: AIService, sample_rate: int) -> None:
        self.service = service
        self.spoilt = False
        self._answers: asyncio.Queue[Frame] | None = None
        self._started = asyncio.Event()
        self._error: ErrorFrame | None = None  # that came while nobody listened
        self._task: asyncio.Task[None] | None = None
        self._worker = PipelineWorker(
            Pipeline([_Ear(self), service, _Collector(self)]),
            params=PipelineParams(audio_in_sample_rate=sample_rate, audio_out_sample_rate=sample_rate),
            cancel_on_idle_timeout=False,
            idle_timeout_secs=None,
            enable_rtvi=False,
            enable_turn_tracking=False,
        )
        self._runner: WorkerRunner | None = None

    @property
    def usable(self) -> bool:
        """Ready for another question."""
        running = self._task is not None and not self._task.done()
        return running and not self.spoilt and self._error is None and self.service.is_usable

    async def open(self) -> None:
        """Start; when this returns the service has connected, if it does so at the start. Raises ServiceFailed."""
        # It outlives the call that it is opened for, whose id belongs on no line of the log but its own.
        self._task = asyncio.create_task(self._run(), name=f"service {self.service.name}", context=Context())
        await self._start_over(OPEN_S)
        if self._error is not None:
            raise ServiceFailed(f"{self.service.name} did not start: {self._error.error}")
        if not self._started.is_set():
            raise ServiceFailed(f"{self.service.name} did not start within {OPEN_S:g} s.")

    async def _start_over(self, within_s: float) -> None:
        """It has started, or will not, or takes longer."""
        assert self._task is not None
        started = asyncio.create_task(self._started.wait(), name="service started")
        try:
            await asyncio.wait({self._task, started}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            started.cancel()

    async def _run(self) -> None:
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self._worker)
        self._runner = runner  # a runner that is cancelled before it runs forgets it
        await runner.run()

    @contextlib.contextmanager
    def question(self) -> Iterator[None]:
        """Answers are for the caller, from `answer`; leaving by an exception leaves the service spoilt."""
        self.spoilt = True
        self._answers = asyncio.Queue(FRAMES_WAITING)
        try:
            yield
            self.spoilt = False
        finally:
            answers, self._answers = self._answers, None
            while not answers.empty():  # lets go of a service that waits for room
                answers.get_nowait()

    async def put(self, *frames: Frame) -> None:
        for frame in frames:
            await self._worker.queue_frame(frame)

    async def answer(self, within_s: float | None = None) -> Frame:
        """The next frame of the answer. Raises ServiceFailed for an error of the service, and TimeoutError."""
        assert self._answers is not None
        async with asyncio.timeout(within_s):
            frame = await self._answers.get()
        if isinstance(frame, ErrorFrame):
            raise ServiceFailed(f"{self.service.name}: {frame.error}")
        return frame

    async def take(self, frame: Frame) -> None:
        """From the pipeline."""
        if isinstance(frame, StartFrame):
            self._started.set()
        elif self._answers is not None:
            await self._answers.put(frame)
        elif isinstance(frame, ErrorFrame):
            self._error = frame

    async def settle(self) -> None:
        """Make the service drop what it is at; it is spoilt no more when it has. For speech."""
        with self.question():
            mark = Mark()
            await self.put(InterruptionFrame(), mark)
            async with asyncio.timeout(SETTLE_S):
                while await self.answer() is not mark:
                    pass

    async def close(self) -> None:
        """End it, within a bounded time."""
        if self._task is None:
            return
        await self._start_over(END_S)  # a service that is cancelled while it starts leaves its tasks behind
        if self._runner is not None:
            await self._runner.cancel(reason="no longer needed")
        else:
            self._task.cancel()
        _, late = await asyncio.wait({self._task}, timeout=END_S)
        for task in late:
            log.error("%s did not end in %g s", self.service.name, END_S)
            task.cancel()
