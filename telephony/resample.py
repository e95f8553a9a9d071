"""Conversion between the sample rates of legs and rooms, frame by frame.

A polyphase FIR (Kaiser-windowed sinc) in numpy: every 20 ms frame that goes in comes out as 20 ms, 1.5 ms late at
8 kHz. The stream resamplers of libsoxr give nothing for 50-60 ms and then a burst, which a wire cannot wait for.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from telephony.pcm import samples, saturated

_TAPS_PER_PHASE = 24  # at the lower of the two rates: 12 samples of delay there
_KAISER_BETA = 6.0  # about 60 dB of stop-band attenuation


@cache
def _low_pass(factor: int) -> npt.NDArray[np.float32]:
    """Low-pass at the lower rate's Nyquist frequency, designed at the higher rate, gain 1."""
    n_taps = _TAPS_PER_PHASE * factor
    at = np.arange(n_taps) - (n_taps - 1) / 2
    taps = np.sinc(0.92 * at / factor) * np.kaiser(n_taps, _KAISER_BETA)
    return np.asarray(taps / taps.sum(), dtype=np.float32)


class Resampler:
    """One direction of one stream. The rates must be whole multiples of each other (8000, 16000, 24000, 48000 ...)."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        high, low = max(from_rate, to_rate), min(from_rate, to_rate)
        if low <= 0 or high % low:
            raise ValueError(f"cannot resample {from_rate} Hz to {to_rate} Hz: not whole multiples")
        self._factor = high // low
        self._up = to_rate > from_rate
        taps = _low_pass(self._factor)
        # Upsampling: one short filter for each output sample between two input samples.
        self._phases = [taps[phase :: self._factor] * self._factor for phase in range(self._factor)]
        self._taps = taps
        self._past = np.zeros((_TAPS_PER_PHASE if self._up else len(taps)) - 1, dtype=np.float32)

    def convert(self, pcm: bytes) -> bytes:
        """Convert the next piece of the stream; when downsampling it must hold a multiple of the factor."""
        if self._factor == 1:
            return pcm
        signal = np.concatenate((self._past, samples(pcm).astype(np.float32)))
        self._past = signal[len(signal) - len(self._past) :]
        if not self._up:
            return saturated(np.rint(np.convolve(signal, self._taps, "valid")[:: self._factor]))
        rows = [np.convolve(signal, phase, "valid") for phase in self._phases]
        return saturated(np.rint(np.stack(rows, axis=1).reshape(-1)))
