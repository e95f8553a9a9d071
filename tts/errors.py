"""Everything that can go wrong in speaking, as one family: a stable code, a plain sentence, a remedy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class TtsError(Exception):
    """Base of all errors raised by this package."""

    code = "tts"

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class SpeechUnavailable(TtsError):
    """No speech can be had now: the process is away, hangs, or failed on this text."""

    code = "speech_unavailable"


class SpeechBusy(SpeechUnavailable):
    """The speech process has as many sentences waiting as it accepts."""

    code = "speech_busy"


class UnknownVoice(TtsError):
    """The name is neither `espeak:<language>[+variant]`, as espeak-ng has it, nor `piper:<name or path>`."""

    code = "unknown_voice"


class VoiceMissing(UnknownVoice):
    """A well-formed Piper voice whose files are not on this machine, or cannot be read."""

    code = "voice_missing"


class VoiceDownloadFailed(TtsError):
    """A voice could not be fetched: no network, no such voice, wrong checksum, disk full."""

    code = "voice_download_failed"


@dataclass(frozen=True)
class PronunciationMistake:
    """A mistake in a list of pronunciations, and the line it is in."""

    line: int
    message: str


class PronunciationMistakes(TtsError):
    """A list of pronunciations cannot be used; `mistakes` holds all that is wrong with it."""

    code = "pronunciation_mistakes"

    def __init__(self, path: Path, mistakes: tuple[PronunciationMistake, ...]) -> None:
        told = "\n".join(f"{path}:{mistake.line}: {mistake.message}" for mistake in mistakes)
        super().__init__(told, "See docs/reference/speech.md, Pronunciation.")
        self.path = path
        self.mistakes = mistakes
