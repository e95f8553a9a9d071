"""A tap between a SIP client and a SIP server that needs no privileges: a small relay of both SIP and RTP over UDP.

The client dials the tap instead of the server. SIP passes both ways unchanged but for the address of the audio in
session descriptions; the audio then passes through sockets of the tap, which notes every RTP packet with the kernel's
receive time. Requests inside a dialog may go straight between the two (the Contact is left alone), so a call is not
over for the tap when it sees no BYE: its sockets are closed when it has been quiet, or with the tap.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import struct
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from voicebot.caller.capture import CallCapture, Direction, parse_rtp
from voicebot.caller.sip import MediaAddress, SipMessage, audio_address, parse, redirect_audio

log = logging.getLogger(__name__)

Address = tuple[str, int]

_SO_TIMESTAMPNS = 35  # Linux, asm-generic/socket.h; the socket module does not name it
_TIMESPEC = struct.Struct("@qq")
_MAX_RELAYS = 16  # beyond it the call that was quiet longest loses its sockets
_MAX_DIALOGS = 256  # remembered clients; the oldest is forgotten
_MAX_CAPTURES = 32  # calls kept for reading; the oldest is dropped
_SWEEP_S = 0.5
_AFTER_BYE_S = 1.0
_QUIET_S = 60.0
_JOIN_S = 5.0


@dataclass
class _Relay:
    """Sockets of one call. `near` faces the client, `far` the server; each with its RTCP one port above."""

    capture: CallCapture
    near: tuple[socket.socket, socket.socket]
    far: tuple[socket.socket, socket.socket]
    client: MediaAddress | None = None
    server: MediaAddress | None = None
    last_traffic: float = field(default_factory=time.monotonic)
    close_at: float | None = None

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        return (*self.near, *self.far)


@dataclass(frozen=True)
class _Hop:
    """What a socket of the selector is for."""

    kind: str  # "listen" | "upstream" | "rtp" | "rtcp" | "wake"
    relay: _Relay | None = None
    direction: Direction = "sent"


class Wiretap:
    """Relay at `host`:`port` (0: any free one) in front of `server`; a context manager, or `start` and `close`."""

    def __init__(self, server: Address, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server = server
        self._host = host
        self._selector = selectors.DefaultSelector()
        self._listen = _udp(host, port)
        try:
            self._upstream = _udp(host, 0)
        except OSError:
            self._listen.close()
            self._selector.close()
            raise
        self._wake, self._waker = socket.socketpair()
        self._selector.register(self._listen, selectors.EVENT_READ, _Hop("listen"))
        self._selector.register(self._upstream, selectors.EVENT_READ, _Hop("upstream"))
        self._selector.register(self._wake, selectors.EVENT_READ, _Hop("wake"))
        self._clients: OrderedDict[str, Address] = OrderedDict()
        self._relays: dict[str, _Relay] = {}
        self._captures: dict[str, CallCapture] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="wiretap", daemon=True)
        self._closed = False

    @property
    def address(self) -> Address:
        """What to dial instead of the server."""
        host, port = self._listen.getsockname()
        return str(host), int(port)

    @property
    def captures(self) -> tuple[CallCapture, ...]:
        """Every call that passed with audio, oldest first; they stay readable after `close`."""
        with self._lock:
            return tuple(self._captures.values())

    def __enter__(self) -> Wiretap:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and close every socket; idempotent, bounded in time."""
        if self._closed:
            return
        self._closed = True
        self._waker.send(b"x")
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)
        for relay in list(self._relays.values()):
            self._close_relay(relay)
        for sock in (self._listen, self._upstream, self._wake, self._waker):
            sock.close()
        self._selector.close()

    def _run(self) -> None:
        sweep_at = time.monotonic() + _SWEEP_S
        while not self._closed:
            for key, _ in self._selector.select(_SWEEP_S):
                if key.data.kind == "wake":
                    return
                try:
                    self._drain(key.fileobj, key.data)  # type: ignore[arg-type]
                except Exception:
                    log.exception("the wiretap dropped a datagram")
            if time.monotonic() >= sweep_at:
                self._sweep()
                sweep_at = time.monotonic() + _SWEEP_S

    def _drain(self, sock: socket.socket, hop: _Hop) -> None:
        for _ in range(64):  # then let the others have their turn
            if sock.fileno() < 0:
                return
            try:
                data, ancillary, _, source = sock.recvmsg(65535, 64)
            except (BlockingIOError, ConnectionRefusedError):
                return
            if hop.relay is not None:
                self._pass_media(hop, hop.relay, data, _stamp(ancillary))
            else:
                from_server = hop.kind == "upstream" or source == self._server
                self._pass_sip(data, source, from_server)

    def _pass_sip(self, data: bytes, source: Address, from_server: bool) -> None:
        message = parse(data)
        if message is None:
            if not from_server:
                _send(self._upstream, data, self._server)
            return
        call_id = message.call_id
        if not from_server:
            self._clients[call_id] = source
            self._clients.move_to_end(call_id)
            if len(self._clients) > _MAX_DIALOGS:
                self._clients.popitem(last=False)
        if message.has_sdp:
            data = self._redirect(message, call_id, from_server) or data
        self._note_end(message, call_id)
        if not from_server:
            _send(self._upstream, data, self._server)
        elif call_id in self._clients:
            _send(self._listen, data, self._clients[call_id])

    def _redirect(self, message: SipMessage, call_id: str, from_server: bool) -> bytes | None:
        media = audio_address(message.body)
        if media is None:
            return None
        relay = self._relays.get(call_id) or self._open_relay(call_id)
        relay.last_traffic, relay.close_at = time.monotonic(), None
        if from_server:
            relay.server, sockets = media, relay.near
            relay.capture.sent.name_codecs(media.codecs)
        else:
            relay.client, sockets = media, relay.far
            relay.capture.received.name_codecs(media.codecs)
        rtp, rtcp = (sock.getsockname()[1] for sock in sockets)
        return message.with_body(redirect_audio(message.body, self._host, rtp, rtcp))

    def _note_end(self, message: SipMessage, call_id: str) -> None:
        relay = self._relays.get(call_id)
        if relay is None:
            return
        refused = message.method == "INVITE" and (message.status or 0) >= 300 and message.status not in (401, 407, 491)
        never_up = not (len(relay.capture.sent) or len(relay.capture.received))
        if message.method == "BYE" or (refused and never_up):
            relay.close_at = time.monotonic() + _AFTER_BYE_S

    def _open_relay(self, call_id: str) -> _Relay:
        while len(self._relays) >= _MAX_RELAYS:
            self._close_relay(min(self._relays.values(), key=lambda relay: relay.last_traffic))
        near = _udp_pair(self._host)
        try:
            far = _udp_pair(self._host)
        except OSError:
            for sock in near:
                sock.close()
            raise
        with self._lock:
            capture = self._captures.setdefault(call_id, CallCapture(call_id))
            if len(self._captures) > _MAX_CAPTURES:
                del self._captures[next(iter(self._captures))]
        relay = self._relays[call_id] = _Relay(capture, near, far)
        for pair, direction in ((near, "sent"), (far, "received")):
            self._selector.register(pair[0], selectors.EVENT_READ, _Hop("rtp", relay, direction))  # type: ignore[arg-type]
            self._selector.register(pair[1], selectors.EVENT_READ, _Hop("rtcp", relay, direction))  # type: ignore[arg-type]
        return relay

    def _pass_media(self, hop: _Hop, relay: _Relay, data: bytes, arrival_ns: int) -> None:
        relay.last_traffic = time.monotonic()
        target, sockets = (relay.server, relay.far) if hop.direction == "sent" else (relay.client, relay.near)
        if hop.kind == "rtcp":
            if target is not None:
                _send(sockets[1], data, (target.rtcp_host, target.rtcp_port))
            return
        if target is not None:
            _send(sockets[0], data, (target.host, target.port))
        if packet := parse_rtp(data, arrival_ns):
            relay.capture.log(hop.direction).add(packet)

    def _sweep(self) -> None:
        now = time.monotonic()
        for relay in list(self._relays.values()):
            if (relay.close_at is not None and now >= relay.close_at) or now - relay.last_traffic > _QUIET_S:
                self._close_relay(relay)

    def _close_relay(self, relay: _Relay) -> None:
        self._relays.pop(relay.capture.call_id, None)
        for sock in relay.sockets:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(sock)
            sock.close()


def _udp(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return sock


def _udp_pair(host: str) -> tuple[socket.socket, socket.socket]:
    """An even port for RTP and the next one for RTCP (RFC 3550, 11)."""
    for _ in range(100):
        first = _udp(host, 0)
        port = first.getsockname()[1]
        if port % 2 == 0:
            with contextlib.suppress(OSError):
                return first, _udp(host, port + 1)
        first.close()
    raise OSError("no pair of free UDP ports")


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(data[: _TIMESPEC.size])
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()


def _send(sock: socket.socket, data: bytes, address: Address) -> None:
    """A datagram that cannot go now is lost, as on any network."""
    with contextlib.suppress(OSError):
        sock.sendto(data, address)
