"""A telephone network in memory: the `Endpoint` and `Leg` seam without SIP, sockets, threads or waiting.

Passes the contract suite of the SIP adapter. What differs: audio is there as soon as it was written (no clock paces
it), and a test can do to a leg what a network would do: `drop_rtp`, `hold`, `MemoryEndpoint.die`.

    network = MemoryNetwork()
    bot = MemoryEndpoint(EndpointSettings("127.0.0.1", 0, user="bot"), network)
    phone = MemoryEndpoint(EndpointSettings("127.0.0.1", 0, user="phone"), network)
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from telephony.baresip_events import end_cause
from telephony.errors import DialFailed, EndpointDead, EndpointStartError, LegGone, TransferFailed
from telephony.leg import (
    OWN_HEADERS,
    EndCause,
    Endpoint,
    EndpointSettings,
    HeardAgain,
    Leg,
    LegEvent,
    LegState,
    MediaStats,
    Unheard,
)
from telephony.leg_life import LegLife, checked_keys
from telephony.sip_names import parse_uri

logger = logging.getLogger(__name__)

# As much as a SIP stack queues for one leg. A far end that does not read loses the oldest, as on a real line.
BUFFER_MS = 2048
SAMPLE_RATES = {"pcma": 8000, "pcmu": 8000, "opus": 16000}


class MemoryNetwork:
    """Joins endpoints by the host and port of their URIs; any user part is delivered."""

    def __init__(self) -> None:
        self.endpoints: dict[tuple[str, int], MemoryEndpoint] = {}
        self.names = itertools.count(1)
        self.free_ports = itertools.count(30000)

    def find(self, uri: str) -> MemoryEndpoint | None:
        """The endpoint that `uri` leads to."""
        address = parse_uri(uri)
        return self.endpoints.get((address.host, address.port or 5060))


class MemoryEndpoint(Endpoint):
    """An endpoint on a `MemoryNetwork`."""

    def __init__(self, settings: EndpointSettings, network: MemoryNetwork) -> None:
        self.settings = settings
        self.network = network
        self._port = settings.sip_port
        self._running = False
        self._dead = ""
        self._legs: list[MemoryLeg] = []
        self._on_incoming: Callable[[Leg], None] | None = None
        self._on_dead: Callable[[str], None] | None = None

    async def start(self) -> None:
        if self._dead:
            raise EndpointDead(self._dead, "Start a new process.")
        if self._running:
            return
        self._port = self.settings.sip_port or next(self.network.free_ports)
        key = (self.settings.address, self._port)
        if key in self.network.endpoints:
            raise EndpointStartError(
                f"Port {self._port} of {self.settings.address} is taken.", "Choose another sip_port."
            )
        self.network.endpoints[key] = self
        self._running = True

    async def stop(self) -> None:
        for leg in self.legs:
            await leg.hang_up()
        self._leave_network()

    def on_incoming(self, callback: Callable[[Leg], None]) -> None:
        self._on_incoming = callback

    def on_dead(self, callback: Callable[[str], None]) -> None:
        self._on_dead = callback

    async def dial(
        self, uri: str, *, caller: str = "", headers: Mapping[str, str] | None = None, timeout_s: float = 30.0
    ) -> Leg:
        self._require_running()
        far_end = self.network.find(uri)
        number = parse_uri(uri).user
        caller = caller or self.settings.user
        call = _Call(SAMPLE_RATES[self.settings.codecs[0]], self.settings.codecs[0])
        near = MemoryLeg(self, "outbound", uri, number, number, headers or {}, call)
        self._legs.append(near)
        try:
            if far_end is None:
                near.finish(EndCause.UNREACHABLE, "404 Not Found")
            else:
                far_end.invite(near, caller, number, headers or {})
            async with asyncio.timeout(timeout_s):
                await near.life.settled()
        except TimeoutError:
            near.give_up(EndCause.NO_ANSWER)
        except asyncio.CancelledError:
            near.give_up(EndCause.CANCELLED)
            raise
        if near.life.ended is not None and not near.life.was_up:
            raise DialFailed(near.life.ended.cause, f"The call to {uri} failed: {near.life.ended.detail}")
        return near

    def invite(self, near: MemoryLeg, caller: str, number: str, headers: Mapping[str, str]) -> None:
        """An INVITE reaches this endpoint: refuse it or let it ring."""
        codec = next((name for name in near.endpoint.settings.codecs if name in self.settings.codecs), None)
        if codec is None:
            near.finish(EndCause.FAILED, "488 Not Acceptable Here")
            return
        if self._on_incoming is None or len(self._legs) >= self.settings.max_calls:
            near.finish(EndCause.BUSY, "486 Busy Here")
            return
        near.call.codec, near.call.sample_rate = codec, SAMPLE_RATES[codec]
        exposed = {name.lower() for name in (*OWN_HEADERS, *self.settings.expose_headers)}
        seen = {name: value for name, value in headers.items() if name.lower() in exposed}
        seen |= {
            "To": f"<sip:{number}@{self.settings.address}>",
            "From": f"<sip:{caller}@{near.endpoint.settings.address}>",
        }
        withheld = caller == "anonymous"
        far = MemoryLeg(self, "inbound", f"sip:{caller}@{near.endpoint.settings.address}:{near.endpoint.port}",
                        "" if withheld else caller, number, seen, near.call)  # fmt: skip
        near.peer, far.peer = far, near
        self._legs.append(far)
        near.life.ring()
        try:
            self._on_incoming(far)
        except Exception:
            logger.exception("nobody could take leg %s; it is refused", far.id)
            far.refuse("486 Busy Here")

    def die(self, reason: str = "the SIP thread has ended") -> None:
        """What happens when a SIP stack dies: every leg is lost, without a word to the far ends."""
        self._dead = reason
        self._leave_network()
        for leg in tuple(self._legs):
            leg.finish(EndCause.ENDPOINT_DEAD, reason)
        if self._on_dead is not None:
            self._on_dead(reason)

    def forget(self, leg: MemoryLeg) -> None:
        """A leg of this endpoint has ended."""
        if leg in self._legs:
            self._legs.remove(leg)

    @property
    def legs(self) -> tuple[Leg, ...]:
        return tuple(self._legs)

    @property
    def port(self) -> int:
        """The port in `sip_uri`."""
        return self._port

    @property
    def sip_uri(self) -> str:
        return f"sip:{self.settings.user}@{self.settings.address}:{self._port}"

    def _require_running(self) -> None:
        if self._dead:
            raise EndpointDead(self._dead, "Start a new process.")
        if not self._running:
            raise DialFailed(EndCause.FAILED, "The endpoint is not running.", "Call start() first.")

    def _leave_network(self) -> None:
        self._running = False
        key = (self.settings.address, self._port)
        if self.network.endpoints.get(key) is self:
            del self.network.endpoints[key]


@dataclass
class _Call:
    """What both legs of a call have in common."""

    sample_rate: int
    codec: str


class MemoryLeg(Leg):
    """One end of a call in memory. Audio methods may be called by another thread, as with a real leg."""

    def __init__(
        self,
        endpoint: MemoryEndpoint,
        direction: Literal["inbound", "outbound"],
        remote: str,
        remote_number: str,
        dialled: str,
        headers: Mapping[str, str],
        call: _Call,
    ) -> None:
        self.id = f"memory-{next(endpoint.network.names)}"
        self.endpoint = endpoint
        self.direction = direction
        self.remote = remote
        self.remote_number = remote_number
        self.dialled = dialled
        self.headers = MappingProxyType(dict(headers))
        self.call = call
        self.peer: MemoryLeg | None = None
        self.life = LegLife(self.id)
        self.on_hold = False
        self.no_replaces = False  # test only: the peer cannot be connected with another leg
        self._lock = threading.Lock()
        self._unsent = (
            bytearray()
        )  # written here, not yet read by the peer: for flush(), this is what is not on the wire
        self._received = 0
        self._lost = 0

    @property
    def state(self) -> LegState:
        return self.life.state

    @property
    def sample_rate(self) -> int:
        return self.call.sample_rate

    def events(self) -> AsyncIterator[LegEvent]:
        return self.life.events()

    async def answer(self) -> None:
        if self.life.state is LegState.UP:
            return
        if self.direction != "inbound" or not self.life.answer() or self.peer is None:
            raise LegGone("The call was given up before it was answered.")
        self.peer.life.answer()

    async def reject(self) -> None:
        if self.state is LegState.RINGING and self.direction == "inbound":
            self._end_both(EndCause.LOCAL_HANGUP, EndCause.BUSY, "486 Busy Here")

    async def hang_up(self) -> None:
        if self.state is LegState.UP:
            self._end_both(EndCause.LOCAL_HANGUP, EndCause.REMOTE_HANGUP)
        elif self.direction == "outbound":
            self.give_up(EndCause.CANCELLED)
        else:
            await self.reject()

    async def send_digits(self, keys: str) -> None:
        keys = checked_keys(keys)
        peer = self._require_up()
        for key in keys:
            peer.life.press(key)

    async def transfer(self, uri: str, timeout_s: float = 15.0) -> None:
        peer = self._require_up()
        try:
            await peer.endpoint.dial(uri, caller=peer.endpoint.settings.user, timeout_s=timeout_s)
        except DialFailed as error:
            raise TransferFailed(f"The far end could not reach {uri}: {error.message}") from error
        self._end_both(EndCause.TRANSFERRED, EndCause.LOCAL_HANGUP, "transferred")

    async def attended_transfer(self, consult: Leg, timeout_s: float = 15.0) -> None:
        """The network connects the two far ends without us; here they only learn that we have gone."""
        self._require_up()
        if not isinstance(consult, MemoryLeg) or consult.state is not LegState.UP:
            raise TransferFailed("The leg to connect with is not up.")
        if self.no_replaces:
            raise TransferFailed("The peer does not know Replaces.")
        self._end_both(EndCause.TRANSFERRED, EndCause.LOCAL_HANGUP, "transferred")
        consult._end_both(EndCause.REMOTE_HANGUP, EndCause.LOCAL_HANGUP, "replaced")

    def read(self, max_samples: int) -> bytes:
        peer = self.peer
        if peer is None or self.state is not LegState.UP or self.on_hold:
            return b""
        with peer._lock:
            pcm = bytes(peer._unsent[: 2 * max_samples])
            del peer._unsent[: 2 * max_samples]
        self._received += len(pcm) // 2
        return pcm

    def write(self, pcm: bytes) -> int:
        if self.state is not LegState.UP:
            return 0
        capacity = 2 * (self.sample_rate * BUFFER_MS // 1000)
        taken = min(len(pcm) - len(pcm) % 2, capacity)
        with self._lock:
            self._unsent += pcm[:taken]
            overflow = max(0, len(self._unsent) - capacity)
            del self._unsent[:overflow]
        self._lost += overflow // 2
        return taken // 2

    def flush(self) -> None:
        with self._lock:
            self._unsent.clear()

    def media_stats(self) -> MediaStats:
        lost = self.peer._lost if self.peer is not None else 0
        frame = self.sample_rate // 50
        return MediaStats(self.call.codec, self._received // frame, lost // frame, 0, 0.0)

    def hold(self, on_hold: bool) -> None:
        """Test only: this side puts the call on hold (the peer is told by `Held`) or takes it back."""
        peer = self._require_up()
        peer.on_hold = on_hold
        peer.life.hold(on_hold)

    def refuse(self, status: str) -> None:
        """Test only: refuse an inbound leg as a phone would, e.g. "603 Decline"."""
        self._end_both(EndCause.LOCAL_HANGUP, end_cause(status, was_up=False), status)

    def drop_rtp(self) -> None:
        """Test only: the peer's audio has stopped reaching this leg for longer than the media timeout."""
        if self.state is LegState.UP:
            self._end_both(EndCause.MEDIA_TIMEOUT, EndCause.REMOTE_HANGUP)

    def lose_sound(self, *, ever: bool) -> None:
        """Test only: the peer's audio does not reach this leg, or does so no more."""
        self.life.hearing(Unheard(ever))

    def regain_sound(self, after_s: float) -> None:
        """Test only: it does again."""
        self.life.hearing(HeardAgain(after_s))

    def give_up(self, cause: EndCause) -> None:
        """An outbound leg that was not answered is cancelled."""
        self._end_both(cause, EndCause.CANCELLED)

    def finish(self, cause: EndCause, detail: str = "") -> None:
        """End this leg alone; its endpoint forgets it."""
        if self.life.end(cause, detail):
            self.endpoint.forget(self)

    def _end_both(self, ours: EndCause, theirs: EndCause, detail: str = "") -> None:
        self.finish(ours, detail)
        if self.peer is not None:
            self.peer.finish(theirs, detail)

    def _require_up(self) -> MemoryLeg:
        if self.state is not LegState.UP or self.peer is None:
            raise LegGone("The leg is not up.")
        return self.peer
