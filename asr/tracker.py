"""From speech probabilities to where speech begins and where it pauses. Pure; time is counted in samples."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

BLOCKS_PER_WINDOW = 4  # 8 ms: how finely the edges of speech are found
LOOK_BACK_WINDOWS = 3  # Silero needs one or two windows to believe in speech
MIN_FLOOR = 1e-4  # -80 dBFS
# A block counts as voiced when it is 6 dB over the noise and at most 28 dB under the speech.
OVER_FLOOR = 2.0
UNDER_SPEECH = 0.04
# With less than 12 dB between them, energy says nothing about the edges and the probability decides alone.
CLEAR_SPEECH = 4.0
FLOOR_PROBABILITY = 0.1


@dataclass(frozen=True)
class ActivitySettings:
    """start / stop probability: hysteresis. min_speech_ms: believed only after so much. pause_ms: told after so much.

    gate: webrtcvad's aggressiveness, 0..3. gate_tail_ms: how long Silero goes on after the gate has closed.
    quiet_dbfs: sound below it is silence without asking anybody. queue_ms: sound that may wait to be looked at.
    history_s: how much sound `ActivityStream.audio` can give back.
    """

    start_probability: float = 0.4
    stop_probability: float = 0.3
    min_speech_ms: int = 64
    pause_ms: int = 120
    gate: int = 1
    gate_tail_ms: int = 320
    quiet_dbfs: float = -70.0
    queue_ms: int = 2000
    history_s: int = 60


@dataclass(frozen=True)
class SpeechSuspected:
    """A first window sounds like speech; SpeechStarted or SpeechDismissed follows within a few of them."""


@dataclass(frozen=True)
class SpeechDismissed:
    """It was none."""


@dataclass(frozen=True)
class SpeechStarted:
    """Speech began at this sample; some of its first consonant may lie in the 200 ms before."""

    at_sample: int


@dataclass(frozen=True)
class SpeechPaused:
    """The last voiced sample before a pause, told as soon as the pause is long enough to be one."""

    at_sample: int


TrackerEvent = SpeechSuspected | SpeechDismissed | SpeechStarted | SpeechPaused


class SpeechTracker:
    """One stream: windows of 32 ms with their probabilities in, events out."""

    def __init__(self, sample_rate: int, settings: ActivitySettings) -> None:
        self._settings = settings
        self._pause = settings.pause_ms * sample_rate // 1000
        self._min_speech = settings.min_speech_ms * sample_rate // 1000
        self._floor = MIN_FLOOR
        self._level = 0.0
        self._recent: deque[tuple[int, float]] = deque(maxlen=LOOK_BACK_WINDOWS * BLOCKS_PER_WINDOW)
        self._run_start: int | None = None
        self._believed = 0
        self._last_voiced = 0
        self.speaking = False

    def update(
        self, first_sample: int, length: int, loudness: Sequence[float], probability: float
    ) -> TrackerEvent | None:
        """A window of `length` samples; loudness: root mean square, 0..1, of each of its 4 blocks of 8 ms."""
        size = length // BLOCKS_PER_WINDOW
        blocks = [(first_sample + index * size, value) for index, value in enumerate(loudness)]
        end = first_sample + length
        event = (self._speech if self.speaking else self._silence)(first_sample, end, blocks, size, probability)
        self._recent.extend(blocks)
        if probability < FLOOR_PROBABILITY and not self.speaking:
            self._floor = max(MIN_FLOOR, 0.9 * self._floor + 0.1 * sum(loudness) / BLOCKS_PER_WINDOW)
        return event

    def _silence(
        self, first: int, end: int, blocks: list[tuple[int, float]], size: int, probability: float
    ) -> TrackerEvent | None:
        going_on = self._run_start is not None and probability >= self._settings.stop_probability
        if probability < self._settings.start_probability and not going_on:
            suspected, self._run_start = self._run_start is not None, None
            return SpeechDismissed() if suspected else None
        fresh = self._run_start is None
        if self._run_start is None:
            self._believed = first
            self._run_start = self._beginning(first, max(value for _, value in blocks))
            self._level = 0.0
        self._level = max(self._level, max(value for _, value in blocks))
        self._last_voiced = self._voiced_end(blocks, size) or end
        if end - self._believed < self._min_speech:
            return SpeechSuspected() if fresh else None
        start, self._run_start, self.speaking = self._run_start, None, True
        return SpeechStarted(start)

    def _speech(
        self, first: int, end: int, blocks: list[tuple[int, float]], size: int, probability: float
    ) -> SpeechPaused | None:
        if probability >= self._settings.start_probability:
            self._level = max(0.98 * self._level, max(value for _, value in blocks))
        if probability >= self._settings.stop_probability:
            self._last_voiced = self._voiced_end(blocks, size) or self._last_voiced
        paused = end - self._last_voiced >= self._pause
        if not paused or probability >= self._settings.start_probability:
            return None
        self.speaking = False
        return SpeechPaused(self._last_voiced)

    def _voiced_end(self, blocks: list[tuple[int, float]], size: int) -> int | None:
        """End of the last voiced block of this window."""
        if self._level < CLEAR_SPEECH * self._floor:
            return blocks[-1][0] + size
        threshold = max(OVER_FLOOR * self._floor, UNDER_SPEECH * self._level)
        return next((start + size for start, value in reversed(blocks) if value > threshold), None)

    def _beginning(self, first: int, level: float) -> int:
        """The sample where speech rose from the noise, looking back from the first window that was believed."""
        threshold = max(OVER_FLOOR * self._floor, UNDER_SPEECH * level)
        start = first
        for block, value in reversed(self._recent):
            if value <= threshold:
                break
            start = block
        return start

    def restart(self) -> TrackerEvent | None:
        """Sound was lost: what was open ends."""
        was_speaking, suspected = self.speaking, self._run_start is not None
        self.speaking, self._run_start = False, None
        self._recent.clear()
        if was_speaking:
            return SpeechPaused(self._last_voiced)
        return SpeechDismissed() if suspected else None
