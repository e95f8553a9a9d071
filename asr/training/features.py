"""Sound -> log-mel frames, by the very extractor that faster-whisper will use, kept as bytes.

A frame is 20 ms (hop 320 at 16 kHz), half as many as Whisper's: an encoder position is 40 ms and 10 s are 250 of them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

MELS = 80
# Bins from here up lie above 4 kHz. A telephone line leaves them empty, and a model that has heard only telephone lines
# breaks on sound that never went through one. So the model does not see them (model.py), and wideband sound needs no
# detour through 8 kHz.
TELEPHONE_MELS = 62
SAMPLE_RATE = 16000
HOP = 320
FRAME_MS = 20
MAX_FRAMES = 500
PREPROCESSOR = {"feature_size": MELS, "sampling_rate": SAMPLE_RATE, "hop_length": HOP, "n_fft": 400, "chunk_length": 10}

# Log-mel values lie in -1.5 .. 2 (Whisper clamps at 8 below the loudest and scales by 4).
_LOW, _SPAN = -1.5, 3.5

Frames = NDArray[np.uint8]


@lru_cache(maxsize=1)
def _extractor() -> FeatureExtractor:
    return FeatureExtractor(**PREPROCESSOR)


def extract(signal: NDArray[np.float32]) -> Frames:
    """16 kHz in -1..1 -> [frames, MELS], one frame for every whole 20 ms."""
    mel = _extractor()(signal)[:, : len(signal) // HOP].T
    frames: Frames = np.clip(np.round((mel - _LOW) / _SPAN * 255), 0, 255).astype(np.uint8)
    return frames


def restore(frames: Frames) -> NDArray[np.float32]:
    """The log-mel values of stored frames, exact to 0.007."""
    return frames.astype(np.float32) * np.float32(_SPAN / 255) + np.float32(_LOW)
