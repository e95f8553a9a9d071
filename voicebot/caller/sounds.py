"""Lines and noises of the simulated people: PCM (16-bit mono, 8000 Hz), made before the call so that nothing waits."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from tts.client import SpeechClient
from tts.synthesizer import SpeechRequest, Synthesizer
from tts.text import spoken
from voicebot.caller.capture import SAMPLE_RATE
from voicebot.caller.script import Noise
from voicebot.processes import ChildProcess

_SPEECH_DBFS = -20.0  # what telephones are made for (ITU-T P.56 active level, roughly)
_READY_S = 30.0


@asynccontextmanager
async def speech_process(voices_dir: Path) -> AsyncIterator[Synthesizer]:
    """A speech process of one's own, gone at the end. Raises ProcessFailed when it does not come up."""
    folder = Path(tempfile.mkdtemp(prefix="caller-"))
    socket = folder / "speech"
    argv = [sys.executable, "-m", "tts.process", "--socket", str(socket), "--voices-dir", str(voices_dir)]
    process = ChildProcess("speech", argv, socket, ready_s=_READY_S)
    client = SpeechClient(socket)
    try:
        await process.start()
        yield client
    finally:
        await client.close()
        await process.stop()
        await asyncio.to_thread(shutil.rmtree, folder, True)


async def line(voice: Synthesizer, text: str, language: str, name: str, rate: float = 1.0) -> bytes:
    """One line at telephone level. Raises UnknownVoice, SpeechUnavailable."""
    request = SpeechRequest(spoken([text], language), language, name, SAMPLE_RATE, rate)
    pcm = b"".join([chunk async for chunk in voice.synthesize(request)])
    return levelled(np.frombuffer(pcm, "<i2"), _SPEECH_DBFS)


def levelled(samples: np.ndarray, dbfs: float) -> bytes:
    """The sound with that RMS over its audible parts; peaks are held below full scale."""
    wave_ = samples.astype(np.float64)
    loud = np.abs(wave_) > 0.02 * max(1.0, float(np.abs(wave_).max(initial=0)))
    if not loud.any():
        return samples.astype("<i2").tobytes()
    gain = 32768 * 10 ** (dbfs / 20) / float(np.sqrt(np.square(wave_[loud]).mean()))
    gain = min(gain, 32000 / float(np.abs(wave_).max()))
    return bytes((wave_ * gain).astype("<i2").tobytes())


def noise(step: Noise) -> bytes:
    """The surroundings: `hiss` of a bad line, `hum` of the mains, a `cough` every second; the same at every run."""
    count = int(step.seconds * SAMPLE_RATE)
    rng = np.random.default_rng(20)
    hiss = rng.standard_normal(count)
    if step.sound == "hum":
        time = np.arange(count) / SAMPLE_RATE
        hiss = 0.1 * hiss + sum(np.sin(2 * np.pi * 50 * k * time) / k for k in (1, 2, 3, 6))
    elif step.sound == "cough":
        phase = np.arange(count) % SAMPLE_RATE / SAMPLE_RATE
        hiss = hiss * np.where(phase < 0.25, np.exp(-phase / 0.06), 0)
    return levelled(hiss * 1000, step.level_dbfs)


def save_wav(path: Path, pcm: bytes) -> None:
    """16-bit mono at 8000 Hz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm)
