"""Other ways of ending a turn, from the same voice activity: fixed time-outs, and Pipecat's smart-turn alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from loguru import logger
from pipecat.audio.turn.base_turn_analyzer import EndOfTurnState
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3

from asr.activity import ActivityEvent, ActivityFailed, ActivityService, SpeechPaused, SpeechStarted
from benchmarks.turns_sound import RATE

FRAME = RATE // 50  # 20 ms
TIMEOUTS_MS = range(200, 2501, 50)
ASKED_MS = 200  # of pause, as Pipecat's voice activity tells it


@dataclass(frozen=True)
class Activity:
    """What voice activity told, and at which sample it did."""

    told_at: int
    event: SpeechStarted | SpeechPaused


def listen(service: ActivityService, audio: bytes) -> list[Activity]:
    """Voice activity of a call, frame by frame; the service must not have been started."""
    told: list[Activity] = []

    def on_event(event: ActivityEvent) -> None:
        if isinstance(event, ActivityFailed):
            raise RuntimeError(f"voice activity failed: {event.reason}")
        if isinstance(event, SpeechStarted | SpeechPaused):
            told.append(Activity(stream.position, event))

    stream = service.open(RATE, on_event)
    for start in range(0, len(audio) // 2, FRAME):
        stream.feed(start, audio[2 * start : 2 * (start + FRAME)])
        service.step()
    stream.close()
    return told


def fixed(told: Sequence[Activity], timeout_ms: int) -> int | None:
    """The sample at which the turn is ended: the first pause that lasts so long. None: the caller never pauses."""
    return next((end for pause, until in _pauses(told) if (end := _at(pause, timeout_ms)) < until), None)


class SmartTurn:
    """Asked at each pause as in a Pipecat pipeline, where its answer is "not yet" ended by its own time-out (3 s).

    It hears the turn from half a second before the first word on, at most the last 8 s. Its computing time is not
    counted.
    """

    def __init__(self) -> None:
        logger.disable("pipecat")
        self._analyzer = LocalSmartTurnAnalyzerV3(sample_rate=RATE)
        self._analyzer.set_sample_rate(RATE)
        self._fallback_ms = round(self._analyzer.params.stop_secs * 1000)
        self._before = round(self._analyzer.params.pre_speech_ms * RATE / 1000)

    def end(self, told: Sequence[Activity], audio: bytes) -> int | None:
        starts = [one.event.at_sample for one in told if isinstance(one.event, SpeechStarted)]
        for pause, until in _pauses(told):
            asked_at = _at(pause, ASKED_MS)
            if asked_at < until and self._complete(audio[2 * max(0, starts[0] - self._before) : 2 * asked_at]):
                return asked_at
            if (end := _at(pause, self._fallback_ms)) < until:
                return end
        return None

    def _complete(self, audio: bytes) -> bool:
        self._analyzer.append_audio(audio, is_speech=True)
        state, _ = asyncio.run(self._analyzer.analyze_end_of_turn())
        self._analyzer.clear()  # type: ignore[no-untyped-call]
        return state is EndOfTurnState.COMPLETE

    def close(self) -> None:
        asyncio.run(self._analyzer.cleanup())  # type: ignore[no-untyped-call]


def _pauses(told: Sequence[Activity]) -> list[tuple[Activity, float]]:
    """Every pause, and the sample at which the next speech is noticed."""
    following = [*(one.told_at for one in told[1:]), float("inf")]
    return [(one, until) for one, until in zip(told, following, strict=True) if isinstance(one.event, SpeechPaused)]


def _at(pause: Activity, after_ms: int) -> int:
    """The sample at which the pause has lasted so long, and is known."""
    return max(pause.told_at, pause.event.at_sample + after_ms * RATE // 1000)
