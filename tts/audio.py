"""From a voice's own samples to what a telephone leg plays: level, one resampling, 16 bits."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

PROCESSING_VERSION = 3
"""Part of every voice's fingerprint: raise it when the functions here change how a voice sounds."""

ACTIVE_LEVEL_DB = -20.0
"""RMS of the speaking parts against full scale. Loud enough for a handset in a street, and G.711 still has headroom."""

PEAK = 0.89
"""No sample above -1 dB of full scale, so that resampling and codecs do not clip."""

SENTENCE_PAUSE_S = 0.22
"""Silence between two sentences of one text."""

CLAUSE_PAUSE_S = 0.12
"""Silence behind a comma, where a long sentence is made in pieces."""

JOINT_PAUSE_S = 0.04
"""Silence between two pieces of a sentence with no comma between them."""

EDGE_KEPT_S = 0.02
"""Silence that stays at either edge of a sentence."""

_FRAME_S = 0.02
_SILENCE_BELOW_PEAK = 10 ** (-40 / 20)
Samples = NDArray[np.float32]


def telephone_pcm(samples: Samples, sample_rate: int, wanted_rate: int) -> bytes:
    """Mono samples in [-1, 1] as PCM at `wanted_rate`, silence at the edges cut, at the common level."""
    trimmed = _trim(samples, sample_rate)
    if not trimmed.size:
        return b""
    gain = min(level_gain(trimmed, sample_rate), PEAK / float(np.abs(trimmed).max()))
    levelled = trimmed * np.float32(gain)
    return as_pcm(soxr.resample(levelled, sample_rate, wanted_rate) if wanted_rate != sample_rate else levelled)


def level_gain(samples: Samples, sample_rate: int) -> float:
    """What brings the speaking parts (frames within 20 dB of the loudest) to the common level."""
    frame = max(1, round(_FRAME_S * sample_rate))
    whole = len(samples) // frame * frame
    frames = samples[:whole].reshape(-1, frame) if whole else samples[np.newaxis, :]
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    active = power[power >= power.max() * 0.01]
    return float(10 ** (ACTIVE_LEVEL_DB / 20) / max(1e-9, float(np.sqrt(active.mean()))))


def sentence_pause(sample_rate: int) -> bytes:
    """The silence that goes between two sentences, as PCM."""
    return bytes(2 * round(SENTENCE_PAUSE_S * sample_rate))


def pause_after(piece: str, sample_rate: int) -> bytes:
    """The silence between a piece of a text and the next one, as PCM, by how the piece ends."""
    ending = piece.rstrip("\"'”») ")[-1:]
    seconds = (
        CLAUSE_PAUSE_S if ending in (",", ";", ":", "–") else JOINT_PAUSE_S if ending.isalnum() else SENTENCE_PAUSE_S
    )
    return bytes(2 * round(seconds * sample_rate))


def _trim(samples: Samples, sample_rate: int) -> Samples:
    """Without leading and trailing silence, but for 20 ms: the caller should not wait for a voice to draw breath."""
    magnitude = np.abs(samples)
    loudest = float(magnitude.max(initial=0.0))
    if loudest == 0.0:
        return samples[:0]
    audible = np.flatnonzero(magnitude > loudest * _SILENCE_BELOW_PEAK)
    kept = round(EDGE_KEPT_S * sample_rate)
    return samples[max(0, int(audible[0]) - kept) : int(audible[-1]) + 1 + kept]


def as_pcm(samples: Samples) -> bytes:
    """Samples in [-1, 1] as 16 bits."""
    return np.asarray(np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
