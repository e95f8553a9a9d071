"""A supervisor's browser at one room: it listens, whispers to somebody, or talks to all."""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum

from telephony.browser.leg import BrowserLeg
from telephony.errors import LegGone, NobodyToWhisperTo
from telephony.leg import FRAME_MS, EndCause, Ended, LegState
from telephony.member import Member
from telephony.pcm import frame_samples, silence
from telephony.resample import Resampler
from telephony.room import Room

_MAX_BEHIND_S = 0.1  # a listener hears what is said now: what would come later than this is left out


class SupervisorMode(StrEnum):
    """What a supervisor's microphone is for."""

    LISTEN = "listen"  # nothing: nobody hears it
    WHISPER = "whisper"  # some members of the room alone hear it
    BARGE = "barge"  # everybody in the room hears it


class SupervisorLine:
    """One supervisor's audio at one room, from the first mode to the last. Event loop only.

    It begins by listening, which puts nobody into the room: not a sample changes for those who are. In the other modes
    its leg is a member that is sent all but its own voice. Whoever owns it awaits `over`, and closes it when the room
    closes.
    """

    def __init__(self, leg: BrowserLeg, room: Room) -> None:
        self._leg = leg
        self._room = room
        self._mode = SupervisorMode.LISTEN
        self._member: Member | None = None
        self._untap: Callable[[], None] | None = None
        self._listen()

    @property
    def mode(self) -> SupervisorMode:
        return self._mode

    def set_mode(self, mode: SupervisorMode, whisper_to: Collection[Member] = ()) -> None:
        """Switch while the line goes on. For WHISPER, `whisper_to` says who hears it; set it anew when they change.

        Raises NobodyToWhisperTo when that is empty, and LegGone when the browser is.
        """
        if self._leg.state is LegState.ENDED:
            raise LegGone("The supervisor's browser is gone.", "Connect again.")
        if mode is SupervisorMode.WHISPER and not whisper_to:
            raise NobodyToWhisperTo("There is no agent to whisper to.", "Listen, or talk to everybody.")
        listeners = frozenset(whisper_to) if mode is SupervisorMode.WHISPER else None
        if mode is SupervisorMode.LISTEN:
            self._fall_silent()
        elif self._member is None:
            self._leave()
            self._member = self._room.join(self._leg, listeners)
        else:
            self._member.whispers_to = listeners
        self._mode = mode

    def give_leg(self) -> BrowserLeg:
        """Out of the room: the leg is for a talk of its own from here. What is left of the line: `over`, and `close`.

        Raises LegGone when the browser is.
        """
        if self._leg.state is LegState.ENDED:
            raise LegGone("The supervisor's browser is gone.", "Connect again.")
        self._leave()
        return self._leg

    async def over(self) -> Ended:
        """Wait until the line has ended, by the browser or by `close`, and out of the room. For one consumer."""
        ended = Ended(EndCause.LOCAL_HANGUP)
        async for event in self._leg.events():
            if isinstance(event, Ended):
                ended = event
        self._leave()
        return ended

    async def close(self) -> None:
        """End the line in any mode; idempotent, bounded as the leg's `hang_up` is."""
        self._leave()
        await self._leg.hang_up()

    def _fall_silent(self) -> None:
        if self._member is not None:
            self._leave()
            self._listen()

    def _listen(self) -> None:
        self._untap = self._room.tap(_Ear(self._leg, self._room.sample_rate).hear)

    def _leave(self) -> None:
        """Neither listen nor be in the room."""
        if self._untap is not None:
            self._untap()
            self._untap = None
        if self._member is not None:
            self._room.leave(self._member)
            self._member = None


class _Ear:
    """What a room sounds like, written to a leg that is not in it. Media thread only."""

    def __init__(self, leg: BrowserLeg, room_rate: int) -> None:
        self._leg = leg
        self._resampler = Resampler(room_rate, leg.sample_rate)
        self._cushion = silence(frame_samples(leg.sample_rate))

    def hear(self, first_sample: int, pcm: bytes) -> None:
        """A tap: the next 20 ms."""
        outgoing = self._resampler.convert(pcm)
        behind_s = self._leg.unsent_s()
        if behind_s > _MAX_BEHIND_S - FRAME_MS / 1000:
            return
        self._leg.write(outgoing if behind_s else self._cushion + outgoing)
