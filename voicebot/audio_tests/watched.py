"""What happens in the one call that is up: every step of the engine, and every sentence that was heard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from flows import (
    Action,
    Bot,
    CallStarted,
    CallSystem,
    Engine,
    Event,
    Handoff,
    HandoffFailed,
    HangUp,
    Heard,
    Keys,
    Listen,
    Say,
    State,
    Step,
    SystemResult,
    plain_text,
)
from flows.scripted import Said, Scripted
from flows.testing import FakeSystemClient
from tts.text import spoken
from voicebot.events import BotSaid, CallEnded, CallEvent
from voicebot.interjections import is_interjection


@dataclass
class Watch:
    """One call. The engine tells it what it does, the events what was heard; `changed` is set by both."""

    scripted: Scripted
    systems: FakeSystemClient
    now: Callable[[], datetime]
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    state: State | None = None
    steps: int = 0
    announced: dict[str, str] = field(default_factory=dict)  # as it is written, by how it is read out
    to_be_said: int = 0
    said: list[Said] = field(default_factory=list)
    waits: bool = False  # the bot is through with its turn but for what it has still to say
    handoff: Handoff | None = None
    refused_at: int | None = None  # how much had been said when nobody took the call
    outcome: str = ""
    over: bool = False

    async def ended(self, deadline_s: float) -> None:
        """Until the call has been taken down, or for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                while not self.over and self.state is not None:
                    self.changed.clear()
                    await self.changed.wait()

    def step(self, event: Event | None, step: Step) -> Step:
        if isinstance(event, HandoffFailed):
            self.refused_at = len(self.said)
        if isinstance(event, Heard | Keys):
            self.to_be_said = 0  # whoever speaks or presses keys cuts the bot off
        self.state = step.state
        self.steps += 1
        self.waits = False
        for action in step.actions:
            self._take(action)
        self.changed.set()
        return step

    def _take(self, action: Action) -> None:
        match action:
            case Say(spans, language):
                self.announced[spoken(spans, language)] = plain_text(spans)
                self.to_be_said += 1
            case Handoff():
                self.handoff = action
                self.waits = True
            case HangUp(outcome):
                self.outcome = outcome
                self.waits = True
            case Listen():
                self.waits = True
            case CallSystem():
                self.waits = False

    def heard(self, event: CallEvent) -> None:
        self.over = self.over or isinstance(event, CallEnded)
        if isinstance(event, BotSaid) and not is_interjection(event.step):
            self.to_be_said -= 1
            heard = event.heard_text if event.interrupted else event.text
            written = heard if event.interrupted else self.announced.get(event.text, event.text)
            if heard:
                self.said.append(Said(written, heard))
        self.changed.set()


class Exchange:
    """Which call is watched now. Implements Systems, so that each call has its own recorded answers."""

    def __init__(self) -> None:
        self.watch: Watch | None = None

    @property
    def current(self) -> Watch:
        assert self.watch is not None
        return self.watch

    async def call(self, action: CallSystem) -> SystemResult:
        return await self.current.systems.call(action)

    async def close(self) -> None:
        """Nothing to close."""

    def heard(self, event: CallEvent) -> None:
        if self.watch is not None:
            self.watch.heard(event)


class WatchedEngine(Engine):
    """The engine, with the clock, the caller and the dialled number of the conversation that is played."""

    def __init__(self, bot: Bot, exchange: Exchange) -> None:
        super().__init__(bot)
        self._exchange = exchange

    def start(self, started: CallStarted, now: datetime) -> Step:
        watch = self._exchange.current
        scripted = watch.scripted
        started = replace(started, caller=scripted.caller, dialled=scripted.dialled, language=scripted.language)
        return watch.step(None, super().start(started, watch.now()))

    def step(self, state: State, event: Event, now: datetime) -> Step:
        watch = self._exchange.current
        return watch.step(event, super().step(state, event, watch.now()))
