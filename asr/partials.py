"""What a caller has said so far, while speaking on: the growing utterance decoded again, local agreement of two.

A decode of sound that breaks off in mid-word gets its end wrong. Words are believed when two decodes in a row begin
with them (Liu, Spanakis and Niehues, "Low-Latency Sequence-to-Sequence Speech Recognition and Translation by Partial
Hypothesis Selection", 2020). Pure: whoever uses it sends the requests, with `final=False`.

    partial = PartialText(sample_rate, start_sample)
    while speaking:
        if (span := partial.due(stream.position)) is not None:
            try:
                heard = await recogniser.transcribe(RecognitionRequest(stream.audio(*span), ..., final=False))
            except AsrError:                # shed under load: the next one comes
                partial.missed()
            else:
                partial.heard(heard.words)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from asr.guard import plain
from asr.recogniser import Word

EVERY_MS = 400
FIRST_MS = 600  # less has hardly a word in it
LONGEST_MS = 6000


class PartialText:
    """One utterance. Samples are counted as those who give them count; words stay as they were first believed.

    Cost: one request at a time, each after at least `every_ms` of new sound, none over `longest_ms` and what was said
    since the last word believed (a caller whose words never settle is decoded from the last `longest_ms` alone).
    """

    def __init__(
        self,
        sample_rate: int,
        start_sample: int,
        *,
        every_ms: int = EVERY_MS,
        first_ms: int = FIRST_MS,
        longest_ms: int = LONGEST_MS,
    ) -> None:
        self._rate = sample_rate
        self._every, self._longest = every_ms * sample_rate // 1000, longest_ms * sample_rate // 1000
        self._next = start_sample + first_ms * sample_rate // 1000
        self._start = start_sample
        self._asked: tuple[int, int] | None = None
        self._decoded_to = start_sample  # recognisers place a word's end after the sound's now and then
        self._believed: list[str] = []
        self._settled = 0  # of those believed, how many lie before `_start`
        self._previous: tuple[Word, ...] = ()

    @property
    def text(self) -> str:
        """The words that are believed. They are only ever added to."""
        return " ".join(self._believed)

    @property
    def guess(self) -> str:
        """`text`, and after it what the last decode heard besides; that may yet change."""
        return " ".join([*self._believed, *(word.text for word in self._previous[self._count :])])

    @property
    def _count(self) -> int:
        """Words believed since `_start`."""
        return len(self._believed) - self._settled

    def due(self, position: int) -> tuple[int, int] | None:
        """First and last sample to be decoded now, or None. Whoever gets them must call `heard` or `missed`."""
        if self._asked is not None or position < self._next:
            return None
        if position - self._start > self._longest:
            self._move(position)
        self._asked = (self._start, position)
        self._next = position + self._every
        return self._asked

    def heard(self, words: Sequence[Word]) -> tuple[str, ...]:
        """The words of the decode that was due, times from the start of its sound; returns those newly believed."""
        assert self._asked is not None, "nothing was due"
        self._decoded_to, self._asked = self._asked[1], None
        current = tuple(words)
        pairs = zip(self._previous, current, strict=False)
        agreed = len(list(takewhile(lambda pair: plain(pair[0].text) == plain(pair[1].text), pairs)))
        new = tuple(word.text for word in current[self._count : agreed])
        self._believed += new
        self._previous = current
        return new

    def missed(self) -> None:
        """The request that was due came to nothing; the next one makes up for it."""
        self._asked = None

    def _move(self, position: int) -> None:
        """What is believed and over is not decoded again; without any such word the oldest sound is given up."""
        done = self._previous[: self._count]
        if done:
            self._settled = len(self._believed)
            over = min(self._start + int(done[-1].end_s * self._rate), self._decoded_to)
            offset = (over - self._start) / self._rate
            self._start = over
            self._previous = tuple(
                Word(word.text, word.start_s - offset, word.end_s - offset, word.confidence)
                for word in self._previous[len(done) :]
            )
        if position - self._start > self._longest:
            self._settled = len(self._believed)
            self._start = position - self._longest
            self._previous = ()
