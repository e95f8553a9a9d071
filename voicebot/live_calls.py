"""The calls that go on in this worker, for those who watch them and step in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Protocol

from telephony.room import Room
from voicebot.errors import CallNotFound
from voicebot.parts import CallContext
from voicebot.people.stepping_in import SteppingIn
from voicebot.summary import Summary


class LiveCall(Protocol):
    """One that came in (`call.Call`), or with somebody who is called back (`people.calling_back.CallBack`)."""

    context: CallContext
    stepping_in: SteppingIn

    @property
    def room(self) -> Room:
        """Where the caller is. Raises NotPossible before the call is answered."""

    def summary(self) -> Summary:
        """As far as the call has gone."""

    def back_to_bot(self, flow: str) -> None:
        """Raises NotPossible where there is no way back."""

    def end(self) -> None:
        """A supervisor ends the call."""


WhenOver = Callable[[LiveCall], Awaitable[None]]


class LiveCalls:
    """By id. Belongs to the event loop."""

    def __init__(self) -> None:
        self._calls: dict[str, LiveCall] = {}
        self._when_over: WhenOver | None = None

    def when_over(self, do: WhenOver) -> None:
        """What is to be done after each call."""
        self._when_over = do

    def add(self, call: LiveCall) -> None:
        self._calls[call.context.call_id] = call

    def remove(self, call: LiveCall) -> None:
        self._calls.pop(call.context.call_id, None)

    @asynccontextmanager
    async def going_on(self, call: LiveCall) -> AsyncIterator[None]:
        """Around the life of a call."""
        self.add(call)
        try:
            yield
        finally:
            self.remove(call)
            if self._when_over is not None:
                await self._when_over(call)

    def get(self, call_id: str) -> LiveCall:
        """Raises CallNotFound when it does not go on."""
        call = self._calls.get(call_id)
        if call is None:
            raise CallNotFound("This call does not go on any more.", "Look for it among the past calls.")
        return call

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(self._calls.values())
