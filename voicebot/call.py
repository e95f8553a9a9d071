"""The life of one call: answered, served by the bot and by people in turn, ended, recorded.

Everything the call starts lives in one TaskGroup; when the caller hangs up, or a supervisor ends the call, the group
ends, whatever it was doing. The caller stays in one room from the first word to the last.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime

import flows
from flows import Handoff, HandoffFailed, HangUp, Returned
from telephony.errors import LegGone, TelephonyError
from telephony.leg import Digit, EndCause, Ended, HeardAgain, Leg, Unheard
from telephony.member import Member
from telephony.port import Reception
from telephony.room import Room
from voicebot import events
from voicebot.arrivals import arrival
from voicebot.config import NumberSettings
from voicebot.conversation import Conversation
from voicebot.dialog import Dialog
from voicebot.errors import NotPossible
from voicebot.events import CallClock, Outcome
from voicebot.logs import call_id_var
from voicebot.parts import CallContext, RunningBot, Services
from voicebot.people.desk import Desk
from voicebot.people.handed import (
    BackToBot,
    CallbackWanted,
    CallerAtDesk,
    Handed,
    Talked,
    VoicemailWanted,
)
from voicebot.people.known import known_of
from voicebot.people.rules import CallRules
from voicebot.people.stepping_in import SteppingIn, TakenOver
from voicebot.people.voicemail import Left, TakingMessage
from voicebot.phone_numbers import as_kept
from voicebot.queueing.happenings import Promise
from voicebot.recording import recorded
from voicebot.records import CallFolder
from voicebot.summary import Summary, hidden_slots, summarise

log = logging.getLogger(__name__)

OUTCOMES = {
    "contained": Outcome.CONTAINED,
    "callback": Outcome.CALLBACK_PROMISED,
    "not_served": Outcome.ABANDONED,
    "failed": Outcome.FAILED,
}


SUPERVISOR = "supervisor"
"""The reason of a handoff after a supervisor who had taken the caller was lost."""


class _Over(Exception):
    """The call is over, whatever it was doing: the caller's leg has ended, or a supervisor ended it. With the cause."""


class Call:
    """One inbound call."""

    def __init__(
        self,
        services: Services,
        desk: Desk,
        bot: RunningBot,
        number: NumberSettings,
        leg: Leg,
        call_id: str,
        now: Callable[[], datetime],
        people: str = "",
    ) -> None:
        """`people`: why they are to have the call at once, after the bot's greeting."""
        self._services = services
        self._people = people
        self._desk = desk
        self._bot = bot
        self._leg = leg
        self._folder = CallFolder(services.config.data / "calls" / call_id)
        self._arrived = arrived = arrival(leg, services.config.sip)
        clock = CallClock(call_id)
        self.context = CallContext(
            *(call_id, arrived.caller, arrived.dialled, number.language, clock, services.events),
            headers=arrived.headers,
        )
        self._second = services.second_opinion_for(self.context, bot)
        self._reteller = services.reteller_for(self.context)
        self._dialog = Dialog(bot.engine, bot.understanding, now, self._second)
        self._rules = CallRules(services.config.routing, self.context, bot.bot.name, self._dialog)
        self._conversation: Conversation | None = None
        self._message: TakingMessage | None = None
        self._room: Room | None = None
        self._reception: Reception | None = None
        self.stepping_in = SteppingIn(services, self.context, lambda: desk.case_of(call_id))
        self._ended_by = asyncio.Event()
        self._left_s = services.config.turns.longest_call_s
        self._began_at = self.context.clock.stamp()["at"]
        self._promised = 0  # callbacks that the queue knows of
        self._place: datetime | None = None  # in the queue, kept for a callback
        self._outcome = Outcome.ABANDONED
        self._summed: tuple[tuple[int, str, str], Summary] | None = None
        self._why = ""  # the flow's own sentence on why it handed over

    async def run(self) -> None:
        """From the first ring to the last record. Only cancellation leaves it early, and then too it cleans up."""
        token = call_id_var.set(self.context.call_id)
        began = asyncio.get_running_loop().time()
        cause = "local_hangup"
        context = self.context
        context.publish(
            events.CallStarted,
            caller=context.caller,
            dialled=context.dialled,
            language=context.language,
            bot=self._bot.bot.name,
            version=self._bot.version,
            trunk=self._arrived.trunk,
            diverted_from=self._arrived.diverted_from,
            headers=dict(self._arrived.headers),
        )
        try:
            await self._leg.answer()
            cause = await self._serve()
        except LegGone as error:
            log.info("not answered: %s", error)
            cause = "cancelled"
        except Exception as error:
            log.exception("call failed")
            cause, self._outcome = "fault", Outcome.FAILED
            self.context.publish(events.Fault, stage="call", message=str(error))
        finally:
            await asyncio.shield(self._finish(cause, asyncio.get_running_loop().time() - began))
            call_id_var.reset(token)

    # What supervisors do

    @property
    def room(self) -> Room:
        """Where the caller is. Raises NotPossible before the call is answered."""
        if self._room is None:
            raise NotPossible("The call is not answered yet.", "Try again in a second.")
        return self._room

    def back_to_bot(self, flow: str) -> None:
        """Raises NotPossible when no people have the call."""
        self.stepping_in.send_to_bot(flow)

    def end(self) -> None:
        """A supervisor ends the call."""
        self._ended_by.set()

    # The call

    async def _serve(self) -> str:
        """The answered call. Returns the cause of its end."""
        room = self._room = self._services.media.open_room(self._leg.sample_rate)
        member = room.join(self._leg)
        cause = "local_hangup"
        try:
            async with recorded(self.context, self._folder, room, member), asyncio.TaskGroup() as tasks:
                watching = [
                    tasks.create_task(self._watch_leg(), name=f"leg {self.context.call_id}"),
                    tasks.create_task(self._until_ended(), name=f"end {self.context.call_id}"),
                ]
                await self._talk(room, member)
                for watch in watching:
                    watch.cancel()
        except* _Over as over:
            cause = str(over.exceptions[0])
        except* TimeoutError:
            cause = "too_long"
            self.context.publish(events.Fault, stage="call", message="The talk with the bot took too long.")
        finally:
            self._reception = member.reception
            room.close()
        return cause

    async def _talk(self, room: Room, member: Member) -> None:
        """Bot and people in turn, until one of them is done with the caller."""
        context = self.context
        opening: flows.CallStarted | flows.Event | None = flows.CallStarted(
            *(context.call_id, context.caller, context.dialled, context.language),
            people=self._people,
            cut_off=self._services.cut_off.took(context.caller, self._began_at),
        )
        while opening is not None:
            verdict = await self.stepping_in.unless_taken(self._with_bot(opening, room, member))
            await self._promise_callbacks()
            if isinstance(verdict, HangUp):
                self._outcome = OUTCOMES[verdict.outcome]
                return
            handed: Handed | TakenOver | Handoff = verdict
            while isinstance(handed, TakenOver | Handoff | VoicemailWanted):
                if isinstance(handed, TakenOver):
                    handed = await self._with_supervisor(handed, room, member)
                elif isinstance(handed, VoicemailWanted):
                    handed = await self.stepping_in.unless_taken(self._take_message(handed, room, member))
                else:
                    handed = await self.stepping_in.unless_taken(self._with_people(handed, room, member))
            opening = await self._go_on(handed)

    async def _go_on(self, handed: Handed) -> flows.Event | None:
        """What the bot is to go on with; None: the call is over."""
        match handed:
            case BackToBot(flow):
                return Returned(flow)
            case CallbackWanted(why, entered_at):
                self._place = entered_at
                if self._dialog.state.mode != "transferring":  # it was given away unsaid: the flow cannot go on
                    self._outcome = Outcome.FAILED
                    return None
                return HandoffFailed(why)
        return None

    async def _promise_callbacks(self) -> None:
        """The queue keeps what the bot has promised."""
        promised = [event for event in self.context.events if isinstance(event, events.CallbackPromised)]
        for event in promised[self._promised :]:
            queue = event.queue or self._bot.bot.queue
            who = (self.context.call_id, as_kept(event.number), self.context.language, queue)
            await self._desk.apply(Promise(*who, reason=event.reason, entered_at=self._place))
        self._promised = len(promised)

    async def _with_bot(self, opening: flows.CallStarted | flows.Event, room: Room, member: Member) -> Handoff | HangUp:
        """Raises TimeoutError when it takes too long; the time with people does not count."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        conversation = self._conversation = Conversation(
            *(self._services, self._bot, self.context, self._dialog, room, member),
            on_handoff=self._retell,
            rules=self._rules.take_from_bot,
        )
        self._rules.begin()
        try:
            async with asyncio.timeout(self._left_s):
                return await conversation.run(opening)
        finally:
            self._conversation = None
            self._left_s -= loop.time() - began

    async def _with_people(self, handoff: Handoff, room: Room, member: Member) -> Handed:
        self._why = handoff.detail
        routed = self._rules.route(handoff.reason, handoff.queue or self._bot.bot.queue)
        self.context.publish(events.HandoffStarted, queue=routed.queue, reason=handoff.reason)
        known = await asyncio.to_thread(known_of, self._services.config.data, self.context.caller, self._began_at)
        return await self._desk.hand_over(
            CallerAtDesk(
                *(self.context, room, member, self._services.voice_for(self.context, self._bot)),
                queue=routed.queue,
                reason=handoff.reason,
                summary=self.summary,
                urgency=routed.urgency,
                skills=routed.skills,
                knows=known.agent,
                earlier=known.calls,
            )
        )

    async def _take_message(self, wanted: VoicemailWanted, room: Room, member: Member) -> Handed:
        """Where none can be taken, the caller is called back instead."""
        voice = self._services.voice_for(self.context, self._bot)
        taking = self._message = TakingMessage(self._services, self.context, room, member, voice, wanted.queue)
        try:
            left = await taking.run()
        finally:
            self._message = None
        return CallbackWanted(wanted.why, self.context.clock.stamp()["at"]) if left is Left.CALLBACK else Talked()

    async def _with_supervisor(self, taken: TakenOver, room: Room, member: Member) -> Handed | Handoff:
        """A supervisor who is lost leaves the caller to the agents."""
        over = await self.stepping_in.talk(taken, room, member)
        if over.why == "line_lost":
            return Handoff("", SUPERVISOR)
        return BackToBot(over.to.name) if over.to is not None else Talked()

    def _retell(self, handoff: Handoff) -> None:
        """While the caller hears of the handoff and phones ring, a language model has the time to tell the call."""
        if self._reteller is not None:
            self._why = handoff.detail
            coming = events.HandoffStarted(queue="", reason=handoff.reason, **self.context.clock.stamp())
            self._reteller.ask(self.summary(coming))

    async def _watch_leg(self) -> None:
        async for event in self._leg.events():
            if isinstance(event, Digit):
                self._key(event.key)
            elif isinstance(event, Unheard):
                self.context.publish(events.CallerUnheard, ever=event.ever)
                if self._conversation is not None:
                    self._conversation.not_heard()
            elif isinstance(event, HeardAgain):
                self.context.publish(events.CallerHeardAgain, after_s=event.after_s)
            elif isinstance(event, Ended):
                raise _Over(str(event.cause))

    def _key(self, key: str) -> None:
        if self._conversation is not None:
            self._conversation.key(key)
        elif self._message is not None:
            self._message.key(key)
        elif (case := self._desk.case_of(self.context.call_id)) is not None:
            case.key(key)

    async def _until_ended(self) -> None:
        await self._ended_by.wait()
        raise _Over("ended_by_supervisor")

    def summary(self, *coming: events.CallEvent) -> Summary:
        """As far as the call has gone, and where these events come next. Made anew when there is anything new."""
        told = self._reteller.told if self._reteller is not None else ""
        state = (len(self.context.events), self._why, told)
        if not coming and self._summed is not None and self._summed[0] == state:
            return self._summed[1]
        language = self.context.language
        summary = summarise(
            [*self.context.events, *coming],
            language,
            self._dialog.slots,
            topics={name: flow.offer[language] for name, flow in self._bot.bot.flows.items() if flow.offer},
            hidden=hidden_slots(self._bot.bot),
            personal=self._dialog.personal,
            detail=self._why,
            told=told,
        )
        if not coming:
            self._summed = (state, summary)
        return summary

    async def _finish(self, cause: str, duration_s: float) -> None:
        with contextlib.suppress(TelephonyError):
            await self._leg.hang_up()
        if self._second is not None:
            await self._second.aclose()
        if self._reteller is not None:
            await self._reteller.aclose()
        self.context.tell_sound(self._leg, self._reception)
        self.context.publish(
            events.CallEnded, outcome=self._final_outcome(cause), cause=cause, duration_s=round(duration_s, 2)
        )
        try:
            await asyncio.to_thread(lambda: self._folder.write(self.summary()))
        except OSError as error:
            log.error("transcript and summary of %s were not written: %s", self.context.call_id, error)

    def _final_outcome(self, cause: str) -> Outcome:
        """A caller who reached an agent or a PBX was handed off, whoever hung up and when, unless we broke off."""
        if cause == EndCause.ENDPOINT_DEAD:
            return Outcome.LOST
        joined = any(isinstance(event, events.AgentJoined | events.PbxJoined) for event in self.context.events)
        return Outcome.HANDED_OFF if joined or cause == EndCause.TRANSFERRED else self._outcome
