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


@dataclass
class _Hearing:
    """What an open ear hears by. `partial`: the words so far of the piece under way."""

    stream: ActivityStream
    cutter: Cutter
    untaps: tuple[Callable[[], None], ...]
    partial: PartialText | None = None


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
        self._hearing: _Hearing | None = None
        self._opened = 0
        self._failures = 0

    def open(self) -> None:
        if self._hearing is not None or self._failures > REOPENED_MOST:
            return
        self._opened += 1
        number = self._opened

        def from_activity(event: ActivityEvent) -> None:
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._on_activity, number, event)

        stream = self._activity.open(self._rate, from_activity)
        untaps = (self._member.tap(stream.feed), self._member.tap_mix(stream.played))
        self._hearing = _Hearing(stream, Cutter(self._rate, stream.audio), untaps)

    def shut(self) -> None:
        """Hear nothing more; what was being said until now is told."""
        if (hearing := self._hearing) is None:
            return
        for untap in hearing.untaps:
            untap()
        hearing.stream.close()
        self._tell(hearing, hearing.cutter.rest(hearing.stream.position))
        self._hearing = None

    @property
    def busy(self) -> bool:
        """Something was begun that is not told yet."""
        return self._hearing is not None and self._hearing.cutter.first is not None

    def look(self) -> None:
        """Tell the piece that is ready by now."""
        if (hearing := self._hearing) is not None:
            self._tell(hearing, hearing.cutter.due(hearing.stream.position))

    def partial(self) -> tuple[PartialText, bytes] | None:
        """What is to be decoded for the words so far, when it is time for that; see PartialText."""
        if (hearing := self._hearing) is None or hearing.partial is None:
            return None
        span = hearing.partial.due(hearing.stream.position)
        return None if span is None else (hearing.partial, hearing.stream.audio(*span))

    def follows(self, partial: PartialText) -> bool:
        """Whether those are the words so far of what is being said now."""
        return self._hearing is not None and self._hearing.partial is partial

    def _on_activity(self, number: int, event: ActivityEvent) -> None:
        if (hearing := self._hearing) is None or number != self._opened:
            return  # what came from an earlier stream
        if isinstance(event, SpeechStarted):
            hearing.cutter.started(event.at_sample)
            if hearing.partial is None:
                self._follow(hearing)
            self._mind.speech_began()
        elif isinstance(event, SpeechPaused):
            hearing.cutter.paused(event.at_sample)
        elif isinstance(event, ActivityFailed):
            self._failures += 1
            self.shut()
            self.open()
            if self._failures > REOPENED_MOST:
                self._mind.deaf(event.reason)

    def _tell(self, hearing: _Hearing, piece: Piece | None) -> None:
        if piece is None:
            return
        self._follow(hearing)
        ago_s = (hearing.stream.position - piece.last) / self._rate
        self._mind.said(Said(self.speaker, piece, self._loop.time() - ago_s))

    def _follow(self, hearing: _Hearing) -> None:
        """The words so far are those of the piece under way."""
        first = hearing.cutter.first
        hearing.partial = (
            None if first is None else PartialText(self._rate, first, every_ms=EVERY_MS, first_ms=FIRST_MS)
        )
