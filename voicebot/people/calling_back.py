"""Calling back those to whom it was promised: the number is rung, then it is a talk like any other.

Each try is a call of its own, with its own record: it is on the board, and supervisors can step into it. It is not
recorded as sound, because nobody was asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from telephony.member import Member
from telephony.room import Room
from telephony.tones import RingingTone
from voicebot import events
from voicebot.announce import announce
from voicebot.background import Background
from voicebot.errors import NotPossible, NotReached, NotToBeRung
from voicebot.events import CallClock, Outcome, new_call_id
from voicebot.live_calls import LiveCalls
from voicebot.parts import CallContext, Services
from voicebot.people import texts
from voicebot.people.case import Case, Colleagues
from voicebot.people.handed import CallerAtDesk, Handed, LetGo, Talked
from voicebot.people.phones import PhoneLine, ring
from voicebot.people.promises import Promised, Promises
from voicebot.people.stepping_in import SteppingIn, TakenOver
from voicebot.queueing.happenings import CallbackDone, ConnectFailed, Promise
from voicebot.queueing.model import Entry, EntryState
from voicebot.records import CallFolder
from voicebot.summary import Summary, summarise

log = logging.getLogger(__name__)

RING_S = 45.0
"""A number outside rings so long: mobile networks let it ring for 30 s before somebody's mailbox answers."""

_ADDRESSES = ("sip:", "sips:")  # logins of configured desk phones: nobody there can say how it ended

CALLBACK = "callback"
"""The reason of the hand-over to an agent, who is there before the caller."""


class CallBack:
    """One try; a `live_calls.LiveCall`."""

    def __init__(self, services: Services, desk: Colleagues, entry: Entry, agent: str, promised: Promised) -> None:
        """`agent` is on the line when `run` begins."""
        call_id = new_call_id(services.config.timezone)
        caller = entry.caller
        self.context = CallContext(call_id, caller, caller, entry.language, CallClock(call_id), services.events)
        self.agent = agent
        self._services = services
        self._desk = desk
        self._entry = entry
        self._promised = promised
        self._voice = services.own_voice()
        self.stepping_in = SteppingIn(services, self.context, lambda: self._case)
        self._case: Case | None = None
        self._room: Room | None = None
        self._enough = asyncio.Event()

    # What supervisors do, and the agent while it rings

    @property
    def ringing(self) -> bool:
        """Nobody has answered yet."""
        return self._room is None

    @property
    def room(self) -> Room:
        if self._room is None:
            raise NotPossible("The call is not answered yet.", "Try again in a second.")
        return self._room

    def summary(self) -> Summary:
        return summarise(self.context.events, self.context.language, {})

    def back_to_bot(self, flow: str) -> None:
        raise NotPossible("Whom we called back has not talked with the bot.", "Give the call to a queue, or end it.")

    def end(self) -> None:
        self._enough.set()

    # The call

    async def run(self) -> None:
        """From the first ring to the last record; what became of it is told to the queue."""
        loop = asyncio.get_running_loop()
        began, cause = loop.time(), "local_hangup"
        who = self._entry.caller
        self.context.publish(events.CallStarted, caller=who, dialled=who, language=self.context.language, bot="")
        self.context.publish(events.HandoffStarted, queue=self._entry.queue, reason=CALLBACK)
        try:
            cause = await self._serve()
        except NotReached as error:
            cause = error.cause
            if isinstance(error, NotToBeRung):
                self.context.publish(events.OutboundRefused, to=who, why=cause)
            await self._failed(cause)
        except Exception as error:
            log.exception("a callback failed")
            cause = "fault"
            self.context.publish(events.Fault, stage="call", message=str(error))
            await self._failed(cause)
        finally:
            await asyncio.shield(self._finish(cause, loop.time() - began))

    async def _failed(self, cause: str) -> None:
        if self.ringing:
            await self._desk.free_line(self.agent)
        await self._desk.apply(ConnectFailed(self._entry.id, cause))

    async def _serve(self) -> str:
        """Returns the cause of the end. Raises NotReached."""
        caller = await self._ring()
        room = self._room = self._services.media.open_room(caller.leg.sample_rate)
        member = room.join(caller.leg)
        work = {
            "local_hangup": self._talk(room, member),
            "remote_hangup": caller.gone(self._key),
            "ended_by_supervisor": self._until_enough(),
        }
        tasks = {
            asyncio.create_task(doing, name=f"{cause} {self.context.call_id}"): cause for cause, doing in work.items()
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            return next(cause for task, cause in tasks.items() if task in done)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            reception = member.reception
            room.close()
            await asyncio.shield(caller.release())
            self.context.tell_sound(caller.leg, reception)

    async def _until_enough(self) -> None:
        await self._enough.wait()

    async def _ring(self) -> PhoneLine:
        """The agent hears it ring. Raises NotReached."""
        leg = self._desk.line(self.agent)
        if leg is None:
            raise NotReached("line_lost")
        dialling = ring(
            *(self._services.outbound, self._entry.caller),
            caller=self._promised.dialled,
            headers={},
            timeout_s=RING_S,
        )
        room = self._services.media.open_room(leg.sample_rate)
        member = room.join(leg)
        room.set_music(RingingTone(room.sample_rate))
        ringing = asyncio.create_task(dialling, name=f"ring {self.context.call_id}")
        enough = asyncio.create_task(self._enough.wait(), name=f"enough of {self.context.call_id}")
        try:
            await asyncio.wait({ringing, enough}, return_when=asyncio.FIRST_COMPLETED)
            if not ringing.done():
                raise NotReached("given_up")
            return ringing.result()
        finally:
            ringing.cancel()
            enough.cancel()
            await asyncio.gather(ringing, enough, return_exceptions=True)
            room.leave(member)
            room.close()

    async def _talk(self, room: Room, member: Member) -> None:
        caller = CallerAtDesk(
            *(self.context, room, member, self._voice),
            queue=self._entry.queue,
            reason=self._entry.reason,
            summary=self.summary,
            earlier=self._promised.earlier,
        )
        case = self._case = Case(self._desk, caller)
        handed: Handed | TakenOver
        try:
            handed = await self.stepping_in.unless_taken(case.go_on(self._entry, self.agent))
        finally:
            self._case = None
            self._desk.forget(case)
        if isinstance(handed, TakenOver):
            over = await self.stepping_in.talk(handed, room, member)
            if over.why == "line_lost":
                await self._call_again(room, self._entry.entered_at)
        elif not isinstance(handed, Talked | LetGo):
            await self._call_again(room, getattr(handed, "entered_at", None) or self._entry.entered_at)

    async def _call_again(self, room: Room, entered_at: datetime) -> None:
        """Nobody can talk on with the caller now."""
        entry = self._desk.entry(self._entry.id)
        if entry is None or entry.state is EntryState.WRAP_UP:  # else it waits to be made already
            await self._promise(entered_at)
        language = self.context.language
        await announce(room, self._voice, texts.fixed("call_again", language), language)

    async def _promise(self, entered_at: datetime) -> None:
        entry, call_id = self._entry, self.context.call_id
        self.context.publish(events.CallbackPromised, number=entry.caller, queue=entry.queue, reason=entry.reason)
        promise = Promise(
            call_id, entry.caller, entry.language, entry.queue, reason=entry.reason, entered_at=entered_at
        )
        await self._desk.apply(promise)

    def _key(self, key: str) -> None:
        if self._case is not None:
            self._case.key(key)

    async def _finish(self, cause: str, duration_s: float) -> None:
        joined = any(isinstance(event, events.AgentJoined) for event in self.context.events)
        outcome = Outcome.HANDED_OFF if joined else Outcome.ABANDONED
        self.context.publish(events.CallEnded, outcome=outcome, cause=cause, duration_s=round(duration_s, 2))
        folder = CallFolder(self._services.config.data / "calls" / self.context.call_id)
        try:
            await asyncio.to_thread(lambda: folder.write(self.summary()))
        except OSError as error:
            log.error("transcript and summary of %s were not written: %s", self.context.call_id, error)


class Callbacks:
    """The tries that go on. Belongs to the desk."""

    def __init__(
        self, services: Services, desk: Colleagues, calls: LiveCalls, promises: Promises, changed: Callable[[str], None]
    ) -> None:
        """`changed(agent)`: what the agent sees is other than before."""
        self._services = services
        self._desk = desk
        self._calls = calls
        self._promises = promises
        self._changed = changed
        self._tries: dict[str, CallBack] = {}  # by entry
        self._call_ids: dict[str, str] = {}  # of the last try, by entry, until the entry has ended
        self._background = Background()

    async def close(self) -> None:
        await self._background.close()

    def is_by_hand(self, entry: Entry) -> bool:
        """Whether the agent has to ring the number, because we may not."""
        return self._services.config.people.route(entry.caller) is None

    def show(self, entry: Entry, agent: str) -> None:
        """What is known of it is read, and shown to whom it is offered."""
        self._background.begin(self._show(entry, agent), f"callback read about {entry.id}")

    def start(self, entry: Entry, agent: str) -> None:
        """The agent has taken it."""
        self._background.begin(self._try(entry, agent), f"callback {entry.id}")

    def call_id(self, entry: Entry) -> str:
        """Of the talk with whom was called back, or of the call that an entry is of."""
        return self._call_ids.get(entry.id, entry.call_id)

    def give_up(self, agent: str) -> bool:
        """Whom the agent rings does not answer, or need not any more; False when the agent rings nobody."""
        found = next((one for one in self._tries.values() if one.agent == agent and one.ringing), None)
        if found is not None:
            found.end()
        return found is not None

    def ended(self, entry: Entry) -> None:
        """From the queue."""
        self._call_ids.pop(entry.id, None)
        self._promises.forget(entry.id)

    async def _show(self, entry: Entry, agent: str) -> None:
        await self._promises.read(entry)
        self._changed(agent)

    async def _try(self, entry: Entry, agent: str) -> None:
        await self._show(entry, agent)
        if self.is_by_hand(entry):
            await self._desk.free_line(agent)  # a desk phone, whose agent was told the number
            if agent.startswith(_ADDRESSES):
                await self._desk.apply(CallbackDone(entry.id, "reached"))
            return
        try:
            await self._desk.fetch_line(agent, entry)
        except NotReached as error:
            await self._desk.apply(ConnectFailed(entry.id, error.cause))
            return
        call = CallBack(self._services, self._desk, entry, agent, self._promises.of(entry.id))
        self._tries[entry.id], self._call_ids[entry.id] = call, call.context.call_id
        try:
            async with self._calls.going_on(call):
                self._changed(agent)
                await call.run()
        finally:
            if self._tries.get(entry.id) is call:
                del self._tries[entry.id]
