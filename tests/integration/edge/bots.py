"""Bots of these tests: they answer, or refuse, and say a tone while they keep what they hear."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

from tests.contract.telephony.rtp import alaw, from_alaw, pitch_of, rtp, tone
from tests.integration.edge.namespaces import socket_in
from tests.integration.edge.peer import Message, UdpPeer, encoded, sdp

FRAME = 160


class Media(asyncio.DatagramProtocol):
    """A port of RTP: says a tone to `target`, keeps the packets that come."""

    def __init__(self, hz: float) -> None:
        self._tone = alaw(tone(hz, 1.0))  # a whole number of periods for whole Hz: it goes round
        self.heard: list[tuple[tuple[str, int], bytes]] = []
        self.target: tuple[str, int] | None = None
        self._sent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast("asyncio.DatagramTransport", transport)
        self.port: int = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append((addr, data))

    def packet(self) -> bytes:
        """The next 20 ms."""
        at = self._sent * FRAME % len(self._tone)
        self._sent += 1
        return rtp(8, self._sent, self._sent * FRAME, self._tone[at : at + FRAME])

    def send(self, data: bytes) -> None:
        if self.target is not None:
            self._wire.sendto(data, self.target)

    def send_to(self, data: bytes, target: tuple[str, int]) -> None:
        """One datagram, whatever is in it."""
        self._wire.sendto(data, target)

    async def talk(self) -> None:
        """Until cancelled, one packet each 20 ms."""
        loop = asyncio.get_running_loop()
        begin, count = loop.time(), 0
        while True:
            self.send(self.packet())
            count += 1
            await asyncio.sleep(max(0.0, begin + 0.02 * count - loop.time()))

    def pitch(self, last: int = 50) -> float:
        """Of the last packets, in Hz; 0.0 for silence or too few of them."""
        audio = b"".join(data[12:] for _, data in self.heard[-last:])
        return pitch_of(from_alaw(audio).tobytes(), 8000)


@asynccontextmanager
async def media(hz: float, sock: socket.socket | None = None) -> AsyncIterator[Media]:
    """A port that talks as long as the block."""
    loop = asyncio.get_running_loop()
    sock = sock or socket_in("", "127.0.0.1")
    wire, port = await loop.create_datagram_endpoint(lambda: Media(hz), sock=sock)
    talking = asyncio.create_task(port.talk(), name="talk")
    try:
        yield port
    finally:
        talking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await talking
        wire.close()


class Bot(UdpPeer):
    """`status`: how it takes calls; "" takes no notice of anything, as one that has died."""

    status = "200 OK"
    media: Media | None = None

    def on_request(self, request: Message, source: tuple[str, int]) -> None:
        if not self.status:
            return
        if request.method == "INVITE" and self.status == "200 OK":
            if self.media is not None and self.media.target is None and request.body:
                self.media.target = request.media  # of its first call
            self.reply(request, self.status, source, sdp(self.address[0], self.media.port if self.media else 9))
        elif request.method == "INVITE":
            self.reply(request, self.status, source)
        else:
            super().on_request(request, source)

    def send_back(self, method: str, invite: Message, body: str = "", extra: Sequence[str] = ()) -> None:
        """A request within a call that came, by the way that its INVITE took."""
        target = re.search(r"<([^>]+)>", invite["contact"])
        assert target is not None
        routes = [one.strip() for line in invite.all("record-route") for one in line.split(",")]
        lines = [
            f"{method} {target[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address[0]}:{self.address[1]};branch=z9hG4bK{uuid.uuid4().hex}",
            *(f"Route: {route}" for route in routes),
            *(f"From: {invite['to']};tag={self.user}", f"To: {invite['from']}"),
            *(f"Call-ID: {invite['call-id']}", f"CSeq: 1 {method}", f"Contact: <{self.uri}>", "Max-Forwards: 70"),
            *extra,
        ]
        host, _, port = routes[0].partition("sip:")[2].partition(";")[0].partition(":")
        self.send_bytes(encoded(lines, body), (host, int(port)))

    @property
    def first_invite(self) -> Message:
        """The first that came."""
        return next(request for request in self.requests if request.method == "INVITE")

    @property
    def calls(self) -> int:
        """INVITEs of calls that came."""
        return len({request["call-id"] for request in self.requests if request.method == "INVITE"})

    @property
    def target(self) -> dict[str, object]:
        """As `bots` names it."""
        return {"address": self.address[0], "port": self.address[1]}

    @property
    def place(self) -> str:
        """As the dispatcher names it."""
        return f"sip:{self.address[0]}:{self.address[1]}"


@asynccontextmanager
async def bot(hz: float = 700, namespace: str = "") -> AsyncIterator[Bot]:
    """One bot that answers with a tone."""
    loop = asyncio.get_running_loop()
    async with media(hz, socket_in(namespace, "127.0.0.1")) as sound:
        sock = socket_in(namespace, "127.0.0.1")
        wire, peer = await loop.create_datagram_endpoint(lambda: Bot("bot", ("", 0), "udp"), sock=sock)
        peer.media = sound
        try:
            yield peer
        finally:
            wire.close()
