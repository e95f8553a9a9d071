"""A small SIP peer, written for these tests: it sends what it is told, mistakes and malice included.

Over UDP, TCP or TLS, from any address of loopback or of a namespace. Not a telephone: no retransmission, no timers.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
import ssl
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import cast

DEADLINE_S = 8.0


@dataclass(frozen=True)
class Message:
    """A request or a response as it came. `start`: its first line."""

    start: str
    headers: tuple[tuple[str, str], ...]
    body: str = ""

    @classmethod
    def parse(cls, data: bytes) -> Message:
        head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        pairs = [line.partition(":") for line in lines]
        return cls(start, tuple((name.strip().lower(), value.strip()) for name, _, value in pairs), body)

    @property
    def status(self) -> int:
        """Of a response; 0 for a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/") else 0

    @property
    def method(self) -> str:
        """Of the request, or of the one that is answered."""
        return self["cseq"].split()[1]

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def media(self) -> tuple[str, int]:
        """Where the body wants its sound."""
        address, port = re.search(r"c=IN IP4 (\S+)", self.body), re.search(r"m=audio (\d+)", self.body)
        assert address is not None
        assert port is not None
        return address[1], int(port[1])


def sdp(address: str, port: int, *more: str, profile: str = "RTP/AVP") -> str:
    """One stream of A-law. `more`: further lines."""
    lines = ("v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0")
    media = (f"m=audio {port} {profile} 8", "a=rtpmap:8 PCMA/8000", "a=sendrecv")
    return "".join(f"{line}\r\n" for line in (*lines, *media, *more))


@dataclass(frozen=True)
class Dialog:
    """A call that a peer began, as its later requests need it."""

    call_id: str
    number: str
    tag: str
    cseq: int
    to: str = ""
    target: str = ""
    route: tuple[str, ...] = ()
    answer: Message | None = field(default=None, repr=False)


class SipPeer:
    """One socket towards the edge. What comes is answered by `on_request`, or waits in `received`."""

    def __init__(self, user: str, edge: tuple[str, int], transport: str) -> None:
        self.user = user
        self.edge = edge
        self.transport = transport
        self.address = ("", 0)
        self.agent = "test peer"
        self.received: asyncio.Queue[Message] = asyncio.Queue()
        self.requests: list[Message] = []

    # Wire

    def send_bytes(self, data: bytes, to: tuple[str, int] | None = None) -> None:
        raise NotImplementedError

    def arrived(self, data: bytes, source: tuple[str, int]) -> None:
        """One message."""
        if not data.strip():
            return  # a keep-alive
        message = Message.parse(data)
        if message.status:
            self.received.put_nowait(message)
        else:
            self.requests.append(message)
            self.on_request(message, source)

    def on_request(self, request: Message, source: tuple[str, int]) -> None:
        """All is well with it: BYE and OPTIONS are answered."""
        if request.method != "ACK":
            self.reply(request, "200 OK", source)

    def reply(
        self, request: Message, status: str, source: tuple[str, int], body: str = "", extra: Sequence[str] = ()
    ) -> None:
        """Answer a request."""
        to = request["to"] + ("" if "tag=" in request["to"] else f";tag={self.user}")
        lines = [f"SIP/2.0 {status}", *(f"Via: {via}" for via in request.all("via"))]
        lines += [f"Record-Route: {route}" for route in request.all("record-route")]
        lines += [f"From: {request['from']}", f"To: {to}", f"Call-ID: {request['call-id']}", f"CSeq: {request['cseq']}"]
        self.send_bytes(encoded([*lines, f"Contact: <{self.uri}>", *extra], body), source)

    @property
    def uri(self) -> str:
        way = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{self.user}@{self.address[0]}:{self.address[1]}{way}"

    # Requests

    async def response(self, status: int = 0, timeout_s: float = DEADLINE_S, call_id: str = "") -> Message:
        """The next final response, or the next of that status or call. Raises TimeoutError when none comes."""
        async with asyncio.timeout(timeout_s):
            while True:
                message = await self.received.get()
                fits = message.status == status if status else message.status >= 200
                if fits and call_id in ("", message["call-id"]):
                    return message

    def begin(self, number: str = "+48221234567") -> Dialog:
        return Dialog(uuid.uuid4().hex, number, uuid.uuid4().hex[:8], 1)

    def send(self, method: str, dialog: Dialog, body: str = "", extra: Sequence[str] = (), *, branch: str = "") -> str:
        """Send a request, within the call once it is answered; returns its branch."""
        branch = branch or f"z9hG4bK{uuid.uuid4().hex}"
        self.send_bytes(encoded([*self.lines(method, dialog, branch), *extra], body))
        return branch

    def lines(self, method: str, dialog: Dialog, branch: str = "z9hG4bK1") -> list[str]:
        """The head of a request."""
        own, (host, port) = f"{self.address[0]}:{self.address[1]}", self.edge
        here = f"sip:{self.user}@{host}" if method == "REGISTER" else f"sip:{dialog.number}@{host}:{port}"
        return [
            f"{method} {dialog.target or (f'sip:{host}' if method == 'REGISTER' else here)} SIP/2.0",
            f"Via: SIP/2.0/{self.transport.upper()} {own};branch={branch};rport",
            *(f"Route: {route}" for route in dialog.route),
            f"From: <sip:{self.user}@{host}>;tag={dialog.tag}",
            f"To: {dialog.to or f'<{here}>'}",
            f"Call-ID: {dialog.call_id}",
            f"CSeq: {dialog.cseq} {method}",
            f"Contact: <{self.uri}>",
            "Max-Forwards: 70",
            f"User-Agent: {self.agent}",
        ]

    def acknowledge(self, dialog: Dialog, answer: Message, branch: str = "") -> None:
        """`branch`: that of the INVITE, where it was refused."""
        self.send("ACK", replace(dialog, to=answer["to"]), branch=branch)

    async def invite(self, dialog: Dialog, body: str = "", extra: Sequence[str] = ()) -> Message:
        """The final response to an INVITE, acknowledged."""
        branch = self.send("INVITE", dialog, body, extra)
        answer = await self.response(call_id=dialog.call_id)
        if answer.status >= 300:
            self.acknowledge(dialog, answer, branch)
        else:
            self.acknowledge(established(dialog, answer), answer)
        return answer

    async def call(self, body: str = "", password: str = "", number: str = "+48221234567") -> Dialog:
        """A call that has to be answered; with a password if it is asked for."""
        dialog = self.begin(number)
        answer = await self.invite(dialog, body)
        if answer.status == 407:
            dialog = replace(dialog, cseq=dialog.cseq + 1)
            answer = await self.invite(dialog, body, [self.credentials(answer, "INVITE", dialog, password)])
        assert answer.status == 200, answer
        return established(dialog, answer)

    async def hang_up(self, dialog: Dialog) -> Message:
        self.send("BYE", replace(dialog, cseq=dialog.cseq + 1))
        return await self.response()

    def credentials(self, challenge: Message, method: str, dialog: Dialog, password: str) -> str:
        """The header that answers a challenge (RFC 2617, qop=auth)."""
        name = "www-authenticate" if challenge.status == 401 else "proxy-authenticate"
        asked = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge[name]))
        uri = f"sip:{self.edge[0]}" if method == "REGISTER" else f"sip:{dialog.number}@{self.edge[0]}:{self.edge[1]}"
        ha1 = md5(f"{self.user}:{asked['realm']}:{password}")
        proof = md5(f"{ha1}:{asked['nonce']}:00000001:c0ffee:auth:{md5(f'{method}:{uri}')}")
        header = "Authorization" if challenge.status == 401 else "Proxy-Authorization"
        return (
            f'{header}: Digest username="{self.user}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", '
            f'uri="{uri}", qop=auth, nc=00000001, cnonce="c0ffee", response="{proof}", algorithm=MD5'
        )


def established(dialog: Dialog, answer: Message) -> Dialog:
    """The call as its answer made it."""
    target = re.search(r"<([^>]+)>", answer["contact"])
    route = tuple(reversed([one.strip() for line in answer.all("record-route") for one in line.split(",")]))
    return replace(dialog, to=answer["to"], target=target[1] if target else "", route=route, answer=answer)


class UdpPeer(SipPeer, asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast("asyncio.DatagramTransport", transport)
        self.address = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.arrived(data, addr)

    def send_bytes(self, data: bytes, to: tuple[str, int] | None = None) -> None:
        self._wire.sendto(data, to or self.edge)


class _Stream(SipPeer, asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = cast("asyncio.Transport", transport)
        self.address = transport.get_extra_info("sockname")[:2]
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer = (self._buffer + data).lstrip(b"\r\n")
        while b"\r\n\r\n" in self._buffer:
            end = self._buffer.index(b"\r\n\r\n") + 4
            length = re.search(rb"(?im)^content-length:\s*(\d+)", self._buffer[:end])
            end += int(length[1]) if length else 0
            if len(self._buffer) < end:
                return
            message, self._buffer = self._buffer[:end], self._buffer[end:]
            self.arrived(message, self.edge)

    def send_bytes(self, data: bytes, to: tuple[str, int] | None = None) -> None:
        self._wire.write(data)


@asynccontextmanager
async def udp_peer(
    user: str, edge: tuple[str, int], *, sock: socket.socket | None = None, address: str = "127.0.0.1"
) -> AsyncIterator[SipPeer]:
    """A peer of the edge on a free port of `address`, or on `sock`."""
    loop = asyncio.get_running_loop()
    at = {"sock": sock} if sock is not None else {"local_addr": (address, 0)}
    wire, peer = await loop.create_datagram_endpoint(lambda: UdpPeer(user, edge, "udp"), **at)
    try:
        yield peer
    finally:
        wire.close()


@asynccontextmanager
async def tls_peer(user: str, edge: tuple[str, int], certificate: str, address: str) -> AsyncIterator[SipPeer]:
    """A peer that connects by TLS and knows the edge's certificate."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    loop = asyncio.get_running_loop()
    wire, peer = await loop.create_connection(
        lambda: _Stream(user, edge, "tls"), *edge, ssl=context, local_addr=(address, 0)
    )
    try:
        yield peer
    finally:
        wire.close()


def encoded(lines: Sequence[str], body: str = "") -> bytes:
    """A message of these lines."""
    kind = ["Content-Type: application/sdp"] if body else []
    return ("\r\n".join([*lines, *kind, f"Content-Length: {len(body.encode())}", "", ""]) + body).encode()


def md5(text: str) -> str:
    """As digest uses it."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
