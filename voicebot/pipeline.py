"""The Pipecat pipeline of one call: utterance -> recognition -> dialog -> speech -> media.

It carries utterances, events and speech chunks, never 20 ms frames; Pipecat's own voice activity, turn and bot-speaking
logic is off (docs/adr/0007). One runner a call: a shared one leaks every call. An error in any stage reaches
`on_fault`, once, whatever the stage.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from pipecat.frames.frames import ControlFrame, DataFrame, ErrorFrame, Frame, InterruptionFrame, TranscriptionFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.utils.time import time_now_iso8601
from pipecat.workers.runner import WorkerRunner

from asr.errors import AsrError
from flows import Action, CallStarted, Event, Handoff, HangUp, RecognitionDown, Say
from voicebot.errors import PipelineEnded
from voicebot.listener import Utterance, Words
from voicebot.speaker import Saying, Speaker

log = logging.getLogger(__name__)

END_DEADLINE_S = 5.0


@dataclass
class UtteranceFrame(DataFrame):
    """A caller turn whose words are being recognised."""

    utterance: Utterance
    interruptible: bool = field(default=False, init=False)


@dataclass(kw_only=True)
class HeardFrame(TranscriptionFrame):
    """The words of a caller turn, for Pipecat's observers too."""

    utterance: Utterance
    words: Words
    interruptible: bool = field(default=False, init=False)


@dataclass
class EventFrame(DataFrame):
    """Something else the flow has to know."""

    event: CallStarted | Event
    interruptible: bool = field(default=False, init=False)


@dataclass
class SayFrame(DataFrame):
    """Words of the flow, announced to the speaker."""

    saying: Saying
    say: Say


@dataclass
class SpeechFrame(DataFrame):
    """Synthesised audio of a saying; `last` carries none and ends it."""

    saying: Saying
    pcm: bytes
    last: bool = False


@dataclass
class ActionFrame(ControlFrame):
    """An action that waits until everything said before it has been heard."""

    action: Handoff | HangUp
    interruptible: bool = field(default=False, init=False)


class Turn(Protocol):
    """What the pipeline asks of the conversation it serves."""

    speaker: Speaker

    async def heard(self, utterance: Utterance, words: Words) -> tuple[Action, ...]: ...
    def happened(self, event: CallStarted | Event) -> tuple[Action, ...]: ...
    def now(self, action: Action) -> None: ...
    def afterwards(self, action: Handoff | HangUp) -> None: ...
    def announce(self, say: Say) -> Saying: ...
    def speech(self, say: Say) -> AsyncIterator[bytes]: ...


class Recognition(FrameProcessor):
    """Waits for the words of a turn; recognition that is down becomes an event of the flow."""

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self._turn = turn

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, UtteranceFrame):
            await self.push_frame(frame, direction)
            return
        try:
            await asyncio.wait({frame.utterance.words})
            if frame.utterance.words.cancelled():
                return  # keys came before the words
            words = frame.utterance.words.result()
        except AsrError as error:
            log.warning("recognition failed: %s", error)
            await self.push_frame(EventFrame(RecognitionDown()))
            return
        text = words.transcript.text
        await self.push_frame(HeardFrame(text, "caller", time_now_iso8601(), utterance=frame.utterance, words=words))


class DialogStage(FrameProcessor):
    """Turns what was heard, or happened, into the flow's actions."""

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self._turn = turn

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, HeardFrame):
            await self._emit(await self._turn.heard(frame.utterance, frame.words))
        elif isinstance(frame, EventFrame):
            await self._emit(self._turn.happened(frame.event))
        else:
            if isinstance(frame, InterruptionFrame):
                # It takes along the frames of what was announced since the voice was stopped: that is never heard.
                self._turn.speaker.drop()
            await self.push_frame(frame, direction)

    async def _emit(self, actions: tuple[Action, ...]) -> None:
        # Words into the last sentences could change nothing any more: they would only cut off the farewell.
        last = any(isinstance(action, Handoff | HangUp) for action in actions)
        for action in actions:
            if isinstance(action, Say):
                action = replace(action, interruptible=action.interruptible and not last)
                await self.push_frame(SayFrame(self._turn.announce(action), action))
            elif isinstance(action, Handoff | HangUp):
                await self.push_frame(ActionFrame(action))
            else:
                self._turn.now(action)


class SpeechStage(FrameProcessor):
    """Synthesises sayings, chunk by chunk."""

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self._turn = turn

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, SayFrame):
            await self.push_frame(frame, direction)
            return
        try:
            async with contextlib.aclosing(self._turn.speech(frame.say)) as chunks:  # type: ignore[type-var]
                async for pcm in chunks:
                    await self.push_frame(SpeechFrame(frame.saying, pcm))
        finally:  # whatever became of it: what comes after it must not wait for ever
            await self.push_frame(SpeechFrame(frame.saying, b"", last=True))


class MediaStage(FrameProcessor):
    """Hands speech to the media thread and holds actions back until the caller has heard what came before."""

    def __init__(self, turn: Turn) -> None:
        super().__init__()
        self._turn = turn

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, SpeechFrame):
            if frame.last:
                self._turn.speaker.end(frame.saying)
            else:
                self._turn.speaker.feed(frame.saying, frame.pcm)
        elif isinstance(frame, ActionFrame):
            await self._turn.speaker.until_silent()
            self._turn.afterwards(frame.action)
        else:
            await self.push_frame(frame, direction)


class CallPipeline:
    """Runs the stages of one call."""

    def __init__(self, turn: Turn, on_fault: Callable[[str], None]) -> None:
        # Bounded by the call: a turn, a key or a system's answer at a time, each consumed at once by the first stage.
        self._inbox: asyncio.Queue[Frame] = asyncio.Queue()
        stages: list[FrameProcessor] = [Recognition(turn), DialogStage(turn), SpeechStage(turn), MediaStage(turn)]
        self._worker = PipelineWorker(
            Pipeline(stages),
            params=PipelineParams(enable_metrics=False),
            cancel_on_idle_timeout=False,
            idle_timeout_secs=None,
            enable_rtvi=False,
            enable_turn_tracking=False,
        )

        async def on_error(worker: PipelineWorker, frame: ErrorFrame) -> None:
            on_fault(str(frame.error))

        self._worker.add_event_handler("on_pipeline_error", on_error)

    async def run(self) -> None:
        """Run until cancelled; ends within a bounded time then. Raises PipelineEnded when it stops before."""
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self._worker)
        # The runner swallows cancellation, so it has a task of its own that ends by `runner.cancel`.
        running = asyncio.create_task(runner.run(), name="pipeline")
        feeding = asyncio.create_task(self._feed(), name="pipeline inbox")
        try:
            await asyncio.wait({running, feeding}, return_when=asyncio.FIRST_COMPLETED)
            raise PipelineEnded("The pipeline of a call ended by itself.")
        finally:
            feeding.cancel()
            await runner.cancel(reason="call over")
            _, late = await asyncio.wait({running}, timeout=END_DEADLINE_S)
            for task in late:
                log.error("the pipeline did not end in %s s", END_DEADLINE_S)
                task.cancel()

    async def _feed(self) -> None:
        while True:
            await self._worker.queue_frame(await self._inbox.get())

    def post(self, frame: Frame) -> None:
        """Queue a frame at the head of the pipeline."""
        self._inbox.put_nowait(frame)

    def interrupt(self) -> None:
        """Drop all speech that is on its way; events and actions stay."""
        self.post(InterruptionFrame())
