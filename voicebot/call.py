"""The life of one call: answered, served by the bot, given to people if need be, ended, recorded.

Everything the call starts lives in one TaskGroup; when the caller hangs up the group ends, whatever it was doing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from datetime import datetime

import flows
from flows import Handoff, HandoffFailed, HangUp
from telephony.errors import LegGone, TelephonyError
from telephony.leg import Digit, Ended, Leg
from telephony.member import Member
from telephony.recorder import Recorder
from telephony.room import Room
from tts.text import spoken
from voicebot import events
from voicebot.config import NumberSettings
from voicebot.conversation import Conversation
from voicebot.dialog import Dialog
from voicebot.events import CallClock, Outcome
from voicebot.handoff import HandoffToPeople
from voicebot.logs import call_id_var
from voicebot.parts import CallContext, RunningBot, Services
from voicebot.people_settings import QueueSettings
from voicebot.records import CallFolder
from voicebot.summary import Summary, briefing, hidden_slots, summarise

log = logging.getLogger(__name__)

OUTCOMES = {
    "contained": Outcome.CONTAINED,
    "callback": Outcome.CALLBACK_PROMISED,
    "not_served": Outcome.ABANDONED,
    "failed": Outcome.FAILED,
}


class _CallerGone(Exception):
    """The caller's leg has ended; carries the cause."""


class Call:
    """One inbound call."""

    def __init__(
        self,
        services: Services,
        bot: RunningBot,
        number: NumberSettings,
        leg: Leg,
        call_id: str,
        now: Callable[[], datetime],
    ) -> None:
        self._services = services
        self._bot = bot
        self._leg = leg
        self._folder = CallFolder(services.config.data / "calls" / call_id)
        self._context = CallContext(
            call_id, leg.remote_number, leg.dialled, number.language, CallClock(call_id), services.events
        )
        self._second = services.second_opinion_for(self._context, bot)
        self._reteller = services.reteller_for(self._context)
        self._dialog = Dialog(bot.engine, bot.understanding, now, self._second)
        self._conversation: Conversation | None = None
        self._outcome = Outcome.ABANDONED
        self._why = ""  # the flow's own sentence on why it handed over

    async def run(self) -> None:
        """From the first ring to the last record. Only cancellation leaves it early, and then too it cleans up."""
        token = call_id_var.set(self._context.call_id)
        began = asyncio.get_running_loop().time()
        cause = "local_hangup"
        context = self._context
        context.publish(
            events.CallStarted,
            caller=context.caller,
            dialled=context.dialled,
            language=context.language,
            bot=self._bot.bot.name,
            version=self._bot.version,
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
            self._context.publish(events.Fault, stage="call", message=str(error))
        finally:
            await asyncio.shield(self._finish(cause, asyncio.get_running_loop().time() - began))
            call_id_var.reset(token)

    async def _serve(self) -> str:
        """The answered call. Returns the cause of its end."""
        room = self._services.media.open_room(self._leg.sample_rate)
        member = room.join(self._leg)
        recorder = self._start_recording(room, member)
        cause = "local_hangup"
        try:
            async with asyncio.TaskGroup() as tasks:
                watch = tasks.create_task(self._watch_leg(), name=f"leg {self._context.call_id}")
                await self._talk(room, member)
                watch.cancel()
        except* _CallerGone as gone:
            cause = str(gone.exceptions[0])
        except* TimeoutError:
            cause = "too_long"
            self._context.publish(events.Fault, stage="call", message="The talk with the bot took too long.")
        finally:
            room.close()
            if recorder is not None:
                result = await asyncio.to_thread(recorder.close)
                if result.error:
                    self._context.publish(events.Fault, stage="recording", message=str(result.error))
        return cause

    async def _talk(self, room: Room, member: Member) -> None:
        context = self._context
        opening: flows.CallStarted | flows.Event = flows.CallStarted(
            context.call_id, context.caller, context.dialled, context.language
        )
        left_s = self._services.config.turns.longest_call_s
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self._conversation = Conversation(
                self._services, self._bot, context, self._dialog, room, member, self._retell
            )
            async with asyncio.timeout(left_s):
                verdict = await self._conversation.run(opening)
            self._conversation = None
            left_s -= loop.time() - began  # the time with people does not count
            if isinstance(verdict, HangUp):
                self._outcome = OUTCOMES[verdict.outcome]
                return
            if await self._hand_off(verdict, room):
                return
            if self._dialog.state.mode != "transferring":  # it was given away unsaid: the flow cannot go on
                self._outcome = Outcome.FAILED
                return
            opening = HandoffFailed("no_agent")

    async def _hand_off(self, handoff: Handoff, room: Room) -> bool:
        queue_name = handoff.queue or self._bot.bot.queue
        queue = self._services.config.queues.get(queue_name, QueueSettings())
        self._context.publish(events.HandoffStarted, queue=queue_name, reason=handoff.reason)
        self._why = handoff.detail
        return await HandoffToPeople(self._services, self._bot, self._context, room, queue, self._briefing).run()

    def _briefing(self) -> str:
        return spoken(briefing(self._summary(), self._context.language), self._context.language)

    def _retell(self, handoff: Handoff) -> None:
        """While the caller hears of the handoff and phones ring, a language model has the time to tell the call."""
        if self._reteller is not None:
            self._why = handoff.detail
            coming = events.HandoffStarted(queue="", reason=handoff.reason, **self._context.clock.stamp())
            self._reteller.ask(self._summary(coming))

    async def _watch_leg(self) -> None:
        async for event in self._leg.events():
            if isinstance(event, Digit) and self._conversation is not None:
                self._conversation.key(event.key)
            elif isinstance(event, Ended):
                raise _CallerGone(str(event.cause))

    def _start_recording(self, room: Room, member: Member) -> Recorder | None:
        try:
            path = self._folder.make() / "recording.wav"
            recorder = Recorder(path, room.sample_rate)
        except (OSError, TelephonyError) as error:
            self._context.publish(events.Fault, stage="recording", message=str(error))
            return None
        room.record(member, recorder)
        self._context.discard_recording = recorder.discard
        return recorder

    def _summary(self, *coming: events.CallEvent) -> Summary:
        """As far as the call has gone, and where these events come next."""
        language = self._context.language
        return summarise(
            [*self._context.events, *coming],
            language,
            self._dialog.slots,
            topics={name: flow.offer[language] for name, flow in self._bot.bot.flows.items() if flow.offer},
            hidden=hidden_slots(self._bot.bot),
            personal=self._dialog.personal,
            detail=self._why,
            told=self._reteller.told if self._reteller is not None else "",
        )

    async def _finish(self, cause: str, duration_s: float) -> None:
        with contextlib.suppress(TelephonyError):
            await self._leg.hang_up()
        if self._second is not None:
            await self._second.aclose()
        if self._reteller is not None:
            await self._reteller.aclose()
        self._context.publish(
            events.CallEnded, outcome=self._final_outcome(), cause=cause, duration_s=round(duration_s, 2)
        )
        try:
            await asyncio.to_thread(self._write_files)
        except OSError as error:
            log.error("transcript and summary of %s were not written: %s", self._context.call_id, error)

    def _final_outcome(self) -> Outcome:
        """A caller who reached an agent was handed off, whoever hung up and when."""
        joined = any(isinstance(event, events.AgentJoined) for event in self._context.events)
        return Outcome.HANDED_OFF if joined else self._outcome

    def _write_files(self) -> None:
        self._folder.write_transcript(self._context.events)
        self._folder.write_summary(self._summary())
