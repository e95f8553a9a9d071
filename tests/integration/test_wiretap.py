"""The tap on real sockets: a client and a server of plain UDP, and calls of sipp."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import free_port, require_program
from voicebot.caller.capture import CallCapture
from voicebot.caller.sip import SipMessage, audio_address, parse
from voicebot.caller.wiretap import Wiretap

LOCALHOST = "127.0.0.1"


class Peer:
    """One side: a SIP socket and an RTP/RTCP pair."""

    def __init__(self) -> None:
        self.sip = self._socket(0)
        while True:
            self.rtp = self._socket(0)
            try:
                self.rtcp = self._socket(self.rtp.getsockname()[1] + 1)
                break
            except OSError:
                self.rtp.close()

    @staticmethod
    def _socket(port: int) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.bind((LOCALHOST, port))
        except OSError:
            sock.close()
            raise
        sock.settimeout(5)
        return sock

    @property
    def address(self) -> tuple[str, int]:
        return LOCALHOST, self.sip.getsockname()[1]

    def sdp(self) -> bytes:
        port = self.rtp.getsockname()[1]
        return f"v=0\r\nc=IN IP4 {LOCALHOST}\r\nm=audio {port} RTP/AVP 8\r\n".encode()

    def send(
        self, start_line: str, to: tuple[str, int], *, call_id: str = "c1", sdp: bytes = b"", cseq: str = "1 INVITE"
    ) -> None:
        kind = "Content-Type: application/sdp\r\n" if sdp else ""
        head = f"{start_line}\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n{kind}Content-Length: {len(sdp)}\r\n\r\n"
        self.sip.sendto(head.encode() + sdp, to)

    def receive(self) -> tuple[SipMessage, tuple[str, int]]:
        data, source = self.sip.recvfrom(65535)
        message = parse(data)
        assert message is not None
        return message, source

    def close(self) -> None:
        for sock in (self.sip, self.rtp, self.rtcp):
            sock.close()


@pytest.fixture
def client() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def server() -> Iterator[Peer]:
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def tap(server: Peer) -> Iterator[Wiretap]:
    descriptors = len(os.listdir("/proc/self/fd"))
    with Wiretap(server.address) as running:
        yield running
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert not [thread for thread in threading.enumerate() if thread.name == "wiretap"]


def _rtp(sequence: int) -> bytes:
    return struct.pack("!BBHII", 0x80, 8, sequence, sequence * 160, 42) + bytes([0xAA]) * 160


def _set_up(client: Peer, server: Peer, tap: Wiretap, call_id: str = "c1") -> tuple[int, int]:
    """Offer and answer through the tap; the ports that client and server are told to send to."""
    client.send(f"INVITE sip:100@{LOCALHOST} SIP/2.0", tap.address, call_id=call_id, sdp=client.sdp())
    invite, source = server.receive()
    offered = audio_address(invite.body)
    server.send("SIP/2.0 200 OK", source, call_id=call_id, sdp=server.sdp())
    answer, _ = client.receive()
    answered = audio_address(answer.body)
    assert offered is not None
    assert answered is not None
    assert len(invite.body) == int(invite.header(b"content-length"))
    return answered.port, offered.port


def _wait_for_packets(capture: CallCapture, sent: int, received: int) -> None:
    deadline = time.monotonic() + 5
    while (len(capture.sent), len(capture.received)) != (sent, received) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert (len(capture.sent), len(capture.received)) == (sent, received)


def test_audio_and_rtcp_pass_both_ways_and_are_noted(client: Peer, server: Peer, tap: Wiretap) -> None:
    to_server, to_client = _set_up(client, server, tap)
    assert len({to_server, to_client, client.rtp.getsockname()[1], server.rtp.getsockname()[1]}) == 4
    before = time.time()
    client.rtp.sendto(_rtp(1), (LOCALHOST, to_server))
    client.rtp.sendto(_rtp(2), (LOCALHOST, to_server))
    server.rtp.sendto(_rtp(9), (LOCALHOST, to_client))
    assert [server.rtp.recv(2000) for _ in range(2)] == [_rtp(1), _rtp(2)]
    assert client.rtp.recv(2000) == _rtp(9)
    report = bytes([0x80, 200, 0, 6]) + bytes(24)
    client.rtcp.sendto(report, (LOCALHOST, to_server + 1))
    assert server.rtcp.recv(2000) == report
    (capture,) = tap.captures
    _wait_for_packets(capture, 2, 1)
    assert before <= capture.audio("sent").start_time <= time.time()
    assert len(capture.audio("received").samples) == 160


def test_a_new_offer_moves_the_audio_and_keeps_the_relay(client: Peer, server: Peer, tap: Wiretap) -> None:
    first = _set_up(client, server, tap)
    moved = Peer()
    try:
        client.send(f"INVITE sip:100@{LOCALHOST} SIP/2.0", tap.address, sdp=moved.sdp(), cseq="2 INVITE")
        again, _ = server.receive()
        offered = audio_address(again.body)
        assert offered is not None
        assert offered.port == first[1]
        server.rtp.sendto(_rtp(1), (LOCALHOST, first[1]))
        assert moved.rtp.recv(2000) == _rtp(1)
    finally:
        moved.close()
    assert len(tap.captures) == 1


def test_hold_passes_unchanged(client: Peer, server: Peer, tap: Wiretap) -> None:
    _set_up(client, server, tap)
    held = b"v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 9 RTP/AVP 8\r\na=inactive\r\n"
    client.send(f"INVITE sip:100@{LOCALHOST} SIP/2.0", tap.address, sdp=held, cseq="2 INVITE")
    message, _ = server.receive()
    assert message.body == held


def test_a_cancelled_call_gives_its_sockets_back(client: Peer, server: Peer, tap: Wiretap) -> None:
    before = len(os.listdir("/proc/self/fd"))
    client.send(f"INVITE sip:100@{LOCALHOST} SIP/2.0", tap.address, sdp=client.sdp())
    _, source = server.receive()
    client.send(f"CANCEL sip:100@{LOCALHOST} SIP/2.0", tap.address, cseq="1 CANCEL")
    assert server.receive()[0].method == "CANCEL"
    assert len(os.listdir("/proc/self/fd")) == before + 4
    server.send("SIP/2.0 487 Request Terminated", source)
    assert client.receive()[0].status == 487
    deadline = time.monotonic() + 5
    while len(os.listdir("/proc/self/fd")) > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(os.listdir("/proc/self/fd")) == before


def test_calls_side_by_side_keep_apart(client: Peer, server: Peer, tap: Wiretap) -> None:
    other = Peer()
    try:
        one = _set_up(client, server, tap, "c1")
        two = _set_up(other, server, tap, "c2")
        assert not set(one) & set(two)
        server.rtp.sendto(_rtp(1), (LOCALHOST, one[1]))
        server.rtp.sendto(_rtp(2), (LOCALHOST, two[1]))
        assert client.rtp.recv(2000) == _rtp(1)
        assert other.rtp.recv(2000) == _rtp(2)
    finally:
        other.close()
    assert [capture.call_id for capture in tap.captures] == ["c1", "c2"]


def test_a_request_of_the_server_finds_the_client(client: Peer, server: Peer, tap: Wiretap) -> None:
    client.send(f"INVITE sip:100@{LOCALHOST} SIP/2.0", tap.address, sdp=client.sdp())
    _, source = server.receive()
    server.send(f"BYE sip:1@{LOCALHOST} SIP/2.0", source, cseq="1 BYE")
    message, _ = client.receive()
    assert message.method == "BYE"
    server.send(f"OPTIONS sip:1@{LOCALHOST} SIP/2.0", source, call_id="unknown", cseq="1 OPTIONS")
    server.send(f"BYE sip:1@{LOCALHOST} SIP/2.0", source, cseq="2 BYE")
    assert client.receive()[0].header(b"cseq") == "2 BYE"  # nobody to hand the other one to


def test_rubbish_does_not_stop_it(client: Peer, server: Peer, tap: Wiretap) -> None:
    for junk in (b"\x00" * 40, b"INVITE\r\n\r\n", b"\r\n\r\n", b"SIP/2.0\r\n\r\n", b"INVITE SIP/2.0\r\n\r\nv=0"):
        client.sip.sendto(junk, tap.address)
        with contextlib.suppress(TimeoutError):
            server.sip.settimeout(0.1)
            server.sip.recv(2000)
    server.sip.settimeout(5)
    _set_up(client, server, tap)


def test_calls_of_sipp_pass(tmp_path: Path) -> None:
    """Three calls at once between two ends nobody here wrote."""
    sipp = require_program("sipp", package="sip-tester")
    uas_port, uac_port = free_port(), free_port()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL, "cwd": tmp_path}
    server = subprocess.Popen(
        [sipp, "-sn", "uas", "-i", LOCALHOST, "-p", str(uas_port), "-m", "3", "-nostdin", "-timeout", "30"], **quiet
    )
    try:
        with Wiretap((LOCALHOST, uas_port)) as tap:
            host, port = tap.address
            done = subprocess.run(
                [sipp, "-sn", "uac", f"{host}:{port}", "-i", LOCALHOST, "-p", str(uac_port), "-m", "3", "-r", "3",
                 "-nostdin", "-timeout", "30", "-d", "300"],
                timeout=60, check=False, **quiet,
            )  # fmt: skip
            assert done.returncode == 0
            assert server.wait(30) == 0
            assert len(tap.captures) == 3
    finally:
        if server.poll() is None:
            server.kill()
        server.wait(5)
