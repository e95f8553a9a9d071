"""Loss concealment, measured against silence in the gaps."""

from __future__ import annotations

import numpy as np
import pytest

from telephony.concealment import LIMIT_FRAMES, Concealer
from telephony.pcm import frame_samples, silence


def voiced(sample_rate: int, seconds: float = 4.0, highest_partial: int = 22) -> np.ndarray:
    """A vowel-like signal: partials of a wandering pitch (105-150 Hz) through two formants, with syllables."""
    generator = np.random.default_rng(7)
    n_samples = int(seconds * sample_rate)
    at = np.arange(n_samples) / sample_rate
    pitch = 125 + 15 * np.sin(2 * np.pi * 0.7 * at) + 7 * np.sin(2 * np.pi * 2.3 * at)
    phase = np.cumsum(pitch) / sample_rate
    signal = np.zeros(n_samples)
    phases = generator.uniform(0, 2 * np.pi, 40)
    for partial in range(1, highest_partial + 1):
        hz = partial * 125
        formants = np.exp(-(((hz - 600) / 250) ** 2)) + 0.5 * np.exp(-(((hz - 1500) / 300) ** 2))
        signal += formants * np.cos(2 * np.pi * partial * phase + phases[partial])
    signal *= 0.75 + 0.25 * np.sin(2 * np.pi * 3 * at)
    return np.rint(signal / np.abs(signal).max() * 9000).astype("<i2")


def degraded(signal: np.ndarray, sample_rate: int, lost: set[int], conceal: bool) -> np.ndarray:
    size = frame_samples(sample_rate)
    concealer = Concealer(sample_rate)
    frames = []
    for number in range(len(signal) // size):
        frame = signal[number * size : (number + 1) * size].tobytes()
        if not conceal:
            frames.append(silence(size) if number in lost else frame)
        else:
            frames.append(concealer.missing() if number in lost else concealer.received(frame))
    return np.frombuffer(b"".join(frames), dtype="<i2")


def scattered_losses(n_frames: int, share: float, longest: int) -> set[int]:
    generator = np.random.default_rng(3)
    lost: set[int] = set()
    while len(lost) < share * n_frames:
        start = int(generator.integers(5, n_frames - 5))
        lost.update(range(start, start + int(generator.integers(1, longest + 1))))
    return lost


def snr_db(reference: np.ndarray, signal: np.ndarray) -> float:
    length = min(len(reference), len(signal))
    good, bad = reference[:length].astype(float), signal[:length].astype(float)
    return float(10 * np.log10((good**2).sum() / ((good - bad) ** 2).sum()))


def sharpest_bend(signal: np.ndarray) -> int:
    return int(np.abs(np.diff(signal.astype(int), 2)).max())


def log_spectral_distance_db(reference: np.ndarray, signal: np.ndarray, size: int) -> float:
    window = np.hanning(size)

    def spectra(x: np.ndarray) -> np.ndarray:
        frames = x[: len(x) // size * size].reshape(-1, size) * window
        return 20 * np.log10(np.abs(np.fft.rfft(frames)) + 200)

    length = min(len(reference), len(signal))
    difference = spectra(reference[:length].astype(float)) - spectra(signal[:length].astype(float))
    return float(np.sqrt((difference**2).mean(axis=1)).mean())


@pytest.mark.parametrize("sample_rate", [8000, 16000])
@pytest.mark.parametrize(("share", "longest"), [(0.05, 1), (0.10, 1), (0.10, 3)])
def test_better_than_silence_on_voiced_speech(sample_rate: int, share: float, longest: int) -> None:
    signal = voiced(sample_rate)
    size = frame_samples(sample_rate)
    lost = scattered_losses(len(signal) // size, share, longest)
    gaps = degraded(signal, sample_rate, lost, conceal=False)
    filled = degraded(signal, sample_rate, lost, conceal=True)
    assert snr_db(signal, filled) > snr_db(signal, gaps), "even sample by sample, though the pitch glides"
    distance_gaps = log_spectral_distance_db(signal, gaps, size)
    distance_filled = log_spectral_distance_db(signal, filled, size)
    assert distance_filled < 0.3 * distance_gaps


@pytest.mark.parametrize("sample_rate", [8000, 16000])
def test_no_clicks(sample_rate: int) -> None:
    """On a humming voice without high partials every step would stand out as a bend sharper than its own."""
    signal = voiced(sample_rate, highest_partial=3)
    size = frame_samples(sample_rate)
    lost = scattered_losses(len(signal) // size, 0.15, 5)
    own = sharpest_bend(signal)
    assert sharpest_bend(degraded(signal, sample_rate, lost, conceal=True)) < 2.5 * own
    assert sharpest_bend(degraded(signal, sample_rate, lost, conceal=False)) > 5 * own, "the measure hears clicks"


def test_a_clean_stream_passes_untouched() -> None:
    signal = voiced(8000, 1.0)
    assert (degraded(signal, 8000, set(), conceal=True) == signal).all()


def test_a_steady_tone_goes_on_in_phase() -> None:
    at = np.arange(8000) / 8000
    signal = np.rint(8000 * np.sin(2 * np.pi * 200 * at)).astype("<i2")
    filled = degraded(signal, 8000, {20}, conceal=True)
    gap = slice(20 * 160, 20 * 160 + 80)
    assert np.abs(filled[gap].astype(int) - signal[gap]).max() < 800


def test_long_gaps_fade_to_silence_after_60_ms() -> None:
    signal = voiced(8000, 1.0)
    concealer = Concealer(8000)
    for number in range(10):
        concealer.received(signal[number * 160 : (number + 1) * 160].tobytes())
    made_up = [np.frombuffer(concealer.missing(), dtype="<i2").astype(float) for _ in range(LIMIT_FRAMES + 2)]
    loudness = [float(np.sqrt((frame**2).mean())) for frame in made_up]
    assert loudness[0] > loudness[1] > loudness[2] > 0
    assert loudness[3:] == [0, 0]
    assert concealer.paused


def test_a_gap_in_a_quiet_place_is_a_pause_at_once() -> None:
    concealer = Concealer(8000)
    loud, quiet = voiced(8000, 1.0)[:160].tobytes(), np.full(160, 30, dtype="<i2").tobytes()
    for _ in range(5):
        concealer.received(loud)
    concealer.missing()
    assert not concealer.paused
    for _ in range(5):
        concealer.received(quiet)
    concealer.missing()
    assert concealer.paused
    concealer.received(quiet)
    assert not concealer.paused


@pytest.mark.parametrize("value", [0, -32768, 32767])
def test_extreme_input_stays_in_range(value: int) -> None:
    concealer = Concealer(8000)
    frame = np.full(160, value, dtype="<i2").tobytes()
    for _ in range(4):
        concealer.received(frame)
    for _ in range(5):
        assert len(concealer.missing()) == 320
    assert len(concealer.received(frame)) == 320


def test_a_gap_before_anything_was_received_is_silence() -> None:
    concealer = Concealer(8000)
    assert not np.frombuffer(concealer.missing(), dtype="<i2").any()
