"""The audio lines of agents' browsers. A line stays up between calls; a call only joins its leg to a room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from telephony.errors import TelephonyError
from telephony.leg import Ended, Leg
from voicebot.background import Background
from voicebot.people.phones import hang_up

log = logging.getLogger(__name__)

Answer = Callable[[str], Awaitable[tuple[Leg, str]]]
"""Takes a browser's SDP offer; gives the leg and the SDP answer. Raises TelephonyError."""


class LineState(StrEnum):
    """Of an agent's line. `LOST`: it was up and has broken, and may come back."""

    NONE = "none"
    CONNECTING = "connecting"
    UP = "up"
    LOST = "lost"


@dataclass
class _Line:
    state: LineState = LineState.NONE
    leg: Leg | None = None
    watching: asyncio.Task[None] | None = None


class BrowserLines:
    """By login. `changed(login)` is told of every change of a state, on the loop."""

    def __init__(self, answer: Answer, changed: Callable[[str], None]) -> None:
        self._answer = answer
        self._changed = changed
        self._lines: dict[str, _Line] = {}
        self._background = Background()

    def state(self, login: str) -> LineState:
        return self._line(login).state

    def leg(self, login: str) -> Leg | None:
        """The leg of a line that is up."""
        line = self._line(login)
        return line.leg if line.state is LineState.UP else None

    async def connect(self, login: str, offer_sdp: str) -> str:
        """Bring a line up in the place of the one there was; returns the SDP answer. Raises TelephonyError."""
        await self.disconnect(login)
        leg, answer_sdp = await self._answer(offer_sdp)
        line = self._lines[login] = _Line(LineState.CONNECTING, leg)
        line.watching = asyncio.create_task(self._watch(login, line, leg), name=f"line of {login}")
        self._changed(login)
        return answer_sdp

    async def disconnect(self, login: str) -> None:
        """Take the line down; it does not count as lost."""
        line = self._lines.pop(login, None)
        if line is None:
            return
        if line.watching is not None:
            line.watching.cancel()
            await asyncio.wait({line.watching})
        if line.leg is not None:
            await asyncio.shield(hang_up(line.leg))
        self._changed(login)

    def cut(self, login: str) -> None:
        """The line may not stay: it ends as if it had broken."""
        line = self._line(login)
        if line.leg is not None and line.watching is not None:
            self._background.begin(hang_up(line.leg), f"cut the line of {login}")

    async def close(self) -> None:
        for login in tuple(self._lines):
            await self.disconnect(login)
        await self._background.done()

    def _line(self, login: str) -> _Line:
        return self._lines.get(login, _Line())

    async def _watch(self, login: str, line: _Line, leg: Leg) -> None:
        try:
            await leg.answer()
            line.state = LineState.UP
            self._changed(login)
            async for event in leg.events():
                if isinstance(event, Ended):
                    break
        except TelephonyError as error:
            log.info("the line of %s did not come up: %s", login, error)
        await hang_up(leg)
        line.state, line.leg = LineState.LOST, None
        self._changed(login)
