"""A supervisor who takes a caller: whoever served them stops, and a talk with the supervisor begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from telephony.leg import Leg, LegState
from telephony.member import Member
from telephony.room import Room
from voicebot.errors import NotPossible
from voicebot.parts import CallContext, Services
from voicebot.people.case import Case
from voicebot.people.overhearing import Overhearing
from voicebot.people.talk import Over, Talk, Target, Worker
from voicebot.queueing.model import Why

T = TypeVar("T")

LET_GO_S = 2.0
"""How long people have to let go of a caller whom a supervisor takes."""


@dataclass(frozen=True)
class TakenOver:
    """A supervisor talks with the caller from here."""

    by: Worker
    leg: Leg
    done: asyncio.Future[None]  # the supervisor is out of the call again


class SteppingIn:
    """Of one call. `case` gives the caller's case while they are with people."""

    def __init__(self, services: Services, context: CallContext, case: Callable[[], Case | None]) -> None:
        self._services = services
        self._context = context
        self._case = case
        self._talk: Talk | None = None
        self._taken: asyncio.Future[TakenOver] = asyncio.get_running_loop().create_future()

    def check_not_taken(self) -> None:
        """Raises NotPossible while a supervisor has the caller."""
        if self._taken.done() or self._talk is not None:
            raise NotPossible("A supervisor has the call already.")

    def take_over(self, by: Worker, give_leg: Callable[[], Leg]) -> asyncio.Future[None]:
        """A supervisor talks with the caller from here; whoever does so now stops. Raises NotPossible, LegGone.

        Returns what is done when the supervisor is out of it again.
        """
        self.check_not_taken()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._taken.set_result(TakenOver(by, give_leg(), done))
        if (case := self._case()) is not None:
            case.let_go(Why.TAKEN_OVER)
        return done

    def gone(self, login: str) -> None:
        """The browser of a supervisor is gone, who has the caller."""
        if self._talk is not None and self._talk.worker.id == login:
            self._talk.end("line_lost")

    def send_to_bot(self, flow: str) -> None:
        """Raises NotPossible when no people have the call."""
        to_bot = Target("flow", flow)
        if self._talk is not None:
            self._talk.give(to_bot)
        elif (case := self._case()) is not None:
            case.send_to_bot(to_bot)
        else:
            raise NotPossible("The bot has the call already.")

    async def unless_taken(self, serving: Coroutine[Any, Any, T]) -> T | TakenOver:
        """Serve the caller until that is done, or until a supervisor takes the call."""
        task = asyncio.create_task(serving, name=f"serve {self._context.call_id}")
        try:
            either: set[asyncio.Future[Any]] = {task, self._taken}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not task.done() and self._case() is not None:
                await asyncio.wait({task}, timeout=LET_GO_S)  # people were told, and so is the queue by them
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        return self._taken.result() if self._taken.done() else task.result()

    async def talk(self, taken: TakenOver, room: Room, member: Member) -> Over:
        """The caller with the supervisor, until one of the two is done."""
        self._taken = asyncio.get_running_loop().create_future()
        if taken.leg.state is LegState.ENDED:  # before anybody could be told
            return Over("line_lost")
        ears = Overhearing(self._services, self._context, room.sample_rate)
        talk = self._talk = Talk(self._context, room, member, taken.by, queue="", reach=_ask_nobody, ears=ears)
        try:
            return await talk.run(taken.leg)
        finally:
            self._talk = None
            taken.done.set_result(None)
            await asyncio.shield(ears.close())


async def _ask_nobody(target: Target) -> Any:
    raise NotPossible("A supervisor asks nobody in a call.", "Give it back to the bot, or end it.")
