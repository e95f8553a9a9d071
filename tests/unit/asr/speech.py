"""Synthesised telephone speech for tests: the offline voice, in a process of its own because its library is GPL."""

from __future__ import annotations

import subprocess
import sys
from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

PCM = NDArray[np.int16]

_SAY = """
import ctypes, sys, espeakng_loader
library = ctypes.CDLL(espeakng_loader.get_library_path())
rate = library.espeak_Initialize(2, 0, espeakng_loader.get_data_path().encode(), 0)
heard = bytearray()
kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
@kind
def sound(samples, count, events):
    if samples and count > 0:
        heard.extend(ctypes.string_at(samples, 2 * count))
    return 0
library.espeak_SetSynthCallback(sound)
if library.espeak_SetVoiceByName(sys.argv[1].encode()):
    sys.exit("no voice " + sys.argv[1])
text = sys.argv[2].encode()
library.espeak_Synth(text, len(text) + 1, 0, 1, 0, 1, None, None)
library.espeak_Synchronize()
sys.stdout.buffer.write(rate.to_bytes(4, "little") + bytes(heard))
"""


@cache
def say(text: str, voice: str = "pl+m6", sample_rate: int = 8000) -> PCM:
    """The words alone, without the silence around them, peak at half of full scale; it went through 8 kHz."""
    done = subprocess.run([sys.executable, "-c", _SAY, voice, text], capture_output=True, check=True, timeout=30)
    rate = int.from_bytes(done.stdout[:4], "little")
    sound = np.frombuffer(done.stdout[4:], dtype="<i2").astype(np.float32) / 32768
    sound = soxr.resample(sound, rate, 8000)
    audible = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())
    sound = sound[audible[0] : audible[-1] + 1]
    return as_pcm(soxr.resample(sound * (0.5 / np.abs(sound).max()), 8000, sample_rate))


def silence(seconds: float, sample_rate: int = 8000) -> PCM:
    return np.zeros(int(seconds * sample_rate), dtype=np.int16)


def noise(seconds: float, level: float, *, sample_rate: int = 8000, seed: int = 1) -> PCM:
    """White noise of that root mean square (of full scale)."""
    return as_pcm(np.random.default_rng(seed).standard_normal(int(seconds * sample_rate)) * level)


def tones(seconds: float, *frequencies: float, level: float = 0.2, sample_rate: int = 8000) -> PCM:
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    return as_pcm(sum((level * np.sin(2 * np.pi * f * time) for f in frequencies), np.zeros(len(time))))


def telephone(text: str, voice: str = "pl+m6", *, margin_s: float = 0.25, sample_rate: int = 8000) -> bytes:
    """Speech with a little quiet noise around and under it, as bytes."""
    around = silence(margin_s, sample_rate)
    sound = np.concatenate([around, say(text, voice, sample_rate), around]).astype(np.float64) / 32768
    hiss = noise(len(sound) / sample_rate + 0.1, 0.002, sample_rate=sample_rate)[: len(sound)] / 32768
    return as_pcm(sound + hiss).tobytes()


def as_pcm(sound: NDArray[np.floating]) -> PCM:
    return (np.clip(sound, -1, 1) * 32767).astype(np.int16)
