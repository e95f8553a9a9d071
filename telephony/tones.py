"""Tones of the telephone network."""

from __future__ import annotations

from functools import cache

import numpy as np

from telephony.music import Loop
from telephony.pcm import saturated, silence

# Poland's ringing tone (ITU-T E.180, supplement 2): 425 Hz, one second on, four seconds off.
_RINGING_HZ = 425.0
_ON_S, _OFF_S = 1.0, 4.0
_RINGING_PEAK = 6000
_EDGE_S = 0.01


def tone(hz: float, seconds: float, peak: float, sample_rate: int) -> bytes:
    """16-bit mono, without clicks at its ends."""
    at_s = np.arange(int(seconds * sample_rate)) / sample_rate
    edges = np.minimum(1.0, np.minimum(at_s, seconds - at_s) / _EDGE_S)
    return saturated((peak * edges * np.sin(2 * np.pi * hz * at_s)).astype(np.float32))


class RingingTone(Loop):
    """What somebody hears while a telephone rings; endless, like HoldMusic."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__(_ringing(sample_rate))


@cache
def _ringing(sample_rate: int) -> bytes:
    return tone(_RINGING_HZ, _ON_S, _RINGING_PEAK, sample_rate) + silence(int(_OFF_S * sample_rate))
