"""A telephone line between synthesiser and model: narrow band, noise, level, clipping, G.711, silence at both ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

LINE_RATE = 8000
MODEL_RATE = 16000
LOSS_FRAME = LINE_RATE // 50

Signal = NDArray[np.float32]
Pcm = NDArray[np.int16]


@dataclass(frozen=True)
class Line:
    """One drawn line. dB values are relative to full scale, `noise_db` to the speech (None: no noise)."""

    speed: float  # 0.9..1.12: resampling shifts pitch, formants and tempo together
    lead_s: float
    trail_s: float
    band_hz: tuple[float, float] | None
    noise_db: float | None
    noise_kind: int
    level_db: float
    overdrive: float  # > 1 clips
    law: str  # "a" | "mu"
    lost: float = 0.0  # share of 20 ms frames that never arrive and are concealed


def draw_line(random: np.random.Generator) -> Line:
    return Line(
        speed=float(random.uniform(0.9, 1.12)),
        lead_s=float(random.uniform(0.02, 0.6)),
        # Decoding begins at the first 120 ms of a pause, and sooner for a partial.
        trail_s=float(random.uniform(0, 0.2) if random.random() < 0.5 else random.uniform(0.2, 0.7)),
        band_hz=(float(random.uniform(150, 320)), float(random.uniform(3200, 3900))) if random.random() < 0.6 else None,
        noise_db=float(random.uniform(-45, -6)) if random.random() < 0.85 else None,
        noise_kind=int(random.integers(4)),
        level_db=float(random.uniform(-32, -1)),
        overdrive=float(random.uniform(1.5, 4)) if random.random() < 0.05 else 1.0,
        law="a" if random.random() < 0.6 else "mu",
        lost=float(random.uniform(0.01, 0.08)) if random.random() < 0.2 else 0.0,
    )


def transmit(samples: Pcm, sample_rate: int, line: Line, random: np.random.Generator) -> tuple[Signal, float, float]:
    """Speech as it arrives at the model: 16 kHz float32 in -1..1 that went through 8 kHz G.711.

    Also the leading silence in ms, and the factor by which times within the speech have stretched.
    """
    speech = soxr.resample(samples.astype(np.float32) / 32768, sample_rate * line.speed, LINE_RATE, quality="LQ")
    speech = _without_tail(speech)
    lead, trail = int(line.lead_s * LINE_RATE), int(line.trail_s * LINE_RATE)
    signal = np.concatenate([np.zeros(lead, np.float32), speech, np.zeros(trail, np.float32)])
    if line.band_hz is not None:
        signal = band_pass(signal, *line.band_hz)
    signal = signal / (np.abs(signal).max() + 1e-9)
    if line.noise_db is not None:
        loudness = float(np.sqrt((signal[lead : lead + len(speech)] ** 2).mean())) + 1e-9
        signal = signal + noise(len(signal), line.noise_kind, random) * loudness * _gain(line.noise_db)
    if line.lost:
        signal = conceal(signal, random.random(-(-len(signal) // LOSS_FRAME)) < line.lost)
    signal = over_the_wire(signal * _gain(line.level_db) * line.overdrive, line.law)
    return signal, lead / LINE_RATE * 1000, 1 / line.speed


def silent_line(random: np.random.Generator) -> Signal:
    """Half a second to six seconds of nothing or noise, as the model gets it when nobody speaks."""
    length = int(random.uniform(0.5, 6) * LINE_RATE)
    if random.random() < 0.2:
        return over_the_wire(np.zeros(length, np.float32), "a")
    hiss = noise(length, int(random.integers(4)), random) * _gain(float(random.uniform(-70, -25)))
    return over_the_wire(hiss, "a" if random.random() < 0.6 else "mu")


def over_the_wire(signal: Signal, law: str) -> Signal:
    """8 kHz in -1..1 -> G.711 and back -> 16 kHz."""
    pcm = (np.clip(signal, -1, 1) * 32767).astype(np.int16)
    pcm = decode_a_law(encode_a_law(pcm)) if law == "a" else decode_mu_law(encode_mu_law(pcm))
    wide: Signal = soxr.resample(pcm.astype(np.float32) / 32768, LINE_RATE, MODEL_RATE, quality="MQ")
    return wide


def conceal(signal: Signal, lost: NDArray[np.bool_]) -> Signal:
    """The 20 ms frames in `lost` replaced by what came before, softer each time, silence from the fourth on; 8 kHz.

    The product's own concealment follows the pitch; the training need not, since other telephones do not either.
    """
    heard, missed = signal.copy(), 0
    for index in np.flatnonzero(lost | np.roll(lost, 1)):
        if index == 0 or not lost[index]:
            missed = 0
            continue
        missed += 1
        start = int(index) * LOSS_FRAME
        length = len(heard[start : start + LOSS_FRAME])
        heard[start : start + length] = heard[start - LOSS_FRAME :][:length] * (0.7 if missed <= 3 else 0)
    return heard


def band_pass(signal: Signal, low_hz: float, high_hz: float) -> Signal:
    """Butterworth-like slopes (4th order below, 8th above), applied to the spectrum; 8 kHz."""
    length = _quick_length(len(signal))
    spectrum = np.fft.rfft(signal, length)
    frequency = np.fft.rfftfreq(length, 1 / LINE_RATE)
    low = 1 / np.sqrt(1 + (low_hz / np.maximum(frequency, 1)) ** 8)
    high = 1 / np.sqrt(1 + (frequency / high_hz) ** 16)
    return np.fft.irfft(spectrum * low * high, length)[: len(signal)].astype(np.float32)


def noise(length: int, kind: int, random: np.random.Generator) -> Signal:
    """Unit variance: 0 white, 1 brown, 2 pink, 3 mains hum with hiss."""
    hiss = random.standard_normal(_quick_length(length) if kind == 2 else length)
    if kind == 1:
        walk = np.cumsum(hiss)
        hiss = walk - np.linspace(walk[0], walk[-1], length)
    elif kind == 2:
        spectrum = np.fft.rfft(hiss)
        hiss = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)))[:length]
    elif kind == 3:
        mains_hz = float(random.choice([50, 100, 150]))
        hiss = 0.3 * hiss + np.sin(np.arange(length) * 2 * np.pi * mains_hz / LINE_RATE)
    hiss = hiss - hiss.mean()
    normalised: Signal = (hiss / (hiss.std() + 1e-9)).astype(np.float32)
    return normalised


def _quick_length(length: int) -> int:
    """A power of two: a transform of prime length takes ten times as long."""
    return 1 << (length - 1).bit_length()


def _without_tail(speech: Signal) -> Signal:
    """The synthesiser's own silence at the end is cut to 50 ms: the line adds its own."""
    loud = np.flatnonzero(np.abs(speech) > 0.01 * (np.abs(speech).max() + 1e-9))
    return speech[: int(loud[-1]) + 400] if len(loud) else speech


def _gain(db: float) -> float:
    return float(10 ** (db / 20))


# ITU-T G.711. The decoding tables follow the standard's formulas; encoding takes the nearest of their levels, which is
# what the standard's decision thresholds (half-way between levels) amount to.


def _mu_law_table() -> Pcm:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _a_law_table() -> Pcm:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _encoding_table(levels: Pcm) -> NDArray[np.uint8]:
    """The code of every 16-bit value (index: value + 32768)."""
    order = np.argsort(levels, kind="stable")
    ordered = levels[order].astype(np.int32)
    thresholds = (ordered[1:] + ordered[:-1] + 1) // 2
    return order[np.searchsorted(thresholds, np.arange(-32768, 32768), side="right")].astype(np.uint8)


_MU_LEVELS, _A_LEVELS = _mu_law_table(), _a_law_table()
_MU_CODES, _A_CODES = _encoding_table(_MU_LEVELS), _encoding_table(_A_LEVELS)


def encode_mu_law(pcm: Pcm) -> NDArray[np.uint8]:
    return _MU_CODES[pcm.astype(np.int32) + 32768]


def decode_mu_law(codes: NDArray[np.uint8]) -> Pcm:
    return _MU_LEVELS[codes]


def encode_a_law(pcm: Pcm) -> NDArray[np.uint8]:
    return _A_CODES[pcm.astype(np.int32) + 32768]


def decode_a_law(codes: NDArray[np.uint8]) -> Pcm:
    return _A_LEVELS[codes]
