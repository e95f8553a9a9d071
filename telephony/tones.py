"""Tones of the telephone network, as music for a room."""

from __future__ import annotations

from functools import cache

import numpy as np

from telephony.pcm import saturated

# Poland's ringing tone (ITU-T E.180, supplement 2): 425 Hz, one second on, four seconds off.
_HZ = 425.0
_ON_S, _OFF_S = 1.0, 4.0
_PEAK = 6000
_EDGE_S = 0.01


class RingingTone:
    """What somebody hears while a telephone rings; endless, like HoldMusic."""

    def __init__(self, sample_rate: int) -> None:
        self._period = _period(sample_rate)
        self._at = 0

    def read(self, n_samples: int) -> bytes:
        at = (self._at + np.arange(n_samples)) % len(self._period)
        self._at = int(at[-1] + 1) % len(self._period) if n_samples else self._at
        return self._period[at].tobytes()


@cache
def _period(sample_rate: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    at_s = np.arange(int((_ON_S + _OFF_S) * sample_rate)) / sample_rate
    edge = np.clip(np.minimum(at_s, _ON_S - at_s) / _EDGE_S, 0.0, 1.0)
    ringing = _PEAK * edge * np.sin(2 * np.pi * _HZ * at_s)
    return np.frombuffer(saturated(ringing.astype(np.float32)), dtype=np.int16)
