"""Sounds of a caller that are no words, beside those of `benchmarks.sounds`: drawn from a seed; 8 kHz, -1..1.

Voice and throat are made as they arise: a source (pulses of the glottis, turbulent air) through the resonances of a
tract. What a telephone lets through of them, 300 to 3400 Hz, is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from asr.training.channel import band_pass
from benchmarks import sounds
from benchmarks.sounds import RATE, Random, Sound

_Signal = NDArray[np.float64]
_Formants = Sequence[tuple[float, float]]  # frequency and bandwidth, Hz

_OPEN: _Formants = ((750, 120), (1250, 150), (2500, 250))  # the tract of an a
_NASAL: _Formants = ((270, 80), (1000, 300), (2200, 400))  # lips closed
_THROAT: _Formants = ((550, 150), (1150, 250), (2300, 400))


def cough(random: Random) -> Sound:
    """One to three: an explosion of air, turbulence that dies away, often a voiced end."""
    parts = []
    for _ in range(int(random.integers(1, 4))):
        count = int(random.uniform(0.18, 0.35) * RATE)
        time = np.arange(count) / RATE
        burst = random.standard_normal(count) * np.minimum(1, time / 0.003) * np.exp(-time / random.uniform(0.02, 0.04))
        air = 0.5 * random.standard_normal(count) * np.exp(-time / random.uniform(0.05, 0.1))
        whole = _through(burst + air, [(f * random.uniform(0.9, 1.2), 2 * width) for f, width in _OPEN])
        if random.random() < 0.6:
            pitch = np.linspace(random.uniform(180, 320), random.uniform(110, 170), count)
            voiced = _through(_pulses(pitch, 0.05, random), _OPEN)
            whole = whole + 0.5 * _unit(voiced) * np.interp(time, [0, 0.08, 0.14, time[-1]], [0, 0, 1, 0])
        parts += [_unit(whole), np.zeros(int(random.uniform(0.08, 0.35) * RATE))]
    return _line(np.concatenate(parts))


def laughter(random: Random) -> Sound:
    """Four to eight times "ha", about five a second, falling in pitch and loudness."""
    parts = []
    base, fall = random.uniform(150, 320), random.uniform(0.9, 0.98)
    for index in range(int(random.integers(4, 9))):
        breath_s, voice_s = random.uniform(0.07, 0.12), random.uniform(0.06, 0.1)
        air = _through(random.standard_normal(int(breath_s * RATE)), _OPEN)
        count = int(voice_s * RATE)
        pitch = base * fall**index * np.linspace(1.1, 0.85, count)
        voiced = _through(_pulses(pitch, 0.02, random), _OPEN) * np.hanning(count) ** 0.5
        loudness = 0.93**index
        parts += [0.12 * loudness * _unit(air), loudness * _unit(voiced)]
    return _line(np.concatenate(parts))


def throat_clearing(random: Random) -> Sound:
    """Once or twice a rough, low voice that hardly closes, in a stream of air."""
    parts = []
    for _ in range(int(random.integers(1, 3))):
        count = int(random.uniform(0.25, 0.5) * RATE)
        time = np.arange(count) / RATE
        pitch = random.uniform(65, 110) * (1 + 0.1 * np.sin(2 * np.pi * 3 * time))
        rough = _pulses(pitch, 0.15, random) * (1 + 0.6 * np.sin(2 * np.pi * np.cumsum(pitch / 2) / RATE))
        whole = _unit(_through(rough, _THROAT)) + 0.5 * _unit(_through(random.standard_normal(count), _THROAT))
        rise = np.interp(time, [0, 0.04, 0.7 * time[-1], time[-1]], [0, 1, 0.8, 0])
        parts += [whole * rise, np.zeros(int(random.uniform(0.05, 0.2) * RATE))]
    return _line(np.concatenate(parts))


def hum(random: Random) -> Sound:
    """ "Mhm": two hums with closed lips, a breath through the nose between them, the second one higher."""
    base = random.uniform(90, 230)
    first, gap, second = (int(random.uniform(*span) * RATE) for span in ((0.1, 0.18), (0.04, 0.08), (0.15, 0.28)))
    low = _pulses(base * np.linspace(1, 0.92, first), 0.01, random)
    high = _pulses(base * np.linspace(1.05, random.uniform(1.15, 1.35), second), 0.01, random)
    hums = [_unit(_through(source, _NASAL)) * np.hanning(len(source)) ** 0.4 for source in (low, high)]
    air = 0.1 * _unit(_through(random.standard_normal(gap), _NASAL))
    return _line(np.concatenate([hums[0], air, hums[1]]), low_hz=200)


def door(random: Random) -> Sound:
    """A latch, the blow of the leaf, and the room."""
    count = int(random.uniform(0.5, 0.9) * RATE)
    time = np.arange(count) / RATE
    latch_s = random.uniform(0.05, 0.15)
    latch = 0.4 * random.standard_normal(count) * np.exp(-time / 0.006)
    after = np.maximum(0, time - latch_s)
    blow = random.standard_normal(count) * np.exp(-after / random.uniform(0.015, 0.04))
    thump = 3 * np.sin(2 * np.pi * random.uniform(70, 160) * after) * np.exp(-after / 0.06)
    room = 0.25 * random.standard_normal(count) * np.exp(-after / random.uniform(0.1, 0.25))
    return _line(latch + np.where(time >= latch_s, blow + thump + room, 0))


def line_burst(random: Random) -> Sound:
    """A bad contact: noise that begins and ends at a stroke, full of crackle."""
    parts: list[_Signal] = []
    for _ in range(int(random.integers(1, 4))):
        count = int(random.uniform(0.08, 0.5) * RATE)
        burst = random.uniform(0.2, 1) * random.standard_normal(count)
        for at in random.integers(0, count, int(count / RATE * random.uniform(20, 120))):
            burst[at : at + 10] += random.uniform(-6, 6) * np.exp(-np.arange(len(burst[at : at + 10])) / 3)
        parts += [burst, np.zeros(int(random.uniform(0.03, 0.3) * RATE))]
    return _line(np.concatenate(parts))


def typing(random: Random) -> Sound:
    return sounds.typing(random.uniform(1.2, 2.0), random)


def breath(random: Random) -> Sound:
    return sounds.breath(random.uniform(1.0, 1.8), random)


KINDS: dict[str, Callable[[Random], Sound]] = {
    "cough": cough,
    "laughter": laughter,
    "throat": throat_clearing,
    "hum": hum,
    "door": door,
    "line burst": line_burst,
    "typing": typing,
    "breath": breath,
}


def _pulses(pitch: NDArray[np.floating], jitter: float, random: Random) -> _Signal:
    """The glottis: a pulse where the phase turns round, softened by 12 dB an octave or so."""
    unsteady = pitch * (
        1 + jitter * random.standard_normal(len(pitch)).cumsum() / np.sqrt(np.arange(1, len(pitch) + 1))
    )
    phase = np.cumsum(np.maximum(unsteady, 40)) / RATE
    source = np.diff(np.floor(phase), prepend=0.0) + 0.02 * random.standard_normal(len(pitch))
    return np.asarray(np.convolve(source, np.exp(-np.arange(24) / 4))[: len(source)])


def _through(source: _Signal, formants: _Formants) -> _Signal:
    """The source as it sounds behind these resonances."""
    size = 2 * len(source)
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    response = sum(
        (
            width / (width + 1j * (frequency - centre) * 2) / (index + 1)
            for index, (centre, width) in enumerate(formants)
        ),
        np.zeros(len(frequency), complex),
    )
    return np.asarray(np.fft.irfft(np.fft.rfft(source, size) * response, size)[: len(source)])


def _unit(signal: _Signal) -> _Signal:
    return np.asarray(signal / (np.sqrt(np.square(signal).mean()) + 1e-9))


def _line(signal: _Signal, low_hz: float = 300) -> Sound:
    """What a telephone lets through, at a peak of -6 dBFS."""
    heard = band_pass(signal.astype(np.float32), low_hz, 3400)
    return np.asarray(0.5 * heard / (np.abs(heard).max() + 1e-9), np.float32)
