"""Small tools for 16-bit mono PCM that the media thread uses in every tick."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from telephony.leg import FRAME_MS

Samples = npt.NDArray[np.int16]

_LOWEST, _HIGHEST = -32768, 32767


def frame_samples(sample_rate: int) -> int:
    """Samples of one 20 ms frame."""
    return sample_rate * FRAME_MS // 1000


@cache
def silence(n_samples: int) -> bytes:
    """Digital silence; always the same object for one length, so `is` recognises it."""
    return bytes(2 * n_samples)


def samples(pcm: bytes) -> Samples:
    """Read-only view of `pcm` as int16."""
    return np.frombuffer(pcm, dtype="<i2")


def saturated(values: npt.NDArray[np.int32] | npt.NDArray[np.float32]) -> bytes:
    """PCM of `values`, clipped to the range of 16 bits."""
    return np.clip(values, _LOWEST, _HIGHEST).astype("<i2").tobytes()


def scaled(pcm: bytes, gain: float | npt.NDArray[np.float32]) -> bytes:
    """`pcm` times a gain, or times one gain a sample."""
    return saturated(np.rint(samples(pcm) * np.asarray(gain, dtype=np.float32)).astype(np.float32))


def gain_of(decibels: float) -> float:
    """Amplitude factor of a level change."""
    return float(10.0 ** (decibels / 20.0))
