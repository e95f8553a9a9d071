"""The seam of this package: text in, telephone audio out.

PCM everywhere is signed 16-bit little endian, mono, at the sample rate that the request asks for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

SAMPLE_RATES = (8000, 48000)
RATES = (0.5, 2.0)
MAX_CHARACTERS = 5000


@dataclass(frozen=True)
class SpeechRequest:
    """What to say and how.

    `text` holds spoken words, already normalised by `tts.text`; `language` is a tag such as `pl` or `en`; `rate` is the
    tempo against the voice's own (1.0). Raises ValueError for values that no voice can serve.
    """

    text: str
    language: str
    voice: str
    sample_rate: int
    rate: float = 1.0

    def __post_init__(self) -> None:
        if not SAMPLE_RATES[0] <= self.sample_rate <= SAMPLE_RATES[1]:
            raise ValueError(f"sample rate {self.sample_rate} is outside {SAMPLE_RATES[0]}..{SAMPLE_RATES[1]} Hz")
        if not RATES[0] <= self.rate <= RATES[1]:
            raise ValueError(f"rate {self.rate} is outside {RATES[0]}..{RATES[1]}")
        if len(self.text) > MAX_CHARACTERS:
            raise ValueError(f"text of {len(self.text)} characters is longer than {MAX_CHARACTERS}")


class Synthesizer(Protocol):
    """A voice, near or far."""

    def synthesize(self, request: SpeechRequest) -> AsyncIterator[bytes]:
        """PCM in chunks, the first one early: sentences, clauses or parts of them, each a whole number of samples.

        Closing the iterator or cancelling its consumer stops the work. Raises SpeechUnavailable or UnknownVoice; what
        was yielded before an error is good audio.
        """
        ...

    async def fingerprint(self, voice: str) -> str:
        """A string that changes whenever the voice would sound otherwise (other model, other processing)."""
        ...

    async def close(self) -> None:
        """Release what is held; later calls raise SpeechUnavailable. Idempotent."""
        ...
