"""The bot's part of a call: listens, understands, speaks, until the flow gives the call away or ends it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from asr.recogniser import RecognitionRequest, Transcript
from flows import (
    Action,
    CallStarted,
    CallSystem,
    Event,
    Expectation,
    Faulted,
    Handoff,
    HandoffFailed,
    HangUp,
    Interrupted,
    Keys,
    Listen,
    NoInput,
    Note,
    PeopleWanted,
    PromiseCallback,
    Say,
    StopRecording,
    SurveyAnswered,
    SystemResult,
    SystemSlow,
)
from telephony.member import Member
from telephony.room import Room
from tts.text import spoken
from voicebot import events
from voicebot.dialog import Dialog
from voicebot.interjections import NOT_HEARD, ONE_MOMENT, Interjections, is_interjection
from voicebot.key_entry import KeyEntry
from voicebot.listener import Listener, Utterance, Words
from voicebot.parts import CallContext, RunningBot, Services
from voicebot.patience import patience_for
from voicebot.pipeline import CallPipeline, EventFrame, UtteranceFrame
from voicebot.reply_watch import LATE_S, ReplyWatch
from voicebot.signals import EndTurn, Resume, StopBot
from voicebot.speaker import Said, Saying, Speaker

log = logging.getLogger(__name__)

WAY_OUT_S = 30.0  # after a fault: longer than the sentence that gives the call away

STAGES = ("end_of_turn", "recognition", "dialog", "speech")
"""Of a turn, from the caller's last word to the bot's first."""

DECISIONS: dict[type, str] = {EndTurn: "end_of_turn", Resume: "no_interruption", StopBot: "interruption"}


@dataclass
class _TurnClock:
    """Loop times of one turn, from the caller's last word on."""

    paused: float
    ended: float
    recognised: float = 0.0
    decided: float = 0.0

    def stages(self, heard: float) -> dict[str, float]:
        """Milliseconds of each; `heard`: when the bot's first word was."""
        marks = (self.paused, self.ended, self.recognised, self.decided, heard)
        times = zip(STAGES, marks, marks[1:], strict=False)
        return {name: round((later - earlier) * 1000, 1) for name, earlier, later in times}


class Conversation:
    """One stretch of talk between caller and bot. A failed handoff is followed by another with the same dialog."""

    def __init__(
        self,
        services: Services,
        bot: RunningBot,
        context: CallContext,
        dialog: Dialog,
        room: Room,
        member: Member,
        on_handoff: Callable[[Handoff], None] = lambda handoff: None,
        rules: Callable[[], PeopleWanted | None] = lambda: None,
    ) -> None:
        """`on_handoff` learns that the flow gives the call away, before the caller is told so.

        `rules` is asked after every turn of the caller whether people are to have the call now.
        """
        self._services = services
        self._bot = bot
        self._context = context
        self._on_handoff = on_handoff
        self._rules = rules
        self._dialog = dialog
        self._recogniser = services.recogniser_for(context)
        self._voice = services.voice_for(context, bot)
        self._loop = asyncio.get_running_loop()
        self._verdict: asyncio.Future[Handoff | HangUp] = self._loop.create_future()
        self.speaker = Speaker(
            room, on_started=self._bot_started, on_said=self._bot_said, on_interrupted=self._interrupted
        )
        self._interjections = Interjections(bot, self._voice, self.speaker, room.sample_rate)
        self._listener = Listener(services.activity, room.sample_rate, self.speaker, self)
        self._untaps = (member.tap(self._listener.feed), member.tap_mix(self._listener.played))
        self._pipeline = CallPipeline(self, self.fault)
        self._expect = Expectation("intent")
        self._awaited: asyncio.Task[Words] | None = None  # of the turn that ended last
        self._keys = KeyEntry(self._keys_entered)
        self._clock: _TurnClock | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._going_on = False  # its tasks are not being ended yet
        self._asking: set[asyncio.Task[None]] = set()
        self._rate = room.sample_rate
        self._people_tried = False
        self._unheard: list[Said] = []  # what was cut off since the last event of the flow
        self._way_out: asyncio.TimerHandle | None = None
        self._watch = ReplyWatch(self._reply_late, self._reply_lost)

    async def run(self, opening: CallStarted | Event) -> Handoff | HangUp:
        """Talk, beginning with `opening`, and return the action that ends the bot's part."""
        self._people_tried = isinstance(opening, HandoffFailed)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks, self._going_on = tasks, True
                running = tasks.create_task(self._pipeline.run(), name=f"pipeline {self._context.call_id}")
                self._pipeline.post(EventFrame(opening))
                try:
                    verdict = await self._verdict
                finally:
                    self._going_on = False
                running.cancel()
                for task in self._asking:
                    task.cancel()
                return verdict
        finally:
            # A caller who hangs up cuts the bot off: what was heard of it is told now, not after the end of the call.
            self.speaker.drop()
            self._watch.done()
            self._keys.forget()
            if self._way_out is not None:
                self._way_out.cancel()
            for untap in self._untaps:
                untap()
            await self._listener.close()

    def key(self, key: str) -> None:
        """A key of the caller's phone."""
        if key == "#" and not self._keys.begun:
            return  # it ends an entry that its length has ended already
        self._listener.key_pressed()
        self._keys.press(key, self._expect)

    def not_heard(self) -> None:
        """Nothing comes from the caller's phone; what the bot says may well reach it."""
        self._interject(NOT_HEARD)

    def _keys_entered(self, keys: str) -> None:
        self._context.publish(events.KeysPressed, keys=keys)
        if self._awaited is not None:
            self._awaited.cancel()  # who presses keys does not wait for words to be recognised
        self._dialog.hurry()
        self._watch.begin("dialog")
        self._pipeline.post(EventFrame(Keys(keys)))

    # What the pipeline asks (pipeline.Turn)

    async def heard(self, utterance: Utterance, words: Words) -> tuple[Action, ...]:
        self._watch.reach("dialog")
        transcript = words.transcript
        self._clock = _TurnClock(utterance.paused_at, utterance.ended_at, recognised=self._loop.time())
        self._context.publish(
            events.CallerSaid,
            text=transcript.text,
            confidence=transcript.confidence,
            decode_ms=round(transcript.decode_s * 1000, 1),
            audio_s=transcript.audio_s,
        )
        self._tell_what_was_heard()
        actions = self._by_the_rules(await self._dialog.heard(words))
        self._clock.decided = self._loop.time()
        self._follow_language()
        self._tell_of_a_handoff(actions)
        return actions

    def happened(self, event: CallStarted | Event) -> tuple[Action, ...]:
        if isinstance(event, CallStarted):
            actions = self._dialog.begin(event)
            self._follow_language()
        else:
            self._tell_what_was_heard()
            actions = self._dialog.apply(event)
        self._tell_of_a_handoff(actions)
        return actions

    def _by_the_rules(self, actions: tuple[Action, ...]) -> tuple[Action, ...]:
        """Where a rule gives the call to people, that is done in the place of what the flow would do next."""
        if any(isinstance(action, Handoff | HangUp) for action in actions):
            return actions
        wanted = self._rules()
        if wanted is None:
            return actions
        told = tuple(action for action in actions if isinstance(action, Note | StopRecording))
        return told + self._dialog.apply(wanted)

    def _tell_of_a_handoff(self, actions: tuple[Action, ...]) -> None:
        for action in actions:
            if isinstance(action, Handoff):
                self._on_handoff(action)

    def _follow_language(self) -> None:
        """Agents are chosen and briefed in the language that is spoken now."""
        self._context.language = self._dialog.state.language

    def _tell_what_was_heard(self) -> None:
        """The flow learns what the caller did not hear of its last words before it learns what came after them."""
        unheard, self._unheard = self._unheard, []
        if not unheard:
            return
        heard = " ".join(said.heard_text for said in unheard).strip()
        missed = " ".join(said.missed_text for said in unheard).strip()
        for action in self._dialog.apply(Interrupted(heard, missed, tuple(said.saying.step for said in unheard))):
            self.now(action)

    def announce(self, say: Say) -> Saying:
        self._watch.reach("speech")
        return self.speaker.announce(spoken(say.spans, say.language), say.step, say.interruptible, say.recorded)

    async def speech(self, say: Say) -> AsyncIterator[bytes]:
        async for pcm in self._voice.say(spoken(say.spans, say.language), say.language, self._rate, say.pace):
            yield pcm

    def now(self, action: Action) -> None:
        """Carry out what does not wait for speech to end."""
        match action:
            case Listen(expect):
                if self.speaker.silent:
                    self._watch.done()
                if (expect.kind, expect.length) != (self._expect.kind, self._expect.length):
                    self._keys.forget()
                self._expect = expect
                self._dialog.expect = expect
                longest_s = self._services.config.turns.longest_utterance_s
                self._listener.expect(patience_for(expect, longest_ms=int(longest_s * 1000)))
            case CallSystem():
                assert self._tasks is not None
                task = self._tasks.create_task(self._ask_system(action), name=f"system {action.operation}")
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
            case PromiseCallback(number, queue, reason):
                self._context.publish(events.CallbackPromised, number=number, queue=queue, reason=reason)
            case SurveyAnswered(kind, score, comment):
                self._context.publish(events.SurveyAnswered, kind=kind, score=score, comment=comment)
            case StopRecording():
                assert self._tasks is not None
                self._context.refuse_recording()
                self._tasks.create_task(self._context.delete_recording(), name="delete recording")
            case Note(kind, data):
                self._context.publish(events.Decision, kind=kind, data=data)

    def afterwards(self, action: Handoff | HangUp) -> None:
        if not self._verdict.done():
            self._verdict.set_result(action)

    # What the ear asks and tells (listener.Mind)

    async def recognise(self, audio: bytes, *, final: bool) -> Transcript:
        return await self._recogniser.transcribe(
            RecognitionRequest(
                audio,
                self._rate,
                self._dialog.state.language,
                self._context.call_id,
                final=final,
                deadline_s=self._services.config.recognition.deadline_s,
                hints=self._expect.hints,
            )
        )

    async def consider(self, transcript: Transcript, *, paused: bool = False) -> Words:
        return await self._dialog.consider(transcript, question_heard=self.speaker.all_started, paused=paused)

    def turn_ended(self, utterance: Utterance) -> None:
        self._awaited = utterance.words
        self._watch.begin("recognition")
        self._pipeline.post(UtteranceFrame(utterance))

    def no_input(self) -> None:
        self._pipeline.post(EventFrame(NoInput()))

    def saying(self, text: str) -> None:
        self._context.publish(events.CallerSaying, text=text)

    def decided(self, effect: Resume | StopBot | EndTurn) -> None:
        data: dict[str, Any] = {"move": DECISIONS[type(effect)], "reason": effect.reason}
        if isinstance(effect, EndTurn):
            data["pause_ms"] = effect.pause_ms
        self._context.publish(events.Decision, kind="turn_taking", data=data)

    def was_deaf(self, reason: str) -> None:
        """Whoever spoke into a deaf ear is asked again, unless the bot is speaking anyway."""
        self._context.publish(events.Fault, stage="voice activity", message=reason)
        if self.speaker.silent and not self._listener.caller_speaks:
            self.no_input()

    # Speaking

    def _bot_started(self, saying: Saying) -> None:
        self._listener.bot_started(saying.interruptible)
        if is_interjection(saying.step):
            return
        self._watch.done()
        if self._clock is not None:
            clock, self._clock = self._clock, None
            self._context.publish(events.TurnTimed, stages=clock.stages(self._loop.time()))

    def _bot_said(self, said: Said) -> None:
        recorded = said.saying.recorded
        self._context.publish(
            events.BotSaid,
            text=recorded or said.saying.text,
            step=said.saying.step,
            interrupted=not said.completed,
            heard_text=recorded if recorded and said.heard_text else said.heard_text,
        )
        if not said.completed and not is_interjection(said.saying.step):
            self._unheard.append(said)
        if self.speaker.silent:
            self._listener.bot_finished()

    def _interrupted(self) -> None:
        self._pipeline.interrupt()

    # Slowness

    def _reply_late(self, stage: str) -> None:
        """Nothing has been heard since the caller's turn ended: say that it takes a moment, past whatever is slow."""
        self._context.publish(events.Fault, stage=stage, message=f"No answer was heard within {LATE_S:g} s.")
        if not self._listener.caller_speaks:
            self._interject(ONE_MOMENT)

    def _interject(self, phrase: str) -> None:
        if self._tasks is not None and self._going_on:
            self._tasks.create_task(self._interjections.say(phrase, self._dialog.state.language), name=phrase)

    def _reply_lost(self, stage: str) -> None:
        self.fault(f"no answer came from {stage}")

    # Company systems

    async def _ask_system(self, action: CallSystem) -> None:
        began = self._loop.time()
        slow = self._loop.call_later(
            action.slow_after_s, lambda: self._pipeline.post(EventFrame(SystemSlow(action.id)))
        )
        try:
            result = await self._bot.systems.call(action)
        finally:
            slow.cancel()
        self._answered(action, result, (self._loop.time() - began) * 1000)

    def _answered(self, action: CallSystem, result: SystemResult, took_ms: float) -> None:
        self._context.publish(
            events.SystemCalled, operation=action.operation, outcome=result.outcome, ms=round(took_ms, 1)
        )
        self._pipeline.post(EventFrame(result))

    # Faults

    def fault(self, message: str) -> None:
        """A stage broke: the flow says so and gives the call to people. If nothing comes of that, they get it unsaid.

        Faults that follow change nothing: the way out has been taken, and what cannot be said is left out.
        """
        log.error("fault in call %s: %s", self._context.call_id, message)
        self._context.publish(events.Fault, stage="pipeline", message=message)
        if self._way_out is None:
            last_resort = HangUp("failed") if self._people_tried else Handoff("", "fault", message)
            self._way_out = self._loop.call_later(WAY_OUT_S, self.afterwards, last_resort)
            self.speaker.interrupt()
            self._pipeline.post(EventFrame(Faulted()))
