"""One caller who was handed over: in a queue, with one agent after another, until they go on elsewhere or hang up."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from telephony.leg import Leg
from voicebot import events
from voicebot.announce import announce
from voicebot.errors import NotReached
from voicebot.people import texts
from voicebot.people.bridging import Bridge
from voicebot.people.handed import (
    BackToBot,
    CallbackWanted,
    CallerAtDesk,
    Handed,
    LetGo,
    Talked,
    VoicemailWanted,
)
from voicebot.people.overhearing import Overhearing
from voicebot.people.pbx import Pbx
from voicebot.people.talk import Over, Reach, Reached, Talk, Target, Worker
from voicebot.people.waiting import KEYS, Choice, Waiting
from voicebot.queueing.happenings import (
    Connect,
    Connected,
    ConnectFailed,
    ConsultDone,
    Enter,
    Event,
    Leave,
    Overflow,
    TalkEnded,
    TransferTo,
)
from voicebot.queueing.model import Entry, Kind, Why

log = logging.getLogger(__name__)

_NEWS_AHEAD = 16  # more than can come in for one caller before it is looked at


News = Connect | Overflow | LetGo | BackToBot | Choice


class Asked(Protocol):
    """An agent of ours who was asked in a consultation."""

    @property
    def entry(self) -> str: ...
    @property
    def worker(self) -> Worker: ...
    @property
    def leg(self) -> Leg: ...


class Colleagues(Protocol):
    """What a case needs of the desk."""

    async def apply(self, event: Event) -> None:
        """Tell the queue; what follows from it is carried out when this returns."""

    def entry(self, entry: str) -> Entry | None: ...
    def new_entry(self, case: Case) -> str:
        """An id under which news for this case comes."""

    def follow(self, case: Case, entry: str) -> None:
        """An entry that was a consultation is the case's own now."""

    def forget(self, case: Case) -> None:
        """No more news for this case."""

    def worker(self, agent: str) -> Worker: ...
    def line(self, agent: str) -> Leg | None:
        """Where an agent who has accepted can be heard; None when that is broken."""

    async def fetch_line(self, agent: str, entry: Entry) -> None:
        """Ring the desk phone of an agent who has taken a callback elsewhere. Raises NotReached."""

    async def free_line(self, agent: str) -> None:
        """The agent is not needed any more: a desk phone is hung up."""

    def reach_for(self, case: Case) -> Reach:
        """How somebody is asked about this call."""

    async def reach_number(self, case: Case, number: str) -> Reached:
        """Ring a telephone number. Raises NotReached."""

    def pbx(self, case: Case) -> Pbx | None:
        """Where the caller is to go at once, if their queue is a PBX's and open."""

    def overhear(self, case: Case) -> Overhearing:
        """Who writes down what is said with people."""

    def talks(self, case: Case, talk: Talk) -> None:
        """Something that is shown of the talk is other than before."""


class Case:
    """Lives as long as the caller is with people. `run` once."""

    def __init__(self, desk: Colleagues, caller: CallerAtDesk) -> None:
        self.caller = caller
        self.talk: Talk | None = None
        self.id = ""  # of the entry
        self._desk = desk
        self._queue = caller.queue
        self._waiting = Waiting(caller.room, caller.voice, caller.context.language)
        self._news: asyncio.Queue[News] = asyncio.Queue(_NEWS_AHEAD)
        self._overhearing: Overhearing | None = None  # from the first talk on
        self._in_line = False  # between QueueEntered and QueueLeft
        self._left = False  # the queue knows that it is over
        self._promised: Entry | None = None  # of whom we called back
        self._bridge: Bridge | None = None  # while they talk with somebody outside

    def tell(self, news: Connect | Overflow | LetGo) -> None:
        """From the desk."""
        self._news.put_nowait(news)

    @property
    def called_back(self) -> bool:
        """Whether it was not the caller who called."""
        return self._promised is not None

    def let_go(self, why: Why) -> None:
        """A supervisor takes the caller, or ends the call."""
        if self.talk is not None:
            self.talk.end("taken_over" if why is Why.TAKEN_OVER else "ended_by_supervisor")
        else:
            self.tell(LetGo(why))

    def send_to_bot(self, to: Target) -> None:
        """A supervisor gives the caller back to the bot, whoever they are with or waiting for."""
        if self.talk is not None:
            self.talk.give(to)
        else:
            self._news.put_nowait(BackToBot(to.name))

    def tell_refused(self, agent: str, cause: str) -> None:
        """To the record: the agent did not take the caller."""
        name = self._desk.worker(agent).name
        self.caller.context.publish(events.AgentRefused, uri="", cause=cause, agent=agent, name=name)

    def announce(self, position: int, wait_s: float | None) -> None:
        """Tell the caller how they stand."""
        self._waiting.tell_place(position, wait_s)

    def key(self, key: str) -> None:
        """A key of the caller's phone; while they wait, some mean something."""
        if self._bridge is not None:
            self._bridge.key(key)
        elif self.talk is None and key in KEYS and not self._news.full():
            self._news.put_nowait(KEYS[key])

    async def run(self) -> Handed:
        """Until the caller goes on elsewhere. Cancelled when they have hung up, which the queue is told."""
        if (pbx := self._desk.pbx(self)) is not None and (handed := await self._to_pbx(pbx)) is not None:
            return handed
        await self._enter()
        return await self._serve(None)

    async def go_on(self, entry: Entry, agent: str) -> Handed:
        """Like `run`, for whom this agent has called back. They never wait: CallbackWanted when the agent is lost."""
        self.id, self._promised = entry.id, entry
        self._desk.follow(self, entry.id)
        return await self._serve(Connect(entry, agent))

    async def _serve(self, news: News | None) -> Handed:
        try:
            while True:
                handed = await self._follow(news or await self._wait())
                if handed is not None:
                    return handed
                news = None
        finally:
            if not self._left:
                await asyncio.shield(self._leave(Why.HUNG_UP))
            if self._overhearing is not None:
                await asyncio.shield(self._overhearing.close())

    async def _to_pbx(self, pbx: Pbx) -> Handed | None:
        """None: the PBX did not take the caller, who waits in our queue then."""
        self.id, self._left = self._desk.new_entry(self), True
        try:
            async with self._music():
                reached = await pbx.reach()
        except NotReached:
            caller, language = self.caller, self.caller.context.language
            await announce(caller.room, caller.voice, texts.fixed("pbx_failed", language), language)
            return BackToBot() if pbx.settings.failed == "bot" else None
        if reached is not None:
            pbx.joined()
            return await self._talk_outside(reached)
        await pbx.until_gone()
        return Talked()

    async def _enter(self, entered_at: datetime | None = None) -> None:
        caller = self.caller
        context = caller.context
        self.id = self._desk.new_entry(self)
        self._left, self._in_line = False, True
        context.publish(events.QueueEntered, queue=self._queue, entry=self.id, priority=caller.urgency or 0)
        await self._desk.apply(
            Enter(
                *(self.id, context.call_id, context.caller, context.language, self._queue),
                urgency=caller.urgency,
                skills=caller.skills,
                reason=caller.reason,
                knows=caller.knows,
                entered_at=entered_at,
            )
        )

    async def _wait(self) -> News:
        async with self._music():
            return await self._news.get()

    @contextlib.asynccontextmanager
    async def _music(self) -> AsyncIterator[None]:
        playing = asyncio.create_task(self._waiting.run(), name=f"music for {self.caller.context.call_id}")
        try:
            yield
        finally:
            playing.cancel()
            (outcome,) = await asyncio.gather(playing, return_exceptions=True)
            if isinstance(outcome, Exception):
                log.error("the music for a waiting caller failed", exc_info=outcome)

    async def _follow(self, news: News) -> Handed | None:
        match news:
            case Connect(agent=agent):
                return await self._connect(agent)
            case Overflow(entry=entry, to="queue"):
                self._tell_left("overflow")
                self._queue, self._in_line = entry.queue, True
                self.caller.context.publish(events.QueueEntered, queue=entry.queue, entry=self.id)
                return None
            case Overflow(entry=entry, to=to, why=why):
                self._tell_left("to_bot" if to == "bot" else to)
                self._left = True
                if to == "callback":
                    return CallbackWanted(why, entry.entered_at)
                return VoicemailWanted(why, entry.queue) if to == "voicemail" else BackToBot()
            case LetGo(why=left):
                await self._leave(left)
                return news
            case Choice.CALLBACK:
                entered_at = self._entered_at()
                await self._leave(Why.TO_BOT, "callback")
                return CallbackWanted("callback_wanted", entered_at)
            case Choice.BOT:
                await self._leave(Why.TO_BOT)
                return BackToBot()
            case BackToBot():
                await self._leave(Why.TO_BOT)
                return news

    # With an agent

    async def _connect(self, agent: str) -> Handed | None:
        leg = self._desk.line(agent)
        if leg is None:
            await self._desk.apply(ConnectFailed(self.id, "line_lost"))
            return self._called_back_in_vain()
        self._tell_left("answered")
        talk = self._new_talk(self._desk.worker(agent))
        await self._desk.apply(Connected(self.id))
        return await self._talk(talk, self._desk.line(agent) or leg)  # a browser may have another by now

    def _new_talk(self, worker: Worker) -> Talk:
        caller = self.caller
        self._overhearing = self._overhearing or self._desk.overhear(self)
        self.talk = Talk(
            *(caller.context, caller.room, caller.member, worker),
            queue=self._queue,
            reach=self._desk.reach_for(self),
            ears=self._overhearing,
            changed=lambda talk: self._desk.talks(self, talk),
        )
        return self.talk

    async def _talk(self, talk: Talk, leg: Leg) -> Handed | None:
        try:
            over = await talk.run(leg)
        finally:
            self.talk = None
            await asyncio.shield(self._desk.free_line(talk.worker.id))
        return await self._after(over)

    async def _after(self, over: Over) -> Handed | None:
        match over.why:
            case "line_lost":
                if (handed := self._called_back_in_vain()) is not None:
                    return handed
                self._in_line = True
                self._waiting.tell(texts.fixed("back_in_queue", self.caller.context.language))
                return None
            case "transferred":
                assert over.to is not None
                return await self._transfer(over.to, over.reached)
            case "taken_over" | "ended_by_supervisor":
                await self._leave(Why(over.why))
                return LetGo(Why(over.why))
        await self._end()
        return BackToBot(over.to.name) if over.why == "to_bot" and over.to is not None else Talked()

    def _called_back_in_vain(self) -> Handed | None:
        """The queue has the promise still, and somebody else will call."""
        if self._promised is None or self._promised.id != self.id:
            return None
        self._left = True
        return CallbackWanted("line_lost", self._promised.entered_at)

    async def _transfer(self, to: Target, reached: Reached | None) -> Handed | None:
        if reached is not None and to.kind == "number":
            await self._end()
            return await self._talk_outside(reached)
        if reached is not None:
            asked: Asked = reached  # type: ignore[assignment]
            await self._desk.apply(ConsultDone(self.id, asked.entry))
            entry = self._desk.entry(asked.entry)
            if entry is not None and entry.kind is Kind.CALL:
                self.id = asked.entry
                self._desk.follow(self, asked.entry)
                return await self._talk(self._new_talk(asked.worker), asked.leg)
            await reached.release()  # they went in this very moment: the caller is offered to them anew
        if to.kind == "number":
            return await self._give_to_number(to.name)
        before, self.id = self.id, self._desk.new_entry(self)
        if to.kind == "queue":
            self._queue = to.name
        only = to.name if to.kind == "agent" else ""
        await self._desk.apply(TransferTo(before, self.id, self._queue, only=only))
        self._in_line = True
        self.caller.context.publish(events.QueueEntered, queue=self._queue, entry=self.id)
        return None

    async def _give_to_number(self, number: str) -> Handed | None:
        """Who does not answer there is not lost: the caller waits again, with the place they had."""
        entered_at = self._entered_at()
        await self._end()
        self._waiting.tell(texts.fixed("one_moment", self.caller.context.language))
        try:
            async with self._music():
                reached = await self._desk.reach_number(self, number)
        except NotReached:
            self._waiting.tell(texts.fixed("not_reached", self.caller.context.language))
            await self._enter(entered_at)
            return None
        return await self._talk_outside(reached)

    async def _talk_outside(self, reached: Reached) -> Handed:
        self._bridge = Bridge(self.caller, reached)
        try:
            return await self._bridge.run(self._wanted_elsewhere())
        finally:
            self._bridge = None

    async def _wanted_elsewhere(self) -> BackToBot | LetGo:
        """By a supervisor. Keys that were pressed while the other end rang mean nothing any more."""
        while True:
            news = await self._news.get()
            if isinstance(news, BackToBot | LetGo):
                return news

    # What the queue is told

    def _entered_at(self) -> datetime:
        entry = self._desk.entry(self.id)
        assert entry is not None
        return entry.entered_at

    async def _end(self) -> None:
        self._left = True
        await self._desk.apply(TalkEnded(self.id))

    async def _leave(self, why: Why, told: str = "") -> None:
        """`told`: how the records call it, where that is another word."""
        self._left = True
        self._tell_left(told or str(why))
        await self._desk.apply(Leave(self.id, why))

    def _tell_left(self, why: str) -> None:
        if not self._in_line:
            return
        self._in_line = False
        entry = self._desk.entry(self.id)
        now = self.caller.context.clock.stamp()["at"]
        waited_s = (now - entry.queued_at).total_seconds() if entry is not None else 0.0
        self.caller.context.publish(
            events.QueueLeft, queue=self._queue, entry=self.id, why=why, waited_s=round(max(0.0, waited_s), 1)
        )
