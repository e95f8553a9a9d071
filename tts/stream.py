"""Speech that comes in pieces, made into what a telephone leg plays: `tts.audio` for sentences not known as a whole.

A piece goes out as soon as it is known to be no silence at an edge, so nothing waits for the end of the sentence.
"""

from __future__ import annotations

import numpy as np
import soxr

from tts.audio import ACTIVE_LEVEL_DB, EDGE_KEPT_S, PEAK, Samples, as_pcm

FRAME_S = 0.02
SILENCE_PEAK = 0.004  # -48 dB of full scale
LEARN_S = 0.5
"""So much speech is held back once in a voice's life, to learn how loud it is."""
REMEMBERED_S = 60.0

_AUDIBLE = 10 ** (-46 / 20)
"""What is quieter is silence, in speech at the common level: 40 dB below peaks of -6 dB."""

_BENT_ABOVE = 0.7


class TelephoneStream:
    """What `telephone_pcm` does, for one sentence whose samples come in chunks.

    The sentence is not known as a whole, so `gain` (see `level_gain`) comes from elsewhere, and what is too loud for it
    is bent instead of scaled. Quiet ends of chunks are kept back until it shows whether they end the sentence.
    """

    def __init__(self, sample_rate: int, wanted_rate: int, gain: float) -> None:
        self._gain = np.float32(gain)
        self._kept = round(EDGE_KEPT_S * sample_rate)
        self._resampler = (
            soxr.ResampleStream(sample_rate, wanted_rate, 1, dtype="float32") if wanted_rate != sample_rate else None
        )
        self._pending: Samples = np.zeros(0, np.float32)
        self._begun = False

    def push(self, samples: Samples) -> bytes:
        """The PCM that can be given now; the resampler holds back up to 80 ms more."""
        levelled = np.concatenate([self._pending, _bent(samples * self._gain)])
        audible = np.flatnonzero(np.abs(levelled) > _AUDIBLE)
        if not audible.size:
            self._pending = levelled if self._begun else levelled[-self._kept :]
            return b""
        start = 0 if self._begun else max(0, int(audible[0]) - self._kept)
        end = int(audible[-1]) + 1
        self._begun = True
        self._pending = levelled[end:]
        return self._resampled(levelled[start:end], last=False)

    def end(self) -> bytes:
        """The rest."""
        return self._resampled(self._pending[: self._kept], last=True) if self._begun else b""

    def _resampled(self, samples: Samples, last: bool) -> bytes:
        return as_pcm(samples if self._resampler is None else self._resampler.resample_chunk(samples, last=last))


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


class LearningStream:
    """One sentence of a voice that is not ours: its loudness is learnt from what it says.

    `feed` takes 16-bit PCM at `sample_rate` in pieces of any length and gives PCM at `wanted_rate`; `end` the rest.
    """

    def __init__(self, level: VoiceLevel, sample_rate: int, wanted_rate: int) -> None:
        self._level = level
        self._rates = (sample_rate, wanted_rate)
        self._odd = b""
        self._held = np.zeros(0, np.float32)  # until it is known how loud the voice is
        self._stream: TelephoneStream | None = None

    def feed(self, pcm: bytes) -> bytes:
        pcm = self._odd + pcm
        self._odd = pcm[len(pcm) & ~1 :]
        heard = np.frombuffer(pcm[: len(pcm) & ~1], dtype="<i2").astype(np.float32) / np.float32(32768)
        self._level.hear(heard, self._rates[0])
        self._held = np.concatenate([self._held, heard])
        return self._given() if self._stream is not None or self._level.known else b""

    def end(self) -> bytes:
        """What was held back, without the silence behind it."""
        given = self._given()
        assert self._stream is not None
        return given + self._stream.end()

    def _given(self) -> bytes:
        if self._stream is None:
            self._stream = TelephoneStream(*self._rates, self._level.gain)
        held, self._held = self._held, self._held[:0]
        return self._stream.push(held)


def _bent(samples: Samples) -> Samples:
    """Without peaks above PEAK: what is louder than a threshold is bent towards it, with no corner that would click."""
    loud = np.abs(samples)
    room = PEAK - _BENT_ABOVE
    bent = np.sign(samples) * (_BENT_ABOVE + room * np.tanh((loud - _BENT_ABOVE) / room))
    return np.where(loud > _BENT_ABOVE, bent, samples).astype(np.float32)
