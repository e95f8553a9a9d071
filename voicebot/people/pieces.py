"""How a person's speech is cut into pieces that a recogniser takes, without losing a word at a cut. Pure.

Most pieces end where nobody speaks. Who speaks on for too long is cut at the quietest place of the last seconds; both
pieces hear a stretch around it, and a word belongs to the piece that its middle lies in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from asr.recogniser import Transcript

PAUSE_MS = 700
LONGEST_MS = 12_000
MARGIN_MS = 250  # heard around speech: recognition loses cut edges
SEAM_MS = 1000  # heard by both pieces on either side of a cut: longer than a word
CUT_WITHIN_MS = 4000  # the last of the piece, where the quietest place is looked for
QUIET_MS = 120  # how long that place is: most stops within words are shorter
HOP_MS = 10


@dataclass(frozen=True)
class Piece:
    """Speech from sample `first` to `last`, and the sound to be recognised for it, which begins at `start`.

    cut_before, cut_after: speech goes on there, and the sound holds words of the neighbour.
    """

    audio: bytes
    start: int
    first: int
    last: int
    cut_before: bool = False
    cut_after: bool = False

    def text(self, heard: Transcript, sample_rate: int) -> str:
        """What of it belongs to this piece. A recogniser that tells no words is believed as it is."""
        if not heard.words or not (self.cut_before or self.cut_after):
            return heard.text
        middles = [self.start + (word.start_s + word.end_s) / 2 * sample_rate for word in heard.words]
        return " ".join(
            word.text
            for word, middle in zip(heard.words, middles, strict=True)
            if (not self.cut_before or middle >= self.first) and (not self.cut_after or middle < self.last)
        )


class Cutter:
    """One person. `audio(first, last)` gives that stretch of sound, 16-bit mono."""

    def __init__(self, sample_rate: int, audio: Callable[[int, int], bytes]) -> None:
        self._rate = sample_rate
        self._audio = audio
        self._first: int | None = None
        self._cut_before = False
        self._paused_at: int | None = None

    @property
    def first(self) -> int | None:
        """Where the piece under way begins, None while nobody speaks."""
        return self._first

    def started(self, at_sample: int) -> None:
        self._paused_at = None
        if self._first is None:
            self._first = at_sample

    def paused(self, at_sample: int) -> None:
        self._paused_at = at_sample

    def due(self, position: int) -> Piece | None:
        """The piece that is ready by now. To be asked now and then while there is one under way."""
        if self._first is None:
            return None
        if self._paused_at is not None and position - self._paused_at >= self._samples(PAUSE_MS):
            return self._whole(self._paused_at, position)
        if position - self._first >= self._samples(LONGEST_MS):
            return self._cut(self._first, position)
        return None

    def rest(self, position: int) -> Piece | None:
        """What was said until now, when nothing more will be heard."""
        if self._first is None:
            return None
        return self._whole(position if self._paused_at is None else self._paused_at, position)

    def _whole(self, last: int, position: int) -> Piece:
        assert self._first is not None
        piece = self._piece(self._first, last, position, cut_after=False)
        self._first, self._cut_before, self._paused_at = None, False, None
        return piece

    def _cut(self, first: int, position: int) -> Piece:
        latest = position - self._samples(SEAM_MS)
        earliest = latest - self._samples(CUT_WITHIN_MS)
        cut = earliest + quietest(self._audio(earliest, latest), self._rate)
        piece = self._piece(first, cut, position, cut_after=True)
        self._first, self._cut_before = cut, True
        return piece

    def _piece(self, first: int, last: int, position: int, *, cut_after: bool) -> Piece:
        before = self._samples(SEAM_MS if self._cut_before else MARGIN_MS)
        after = self._samples(SEAM_MS if cut_after else MARGIN_MS)
        start = max(0, first - before)
        audio = self._audio(start, min(last + after, position))
        return Piece(audio, start, first, last, self._cut_before, cut_after)

    def _samples(self, ms: int) -> int:
        return ms * self._rate // 1000


def quietest(pcm: bytes, sample_rate: int) -> int:
    """The middle of the quietest stretch, in samples from the beginning; the latest of several."""
    samples = np.frombuffer(pcm, dtype="<i2").astype(np.float64)
    hop, width = sample_rate * HOP_MS // 1000, QUIET_MS // HOP_MS
    count = len(samples) // hop
    if count <= width:
        return len(samples) // 2
    energy = np.square(samples[: count * hop]).reshape(count, hop).sum(axis=1)
    sums = np.convolve(energy, np.ones(width), mode="valid")
    latest = len(sums) - 1 - int(np.argmin(sums[::-1]))
    return (latest * hop) + width * hop // 2
