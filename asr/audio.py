"""Preparing sound for a Whisper model: rate, level, and cutting what is longer than its window."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MODEL_RATE = 16000
TELEPHONE_RATE = 8000
QUIET_PEAK = 0.1  # below -20 dBFS a piece is brought up
TARGET_PEAK = 0.25
SILENT_PEAK = 10 / 32768  # below this there is nothing to bring up
BLOCK_S = 0.02


def from_pcm(pcm: bytes) -> Floats:
    """16-bit little-endian PCM as floats in -1..1."""
    return (np.frombuffer(pcm, dtype="<i2").astype(np.float32) / 32768).astype(np.float32)


def resample(audio: Floats, source: int, target: int) -> Floats:
    if source == target or not len(audio):
        return audio
    converted: Floats = soxr.resample(audio, source, target, quality="MQ").astype(np.float32)
    return converted


def levelled(audio: Floats) -> Floats:
    """Quiet speech raised: Whisper's features know absolute level, and a quiet line is not a quiet word."""
    peak = float(np.abs(audio).max(initial=0.0))
    if peak < SILENT_PEAK or peak >= QUIET_PEAK:
        return audio
    return (audio * np.float32(TARGET_PEAK / peak)).astype(np.float32)


def split(audio: Floats, sample_rate: int, longest_s: float) -> list[tuple[int, Floats]]:
    """Pieces of at most `longest_s`, each with its first sample, cut where a window's second half is quietest."""
    longest = int(longest_s * sample_rate)
    pieces = []
    start = 0
    while len(audio) - start > longest:
        cut = start + longest // 2 + _quietest(audio[start + longest // 2 : start + longest], sample_rate)
        pieces.append((start, audio[start:cut]))
        start = cut
    pieces.append((start, audio[start:]))
    return pieces


def _quietest(audio: Floats, sample_rate: int) -> int:
    """Middle of the quietest 100 ms, in samples."""
    block = int(BLOCK_S * sample_rate)
    blocks = len(audio) // block
    energy = np.square(audio[: blocks * block].reshape(blocks, block)).sum(axis=1)
    width = min(5, blocks)
    sums = np.convolve(energy, np.ones(width), mode="valid")
    return (int(sums.argmin()) * 2 + width) * block // 2
