"""An agent calls back somebody to whom that was promised: the number is rung, then it is a talk like any other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from telephony.leg import Leg
from telephony.media import MediaThread
from telephony.tones import RingingTone
from voicebot import events
from voicebot.errors import NotReached
from voicebot.events import CallClock, EventStream, Outcome
from voicebot.parts import CallContext, Voice
from voicebot.people.case import CallerAtDesk, Case, Colleagues
from voicebot.people.talk import Reached
from voicebot.queueing.happenings import ConnectFailed
from voicebot.queueing.model import Entry
from voicebot.summary import Summary, summarise

log = logging.getLogger(__name__)

_RATE = 16000


@dataclass(frozen=True)
class CallingBack:
    """One try. `reach` rings the number; `said_before`: the summary of the call in which it was promised."""

    media: MediaThread
    stream: EventStream
    voice: Callable[[CallContext], Voice]
    reach: Callable[[], Awaitable[Reached]]
    now: Callable[[], datetime]

    async def run(self, desk: Colleagues, entry: Entry, agent: str, leg: Leg) -> None:
        """From the ringing to the end of the talk. What the caller's phone did is told to the queue."""
        call_id = f"{self.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:8]}"
        context = CallContext(call_id, entry.caller, entry.caller, entry.language, CallClock(call_id), self.stream)
        context.publish(events.CallStarted, caller=entry.caller, dialled=entry.caller, language=entry.language, bot="")
        outcome, cause = Outcome.ABANDONED, "no_answer"
        try:
            reached = await self._ring(leg)
            outcome, cause = Outcome.HANDED_OFF, "local_hangup"
            await self._talk(desk, context, entry, agent, reached)
        except NotReached as error:
            cause = error.cause
            await desk.apply(ConnectFailed(entry.id, cause))
        finally:
            context.publish(
                events.CallEnded, outcome=outcome, cause=cause, duration_s=context.clock.stamp()["offset_s"]
            )

    async def _ring(self, leg: Leg) -> Reached:
        """The agent hears it ring."""
        room = self.media.open_room(_RATE)
        member = room.join(leg)
        room.set_music(RingingTone(_RATE))
        try:
            return await self.reach()
        finally:
            room.leave(member)
            room.close()

    async def _talk(self, desk: Colleagues, context: CallContext, entry: Entry, agent: str, reached: Reached) -> None:
        room = self.media.open_room(_RATE)
        caller = CallerAtDesk(
            *(context, room, room.join(reached.leg), self.voice(context)),
            queue=entry.queue,
            reason=entry.reason,
            summary=lambda: _summary(context),
        )
        case = Case(desk, caller)
        serving = asyncio.create_task(case.go_on(entry, agent), name=f"callback {entry.id}")
        leaving = asyncio.create_task(reached.gone(), name=f"callback leg {entry.id}")
        try:
            await asyncio.wait({serving, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (serving, leaving):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(serving, leaving, return_exceptions=True)
            room.close()
            await asyncio.shield(reached.release())


def _summary(context: CallContext) -> Summary:
    return summarise(context.events, context.language, {})
