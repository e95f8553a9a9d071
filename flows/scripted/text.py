"""A scripted conversation by text: typed words, recorded answers, a clock that only moves when it is told to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flows.actions import CallSystem, Handoff, HangUp, Say
from flows.engine import Engine
from flows.scripted.model import Scripted
from flows.scripted.play import Said
from flows.spans import Span, plain_text
from flows.state import Understanding
from flows.testing import Conversation, FakeSystemClient

Read = Callable[[tuple[Span, ...], str], str]
"""How spans of a language are read out; what reads them is not known here."""


class TextTalk:
    """Implements Talk. `now` is the conversation's, with the firm's zone."""

    def __init__(
        self,
        scripted: Scripted,
        engine: Engine,
        understanding: Understanding,
        systems: FakeSystemClient,
        now: datetime,
        read: Read,
    ) -> None:
        self._scripted = scripted
        self._now = now
        self._read = read
        self._systems = systems
        systems.clock = lambda: self._now
        self._handoff: Handoff | None = None
        self._outcome = ""
        self._talk = Conversation(engine, understanding, systems, clock=lambda: self._now)

    async def start(self) -> Sequence[Said]:
        scripted = self._scripted
        await self._talk.start(
            language=scripted.language,
            caller=scripted.caller,
            dialled=scripted.dialled,
            call_id=scripted.name,
            channel="voice",
        )
        return self._take()

    async def say(self, text: str) -> Sequence[Said]:
        await self._talk.say(text)
        return self._take()

    async def press(self, keys: str) -> Sequence[Said]:
        """One after the other, as the telephone sends them: gathered while an entry of several keys is awaited."""
        said: list[Said] = []
        while keys and not self.over:
            listen = self._talk.listening()
            gathers = listen is not None and listen.expect.keys
            ends = keys.find("#") + 1 or len(keys)
            count = min(ends, (listen.expect.length if listen else None) or ends) if gathers else 1
            entry, keys = keys[:count], keys[count:]
            if entry == "#" and said:
                continue  # it ends an entry that its length has ended already
            await self._talk.press(entry)
            said += self._take()
        return said

    async def silence(self) -> Sequence[Said]:
        await self._talk.silence()
        return self._take()

    async def nobody_answers(self) -> Sequence[Said]:
        self._handoff = None
        await self._talk.nobody_answers()
        return self._take()

    async def interrupt(self, text: str) -> Sequence[Said]:
        await self._talk.interrupt(text)
        return self._take()

    async def later(self, time: timedelta) -> Sequence[Said]:
        self._now += time
        return ()

    @property
    def slots(self) -> Mapping[str, Any]:
        return self._talk.state.slots

    @property
    def flow(self) -> str:
        return self._talk.state.flow

    @property
    def over(self) -> str:
        if self._talk.ended:
            return "The call was over."
        if self._handoff is not None:
            return f"The call was given to people ({self._handoff.reason})."
        return ""

    @property
    def outcome(self) -> tuple[str, str]:
        return ("handoff", self._handoff.reason) if self._handoff else (self._outcome, "")

    @property
    def asked(self) -> Sequence[CallSystem]:
        return self._systems.asked

    def _take(self) -> list[Said]:
        said = []
        for action in self._talk.actions:
            match action:
                case Say(spans, language):
                    said.append(Said(plain_text(spans), self._read(spans, language)))
                case Handoff():
                    self._handoff = action
                case HangUp(outcome):
                    self._outcome = outcome
        return said
