"""Whether a finished piece of sound has speech in it at all: a second look, before anything is decoded.

Silero takes sung or plucked notes for voices. A note stands still: seen through 128 ms, nearly all of its energy lies
in a few narrow lines, while the pitch of a speaking voice moves and its lines are wide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asr.audio import Floats
from asr.silero import STATE, Silero, context_samples, window_samples

LINES_S = 0.128
LINES_HZ = (250, 3400)  # what a telephone carries, without hum
LINES_SHARE = 0.04  # of the spectrum
KEY_TONES_HZ = (697.0, 770.0, 852.0, 941.0, 1209.0, 1336.0, 1477.0, 1633.0)  # rows and columns, ITU-T Q.23
BESIDE_KEYS = 4  # windows: the click at the end of a key's tone, and the silence after it, sound like speech


# So many windows of speech are looked at together; when they are a voice, the rest of the sound is not read.
TOGETHER = 24


@dataclass(frozen=True)
class Presence:
    """voice: 0..1, the most that Silero believed in. reason: why it is no speech, empty when it is."""

    voice: float
    reason: str


class SpeechCheck:
    """threshold: what a window of 32 ms needs to count; windows_needed: how many must.

    Those beside a key's tone do not. tonal: when in three quarters of them more of the energy than this lies in narrow
    lines, it is music.
    """

    def __init__(self, silero: Silero, *, threshold: float = 0.3, windows_needed: int = 2, tonal: float = 0.97) -> None:
        self._silero = silero
        self._threshold, self._needed, self._tonal = threshold, windows_needed, tonal

    def look(self, audio: Floats, sample_rate: int) -> Presence:
        """8000 or 16000 Hz, -1..1."""

        def is_music(windows: list[int]) -> bool:
            return bool(np.quantile(line_shares(audio, windows, sample_rate), 0.25) > self._tonal)

        counted: list[int] = []
        voice = 0.0
        keys = np.flatnonzero(key_tones(audio, sample_rate))
        for index, probability in enumerate(self._probabilities(audio, sample_rate)):
            if len(keys) and np.abs(keys - index).min() <= BESIDE_KEYS:
                continue
            voice = max(voice, probability)
            if probability >= self._threshold:
                counted.append(index)
                if len(counted) % TOGETHER == 0 and not is_music(counted[-TOGETHER:]):
                    return Presence(voice, "")
        if len(counted) < self._needed:
            return Presence(voice, "no speech found")
        return Presence(voice, "music" if is_music(counted[-TOGETHER:]) else "")

    def _probabilities(self, audio: Floats, sample_rate: int) -> Iterator[float]:
        size, before = window_samples(sample_rate), context_samples(sample_rate)
        state = np.zeros(STATE, dtype=np.float32)
        padded = np.concatenate([np.zeros(before, np.float32), audio, np.zeros(-len(audio) % size, np.float32)])
        for start in range(0, len(padded) - before, size):
            window = padded[start : start + before + size].reshape(1, -1)
            probabilities, state = self._silero.run(sample_rate, window, state)
            yield float(probabilities[0])


def line_shares(audio: Floats, windows: list[int], sample_rate: int) -> Floats:
    """For each of these windows of 32 ms: how much of the energy around it lies in the strongest narrow lines, 0..1."""
    size, length = window_samples(sample_rate), int(LINES_S * sample_rate)
    padded = np.pad(audio, (length // 2, length // 2 + size))
    around = np.stack([padded[index * size + size // 2 :][:length] for index in windows])
    low, high = (int(hz * LINES_S) for hz in LINES_HZ)
    energies = np.square(np.abs(np.fft.rfft(around * np.hanning(length), axis=1)))[:, low:high]
    lines = round(LINES_SHARE * (high - low))
    strongest = np.sort(energies, axis=1)[:, -lines:].sum(axis=1)
    shares: Floats = (strongest / (energies.sum(axis=1) + 1e-12)).astype(np.float32)
    return shares


def key_tones(audio: Floats, sample_rate: int) -> NDArray[np.bool_]:
    """For each window of 32 ms: whether nearly all of it is one tone of the keypad's rows and one of its columns."""
    size = window_samples(sample_rate)
    windows = np.pad(audio, (0, -len(audio) % size)).reshape(-1, size)
    shape = np.hanning(size)
    total = np.square(windows * shape).sum(axis=1)
    waves = shape * np.exp(-2j * np.pi * np.outer(KEY_TONES_HZ, np.arange(size) / sample_rate))
    # The energy of the tone that would answer so.
    energies = 2 * np.square(np.abs(windows @ waves.T)) * np.square(shape).sum() / shape.sum() ** 2
    row, column = energies[:, :4].max(axis=1), energies[:, 4:].max(axis=1)
    found: NDArray[np.bool_] = (np.minimum(row, column) > 0.15 * total) & (row + column > 0.8 * total) & (total > 1e-9)
    return found
