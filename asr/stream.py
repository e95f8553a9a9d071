"""One caller's voice on its way to voice activity detection: queue, history, gate. The service is `asr.activity`."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from asr.silero import STATE, WINDOW_MS, context_samples, window_samples
from asr.tracker import BLOCKS_PER_WINDOW, ActivitySettings, SpeechTracker, TrackerEvent

Floats = NDArray[np.float32]

GATE_MS = 30  # webrtcvad takes 10, 20 or 30 ms: the first 30 of each window of 32
WARM_UP_WINDOWS = 2  # heard by Silero when the gate opens, so that it does not begin in the middle of a word
# Long noise or music leaves Silero's state deaf to the speech that follows; so much clear non-speech resets it.
RESET_AFTER_WINDOWS = 2000 // WINDOW_MS
RESET_PROBABILITY = 0.1
# What comes back of our own voice does so within this time, and at least so far under it (ITU-T G.168 in spirit).
ECHO_MS = 400
ECHO_FACTOR = 10 ** (-25 / 20)
PLAYED_FRAMES = 256
# Silero hardly hears soft voices: it is given them louder, by at most 18 dB, after the loudest sound of late.
RAISED_PEAK = 0.1
HIGHEST_GAIN = 8.0
PEAK_DECAY = 0.97  # a window; half in 0.7 s


@dataclass(frozen=True)
class ActivityFailed:
    """Detection of this stream has ended by a fault of ours, after `at_sample`; the others go on."""

    at_sample: int
    reason: str


ActivityEvent = TrackerEvent | ActivityFailed


@dataclass
class Window:
    """One that Silero shall judge. One that does not decide is only heard again, when the gate has just opened.

    samples: in -1..1. loudness: root mean square of each of its blocks.
    """

    first_sample: int
    samples: Floats
    loudness: Sequence[float]
    gain: float = 1.0  # for Silero
    decides: bool = True
    probability: float = 0.0


@dataclass(frozen=True)
class Measured:
    """A window before the gate, as 16-bit `pcm` and as `samples` in -1..1, of which are the other values.

    level: root mean square, and `loudness` that of each block.
    """

    pcm: bytes
    samples: Floats
    level: float
    peak: float
    loudness: Sequence[float]


def measure(cut: Sequence[bytes]) -> list[Measured]:
    """Windows of the same length, all in one go: numpy's calls cost more than what they do for a single window.

    Nor may it be one call a window that lets go of the GIL, as numpy's `dot` does: each costs a wait for the others.
    """
    samples = np.frombuffer(b"".join(cut), dtype="<i2").reshape(len(cut), -1).astype(np.float32) / np.float32(32768)
    power = np.square(samples).reshape(len(cut), BLOCKS_PER_WINDOW, -1).mean(axis=2)
    levels = np.sqrt(power.mean(axis=1)).tolist()
    peaks = np.abs(samples).max(axis=1).tolist()
    loudness = np.sqrt(power).tolist()
    return [Measured(*window) for window in zip(cut, samples, levels, peaks, loudness, strict=True)]


class ActivityStream:
    """Made by `ActivityService.open`; `on_event` runs on the activity thread."""

    def __init__(
        self,
        sample_rate: int,
        settings: ActivitySettings,
        on_event: Callable[[ActivityEvent], None],
        wake: Callable[[], None],
    ) -> None:
        self.sample_rate = sample_rate
        self.dropped_samples = 0
        self.failure: str | None = None
        self._settings, self._on_event, self._wake = settings, on_event, wake
        self._lock = threading.Lock()
        self._history = np.zeros(settings.history_s * sample_rate, dtype=np.int16)
        self._position = 0
        self._queue: deque[tuple[int, bytes]] = deque()
        self._queued = 0
        self._pieces: deque[tuple[int, bytes]] = deque()
        self._due: deque[Window] = deque()
        self._closed = False
        self._vad = webrtcvad.Vad(settings.gate)
        self._quiet = 10 ** (settings.quiet_dbfs / 20)
        self._played: deque[tuple[int, float]] = deque(maxlen=PLAYED_FRAMES)  # end sample and level of each piece
        self._tracker = SpeechTracker(sample_rate, settings)
        self._rest: bytes
        self._gate_left: int
        self._quiet_windows: int
        self._peak: float
        self._start_over(0)

    @property
    def position(self) -> int:
        """Samples fed so far."""
        return self._position

    @property
    def behind(self) -> int:
        """Samples fed and not yet looked at; less than a window when all is well."""
        return 0 if self._closed else self._position - self._processed

    @property
    def closed(self) -> bool:
        return self._closed

    def feed(self, first_sample: int, pcm: bytes) -> None:
        """The next piece of sound, 16-bit mono. From the media thread; never blocks.

        More than `queue_ms` waiting: the oldest is dropped and counted. Samples left out are silence in the history,
        samples fed twice are ignored the second time.
        """
        with self._lock:
            if self._closed:
                return
            skip = max(0, self._position - first_sample)
            pcm, first_sample = pcm[2 * skip : len(pcm) // 2 * 2], first_sample + skip
            if not pcm:
                return
            self._remember(first_sample, pcm)
            self._queue.append((first_sample, pcm))
            self._queued += len(pcm) // 2
            while self._queued > self._settings.queue_ms * self.sample_rate // 1000 and len(self._queue) > 1:
                dropped = len(self._queue.popleft()[1]) // 2
                self._queued -= dropped
                self.dropped_samples += dropped
        self._wake()

    def played(self, first_sample: int, pcm: bytes) -> None:
        """What the caller is being told, counted like `feed`; never blocks. The newest 256 pieces are kept.

        Sound far under it is its echo and counts as silence. Whoever does not tell gets the bot's own words back from
        lines that return them: quiet speech and an echo cannot be told apart by listening.
        """
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
        if len(samples):
            level = math.sqrt(np.add.reduce(np.square(samples)) / len(samples)) / 32768
            with self._lock:
                self._played.append((first_sample + len(samples), level))

    def _remember(self, first_sample: int, pcm: bytes) -> None:
        """Writes the ring: sample n lies at n modulo its length."""
        ring = self._history
        gap = min(first_sample - self._position, len(ring))
        if gap:
            ring[np.arange(first_sample - gap, first_sample) % len(ring)] = 0
        samples = np.frombuffer(pcm, dtype="<i2")[-len(ring) :]
        self._position = first_sample + len(pcm) // 2
        start = (self._position - len(samples)) % len(ring)
        head = min(len(samples), len(ring) - start)
        ring[start : start + head] = samples[:head]
        ring[: len(samples) - head] = samples[head:]

    def audio(self, start_sample: int, end_sample: int) -> bytes:
        """That stretch of sound, as far as it lies in the last `history_s` seconds; from any thread."""
        with self._lock:
            ring = self._history
            start = max(start_sample, self._position - len(ring), 0)
            end = min(end_sample, self._position)
            if end <= start:
                return b""
            return ring[np.arange(start, end) % len(ring)].astype("<i2").tobytes()

    def close(self) -> None:
        """No event begins after this; idempotent."""
        with self._lock:
            self._closed = True
            self._queue.clear()
            self._queued = 0

    # What follows is for the activity thread alone.

    def collect(self) -> None:
        """Takes over the sound that has come in since the last call."""
        with self._lock:
            self._pieces += self._queue
            self._queue.clear()
            self._queued = 0

    def cut(self) -> bytes | None:
        """The next whole window of sound, to be measured and admitted; None until more comes.

        Where sound is missing, everything starts over.
        """
        size = 2 * window_samples(self.sample_rate)
        while len(self._rest) < size:
            if not self._pieces:
                return None
            first, pcm = self._pieces.popleft()
            if first != self._processed + len(self._rest) // 2:
                self._start_over(first)
                self._emit(self._tracker.restart())
            self._rest += pcm
        window, self._rest = self._rest[:size], self._rest[size:]
        return window

    def admit(self, measured: Measured) -> None:
        """Through the gate; a window that opens it takes along those that were shut out just before."""
        samples, level, peak, loudness = measured.samples, measured.level, measured.peak, measured.loudness
        if self._is_echo(level, len(samples)):
            samples, level, peak, loudness = np.zeros_like(samples), 0.0, 0.0, [0.0] * BLOCKS_PER_WINDOW
        self._peak = max(peak, PEAK_DECAY * self._peak)
        gain = min(HIGHEST_GAIN, max(1.0, RAISED_PEAK / max(self._peak, 1e-6)))
        window = Window(self._processed, samples, loudness, gain)
        self._processed += len(samples)
        was_open = self._gate_left > 0
        if self._audible(level, measured.pcm) or self._tracker.speaking:
            self._gate_left = self._settings.gate_tail_ms // WINDOW_MS
        elif was_open:
            self._gate_left -= 1
        if not self._gate_left:
            self._quiet_windows = 0
            self._emit(self._tracker.update(window.first_sample, len(samples), loudness, 0.0))
        else:
            if not was_open:
                self._forget()
                self._due += [replace(shut, decides=False) for shut in self._before]
            self._due.append(window)
        self._before.append(window)

    def due(self) -> Window | None:
        """The next one for Silero, which must be `judged` before another is cut or asked for.

        One at a time: gate, state and tracker then depend on the sound alone, not on how much of it came at once.
        """
        return self._due.popleft() if self._due else None

    def judged(self, window: Window) -> None:
        """Takes the window with its probability, and tells what it means."""
        if not window.decides:
            return
        self._emit(self._tracker.update(window.first_sample, len(window.samples), window.loudness, window.probability))
        self._quiet_windows = self._quiet_windows + 1 if window.probability < RESET_PROBABILITY else 0
        if self._quiet_windows >= RESET_AFTER_WINDOWS:
            self._quiet_windows = 0
            self.state = np.zeros(STATE, dtype=np.float32)

    def fail(self, reason: str) -> None:
        """Ends this stream and says so, once."""
        if self._closed:
            return
        self.failure = reason
        try:
            self._emit(ActivityFailed(self._processed, reason))
        finally:
            self.close()

    def _start_over(self, at_sample: int) -> None:
        self._processed = at_sample
        self._rest = b""
        self._before: deque[Window] = deque(maxlen=WARM_UP_WINDOWS)
        self._gate_left = 0
        self._quiet_windows = 0
        self._peak = 0.0
        self._forget()

    def _forget(self) -> None:
        self.state = np.zeros(STATE, dtype=np.float32)
        self.context = np.zeros(context_samples(self.sample_rate), dtype=np.float32)

    def _is_echo(self, level: float, length: int) -> bool:
        since = self._processed - ECHO_MS * self.sample_rate // 1000
        until = self._processed + length
        with self._lock:
            while self._played and self._played[0][0] <= since:
                self._played.popleft()
            loudest = max((level for end, level in self._played if end <= until), default=0.0)
        return level < loudest * ECHO_FACTOR

    def _audible(self, level: float, pcm: bytes) -> bool:
        if level < self._quiet:
            return False
        return bool(self._vad.is_speech(pcm[: 2 * (self.sample_rate * GATE_MS // 1000)], self.sample_rate))

    def _emit(self, event: ActivityEvent | None) -> None:
        if event is not None and not self._closed:
            self._on_event(event)
