"""Rooms: who hears whom. Mix-minus, the bot's voice, music, taps and recordings, one 20 ms frame a tick."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Protocol

from telephony.leg import Leg, LegState
from telephony.member import Member
from telephony.mixing import Mix
from telephony.music import Fader, Music
from telephony.pcm import frame_samples, gain_of, silence
from telephony.player import Player, PlayerEvent
from telephony.port import Port
from telephony.recorder import Recorder
from telephony.taps import Tap, Taps

logger = logging.getLogger(__name__)


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
        self._music: dict[Member | None, Fader] = {}  # by the member that alone hears it; None: everybody
        self._taps = Taps("a room", self.submit)
        self._position = 0
        self._closed = False

    def join(self, leg: Leg, whispers_to: Collection[Member] | None = None) -> Member:
        """Bring a leg in; it must have left its former room. Other sample rates are converted at the member.

        `whispers_to`: those who alone hear it, from its first sample on; None is everybody. It hears as any other does.
        """
        member = Member(leg, self.submit, None if whispers_to is None else frozenset(whispers_to))
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

    def tap(self, sink: Tap) -> Callable[[], None]:
        """Give `sink(first_sample, pcm)` every 20 ms what somebody silent would hear in the room, at its rate.

        That is all voices, the bot and music; not whispers, the muted, the held, nor music for one member alone.
        `first_sample` counts since the room was opened. The sink runs on the media thread and must not block; one that
        raises is detached and logged. Returns the un-tap.
        """
        return self._taps.add(sink)

    def set_music(self, music: Music | None, gain_db: float = -12.0, only_to: Member | None = None) -> None:
        """Play music (at the room's rate) to everybody, or fade it out with None.

        With `only_to` it is heard by that member alone, until it leaves; what is played to everybody goes on. A member
        that is `held` hears both and nothing else.
        """
        gain = gain_of(gain_db)
        self.submit(lambda: self._turn_music(music, gain, only_to))

    def record(self, member: Member, recorder: Recorder) -> None:
        """Record what that member says (left) and what it hears (right). Raises ValueError for another sample rate."""
        if recorder.sample_rate != self.sample_rate:
            raise ValueError(f"the recorder has {recorder.sample_rate} Hz, the room {self.sample_rate} Hz")

        def record() -> None:
            member.recorder = recorder

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
        lead_s = max((m.port.lead_s(now) for m in tuple(self._members) if m.port is not None), default=0.0)
        return self._position - round(lead_s * self.sample_rate)

    # The media thread's side.

    def tick(self, now: float, calm: bool) -> None:
        """Move 20 ms of audio from everybody to everybody."""
        heard = self._listen()
        mix = Mix([(member, voice) for member, _, voice in heard], self._speech(), self._music_frames(), self._silence)
        for member, port, voice in heard:
            share = mix.heard_by(member)
            try:
                port.write(share, now, calm)
            except Exception:
                self._detach(member, "written to")
            member.sent(voice, share)
        if self._taps:
            self._taps.hand(self._position, mix.heard_by_all())
        self._position += self._frame
        wire_position = self.wire_position()
        for player in self._players:
            player.settle(wire_position)

    def flush(self) -> None:
        """Media thread: drop what the legs have not sent."""
        for member in tuple(self._members):
            if member.port is not None:
                try:
                    member.port.flush()
                except Exception:
                    self._detach(member, "flushed")

    def _listen(self) -> list[tuple[Member, Port, bytes]]:
        heard = []
        for member in tuple(self._members):
            port = member.port
            if port is None:
                continue
            try:
                heard.append((member, port, member.listen(port)))
            except Exception:
                self._detach(member, "read")
        return heard

    def _speech(self) -> list[bytes]:
        """The bot's voices. They wait while there is nobody to hear them."""
        if not any(m.port is not None and m.port.hears and not m.deaf and not m.held for m in self._members):
            return []
        frames = (player.pull(self._position) for player in self._players)
        return [frame for frame in frames if frame is not None]

    def _music_frames(self) -> dict[Member | None, bytes]:
        frames = {}
        for listener, fader in tuple(self._music.items()):
            frame = fader.frame()
            if frame is None:
                del self._music[listener]
            else:
                frames[listener] = frame
        return frames

    def _turn_music(self, music: Music | None, gain: float, only_to: Member | None) -> None:
        if only_to is not None and only_to not in self._members:
            return
        if only_to not in self._music:
            self._music[only_to] = Fader(self._frame)
        self._music[only_to].turn(music, gain)

    def _enter(self, member: Member) -> None:
        if self._closed or any(other.leg is member.leg for other in self._members):
            return
        member.port = self._host.borrow(member.leg, self.sample_rate)
        self._members.append(member)

    def _exit(self, member: Member) -> None:
        if member not in self._members:
            return
        self._members.remove(member)
        self._music.pop(member, None)
        member.left()
        if member.port is not None:
            self._host.give_back(member.port)

    def _detach(self, member: Member, what: str) -> None:
        if member.leg.state is LegState.ENDED:
            logger.info("leg %s has ended and leaves its room", member.leg.id)
        else:
            logger.exception("leg %s could not be %s and leaves its room", member.leg.id, what)
        self._members.remove(member)
        self._music.pop(member, None)
        member.port = None

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for player in self._players:
            player.close()
        for member in tuple(self._members):
            self._exit(member)
        self._players.clear()
        self._music.clear()
        self._taps.clear()
        self._host.remove(self)
