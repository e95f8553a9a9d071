"""Human recordings in place of speech: WAV files as one more voice, brought to the rate and level of the others.

A recording's voice is `recording:<sha256 of the file>:<path>`. Kept by a prompt store like any other, it is read and
resampled once; a file that has changed since is not played under the old name.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tts.audio import PROCESSING_VERSION, telephone_pcm
from tts.errors import SpeechUnavailable, TtsError, UnknownVoice
from tts.synthesizer import SpeechRequest, Synthesizer

LONGEST_S = 60.0
_PREFIX = "recording:"


class BadRecording(TtsError):
    """A file that cannot be played instead of a text."""

    code = "bad_recording"


@dataclass(frozen=True)
class Recording:
    """A file that was looked at and can be played."""

    path: Path
    sha256: str

    @property
    def voice(self) -> str:
        """The name under which it is asked for."""
        return f"{_PREFIX}{self.sha256}:{self.path}"

    def request(self, text: str, language: str, sample_rate: int) -> SpeechRequest:
        return SpeechRequest(text, language, self.voice, sample_rate)


def look_at(path: Path) -> Recording:
    """The recording in a file. Raises BadRecording, in plain words, for one that cannot be played."""
    content = _read(path)
    _pcm(content, 8000)
    return Recording(path, hashlib.sha256(content).hexdigest())


class RecordedSynthesizer:
    """Implements Synthesizer: plays recordings, and leaves every other voice to the synthesizer behind it."""

    def __init__(self, behind: Synthesizer) -> None:
        self._behind = behind

    async def synthesize(self, request: SpeechRequest) -> AsyncIterator[bytes]:
        """See Synthesizer. A recording comes whole. Raises SpeechUnavailable when its file has gone or has changed."""
        if request.voice.startswith(_PREFIX):
            yield await asyncio.to_thread(_play, request)
            return
        async for pcm in self._behind.synthesize(request):
            yield pcm

    async def fingerprint(self, voice: str) -> str:
        """See Synthesizer."""
        if voice.startswith(_PREFIX):
            return f"{_parts(voice)[0]} {PROCESSING_VERSION}"
        return await self._behind.fingerprint(voice)

    async def close(self) -> None:
        """Closes the one behind."""
        await self._behind.close()


def _parts(voice: str) -> tuple[str, Path]:
    sha256, colon, path = voice.removeprefix(_PREFIX).partition(":")
    if not colon:
        raise UnknownVoice(f"There is no recording {voice!r}.")
    return sha256, Path(path)


def _play(request: SpeechRequest) -> bytes:
    sha256, path = _parts(request.voice)
    try:
        content = _read(path)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise SpeechUnavailable(f"The recording {path} has changed.", "Load the bot again.")
        return _pcm(content, request.sample_rate)
    except BadRecording as error:
        raise SpeechUnavailable(str(error)) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadRecording(f"{path.name} cannot be read: {error.strerror}.", "Put the file there.") from error


def _pcm(content: bytes, wanted_rate: int) -> bytes:
    try:
        with wave.open(io.BytesIO(content)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            frames = file.getnframes()
            if width != 2 or channels not in (1, 2) or not 4000 <= rate <= 192_000:
                raise BadRecording(
                    f"It has {8 * width} bit and {channels} channels at {rate} Hz.",
                    "Save it with 16 bit, one channel or two.",
                )
            if frames > LONGEST_S * rate:
                raise BadRecording(f"It lasts {frames / rate:.0f} seconds.", f"At most {LONGEST_S:.0f} can be played.")
            samples = np.frombuffer(file.readframes(frames), "<i2").astype(np.float32) / 32768.0
    except (wave.Error, EOFError, ValueError) as error:
        raise BadRecording("It is no WAV file that can be played.", "Save it as WAV, PCM, 16 bit.") from error
    whole = samples[: len(samples) // channels * channels]
    pcm = telephone_pcm(whole.reshape(-1, channels).mean(axis=1, dtype=np.float32), rate, wanted_rate)
    if not pcm:
        raise BadRecording("It is silent.", "Record it again.")
    return pcm
