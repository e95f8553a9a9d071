"""A caller and an agent who hear each other: hold, consulting somebody, giving the call away, a line that breaks.

CONNECTING -> TALKING             the agent's leg has joined
TALKING <-> ON_HOLD               the agent puts the caller on hold and takes them back
TALKING, ON_HOLD -> CONSULTING    the agent asks somebody, the caller hears music
CONSULTING -> TALKING, ON_HOLD    the agent comes back; whom they asked is gone
any -> LINE_LOST                  the agent's line broke; the caller hears music (the queue says how long)
LINE_LOST -> what it was          it is back in time
any -> OVER

Whom the agent asks joins the caller's own room: a caller on hold neither hears nor is heard, so the two are alone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from telephony.leg import Leg
from telephony.member import Member
from telephony.music import HoldMusic
from telephony.room import Room
from voicebot import events
from voicebot.errors import NotPossible, NotReached
from voicebot.parts import CallContext
from voicebot.people.first_sound import FirstSound

log = logging.getLogger(__name__)


class TalkState(StrEnum):
    CONNECTING = "connecting"
    TALKING = "talking"
    ON_HOLD = "on_hold"
    CONSULTING = "consulting"
    LINE_LOST = "line_lost"
    OVER = "over"


TALK_MOVES: dict[TalkState, frozenset[TalkState]] = {
    TalkState.CONNECTING: frozenset({TalkState.TALKING, TalkState.LINE_LOST, TalkState.OVER}),
    TalkState.TALKING: frozenset({TalkState.ON_HOLD, TalkState.CONSULTING, TalkState.LINE_LOST, TalkState.OVER}),
    TalkState.ON_HOLD: frozenset({TalkState.TALKING, TalkState.CONSULTING, TalkState.LINE_LOST, TalkState.OVER}),
    TalkState.CONSULTING: frozenset({TalkState.TALKING, TalkState.ON_HOLD, TalkState.LINE_LOST, TalkState.OVER}),
    TalkState.LINE_LOST: frozenset({TalkState.TALKING, TalkState.ON_HOLD, TalkState.CONSULTING, TalkState.OVER}),
    TalkState.OVER: frozenset(),
}


@dataclass(frozen=True)
class Worker:
    """Who talks with the caller: an agent, or a supervisor who took over. `uri`: of a desk phone, else empty."""

    id: str
    name: str
    uri: str = ""


@dataclass(frozen=True)
class Target:
    """To whom a call is given: an agent, a queue, a telephone number, or the bot at a flow (empty: anything)."""

    kind: Literal["agent", "queue", "number", "flow"]
    name: str


class Reached(Protocol):
    """Somebody who was asked and has answered."""

    @property
    def leg(self) -> Leg: ...

    async def gone(self) -> None:
        """Returns when they have hung up."""

    async def release(self) -> None:
        """They are not needed any more. Idempotent."""


class Ears(Protocol):
    """Who writes down what is said: `overhearing`."""

    def hear_caller(self, member: Member) -> None: ...
    def hear_agent(self, member: Member, agent: str, name: str = "") -> None: ...
    def stop_hearing(self, member: Member) -> None: ...
    def hold(self) -> None: ...
    def resume(self) -> None: ...


Reach = Callable[[Target], Awaitable[Reached]]
"""Rings somebody until they answer. Raises NotReached; cancelling it gives up."""


@dataclass
class Consult:
    """Somebody who is asked while the caller is on hold."""

    target: Target
    state: Literal["ringing", "talking", "failed"] = "ringing"
    why: str = ""
    reached: Reached | None = None


@dataclass(frozen=True)
class Over:
    """How a talk ended. `reached`: with whom the caller goes on to talk, when they had been asked first."""

    why: Literal["ended", "line_lost", "transferred", "to_bot", "taken_over", "ended_by_supervisor"]
    to: Target | None = None
    reached: Reached | None = None


class Talk:
    """One talk. The commands are for the loop's thread; each raises NotPossible where the state does not allow it."""

    def __init__(
        self,
        context: CallContext,
        room: Room,
        caller: Member,
        worker: Worker,
        *,
        queue: str,
        reach: Reach,
        ears: Ears,
        changed: Callable[[Talk], None] = lambda talk: None,
    ) -> None:
        """`changed` is told of everything that is shown."""
        self.worker = worker
        self.queue = queue
        self.consult: Consult | None = None
        self._context = context
        self._room = room
        self._caller = caller
        self._reach = reach
        self._ears = ears
        self._changed = changed
        self._state = self._before_loss = TalkState.CONNECTING
        self._muted = False
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[Over] = self._loop.create_future()
        self._agent: Member | None = None
        self._voice: FirstSound | None = None  # of the agent
        self._asking: asyncio.Task[None] | None = None

    @property
    def state(self) -> TalkState:
        return self._state

    @property
    def muted(self) -> bool:
        return self._muted

    @property
    def unheard(self) -> bool:
        """No sound has come from the agent yet, who is not muted here: nobody hears them."""
        return self._voice is not None and self._voice.missing and not self._muted

    @property
    def agent(self) -> Member | None:
        """The agent in the room, while there is a line."""
        return self._agent

    async def run(self, leg: Leg) -> Over:
        """Until it is over. Cancelled when the caller has gone. Whoever was being asked is let go, unless given to."""
        began = self._loop.time()
        why = "caller_gone"
        self._context.publish(
            events.AgentJoined, uri=self.worker.uri, agent=self.worker.id, name=self.worker.name, queue=self.queue
        )
        self._ears.hear_caller(self._caller)
        given_to: Reached | None = None
        if self._state is TalkState.CONNECTING:
            self._join(leg)
        try:
            over = await self._over
            why, given_to = over.why, over.reached
            return over
        finally:
            self._state = TalkState.OVER
            self._leave()
            self._free_caller()
            self._ears.stop_hearing(self._caller)
            try:
                await asyncio.shield(self._stop_asking(keep=given_to is not None))
            finally:
                self._tell_left(why, self._loop.time() - began)

    def _tell_left(self, why: str, talked_s: float) -> None:
        self._context.publish(
            events.AgentLeft, agent=self.worker.id, name=self.worker.name, why=why, talked_s=round(talked_s, 1)
        )
        self._changed(self)

    # What the agent does

    def mute(self, on: bool) -> None:
        self._muted = on
        if self._agent is not None:
            self._agent.muted = on
        self._expect_voice()
        self._changed(self)

    def hold(self, on: bool) -> None:
        """Put the caller on hold, or take them back."""
        if on == (self._state is TalkState.ON_HOLD):
            return
        if self._state is TalkState.CONSULTING:
            raise NotPossible("The caller is on hold while you ask somebody.", "Go back to the caller first.")
        self._move(TalkState.ON_HOLD if on else TalkState.TALKING, "hold")
        if on:
            self._hold_caller("hold")
        else:
            self.consult = None  # one that failed
            self._resume()
        self._changed(self)

    def ask(self, target: Target) -> None:
        """Ask somebody while the caller is on hold."""
        was_on_hold = self._state is TalkState.ON_HOLD
        self._move(TalkState.CONSULTING, "consult")
        if not was_on_hold:
            self._hold_caller("consulting")
        consult = self.consult = Consult(target)
        self._asking = asyncio.create_task(self._ask(consult), name=f"ask {target.kind} {target.name}")
        self._changed(self)

    async def back_to_caller(self) -> None:
        """No more asking: caller and agent hear each other again."""
        self._move(TalkState.TALKING, "consult/cancel")
        await self._stop_asking(keep=False)
        if self._state is TalkState.TALKING:
            self._resume()
        self._changed(self)

    def complete(self) -> None:
        """Leave the caller with whom was asked."""
        consult = self.consult
        if self._state is not TalkState.CONSULTING or consult is None or consult.reached is None:
            raise NotPossible(
                "There is nobody to leave the caller with.", "Ask somebody first and wait for the answer."
            )
        self._tell_transfer(consult.target, consulted=True)
        self._finish(Over("transferred", consult.target, consult.reached))

    def give(self, target: Target) -> None:
        """Give the caller away without asking."""
        if self._state in (TalkState.CONNECTING, TalkState.OVER):
            raise NotPossible("There is no caller to give away.")
        self._tell_transfer(target, consulted=False)
        self._finish(Over("to_bot" if target.kind == "flow" else "transferred", target))

    async def send_digits(self, keys: str) -> None:
        """Press keys for whoever was reached by telephone, else for the caller. Raises TelephonyError."""
        reached = self.consult.reached if self.consult is not None else None
        await (reached.leg if reached is not None else self._caller.leg).send_digits(keys)

    def end(self, why: Literal["ended", "line_lost", "taken_over", "ended_by_supervisor"] = "ended") -> None:
        self._finish(Over(why))

    # What happens to the agent's line

    def line_lost(self) -> None:
        """The agent's line has broken. A desk phone that hangs up ends the talk instead: see `end`."""
        if self._state in (TalkState.LINE_LOST, TalkState.OVER):
            return
        before = self._state
        self._move(TalkState.LINE_LOST, "line")
        self._before_loss = TalkState.TALKING if before is TalkState.CONNECTING else before
        self._leave()
        if self._before_loss is TalkState.TALKING:
            self._hold_caller("line_lost")
        self._changed(self)

    def line_back(self, leg: Leg) -> None:
        """The agent has this line, again or instead of another one."""
        if self._agent is not None and self._agent.leg is not leg:
            self.line_lost()
        if self._state is not TalkState.LINE_LOST:
            return
        state = self._before_loss
        self._join(leg, state)
        if state is TalkState.TALKING:
            self._resume()

    # Inside

    def _move(self, to: TalkState, command: str) -> None:
        if to not in TALK_MOVES[self._state]:
            raise NotPossible(f"That cannot be done now ({command} while {self._state}).")
        self._state = to

    def _join(self, leg: Leg, state: TalkState = TalkState.TALKING) -> None:
        self._move(state, "join")
        self._agent = self._room.join(leg)
        self._agent.muted = self._muted
        self._ears.hear_agent(self._agent, self.worker.id, self.worker.name)
        self._voice = FirstSound(self._agent, self._voice_changed)
        self._expect_voice()
        self._changed(self)

    def _leave(self) -> None:
        if self._voice is not None:
            self._voice.close()
            self._voice = None
        if self._agent is not None:
            self._ears.stop_hearing(self._agent)
            self._room.leave(self._agent)
            self._agent = None

    def _expect_voice(self) -> None:
        if self._voice is not None:
            self._voice.expect(self._state is TalkState.TALKING and not self._muted)

    def _voice_changed(self) -> None:
        if self.unheard:
            self._context.publish(events.AgentUnheard, agent=self.worker.id, name=self.worker.name)
        self._changed(self)

    def _hold_caller(self, why: str) -> None:
        self._expect_voice()
        self._ears.hold()
        self._caller.held = True
        self._room.set_music(HoldMusic(self._room.sample_rate), only_to=self._caller)
        self._context.publish(events.CallHeld, agent=self.worker.id, why=why)

    def _free_caller(self) -> None:
        self._ears.resume()
        self._caller.held = False
        self._room.set_music(None, only_to=self._caller)

    def _resume(self) -> None:
        self._free_caller()
        self._expect_voice()
        self._context.publish(events.CallResumed, agent=self.worker.id)

    def _tell_transfer(self, target: Target, *, consulted: bool) -> None:
        self._context.publish(
            events.Transferred, agent=self.worker.id, kind=target.kind, to=target.name, consulted=consulted
        )

    def _finish(self, over: Over) -> None:
        if not self._over.done():
            self._over.set_result(over)

    async def _ask(self, consult: Consult) -> None:
        """Ring, then be together in the room until whom was asked has hung up; then the caller is merely on hold."""
        member: Member | None = None
        try:
            reached = consult.reached = await self._reach(consult.target)
            consult.state = "talking"
            member = self._room.join(reached.leg)
            self._changed(self)
            await reached.gone()
            consult.reached = None  # the caller cannot be left with them any more
            consult.state, consult.why = "failed", "hung_up"
            await asyncio.shield(reached.release())
        except NotReached as error:
            consult.state, consult.why = "failed", error.cause
        finally:
            if member is not None:
                self._room.leave(member)
        if self._state is TalkState.CONSULTING:
            self._move(TalkState.ON_HOLD, "consult")
        elif self._before_loss is TalkState.CONSULTING:
            self._before_loss = TalkState.ON_HOLD
        self._changed(self)

    async def _stop_asking(self, *, keep: bool) -> None:
        consult, self.consult = self.consult, None
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})
            self._asking = None
        if consult is not None and consult.reached is not None and not keep:
            await consult.reached.release()
