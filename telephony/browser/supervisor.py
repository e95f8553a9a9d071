"""A supervisor's browser at one room: it listens, whispers to somebody, or talks to all."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from telephony.browser.leg import BrowserLeg
from telephony.browser.listening import Listening
from telephony.errors import LegGone, NobodyToWhisperTo
from telephony.leg import EndCause, Ended, LegState
from telephony.member import Member
from telephony.room import Room


class SupervisorMode(StrEnum):
    """What a supervisor's microphone is for."""

    LISTEN = "listen"  # nothing: nobody hears it
    WHISPER = "whisper"  # some members of the room alone hear it
    BARGE = "barge"  # everybody in the room hears it


class SupervisorLine:
    """One supervisor's audio at one room, from the first mode to the last. Event loop only.

    It begins by listening, which costs no encoder and puts nobody into the room. In the other modes its leg is a member
    that is sent all but its own voice. Whoever owns it awaits `over`, and closes it when the room closes.
    """

    def __init__(self, leg: BrowserLeg, room: Room, listening: Listening) -> None:
        self._leg = leg
        self._room = room
        self._listening = listening
        self._mode = SupervisorMode.LISTEN
        self._member: Member | None = None
        leg.play(listening.subscribe())

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
            self._leg.play(None)
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
        self._leg.play(None)
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
            self._leg.play(self._listening.subscribe())

    def _leave(self) -> None:
        if self._member is not None:
            self._room.leave(self._member)
            self._member = None
