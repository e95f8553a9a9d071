"""Rooms: who hears whom. Mix-minus, the bot's voice, music, taps and recordings, one 20 ms frame a tick."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from telephony.leg import Leg, LegState
from telephony.music import Music
from telephony.pcm import frame_samples, gain_of, samples, saturated, scaled, silence
from telephony.player import Player, PlayerEvent
from telephony.port import Port
from telephony.recorder import Recorder

logger = logging.getLogger(__name__)

_MUSIC_FADE_TICKS = 15  # 300 ms

Tap = Callable[[int, bytes], None]


class Host(Protocol):
    """What a room needs of the media thread."""

    def now(self) -> float:
        """Seconds on the clock of the ticks."""

    def submit(self, command: Callable[[], None]) -> None:
        """Run `command` on the media thread at the start of the next tick, in the order of submission."""

    def post(self, callback: Callable[[PlayerEvent], None], event: PlayerEvent) -> None:
        """Run `callback(event)` on the event loop."""

    def borrow(self, leg: Leg, sample_rate: int) -> Port:
        """Media thread: the port of a leg, the one it had in another room a moment ago if there is one."""

    def give_back(self, port: Port) -> None:
        """Media thread: the leg has left a room and may enter another."""

    def remove(self, room: Room) -> None:
        """Media thread: this room has no more ticks."""


class Member:
    """A leg in a room."""

    def __init__(self, leg: Leg, room: Room) -> None:
        self.leg = leg
        self.muted = False  # the others do not hear it; its taps and its recording go on
        self.deaf = False  # it hears nothing
        self._room = room
        self._port: Port | None = None
        self._taps: list[Tap] = []
        self._taps_of_mix: list[Tap] = []
        self._recorder: Recorder | None = None
        self._position = 0

    def tap(self, sink: Tap) -> Callable[[], None]:
        """Give `sink(first_sample, pcm)` every 20 ms of this member's voice, after concealment, at the room's rate.

        `first_sample` counts since the join. The sink runs on the media thread and must not block; one that raises is
        detached and logged. Returns the un-tap.
        """
        return self._tap(self._taps, sink)

    def tap_mix(self, sink: Tap) -> Callable[[], None]:
        """The same of what this member is sent; `first_sample` is that of its own voice in the same tick."""
        return self._tap(self._taps_of_mix, sink)

    def _tap(self, taps: list[Tap], sink: Tap) -> Callable[[], None]:
        self._room.submit(lambda: taps.append(sink))

        def untap() -> None:
            if sink in taps:
                taps.remove(sink)

        return lambda: self._room.submit(untap)

    @property
    def concealed(self) -> int:
        """Frames of 20 ms that were made up because they did not come."""
        return 0 if self._port is None else self._port.concealed

    # The media thread's side.

    def _listen(self, port: Port) -> bytes:
        """The member's next frame, handed to its taps."""
        voice = port.read()
        self._hand(self._taps, voice)
        return voice

    def _sent(self, mix: bytes) -> None:
        """The tick is over: what it was sent goes to the taps of that."""
        self._hand(self._taps_of_mix, mix)
        self._position += len(mix) // 2

    def _hand(self, taps: list[Tap], pcm: bytes) -> None:
        for sink in tuple(taps):
            try:
                sink(self._position, pcm)
            except Exception:
                logger.exception("a tap of leg %s failed and is detached", self.leg.id)
                taps.remove(sink)


class Room:
    """People (legs), bot voices and music that hear each other.

    Every public method may be called from the event loop's thread and takes effect at the next tick.
    """

    def __init__(self, sample_rate: int, host: Host) -> None:
        self.sample_rate = sample_rate
        self._host = host
        self._frame = frame_samples(sample_rate)
        self._silence = silence(self._frame)
        self._members: list[Member] = []
        self._players: list[Player] = []
        self._music: Music | None = None
        self._music_gain = 1.0
        self._music_level = 0.0
        self._music_step = 0.0
        self._position = 0
        self._closed = False

    def join(self, leg: Leg) -> Member:
        """Bring a leg in; it must have left its former room. Other sample rates are converted at the member."""
        member = Member(leg, self)
        self.submit(lambda: self._enter(member))
        return member

    def leave(self, member: Member) -> None:
        """Take a member out; its leg lives on and can join another room."""
        self.submit(lambda: self._exit(member))

    def add_player(self, on_event: Callable[[PlayerEvent], None]) -> Player:
        """A bot voice; `on_event` runs on the event loop. It waits while nobody can hear it (on hold)."""
        player = Player(self, on_event)
        self.submit(lambda: self._players.append(player) if not self._closed else player.close())
        return player

    def set_music(self, music: Music | None, gain_db: float = -12.0) -> None:
        """Play music (at the room's rate) to everybody, or fade it out with None."""
        gain = gain_of(gain_db)
        self.submit(lambda: self._turn_music(music, gain))

    def record(self, member: Member, recorder: Recorder) -> None:
        """Record what that member says (left) and what it hears (right). Raises ValueError for another sample rate."""
        if recorder.sample_rate != self.sample_rate:
            raise ValueError(f"the recorder has {recorder.sample_rate} Hz, the room {self.sample_rate} Hz")

        def record() -> None:
            member._recorder = recorder

        self.submit(record)

    def close(self) -> None:
        """Everybody leaves, players end. Idempotent."""
        self.submit(self._close)

    def submit(self, command: Callable[[], None]) -> None:
        self._host.submit(command)

    def post(self, callback: Callable[[PlayerEvent], None], event: PlayerEvent) -> None:
        self._host.post(callback, event)

    def wire_position(self) -> int:
        """Samples of the mix that are on the wire of the member that is furthest behind, by the clock.

        Negative until the first sample gets there.
        """
        now = self._host.now()
        lead_s = max((m._port.lead_s(now) for m in tuple(self._members) if m._port is not None), default=0.0)
        return self._position - round(lead_s * self.sample_rate)

    # The media thread's side.

    def tick(self, now: float, calm: bool) -> None:
        """Move 20 ms of audio from everybody to everybody."""
        heard = self._listen()
        common = self._common()
        voices = [(member, voice) for member, _, voice in heard if voice is not self._silence and not member.muted]
        total = _total([voice for _, voice in voices] + common) if len(voices) + len(common) > 2 else None
        for member, port, voice in heard:
            if member.deaf:
                mix = self._silence
            else:
                own = None if voice is self._silence or member.muted else voice
                mix = self._mix(member, voices, common, total, own)
            try:
                port.write(mix, now, calm)
            except Exception:
                self._detach(member, "written to")
            member._sent(mix)
            if member._recorder is not None:
                member._recorder.push(voice, mix)
        self._position += self._frame
        wire_position = self.wire_position()
        for player in self._players:
            player.settle(wire_position)

    def flush(self) -> None:
        """Media thread: drop what the legs have not sent."""
        for member in tuple(self._members):
            if member._port is not None:
                try:
                    member._port.flush()
                except Exception:
                    self._detach(member, "flushed")

    def _listen(self) -> list[tuple[Member, Port, bytes]]:
        heard = []
        for member in tuple(self._members):
            port = member._port
            if port is None:
                continue
            try:
                heard.append((member, port, member._listen(port)))
            except Exception:
                self._detach(member, "read")
        return heard

    def _common(self) -> list[bytes]:
        """What everybody hears: bot voices and music. Speech waits while there is nobody to hear it."""
        common = []
        if any(m._port is not None and m._port.hears and not m.deaf for m in self._members):
            for player in self._players:
                frame = player.pull(self._position)
                if frame is not None:
                    common.append(frame)
        if self._music is not None:
            frame = self._music_frame(self._music)
            if frame is not None:
                common.append(frame)
        return common

    def _mix(
        self,
        member: Member,
        voices: Sequence[tuple[Member, bytes]],
        common: Sequence[bytes],
        total: npt.NDArray[np.int32] | None,
        own: bytes | None,
    ) -> bytes:
        """Everything but the member's own voice."""
        if total is not None:
            return saturated(total if own is None else total - samples(own))
        others = [voice for speaker, voice in voices if speaker is not member]
        others.extend(common)
        if not others:
            return self._silence
        return others[0] if len(others) == 1 else saturated(_total(others))

    def _music_frame(self, music: Music) -> bytes | None:
        level, goal, step = self._music_level, self._music_gain, self._music_step
        if level == goal:
            if goal == 0.0:
                self._music = None
                return None
            return scaled(music.read(self._frame), level)
        self._music_level = min(goal, level + step) if goal > level else max(goal, level - step)
        gains = np.linspace(level, self._music_level, self._frame, dtype=np.float32)
        return scaled(music.read(self._frame), gains)

    def _turn_music(self, music: Music | None, gain: float) -> None:
        if music is None:
            gain = 0.0
        elif music is not self._music:
            self._music = music
            self._music_level = 0.0
        self._music_gain = gain
        self._music_step = abs(gain - self._music_level) / _MUSIC_FADE_TICKS

    def _enter(self, member: Member) -> None:
        if self._closed or any(other.leg is member.leg for other in self._members):
            return
        member._port = self._host.borrow(member.leg, self.sample_rate)
        self._members.append(member)

    def _exit(self, member: Member) -> None:
        if member not in self._members:
            return
        self._members.remove(member)
        member._recorder = None
        member._taps.clear()
        member._taps_of_mix.clear()
        if member._port is not None:
            self._host.give_back(member._port)

    def _detach(self, member: Member, what: str) -> None:
        if member.leg.state is LegState.ENDED:
            logger.info("leg %s has ended and leaves its room", member.leg.id)
        else:
            logger.exception("leg %s could not be %s and leaves its room", member.leg.id, what)
        self._members.remove(member)
        member._port = None

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for player in self._players:
            player.close()
        for member in tuple(self._members):
            self._exit(member)
        self._players.clear()
        self._music = None
        self._host.remove(self)


def _total(frames: Sequence[bytes]) -> npt.NDArray[np.int32]:
    total = samples(frames[0]).astype(np.int32)
    for frame in frames[1:]:
        total += samples(frame)
    return total
