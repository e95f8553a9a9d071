"""Loss concealment for codecs that have none (G.711): pitch repetition with fade.

In the spirit of ITU-T G.711 Appendix I (pattern of the last pitch period, one period more for every lost frame so that
long gaps do not buzz, fade to silence at 60 ms, overlap-add where good audio comes back), without its 3.75 ms of delay:
the seam into the repeated pattern is closed by a short decaying correction instead.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from telephony.leg import FRAME_MS
from telephony.pcm import frame_samples, samples, saturated, silence

QUIET_PEAK = 300  # about -40 dBFS: the floor of a telephone line, not speech
LIMIT_FRAMES = 3  # after 60 ms a repeated pitch is a robot, not speech
_HISTORY_FRAMES = 3
_SHORTEST_PERIOD_MS = 2.5  # 400 Hz
_LONGEST_PERIOD_MS = 15.0  # 66 Hz
_FADE_STARTS_MS = 10.0
_SEAM_MS = 1.5
_RETURN_MS = 5.0
_NEARLY = 0.85

_Signal = npt.NDArray[np.float32]


class Concealer:
    """One received stream of 20 ms frames. Good frames pass untouched, so a clean stream costs next to nothing."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._frame = frame_samples(sample_rate)
        self._silence = silence(self._frame)
        self._history: list[bytes] = [self._silence] * _HISTORY_FRAMES
        self._missed = 0
        self._quiet = False
        self._signal: _Signal = np.zeros(0, dtype=np.float32)

    @property
    def paused(self) -> bool:
        """The gap is a pause, not a loss: it began in a quiet place (DTX), or has lasted longer than repetition can."""
        return self._missed > LIMIT_FRAMES or (self._missed > 0 and self._quiet)

    def received(self, frame: bytes) -> bytes:
        """A good frame; after a gap its first milliseconds are blended with the end of the concealment."""
        if self._missed:
            frame = self._blended(frame)
            self._missed = 0
        history = self._history
        del history[0]
        history.append(frame)
        return frame

    def missing(self) -> bytes:
        """A frame in place of one that did not come; digital silence once 60 ms are covered."""
        self._missed += 1
        if self._missed > LIMIT_FRAMES:
            self._history = [self._silence] * _HISTORY_FRAMES
            return self._silence
        if self._missed == 1:
            self._begin()
        start = (self._missed - 1) * self._frame
        return saturated(np.rint(self._signal[start : start + self._frame]))

    def _begin(self) -> None:
        """Synthesise the whole concealment, with what is needed for blending, from the last good audio."""
        past = samples(b"".join(self._history)).astype(np.float32)
        self._quiet = float(np.abs(past[len(past) - self._frame :]).max()) < QUIET_PEAK
        period = _pitch_period(past, self._rate)
        length = LIMIT_FRAMES * self._frame + self._ms(_RETURN_MS)
        pieces = []
        for frame in range(LIMIT_FRAMES + 1):
            pattern = _pattern(past, period * min(frame + 1, LIMIT_FRAMES))
            at = (np.arange(self._frame) + frame * self._frame) % len(pattern)
            pieces.append(pattern[at])
        signal = pieces[0]
        for piece in pieces[1:]:
            signal = _joined(signal, piece, self._ms(_SEAM_MS))
        signal = signal[:length]
        expected = 2 * past[-1] - past[-2]
        seam = self._ms(_SEAM_MS)
        signal[:seam] += (expected - signal[0]) * _falling(seam)
        self._signal = signal * self._fade(length)

    def _fade(self, length: int) -> _Signal:
        at_ms = np.arange(length, dtype=np.float32) * (1000.0 / self._rate)
        whole_ms = LIMIT_FRAMES * FRAME_MS
        return np.asarray(np.clip((whole_ms - at_ms) / (whole_ms - _FADE_STARTS_MS), 0.0, 1.0), dtype=np.float32)

    def _blended(self, frame: bytes) -> bytes:
        overlap = self._ms(_RETURN_MS)
        start = self._missed * self._frame
        tail = np.zeros(overlap, dtype=np.float32)
        known = self._signal[start : start + overlap] if self._missed <= LIMIT_FRAMES else tail[:0]
        tail[: len(known)] = known
        fresh = samples(frame).astype(np.float32)
        falling = _falling(overlap)
        fresh[:overlap] = fresh[:overlap] * (1.0 - falling) + tail * falling
        return saturated(np.rint(fresh))

    def _ms(self, duration_ms: float) -> int:
        return int(self._rate * duration_ms / 1000)


def crossfaded(first: bytes, second: bytes) -> bytes:
    """`second`, begun as `first` begins, so that the frame `first` can be left out without a click."""
    beginning, rest = samples(first).astype(np.float32), samples(second).astype(np.float32)
    falling = _falling(len(rest) // 4)
    rest[: len(falling)] = beginning[: len(falling)] * falling + rest[: len(falling)] * (1.0 - falling)
    return saturated(np.rint(rest))


def _falling(length: int) -> _Signal:
    """Half a raised cosine from 1 to 0."""
    return (0.5 + 0.5 * np.cos(np.pi * (np.arange(length, dtype=np.float32) + 0.5) / length)).astype(np.float32)


def _joined(first: _Signal, second: _Signal, overlap: int) -> _Signal:
    """`second` after `first`, its beginning pulled to where `first` ends."""
    step = (2 * first[-1] - first[-2]) - second[0]
    second = second.copy()
    second[:overlap] += step * _falling(overlap)
    return np.concatenate((first, second))


def _pattern(past: _Signal, length: int) -> _Signal:
    """The last `length` samples, made to repeat without a seam by overlapping a quarter of a period at the end."""
    length = min(length, len(past) * 3 // 4)
    overlap = min(length // 4, len(past) - length)
    pattern = past[len(past) - length :].copy()
    before = past[len(past) - length - overlap : len(past) - length]
    falling = _falling(overlap)
    pattern[length - overlap :] = pattern[length - overlap :] * falling + before * (1.0 - falling)
    return pattern


def _pitch_period(past: _Signal, sample_rate: int) -> int:
    """Lag in samples at which the last 20 ms resemble most what came before (normalised correlation).

    Of lags that are nearly as good the shortest is taken: a multiple of the period repeats older audio.
    """
    shortest = int(sample_rate * _SHORTEST_PERIOD_MS / 1000)
    longest = int(sample_rate * _LONGEST_PERIOD_MS / 1000)
    window = frame_samples(sample_rate)
    recent = past[len(past) - window :]
    lagged = np.lib.stride_tricks.sliding_window_view(past[len(past) - window - longest : len(past) - shortest], window)
    products = lagged @ recent
    energies = np.einsum("ij,ij->i", lagged, lagged)
    scores = products / np.sqrt(energies + 1.0)
    good = np.flatnonzero(scores >= _NEARLY * scores.max())
    if scores.max() <= 0 or not len(good):
        return longest
    # `scores` runs from the longest lag to the shortest: climb to the top of the last hill.
    top = int(good[-1])
    while top > 0 and scores[top - 1] > scores[top]:
        top -= 1
    return longest - top
