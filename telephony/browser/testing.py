"""A browser without a page: an aiortc peer that calls a `BrowserEndpoint`, talks and listens. For tests and benchmarks.

async with browser_endpoint() as endpoint, BrowserPeer(HOME) as peer:
    leg = await peer.call(endpoint)
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from telephony.browser.aiortc_seams import abandon_sockets, offer_addresses, receive_packets
from telephony.browser.endpoint import BrowserEndpoint
from telephony.browser.leg import BrowserLeg
from telephony.browser.opus import CLOCK_RATE, TICKS_PER_FRAME, OpusDecoder
from telephony.browser.outbound import OutboundTrack
from telephony.browser.process import CONNECT_S, lines_app, server
from telephony.leg import FRAME_MS

HOME = ("127.0.0.1",)

_SPOKEN_S = 2  # what a microphone holds
_KEPT_S = 60  # of what was heard; what is older is dropped


@asynccontextmanager
async def browser_endpoint(*, max_lines: int = 200, connect_s: float = CONNECT_S) -> AsyncIterator[BrowserEndpoint]:
    """An endpoint on loopback; what is otherwise a process of its own runs on this loop."""
    with tempfile.TemporaryDirectory(prefix="voicebot-") as folder:
        socket = Path(folder) / "browsers"
        serving = server(lines_app(HOME, max_lines, connect_s), socket)
        task = asyncio.create_task(serving.serve(), name="browsers' audio")
        endpoint = BrowserEndpoint(socket)
        try:
            yield endpoint
        finally:
            await endpoint.stop()
            serving.should_exit = True
            await task


class BrowserPeer:
    """`sample_rate` is that of what it says. It hears at 48 kHz."""

    def __init__(self, addresses: Sequence[str] | None = None, sample_rate: int = 16000) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        # When each came (loop's clock), and its RTP timestamp.
        self.packets: deque[tuple[float, int]] = deque(maxlen=_KEPT_S * 1000 // FRAME_MS)
        self.connection.on("connectionstatechange", self._follow)
        self._connected = asyncio.Event()
        self._addresses = addresses
        self._rate = sample_rate
        self._voice = bytearray()
        self._decoder = OpusDecoder()
        self._heard = bytearray()

    async def __aenter__(self) -> BrowserPeer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def call(self, endpoint: BrowserEndpoint, user: str = "") -> BrowserLeg:
        """Connect to it; returns the leg there, which is up. Raises what `answer_offer` and `connect` raise."""
        leg, answer = await endpoint.answer_offer(await self.offer(), user)
        await self.connect(answer)
        await leg.answer()
        return leg

    async def offer(self) -> str:
        """Its offer, with all candidates."""
        self.connection.addTrack(OutboundTrack(self._speak, self._rate))
        receive_packets(self.connection.getReceivers()[0], self._receive)
        if self._addresses is not None:
            offer_addresses(self.connection, self._addresses)
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return str(self.connection.localDescription.sdp)

    async def connect(self, answer_sdp: str) -> None:
        """Take the answer and wait until sound can flow. Raises TimeoutError after 10 s."""
        await self.connection.setRemoteDescription(RTCSessionDescription(answer_sdp, "answer"))
        async with asyncio.timeout(CONNECT_S):
            await self._connected.wait()

    def _follow(self) -> None:
        if self.connection.connectionState == "connected":
            self._connected.set()

    def say(self, pcm: bytes) -> int:
        """Queue sound for its microphone, at most 2 s; returns the samples taken. Else it is silent."""
        taken = min(len(pcm), 2 * self._rate * _SPOKEN_S - len(self._voice)) & ~1
        self._voice += pcm[:taken]
        return taken // 2

    def heard(self) -> bytes:
        """What it heard since the last call, 48 kHz."""
        pcm = bytes(self._heard)
        self._heard.clear()
        return pcm

    def vanish(self) -> None:
        """Be gone without a word, as a machine is that loses power or its network."""
        abandon_sockets(self.connection)

    async def close(self) -> None:
        """Hang up, as a page does that is left."""
        await self.connection.close()

    def _speak(self, size: int) -> bytes:
        pcm = bytes(self._voice[:size])
        del self._voice[:size]
        return pcm

    def _receive(self, sequence: int, timestamp: int, payload: bytes) -> None:
        if self.packets:
            left_out = (timestamp - self.packets[-1][1]) % 0x100000000 - TICKS_PER_FRAME
            if 0 < left_out < CLOCK_RATE:
                self._heard += bytes(2 * left_out)
        self.packets.append((asyncio.get_running_loop().time(), timestamp))
        self._hear(self._decoder.decode(payload))

    def _hear(self, pcm: bytes) -> None:
        """The sound of a packet that has just come."""
        self._heard += pcm
        del self._heard[: max(0, len(self._heard) - 2 * CLOCK_RATE * _KEPT_S)]
