"""What can be said of a call from its captured audio: who spoke when, how fast the answer came, who heard whom.

Pure functions. Times are Unix seconds on the wire (`CapturedAudio.time_at`); audio is 16-bit mono at 8000 Hz.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voicebot.caller.capture import SAMPLE_RATE, CapturedAudio, Samples

_FRAME = 80  # 10 ms
_SILENCE_DBFS = -96.0
_NEVER_NOISE_DBFS = -28.0  # a steady sound louder than this is taken for speech, whatever else the stream holds
_ABOVE_NOISE_DB = 12.0


@dataclass(frozen=True)
class Audibility:
    """When a sound counts as speech.

    `threshold_dbfs` is raised to 12 dB above the stream's own noise floor. Speech shorter than `shortest_ms` is a
    click; a pause shorter than `hangover_ms` belongs to the speech around it (it is never added at its end).
    """

    threshold_dbfs: float = -45.0
    shortest_ms: int = 60
    hangover_ms: int = 300


@dataclass(frozen=True)
class Span:
    """Audible speech: first and last audible moment."""

    start: float
    end: float


@dataclass(frozen=True)
class Turn:
    """One utterance of the caller and the answer to it. `voice_to_voice_ms` is end of speech to start of speech."""

    spoken: Span
    answered_at: float

    @property
    def voice_to_voice_ms(self) -> float:
        return (self.answered_at - self.spoken.end) * 1000


@dataclass(frozen=True)
class Interruption:
    """The caller began to speak while the other side was speaking; `stopped_after_ms` until that fell silent."""

    at: float
    stopped_after_ms: float


@dataclass(frozen=True)
class Heard:
    """Whether one sound is found in another. `matched` of `windows` pieces were found at the same delay."""

    windows: int
    matched: int
    delay_s: float
    correlation: float

    @property
    def proven(self) -> bool:
        return self.matched >= 2 and self.matched >= 0.5 * self.windows


def levels_dbfs(samples: Samples) -> NDArray[np.float64]:
    """RMS of every 10 ms in dB relative to full scale, at least -96."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float64)
    rms = np.sqrt(np.square(frames).mean(axis=1)) / 32768
    levels: NDArray[np.float64] = np.maximum(20 * np.log10(np.maximum(rms, 1e-12)), _SILENCE_DBFS)
    return levels


def noise_floor_dbfs(levels: NDArray[np.float64]) -> float:
    """Level of the quietest tenth: a call has pauses, and only steady noise fills them."""
    return float(np.percentile(levels, 10)) if len(levels) else _SILENCE_DBFS


def audible(samples: Samples, audibility: Audibility = Audibility()) -> list[tuple[int, int]]:
    """Speech as (first sample, one past the last), in 10 ms steps."""
    levels = levels_dbfs(samples)
    floor = min(noise_floor_dbfs(levels) + _ABOVE_NOISE_DB, _NEVER_NOISE_DBFS)
    loud = levels > max(audibility.threshold_dbfs, floor)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(np.int8)))
    bursts = [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
    joined: list[tuple[int, int]] = []
    for start, end in bursts:
        if joined and (start - joined[-1][1]) * 10 <= audibility.hangover_ms:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return [
        (start * _FRAME, end * _FRAME)
        for start, end in joined
        if 10 * int(loud[start:end].sum()) >= audibility.shortest_ms
    ]


def speech_spans(audio: CapturedAudio, audibility: Audibility = Audibility()) -> list[Span]:
    """Audible speech of one direction in wire time."""
    return [Span(audio.time_at(start), audio.time_at(end - 1)) for start, end in audible(audio.samples, audibility)]


def turns(sent: Sequence[Span], received: Sequence[Span]) -> list[Turn]:
    """Every utterance with its answer.

    An utterance that ended while the other side was audible has no voice-to-voice time (somebody interrupted), nor has
    one that the caller continued before any answer; both are left out.
    """
    found = []
    for index, spoken in enumerate(sent):
        if any(span.start <= spoken.end <= span.end for span in received):
            continue
        answer = next((span.start for span in received if span.start > spoken.end), None)
        following = sent[index + 1].start if index + 1 < len(sent) else math.inf
        if answer is not None and answer < following:
            found.append(Turn(spoken, answer))
    return found


def interruptions(sent: Sequence[Span], received: Sequence[Span]) -> list[Interruption]:
    """Every time the caller began while the other side was audible."""
    return [
        Interruption(spoken.start, (span.end - spoken.start) * 1000)
        for spoken in sent
        for span in received
        if span.start < spoken.start < span.end
    ]


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Nearest-rank percentile; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def find_speech(said: Samples, heard: Samples, *, window_s: float = 1.0, tolerance_s: float = 0.25) -> Heard:
    """Look for `said` in `heard` by normalised cross-correlation of the waveforms.

    The speech in `said` is cut into windows; each is searched over the whole of `heard`. Level, G.711 coding and noise
    do not matter much, and since every window has a delay of its own, neither does a jitter buffer that drops or
    inserts a frame. A window counts when it correlates and its delay agrees with the others: a single window of
    unrelated speech may correlate by chance (two voiced sounds of one pitch do), agreeing delays do not.
    """
    step = int(window_s * SAMPLE_RATE)
    starts = [
        start
        for first, end in audible(said, Audibility(hangover_ms=100))
        for start in range(first, max(first + 1, end - step // 2), step)
        if start + step <= len(said)
    ]
    best = [(start, *best_match(said[start : start + step], heard)) for start in starts]
    found = [(position - start, score) for start, position, score in best if score >= _CORRELATES]
    if not found:
        return Heard(len(starts), 0, 0.0, 0.0)
    tolerance = int(tolerance_s * SAMPLE_RATE)
    groups = [[item for item in found if abs(item[0] - delay) <= tolerance] for delay, _ in found]
    agreeing = max(groups, key=len)
    delay = float(np.median([delay for delay, _ in agreeing])) / SAMPLE_RATE
    return Heard(len(starts), len(agreeing), delay, float(np.median([score for _, score in agreeing])))


_CORRELATES = 0.5


def best_match(piece: Samples, heard: Samples) -> tuple[int, float]:
    """Where `piece` fits best into `heard`, and its normalised correlation there (0 to 1)."""
    if len(heard) < len(piece) or not np.ptp(piece):  # A-law has no zero: its silence is a constant
        return 0, 0.0
    needle = piece.astype(np.float64) - piece.mean()
    hay = heard.astype(np.float64)
    size = 1 << (len(hay) + len(needle) - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(hay, size) * np.conj(np.fft.rfft(needle, size)), size)
    count = len(hay) - len(needle) + 1
    sums = np.concatenate([[0.0], np.cumsum(hay)])
    squares = np.concatenate([[0.0], np.cumsum(np.square(hay))])
    total = sums[len(needle) :] - sums[: -len(needle)]
    energy = squares[len(needle) :] - squares[: -len(needle)] - np.square(total) / len(needle)
    audible_energy = np.maximum(energy, len(needle) * 10.0**2)  # below an amplitude of 10 there is nothing to hear
    score = product[:count] / np.sqrt(audible_energy * np.square(needle).sum())
    position = int(np.argmax(score))
    return position, float(score[position])
