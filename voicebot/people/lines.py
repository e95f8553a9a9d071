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
from dataclasses import dataclass
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


class _Line:
    """A browser's line from its first sound to its end; it is watched as long as it lives."""

    def __init__(self, login: str, leg: Leg, changed: Callable[[str], None]) -> None:
        self.id = uuid.uuid4().hex
        self.leg = leg
        self.state = LineState.CONNECTING
        self._login = login
        self._changed = changed
        self._watching = asyncio.create_task(self._watch(), name=f"line of {login}")

    async def end(self) -> None:
        self._watching.cancel()
        await asyncio.wait({self._watching})
        if self.state is not LineState.LOST:
            await asyncio.shield(hang_up(self.leg))

    async def _watch(self) -> None:
        try:
            await self.leg.answer()
            self.state = LineState.UP
            self._changed(self._login)
            async for event in self.leg.events():
                if isinstance(event, Ended):
                    break
        except TelephonyError as error:
            log.info("the line of %s did not come up: %s", self._login, error)
        await hang_up(self.leg)
        self.state = LineState.LOST
        self._changed(self._login)


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
        line = self._lines.get(login)
        return line.state if line is not None else LineState.NONE

    def leg(self, login: str) -> Leg | None:
        """The leg of a line that is up."""
        line = self._lines.get(login)
        return line.leg if line is not None and line.state is LineState.UP else None

    def line_id(self, login: str) -> str:
        """Of the line that is there; empty where there is none."""
        line = self._lines.get(login)
        return line.id if line is not None else ""

    async def connect(self, login: str, offer_sdp: str, instead_of: str = "") -> Connected:
        """Bring a line up in the place of the one there was. Raises TelephonyError.

        `instead_of`: the broken line that this one replaces. Raises LineTaken where another has taken its place.
        """
        async with self._changing[login]:
            there = self._lines.get(login)
            others = there is not None and there.state is not LineState.LOST and there.id != instead_of
            if instead_of and others:
                raise LineTaken("Your audio was taken over by another browser.", "Take it back, or go on there.")
            await self._end(login)
            leg, answer_sdp = await self._answer(offer_sdp)
            line = self._lines[login] = _Line(login, leg, self._changed)
            self._changed(login)
            return Connected(line.id, answer_sdp)

    async def disconnect(self, login: str, line_id: str = "") -> bool:
        """Take the line down, whichever it is or this one alone; it does not count as lost. Whether that was done."""
        async with self._changing[login]:
            if line_id and self.line_id(login) != line_id:
                return False
            await self._end(login)
            return True

    async def _end(self, login: str) -> None:
        line = self._lines.pop(login, None)
        if line is not None:
            await line.end()
            self._changed(login)

    def cut(self, login: str) -> None:
        """The line may not stay: it ends as if it had broken."""
        line = self._lines.get(login)
        if line is not None and line.state is not LineState.LOST:
            self._background.begin(hang_up(line.leg), f"cut the line of {login}")

    async def close(self) -> None:
        for login in tuple(self._lines):
            await self.disconnect(login)
        await self._background.done()
