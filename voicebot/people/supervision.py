"""Supervisors in calls: listen, whisper, barge in, take over; each of it in the audit log and in the call's record."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from telephony.browser.endpoint import BrowserEndpoint
from telephony.browser.supervisor import SupervisorLine, SupervisorMode
from telephony.errors import LegGone, TelephonyError
from telephony.member import Member
from voicebot import events
from voicebot.access import Access, Who
from voicebot.background import Background
from voicebot.errors import NotPossible
from voicebot.live_calls import LiveCall, LiveCalls
from voicebot.people.desk import Desk
from voicebot.people.talk import Worker

log = logging.getLogger(__name__)

Mode = Literal["listen", "whisper", "barge"]
TAKEN_OVER = "taken_over"
AUDITED: dict[str, str] = {"listen": "listened", "whisper": "whispered", "barge": "barged", TAKEN_OVER: "took_over"}
"""How the audit log calls what a supervisor does."""


@dataclass
class Listen:
    """One supervisor in one call. `mode` is that of the line, or taken_over. `joined`: it was told of."""

    id: str
    who: Who
    call: LiveCall
    mode: str
    since: datetime
    line: SupervisorLine
    act: AsyncExitStack = field(default_factory=AsyncExitStack)  # keeps the audit log's line of the mode open
    joined: bool = False
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)


class Supervision:
    """Belongs to the event loop. A listen ends with the call, with its session, when the page goes, or by `end`."""

    def __init__(self, calls: LiveCalls, desk: Desk, access: Access, endpoint: BrowserEndpoint) -> None:
        self._calls = calls
        self._desk = desk
        self._access = access
        self._endpoint = endpoint
        self._listens: dict[str, Listen] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._background = Background()

    def of_call(self, call_id: str) -> list[Listen]:
        return [listen for listen in self._listens.values() if listen.call.context.call_id == call_id]

    async def begin(self, who: Who, call_id: str, offer_sdp: str, mode: Mode) -> tuple[str, str]:
        """Join a call; the listen's id and the SDP answer. Raises CallNotFound, NotPossible, TelephonyError."""
        call = self._calls.get(call_id)
        room = call.room
        if mode == "whisper":
            self._whispered_to(call)
        leg, answer_sdp = await self._endpoint.answer_offer(offer_sdp, who.login)
        listen = Listen(leg.id, who, call, mode, datetime.now(UTC), SupervisorLine(leg, room))
        self._listens[listen.id] = listen
        self._tasks[listen.id] = asyncio.create_task(self._follow(listen), name=f"listen {listen.id}")
        try:
            async with listen.changing:
                await self._set_mode(listen, mode)
            self._calls.get(call_id)  # it may have ended in the meantime
        except BaseException:
            await asyncio.shield(self._leave(listen))
            raise
        return listen.id, answer_sdp

    async def change(self, who: Who, listen_id: str, mode: Mode) -> None:
        """Raises NotPossible, TelephonyError."""
        listen = self._own(who, listen_id)
        async with listen.changing:
            self._own(who, listen_id)
            if listen.mode == TAKEN_OVER:
                raise NotPossible("You have taken this call over.", "Give it back to the bot, or end it.")
            if listen.mode != mode:
                await self._set_mode(listen, mode)

    async def end(self, who: Who, listen_id: str) -> None:
        """Raises NotPossible when it is not there any more."""
        await self._leave(self._own(who, listen_id))

    async def take_over(self, who: Who, call_id: str) -> None:
        """The supervisor, who is in the call, talks with the caller from here.

        Raises NotPossible, CallNotFound, TelephonyError.
        """
        own = [listen for listen in self.of_call(call_id) if listen.who.login == who.login]
        if not own:
            raise NotPossible("You are not in this call.", "Listen to it first.")
        listen = own[-1]  # the newest: an older one may be of a connection that is lost
        async with listen.changing:
            self._own(who, listen.id)
            listen.call.stepping_in.check_not_taken()
            before = listen.mode
            await self._tell_mode(listen, TAKEN_OVER)
            try:
                gone = listen.call.stepping_in.take_over(Worker(who.login, who.name), listen.line.give_leg)
            except (NotPossible, TelephonyError):  # somebody was quicker, or the browser is gone
                await self._tell_mode(listen, before)
                raise
            gone.add_done_callback(lambda _: self._close_soon(listen))

    async def close(self) -> None:
        """Everybody leaves."""
        for listen in tuple(self._listens.values()):
            await listen.line.close()
        if self._tasks:
            await asyncio.wait(self._tasks.values())

    async def room_closed(self, call: LiveCall) -> None:
        """The call is over, and so is listening to it."""
        for listen in self.of_call(call.context.call_id):
            await listen.line.close()

    async def agents_changed(self, call_id: str) -> None:
        """Whom a whisper goes to is another, or nobody: then the supervisor merely listens."""
        for listen in self.of_call(call_id):
            async with listen.changing:
                if listen.mode != "whisper" or listen.id not in self._listens:
                    continue
                with contextlib.suppress(LegGone):  # `_follow` sees to it
                    if (agent := self._agent_of(listen.call)) is not None:
                        listen.line.set_mode(SupervisorMode.WHISPER, [agent])
                    else:
                        await self._set_mode(listen, "listen")

    # Inside

    def _own(self, who: Who, listen_id: str) -> Listen:
        listen = self._listens.get(listen_id)
        if listen is None or listen.who.login != who.login:
            raise NotPossible("You are not in this call any more.", "Listen to it anew.")
        return listen

    def _agent_of(self, call: LiveCall) -> Member | None:
        case = self._desk.case_of(call.context.call_id)
        return case.talk.agent if case is not None and case.talk is not None else None

    def _whispered_to(self, call: LiveCall) -> Member:
        agent = self._agent_of(call)
        if agent is None:
            raise NotPossible("There is no agent to whisper to.", "Listen, or talk to everybody.")
        return agent

    async def _set_mode(self, listen: Listen, mode: Mode) -> None:
        whisper_to = [self._whispered_to(listen.call)] if mode == "whisper" else []
        await self._tell_mode(listen, mode)
        listen.line.set_mode(SupervisorMode(mode), whisper_to)

    async def _tell_mode(self, listen: Listen, mode: str) -> None:
        """First in the audit log: without its line nothing is done."""
        act = AsyncExitStack()
        about = listen.call.context.call_id
        await act.enter_async_context(self._access.audit_while(listen.who.author, AUDITED[mode], about))
        before, listen.act, listen.mode, listen.joined = listen.act, act, mode, True
        await before.aclose()
        listen.call.context.publish(
            events.SupervisorJoined, login=listen.who.login, name=listen.who.name, mode=mode, listen=listen.id
        )

    async def _leave(self, listen: Listen) -> None:
        """End it and wait until it has been told."""
        await listen.line.close()
        if (task := self._tasks.get(listen.id)) is not None:
            await asyncio.wait({task})

    async def _follow(self, listen: Listen) -> None:
        """Until the line is over, for whatever reason."""
        call_off: Callable[[], None] = self._access.on_revoked(listen.who, lambda: self._close_soon(listen))
        try:
            await listen.line.over()
        finally:
            call_off()
            async with listen.changing:
                self._tell_gone(listen)
                await listen.act.aclose()

    def _tell_gone(self, listen: Listen) -> None:
        del self._listens[listen.id], self._tasks[listen.id]
        if listen.mode == TAKEN_OVER:
            listen.call.stepping_in.gone(listen.who.login)
        if listen.joined:
            lasted_s = (datetime.now(UTC) - listen.since).total_seconds()
            listen.call.context.publish(
                events.SupervisorLeft,
                login=listen.who.login,
                name=listen.who.name,
                mode=listen.mode,
                listen=listen.id,
                lasted_s=round(lasted_s, 1),
            )

    def _close_soon(self, listen: Listen) -> None:
        """`_follow` notices the end."""
        self._background.begin(listen.line.close(), f"end {listen.id}")
