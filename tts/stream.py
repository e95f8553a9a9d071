"""Speech that arrives in pieces, made into what a telephone leg plays: `tts.audio` for voices that are not ours.

A piece goes out as soon as it is known to be no silence at an edge, so nothing waits for the end of the sentence.
"""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from tts.audio import ACTIVE_LEVEL_DB, PEAK

Samples = NDArray[np.float32]

FRAME_S = 0.02
SILENCE_PEAK = 0.004  # -48 dB of full scale
KEPT_S = 0.02  # of the silence at either edge
LEARN_S = 0.5
"""So much speech is held back once in a voice's life, to learn how loud it is."""
REMEMBERED_S = 60.0


class VoiceLevel:
    """How loud a voice speaks, learnt from what it has said; kept for as long as the voice is used."""

    def __init__(self) -> None:
        self._power = 0.0
        self._loudest = 0.0
        self._seconds = 0.0
        self._rest = np.zeros(0, np.float32)

    @property
    def known(self) -> bool:
        return self._seconds >= LEARN_S

    @property
    def gain(self) -> float:
        """By which the voice meets the common level."""
        if not self._seconds:
            return 1.0
        return float(10 ** (ACTIVE_LEVEL_DB / 20) / max(1e-4, np.sqrt(self._power / self._seconds)))

    def hear(self, samples: Samples, sample_rate: int) -> None:
        """Count the speaking parts: frames within 20 dB of the loudest heard so far."""
        frame = max(1, round(FRAME_S * sample_rate))
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) // frame * frame
        self._rest = samples[whole:]
        if not whole:
            return
        power = np.mean(np.square(samples[:whole].reshape(-1, frame), dtype=np.float64), axis=1)
        self._loudest = max(self._loudest, float(power.max()))
        active = power[(power >= self._loudest * 0.01) & (power > SILENCE_PEAK**2)]
        self._power += float(active.sum()) * FRAME_S
        self._seconds += active.size * FRAME_S
        if self._seconds > REMEMBERED_S:  # older speech counts half
            self._power, self._seconds, self._loudest = self._power / 2, self._seconds / 2, self._loudest / 2


class TelephoneStream:
    """One sentence: silence at its edges cut, at the common level, resampled once.

    `feed` takes 16-bit PCM at `sample_rate` in pieces of any length and gives PCM at `wanted_rate`; `end` the rest.
    """

    def __init__(self, level: VoiceLevel, sample_rate: int, wanted_rate: int) -> None:
        self._level = level
        self._rate = sample_rate
        self._resampler = (
            soxr.ResampleStream(sample_rate, wanted_rate, 1, dtype="float32") if sample_rate != wanted_rate else None
        )
        self._odd = b""
        self._held = np.zeros(0, np.float32)  # silence that may yet turn out to be the end, or speech not levelled yet
        self._gain = level.gain if level.known else None
        self._begun = False

    def feed(self, pcm: bytes) -> bytes:
        pcm = self._odd + pcm
        self._odd = pcm[len(pcm) & ~1 :]
        heard = np.frombuffer(pcm[: len(pcm) & ~1], dtype="<i2").astype(np.float32) / np.float32(32768)
        self._level.hear(heard, self._rate)
        self._held = np.concatenate([self._held, heard])
        if self._gain is None and self._level.known:
            self._gain = self._level.gain
        return b"" if self._gain is None else self._out(self._speech(), last=False)

    def end(self) -> bytes:
        """What was held back, without the silence behind it."""
        if self._gain is None:
            self._gain = self._level.gain
        rest = self._speech()
        tail = self._held[: self._kept] if self._begun else self._held[:0]
        return self._out(np.concatenate([rest, tail]), last=True)

    @property
    def _kept(self) -> int:
        return round(KEPT_S * self._rate)

    def _speech(self) -> Samples:
        """Take out of what is held all that is followed by something audible, and what is audible."""
        audible = np.flatnonzero(np.abs(self._held) > SILENCE_PEAK)
        if not audible.size:
            if not self._begun:
                self._held = self._held[-self._kept :]
            return self._held[:0]
        first = 0 if self._begun else max(0, int(audible[0]) - self._kept)
        last = int(audible[-1]) + 1
        speech, self._held = self._held[first:last], self._held[last:]
        self._begun = True
        return speech

    def _out(self, samples: Samples, *, last: bool) -> bytes:
        levelled = np.clip(samples * np.float32(self._gain or 1.0), -PEAK, PEAK)
        if self._resampler is not None:
            levelled = self._resampler.resample_chunk(levelled, last=last)
        return np.asarray(np.clip(levelled, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
