"""The ear for one person in a talk: voice activity in, pieces of speech out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from asr.activity import ActivityEvent, ActivityFailed, ActivityService, ActivityStream, SpeechPaused, SpeechStarted
from asr.partials import PartialText
from telephony.member import Member
from voicebot.people.pieces import Cutter, Piece

LOOK_S = 0.1  # how often a busy ear is asked to look
REOPENED_MOST = 3  # an ear that fails more often stays shut
EVERY_MS = 1200  # a partial text; nobody's turn depends on it
FIRST_MS = 1000


@dataclass(frozen=True)
class Speaker:
    """Who it is: an agent's login (or the name of a desk phone), or the caller, who has none."""

    agent: str = ""
    name: str = ""

    @property
    def is_caller(self) -> bool:
        return not self.agent


@dataclass(frozen=True)
class Said:
    """A piece that waits to be decoded. `at`: loop time at which its words ended."""

    speaker: Speaker
    piece: Piece
    at: float


class Mind(Protocol):
    """What an ear tells."""

    def speech_began(self) -> None:
        """`Ear.look` is to be called every now and then from here, while the ear is `busy`."""

    def said(self, said: Said) -> None: ...

    def deaf(self, reason: str) -> None:
        """Voice activity failed too often: this ear stays shut."""


class Ear:
    """Shut at first. Belongs to the event loop; sound comes from the media thread."""

    def __init__(
        self, activity: ActivityService, member: Member, sample_rate: int, speaker: Speaker, mind: Mind
    ) -> None:
        self.speaker = speaker
        self._activity = activity
        self._member = member
        self._rate = sample_rate
        self._mind = mind
        self._loop = asyncio.get_running_loop()
        self._stream: ActivityStream | None = None
        self._cutter = Cutter(sample_rate, lambda first, last: b"")
        self._partial: PartialText | None = None
        self._untaps: tuple[Callable[[], None], ...] = ()
        self._opened = 0
        self._failures = 0

    def open(self) -> None:
        if self._stream is not None or self._failures > REOPENED_MOST:
            return
        self._opened += 1
        number = self._opened

        def from_activity(event: ActivityEvent) -> None:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._on_activity, number, event)

        stream = self._activity.open(self._rate, from_activity)
        self._stream, self._cutter = stream, Cutter(self._rate, stream.audio)
        self._untaps = (self._member.tap(stream.feed), self._member.tap_mix(stream.played))

    def shut(self) -> None:
        """Hear nothing more; what was being said until now is told."""
        if self._stream is None:
            return
        for untap in self._untaps:
            untap()
        self._stream.close()
        self._tell(self._cutter.rest(self._stream.position), self._stream.position)
        self._stream = self._partial = None

    @property
    def busy(self) -> bool:
        """Something was begun that is not told yet."""
        return self._stream is not None and self._cutter.first is not None

    def look(self) -> None:
        """Tell the piece that is ready by now."""
        if self._stream is not None:
            position = self._stream.position
            self._tell(self._cutter.due(position), position)

    def partial(self) -> tuple[PartialText, bytes] | None:
        """What is to be decoded for the words so far, when it is time for that; see PartialText."""
        if self._stream is None or self._partial is None:
            return None
        span = self._partial.due(self._stream.position)
        return None if span is None else (self._partial, self._stream.audio(*span))

    def follows(self, partial: PartialText) -> bool:
        """Whether those are the words so far of what is being said now."""
        return self._partial is partial

    def _on_activity(self, number: int, event: ActivityEvent) -> None:
        if self._stream is None or number != self._opened:
            return  # what came from an earlier stream
        if isinstance(event, SpeechStarted):
            self._cutter.started(event.at_sample)
            if self._partial is None:
                self._follow()
            self._mind.speech_began()
        elif isinstance(event, SpeechPaused):
            self._cutter.paused(event.at_sample)
        elif isinstance(event, ActivityFailed):
            self._failures += 1
            self.shut()
            self.open()
            if self._stream is None:
                self._mind.deaf(event.reason)

    def _tell(self, piece: Piece | None, position: int) -> None:
        if piece is None:
            return
        self._follow()
        ago_s = (position - piece.last) / self._rate
        self._mind.said(Said(self.speaker, piece, self._loop.time() - ago_s))

    def _follow(self) -> None:
        """The words so far are those of the piece under way."""
        first = self._cutter.first
        self._partial = None if first is None else PartialText(self._rate, first, every_ms=EVERY_MS, first_ms=FIRST_MS)
