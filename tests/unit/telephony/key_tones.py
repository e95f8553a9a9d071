"""Keys of a telephone as tones (ITU-T Q.23), 8 kHz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telephony.dtmf import KEYS

LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
Signal = NDArray[np.float64]


def pair(
    key: str, ms: float = 60, *, level_db: float = -10, twist_db: float = 0, off_percent: tuple[float, float] = (0, 0)
) -> Signal:
    """`level_db`: of each tone against full scale; `twist_db`: how much stronger the high one is."""
    index = KEYS.index(key)
    at = np.arange(int(8 * ms)) / 8000
    low, high = LOW[index // 4] * (1 + off_percent[0] / 100), HIGH[index % 4] * (1 + off_percent[1] / 100)
    peak = 32768 * 10 ** (level_db / 20)
    up, down = 10 ** (max(0, twist_db) / 20), 10 ** (max(0, -twist_db) / 20)
    return np.asarray(peak / max(up, down) * (down * np.sin(2 * np.pi * low * at) + up * np.sin(2 * np.pi * high * at)))


def dialled(keys: str, ms: float = 60, pause_ms: float = 60, **how: object) -> Signal:
    pause = np.zeros(int(8 * pause_ms))
    return np.concatenate([pause, *(part for key in keys for part in (pair(key, ms, **how), pause))])  # type: ignore[arg-type]
