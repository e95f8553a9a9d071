"""SIP and RTP by baresip-python (libre and libbaresip in the process, on threads of their own).

The package is young and pinned; nothing outside `telephony.baresip*` knows it. Its traps, and what is done here about
each, are in docs/adr/0002-sip-stack.md; the contract suite makes them happen with peers that we did not write.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import quote

from baresip import (
    Account,
    BaresipError,
    Call,
    CommandTimeout,
    Event,
    NoLocalAddressError,
    Runtime,
    RuntimeDead,
    StackEvent,
    UserAgent,
)

from telephony import baresip_config, source_filter
from telephony.baresip_leg import BaresipLeg
from telephony.errors import DialFailed, EndpointDead, EndpointStartError
from telephony.leg import EndCause, Endpoint, EndpointSettings, Leg, Registration
from telephony.tone_keys import ToneKeys

logger = logging.getLogger(__name__)

ACK_TIMEOUT_S = 10.0
HEALTH_INTERVAL_S = 5.0
_MISSES_ALLOWED = 2
_HANG_UP_TIMEOUT_S = 3.0
_UNREGISTER_TIMEOUT_S = 2.0
_CLOSE_TIMEOUT_S = 12.0  # the stack itself gives its threads 5 s and 2 s

# Events of calls whose handle is not known yet are kept while a dial is under way. The oldest call's go first: a call
# gets its handle within milliseconds, so what is old belongs to a call that is not ours.
_EARLY_CALLS = 32
_EARLY_EVENTS = 16


class BaresipEndpoint(Endpoint):
    """The SIP user agent of this process; there can be one at a time, and none after one has died."""

    def __init__(
        self,
        settings: EndpointSettings,
        *,
        ack_timeout_s: float = ACK_TIMEOUT_S,
        health_interval_s: float = HEALTH_INTERVAL_S,
    ) -> None:
        """`ack_timeout_s`: how long an answered caller may leave the answer unacknowledged."""
        self.settings = settings
        self.ack_timeout_s = ack_timeout_s
        self.tone_keys = ToneKeys()
        self._health_interval_s = health_interval_s
        self._port = settings.sip_port
        self._runtime: Runtime | None = None
        self._agent: UserAgent | None = None
        self._dialler: UserAgent | None = None
        self._dead = ""
        self._registration: Registration | None = None
        self._legs: dict[int, BaresipLeg] = {}
        self._early: dict[int, list[StackEvent]] = {}
        self._dialling = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping: asyncio.Task[None] | None = None
        self._on_incoming: Callable[[Leg], None] | None = None
        self._on_dead: Callable[[str], None] | None = None

    # Life

    async def start(self) -> None:
        if self._runtime is not None:
            return
        self._port = baresip_config.claim_port(self.settings)
        config = baresip_config.stack_config(self.settings, self._port)
        called = baresip_config.account(self.settings, self._port)
        dials = baresip_config.account(self.settings, self._port, dials=True)
        self._stopping = None
        runtime = Runtime()
        runtime.on_dead = lambda: self._died("The SIP stack has died.")
        try:
            await runtime.start(config)
        except RuntimeDead as error:
            raise EndpointStartError("A SIP stack has died in this process.", "Start a new process.") from error
        except BaresipError as error:
            raise EndpointStartError(
                f"The SIP stack did not start: {error}.", "One process holds one endpoint: stop the other one first."
            ) from error
        self._runtime = runtime
        try:
            await self._open(runtime, called, dials)
        except BaseException:
            await self.stop()
            raise

    async def _open(self, runtime: Runtime, called: Account, dials: Account) -> None:
        # Before the agents: without one the stack takes no call.
        if self.settings.peers:
            ports = (self._port, self._port + 1) if self.settings.transport == "tls" else (self._port,)
            source_filter.take_only_from(self.settings.peers, self.settings.address, ports)
        # Before every call, too, so that this listener sees each event first.
        runtime.subscribe(self._on_stack_event)
        try:
            self._agent = await UserAgent.create(runtime, called)
            self._dialler = await UserAgent.create(runtime, dials)
            self._agent.on_incoming(self._incoming)
            # The stack comes up without its socket when the port was taken in between, and does not tell.
            if not baresip_config.is_bound(self.settings.address, self._port):
                raise EndpointStartError(
                    f"The SIP stack could not bind {self.settings.address}:{self._port}.", "Set another sip_port."
                )
            if self.settings.registrar:
                await self._agent.register()
            self.spawn(self._watch(runtime), "watch the SIP stack")
        except BaresipError as error:
            raise EndpointStartError(
                f"The SIP stack cannot be used as configured: {error}.",
                f"Check registrar {self.settings.registrar}, user and password." if self.settings.registrar else "",
            ) from error

    async def stop(self) -> None:
        if self._runtime is None:
            return
        # A task of its own, so that a cancelled stop() still takes everything down.
        self._stopping = self._stopping or asyncio.create_task(self._tear_down(self._runtime), name="endpoint stop")
        await asyncio.shield(self._stopping)

    async def _tear_down(self, runtime: Runtime) -> None:
        legs = tuple(self._legs.values())
        if legs and not self._dead:
            try:
                async with asyncio.timeout(_HANG_UP_TIMEOUT_S):
                    await asyncio.gather(*(leg.hang_up() for leg in legs))
            except TimeoutError:
                logger.warning("%d legs could not be hung up in time", len(self._legs))
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.settings.registrar and self._agent is not None and not self._dead:
            try:
                # Closing alone leaves the PBX sending calls here until the registration expires.
                await self._agent.unregister(timeout=_UNREGISTER_TIMEOUT_S)
            except BaresipError as error:
                logger.warning("the registration could not be taken back: %s", error)
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await runtime.close()
        except (BaresipError, TimeoutError) as error:
            logger.error("the SIP stack did not stop: %s", error)
        for leg in tuple(self._legs.values()):
            leg.die("the endpoint was stopped")
        self._early.clear()
        self._runtime = self._agent = self._dialler = None

    async def _watch(self, runtime: Runtime) -> None:
        """A SIP thread that hangs is as dead as one that has ended, but the stack only logs it."""
        misses = 0
        while misses <= _MISSES_ALLOWED:
            await asyncio.sleep(self._health_interval_s)
            try:
                # A command that changes nothing: it has to go through the SIP thread and back.
                await runtime.set_native_log_level("warning")
                misses = 0
            except CommandTimeout:
                misses += 1
            except BaresipError:
                return  # stopped, or dead and told so
        self._died("The SIP stack does not respond.")

    def _died(self, reason: str) -> None:
        if self._dead:
            return
        self._dead = reason
        logger.critical("%s This process has to be replaced.", reason)
        for leg in tuple(self._legs.values()):
            leg.die(self._dead)
        if self._on_dead is not None:
            self._on_dead(self._dead)

    def on_incoming(self, callback: Callable[[Leg], None]) -> None:
        self._on_incoming = callback

    def on_dead(self, callback: Callable[[str], None]) -> None:
        self._on_dead = callback

    # Calls

    def _incoming(self, call: Call) -> None:
        leg = BaresipLeg(self, call, "inbound", call.headers)
        self._legs[leg.handle] = leg
        if self._on_incoming is None or self._stopping is not None:
            self.spawn(leg.reject(), f"reject {leg.id}")
            return
        try:
            self._on_incoming(leg)
        except Exception:
            logger.exception("nobody could take leg %s; it is refused", leg.id)
            self.spawn(leg.hang_up(), f"refuse {leg.id}")

    async def dial(
        self, uri: str, *, caller: str = "", headers: Mapping[str, str] | None = None, timeout_s: float = 30.0
    ) -> Leg:
        if self._dead:
            raise EndpointDead(self._dead, "Start a new process.")
        agent = self._dialler
        if agent is None or self._stopping is not None:
            raise DialFailed(EndCause.FAILED, "The endpoint is not running.", "Call start() first.")
        sent = dict(headers or {})
        if caller:
            # From is the account's and cannot be changed for one call; trunks and PBXs take the caller from here.
            sent.setdefault("P-Asserted-Identity", f"<sip:{quote(caller, safe='+*')}@{self.settings.address}>")
        made: asyncio.Future[BaresipLeg] = asyncio.get_running_loop().create_future()
        self.spawn(self._invite(agent, uri, sent, made), f"dial {uri}")
        leg = await made  # cancelled here: `_invite` sees that nobody waits, and hangs up what it has begun
        try:
            async with asyncio.timeout(timeout_s):
                await leg.life.settled()
        except TimeoutError:
            await leg.end_with(EndCause.NO_ANSWER)
        except asyncio.CancelledError:
            self.spawn(leg.hang_up(), f"cancel {leg.id}")
            raise
        ended = leg.life.ended
        if ended is not None and not leg.life.was_up:
            raise DialFailed(ended.cause, f"The call to {uri} was not answered: {ended.detail or ended.cause}.")
        return leg

    async def _invite(
        self, agent: UserAgent, uri: str, headers: Mapping[str, str], made: asyncio.Future[BaresipLeg]
    ) -> None:
        """Send the INVITE, give the leg its early events, hand it over."""
        self._dialling += 1
        try:
            call = await agent.dial(uri, dict(headers))
            leg = BaresipLeg(self, call, "outbound", headers)
            self._legs[leg.handle] = leg
            # The stack's `Call` listens only from here on. What a fast peer answered before (always, when the loop is
            # busy for a few milliseconds) has passed: the call would ring for ever. So: handed over, in order, to the
            # stack's own object too, which refuses to transfer or hold a call that it believes not to be up.
            for event in self._early.pop(leg.handle, ()):
                call._on_stack_event(event)
                leg.on_stack_event(event)
        except (BaresipError, ValueError) as error:
            if not made.done():
                made.set_exception(_dial_failed(uri, error))
            return
        except asyncio.CancelledError:
            made.cancel()  # the endpoint stops
            raise
        finally:
            self._dialling -= 1
            if not self._dialling:
                self._early.clear()
        if made.done():
            await leg.hang_up()
        else:
            made.set_result(leg)

    def _on_stack_event(self, event: StackEvent) -> None:
        """Loop thread: the stack's thread hands every event over with call_soon_threadsafe."""
        if event.event in (Event.REGISTER_OK, Event.REGISTER_FAIL):
            self._follow_registration(event.event is Event.REGISTER_OK, event.text or "")
        if not event.call:
            return
        leg = self._legs.get(event.call)
        if leg is not None:
            leg.on_stack_event(event)
        elif self._dialling and event.event is not Event.CALL_INCOMING:
            early = self._early.setdefault(event.call, [])
            if len(early) < _EARLY_EVENTS:
                early.append(event)
            if len(self._early) > _EARLY_CALLS:
                del self._early[next(iter(self._early))]

    def _follow_registration(self, registered: bool, detail: str) -> None:
        """Told once a change: until it succeeds no call can come.

        The stack tries again by itself, after half a minute first, half an hour at most. We do not hurry it: a second
        `register()` while the first is unanswered makes it free memory twice.
        """
        before, registrar = self._registration, self.settings.registrar or ""
        self._registration = Registration(registrar, registered, "" if registered else detail)
        if before is not None and before.registered == registered:
            return
        if registered:
            logger.info("registered at %s", registrar)
        else:
            logger.error("registration at %s failed: %s", registrar, detail)

    # LegOwner

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("task %s failed", task.get_name(), exc_info=task.exception())

    def forget(self, leg: BaresipLeg) -> None:
        self._legs.pop(leg.handle, None)

    @property
    def legs(self) -> tuple[Leg, ...]:
        return tuple(self._legs.values())

    @property
    def registration(self) -> Registration | None:
        return self._registration

    @property
    def sip_uri(self) -> str:
        return f"sip:{self.settings.user}@{self.settings.address}:{self._port}"


def _dial_failed(uri: str, error: Exception) -> DialFailed:
    if isinstance(error, NoLocalAddressError):
        return DialFailed(EndCause.UNREACHABLE, f"No way leads from this machine to {uri}.", "Check address and URI.")
    if isinstance(error, ValueError):
        return DialFailed(EndCause.UNREACHABLE, f"{uri!r} cannot be called: {error}.", "Give a URI like sip:name@host.")
    return DialFailed(EndCause.FAILED, f"The call to {uri} could not be made: {error}.")
