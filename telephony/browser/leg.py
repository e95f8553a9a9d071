"""A browser's audio line as a leg. All of aiortc lives on the event loop; the media thread meets buffers only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from types import MappingProxyType

from aiortc import RTCPeerConnection

from telephony.browser.aiortc_seams import consent_is_lost, receive_packets
from telephony.browser.inbound import Inbound
from telephony.browser.outbound import OutboundTrack, Paced, Source
from telephony.errors import LegGone, NotForBrowsers
from telephony.leg import EndCause, Leg, LegEvent, LegState, MediaStats
from telephony.leg_life import LegLife, checked_keys

logger = logging.getLogger(__name__)

SAMPLE_RATE = 16000
_CLOSE_S = 2.0


class BrowserLeg(Leg):
    """One browser that talks and listens over WebRTC, made by `BrowserEndpoint.answer_offer`.

    It is up as soon as the browser is connected; nobody has to answer it. It ends when the page closes its connection
    (REMOTE_HANGUP), when nothing is heard of the browser for about 5 s (MEDIA_TIMEOUT), when no connection came about
    (UNREACHABLE), or by `hang_up`.
    """

    def __init__(
        self,
        leg_id: str,
        user: str,
        connection: RTCPeerConnection,
        connect_s: float,
        on_gone: Callable[[BrowserLeg], None],
    ) -> None:
        self.id = leg_id
        self.direction = "inbound"
        self.remote = user  # who signed in, not a SIP URI: browsers have none
        self.remote_number = ""
        self.dialled = ""
        self.headers = MappingProxyType({})
        self._connection = connection
        self._connect_s = connect_s
        self._on_gone = on_gone
        self._life = LegLife(leg_id)
        self._inbound = Inbound(SAMPLE_RATE)
        self._paced = Paced(SAMPLE_RATE)
        self._track = OutboundTrack(self._paced)
        self._task: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def state(self) -> LegState:
        return self._life.state

    @property
    def sample_rate(self) -> int:
        return SAMPLE_RATE

    def events(self) -> AsyncIterator[LegEvent]:
        return self._life.events()

    async def answer(self) -> None:
        """Wait until the browser is connected. Raises LegGone when it will not be."""
        if await self._life.settled() is LegState.ENDED:
            raise LegGone("The browser is not connected.")

    async def reject(self) -> None:
        if self.state is LegState.RINGING:
            await self.hang_up()

    async def hang_up(self) -> None:
        """Close the connection; returns when its sockets and tasks are gone, after 2 s at the latest."""
        self._life.end(EndCause.LOCAL_HANGUP)
        if self._task is None:
            await self._close()
        else:
            await asyncio.wait([self._task])

    async def send_digits(self, keys: str) -> None:
        """Raises NotForBrowsers: there is no telephone to hear keys."""
        checked_keys(keys)
        self._refuse("hear keys")

    async def transfer(self, uri: str, timeout_s: float = 15.0) -> None:
        """Raises NotForBrowsers: another leg is brought into the room instead."""
        self._refuse("be transferred")

    async def attended_transfer(self, consult: Leg, timeout_s: float = 15.0) -> None:
        """Raises NotForBrowsers, see `transfer`."""
        self._refuse("be transferred")

    def read(self, max_samples: int) -> bytes:
        return self._inbound.read(max_samples) if self.state is LegState.UP else b""

    def write(self, pcm: bytes) -> int:
        return self._paced.write(pcm) if self.state is LegState.UP else 0

    def flush(self) -> None:
        self._paced.flush()

    def media_stats(self) -> MediaStats:
        """Of what the browser sends; packets count as lost when three later ones have come."""
        return self._inbound.stats()

    def play(self, source: Source | None) -> None:
        """Event loop: send the browser this source, until it ends, in the place of what is written. None: go back."""
        if self.state is LegState.ENDED:
            if source is not None:
                source.close()
            return
        self._track.play(source)

    def connect(self) -> None:
        """Join this leg to its connection, whose remote description is set. Once, by the endpoint."""
        self._connection.addTrack(self._track)
        receive_packets(self._connection.getReceivers()[0], self._receive)
        self._connection.on("connectionstatechange", self._follow)
        self._task = asyncio.create_task(self._live(), name=self.id)

    def _receive(self, sequence: int, timestamp: int, payload: bytes) -> None:
        self._inbound.add(sequence, timestamp, payload, self._loop.time())

    def _follow(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self._life.answer()
        elif state in ("failed", "closed"):
            if not self._life.was_up:
                self._life.end(EndCause.UNREACHABLE, "no connection to the browser came about")
            elif state == "failed" or consent_is_lost(self._connection):
                self._life.end(EndCause.MEDIA_TIMEOUT, "the browser is no longer heard of")
            else:
                self._life.end(EndCause.REMOTE_HANGUP)

    async def _live(self) -> None:
        """Wait for the end of the leg, whoever brings it about, and leave nothing behind."""
        try:
            try:
                async with asyncio.timeout(self._connect_s):
                    await self._life.settled()
            except TimeoutError:
                self._life.end(EndCause.UNREACHABLE, f"no connection to the browser within {self._connect_s:g} s")
            await self._life.over()
        finally:
            self._life.end(EndCause.LOCAL_HANGUP)
            await self._close()

    async def _close(self) -> None:
        self._track.stop()
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._connection.close()
        except TimeoutError:
            logger.error("the connection of leg %s did not close within %s s", self.id, _CLOSE_S)
        self._on_gone(self)

    def _refuse(self, what: str) -> None:
        if self.state is not LegState.UP:
            raise LegGone("The leg is not up.")
        raise NotForBrowsers(f"A browser cannot {what}.", "Ask it of the other party's leg.")
