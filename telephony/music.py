"""Music: what a room can play to those who wait, and a piece of our own."""

from __future__ import annotations

from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from telephony.pcm import saturated, scaled

_BEAT_S = 0.5
_BAR_BEATS = 4
_FADE_TICKS = 15  # 300 ms
_PEAK = 9000  # quiet even before the room turns it down
# A gentle turn through C major: the bass note and the chord over it, as MIDI keys.
_BARS = (
    (48, (60, 64, 67, 71)),
    (57, (60, 64, 67, 72)),
    (53, (60, 65, 69, 72)),
    (55, (59, 62, 67, 71)),
    (52, (59, 64, 67, 71)),
    (57, (60, 64, 69, 72)),
    (50, (60, 65, 69, 74)),
    (55, (59, 65, 67, 74)),
)
_PICKING = (0, 1, 2, 3, 2, 1, 2, 1)  # chord notes in eighths

_Signal = npt.NDArray[np.float32]


class Music(Protocol):
    """An endless source of PCM at a room's rate."""

    def read(self, n_samples: int) -> bytes:
        """The next `n_samples` samples; called by the media thread, must not block."""


class Fader:
    """Music as it is played in a room: turned up, down and off within 300 ms. Media thread only."""

    def __init__(self, n_samples: int) -> None:
        self._frame = n_samples
        self._music: Music | None = None
        self._goal = 0.0
        self._level = 0.0
        self._step = 0.0

    def turn(self, music: Music | None, gain: float) -> None:
        """Go over to that level of that music; None fades out what plays."""
        if music is None:
            gain = 0.0
        elif music is not self._music:
            self._music = music
            self._level = 0.0
        self._goal = gain
        self._step = abs(gain - self._level) / _FADE_TICKS

    def frame(self) -> bytes | None:
        """The next frame, None when it has faded out."""
        level, goal, step = self._level, self._goal, self._step
        if self._music is None or level == goal == 0.0:
            return None
        pcm = self._music.read(self._frame)
        if level == goal:
            return scaled(pcm, level)
        self._level = min(goal, level + step) if goal > level else max(goal, level - step)
        return scaled(pcm, np.linspace(level, self._level, self._frame, dtype=np.float32))


class Loop:
    """A piece of PCM that goes round and round; implements Music."""

    def __init__(self, pcm: bytes) -> None:
        self._loop = pcm
        self._at = 0

    def read(self, n_samples: int) -> bytes:
        parts = []
        missing = 2 * n_samples
        while missing:
            part = self._loop[self._at : self._at + missing]
            parts.append(part)
            missing -= len(part)
            self._at = (self._at + len(part)) % len(self._loop)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class HoldMusic(Loop):
    """Plucked chords over a soft bass, 16 s round and round; nobody's copyright but ours.

    The loop is synthesised once for each sample rate and process (some 100 ms): make one before the first call waits.
    """

    def __init__(self, sample_rate: int) -> None:
        super().__init__(_loop(sample_rate))


@cache
def _loop(sample_rate: int) -> bytes:
    beat = int(_BEAT_S * sample_rate)
    track = np.zeros(len(_BARS) * _BAR_BEATS * beat, dtype=np.float32)
    for bar, (bass, chord) in enumerate(_BARS):
        start = bar * _BAR_BEATS * beat
        _add(track, start, 0.5 * _note(bass, 3.0, 1.2, sample_rate))
        for eighth, which in enumerate(_PICKING):
            loudness = 0.32 if eighth % 4 == 0 else 0.24
            _add(track, start + eighth * beat // 2, loudness * _note(chord[which], 2.0, 0.5, sample_rate))
    return saturated(track * (_PEAK / np.abs(track).max()))


def _add(track: _Signal, start: int, note: _Signal) -> None:
    """What rings beyond the end goes on at the beginning, so the loop has no seam."""
    at = (start + np.arange(len(note))) % len(track)
    np.add.at(track, at, note)


def _note(key: int, length_s: float, decay_s: float, sample_rate: int) -> _Signal:
    """A soft plucked string: four partials, the higher ones fading faster, 8 ms of attack, released to zero."""
    at_s = np.arange(int(length_s * sample_rate), dtype=np.float32) / sample_rate
    pitch = 440.0 * 2.0 ** ((key - 69) / 12)
    note = np.zeros_like(at_s)
    for partial, share in ((1, 1.0), (2, 0.35), (3, 0.12), (4, 0.05)):
        if pitch * partial < 3400:  # what a telephone line carries
            note += share * np.sin(2 * np.pi * pitch * partial * at_s) * np.exp(-at_s * partial / decay_s)
    attack = np.clip(at_s / 0.008, 0.0, 1.0)
    release = np.clip((length_s - at_s) / 0.05, 0.0, 1.0)
    return np.asarray(note * attack * release, dtype=np.float32)
