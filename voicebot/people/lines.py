"""The audio lines of agents' browsers. A line stays up between calls; a call only joins its leg to a room.

An agent has one line. Who connects takes it from wherever it was. A page whose line broke says which one that was, and
does not take back what another browser has by now.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from telephony.errors import TelephonyError
from telephony.leg import Ended, Leg
from voicebot.background import Background
from voicebot.errors import LineTaken
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
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class Connected:
    """A line that comes up, and the SDP answer for its browser."""

    id: str
    answer_sdp: str


class BrowserLines:
    """By login. `changed(login)` is told of every change of a state, on the loop."""

    def __init__(self, answer: Answer, changed: Callable[[str], None]) -> None:
        self._answer = answer
        self._changed = changed
        self._lines: dict[str, _Line] = {}
        self._changing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._background = Background()

    def state(self, login: str) -> LineState:
        return self._line(login).state

    def leg(self, login: str) -> Leg | None:
        """The leg of a line that is up."""
        line = self._line(login)
        return line.leg if line.state is LineState.UP else None

    def line_id(self, login: str) -> str:
        """Of the line that is there; empty where there is none."""
        line = self._lines.get(login)
        return line.id if line is not None else ""

    async def connect(self, login: str, offer_sdp: str, instead_of: str = "") -> Connected:
        """Bring a line up in the place of the one there was. Raises TelephonyError.

        `instead_of`: the broken line that this one replaces. Raises LineTaken where another has taken its place.
        """
        async with self._changing[login]:
            there = self._line(login)
            if instead_of and there.leg is not None and there.id != instead_of:
                raise LineTaken("Your audio was taken over by another browser.", "Take it back, or go on there.")
            await self._end(login)
            leg, answer_sdp = await self._answer(offer_sdp)
            line = self._lines[login] = _Line(LineState.CONNECTING, leg)
            line.watching = asyncio.create_task(self._watch(login, line, leg), name=f"line of {login}")
            self._changed(login)
            return Connected(line.id, answer_sdp)

    async def disconnect(self, login: str, line_id: str = "") -> bool:
        """Take the line down, whichever it is or this one alone; it does not count as lost. Whether that was done."""
        async with self._changing[login]:
            if line_id and self._line(login).id != line_id:
                return False
            await self._end(login)
            return True

    async def _end(self, login: str) -> None:
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
