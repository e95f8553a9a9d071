"""The floor benchmark's arithmetic: captures, times and events in, figures out."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asr.training.channel import encode_a_law
from benchmarks.floor_measure import (
    LOUD,
    Window,
    board_delays_ms,
    delays_ms,
    digits,
    listener_core_share,
    missed,
    onsets,
    percentile,
    sent_marks,
    sip_events,
)
from benchmarks.floor_sounds import MARK_EVERY_S, RATE, marks, nothing
from benchmarks.wire_capture import Datagram, Phase, datagrams

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\n"


def request(method: str, call_id: str, at: float, body: str = "") -> Datagram:
    text = (
        f"{method} sip:100@127.0.0.1 SIP/2.0\r\nFrom: <sip:486051@127.0.0.1:5061>;tag=1\r\nCall-ID: {call_id}\r\n"
        f"CSeq: 1 {method}\r\n" + ("Content-Type: application/sdp\r\n" if body else "") + f"\r\n{body}"
    )
    return Datagram(at, 5061, 5060, text.encode())


def rtp(at: float, samples: np.ndarray[Any, Any], target: int = 12000) -> Datagram:
    return Datagram(at, 6000, target, b"\x80\x08" + bytes(10) + encode_a_law(samples).tobytes())


def test_marks_are_found_where_they_begin_and_nowhere_else() -> None:
    sound = np.concatenate([marks(), marks(), nothing(1)])
    packets = [rtp(100 + at / RATE, sound[at : at + 160]) for at in range(0, len(sound), 160)]
    packets += [rtp(100.5, np.full(160, 20_000, np.int16), target=12004)]
    assert sent_marks(packets, 12000) == pytest.approx([101.0, 101.0 + MARK_EVERY_S])
    assert np.abs(nothing(5)).max() < LOUD / 10


def test_a_sound_goes_on_after_short_gaps() -> None:
    assert onsets([(0.0, True), (0.3, True), (0.7, False), (0.9, True), (1.0, True)]) == [0.0, 0.9]


def test_a_delay_runs_to_the_first_effect_and_is_left_out_without_one() -> None:
    assert delays_ms([10.0, 12.0, 14.0], [10.2, 14.1, 14.3]) == [200.0, 100.0]


def test_requests_of_callers_are_taken_once_with_the_port_that_takes_their_sound() -> None:
    answer = f"SIP/2.0 200 OK\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n\r\n{SDP}"
    answered = Datagram(1.55, 5060, 5061, answer.replace("6000", "12000").encode())
    seen = [request("INVITE", "a", 1.0, SDP), request("INVITE", "a", 1.5, SDP), answered, request("ACK", "a", 1.6)]
    seen += [request("BYE", "a", 3.0), Datagram(3.1, 5060, 5061, b"SIP/2.0 200 OK\r\nCSeq: 2 BYE\r\n\r\n")]
    events = sip_events(seen)
    assert [(event.at, event.method, event.number, event.port) for event in events] == [
        (1.0, "INVITE", "486051", 12000),
        (3.0, "BYE", "486051", 0),
    ]
    told = {("INVITE", "486051"): 1.25, ("INVITE", "486052"): 1.0}
    assert board_delays_ms(events, told) == [250.0]


@pytest.mark.parametrize("text", ["<sip:+48601000001@127.0.0.1:5060>;tag=9", "+48 601 000 001"])
def test_a_number_is_known_however_it_is_written(text: str) -> None:
    assert digits(text) == "48601000001"


def test_a_listener_costs_what_the_server_uses_more_of() -> None:
    windows = [Window(0, 10, 0, 5.0), Window(10, 20, 5, 5.4), Window(20, 30, 0, 5.2), Window(30, 40, 5, 5.8)]
    assert listener_core_share(windows) == pytest.approx(0.01)
    assert listener_core_share(windows[:1]) is None


def test_goals_are_missed_by_what_is_above_them_or_unknown() -> None:
    good = {
        "listener_core_share": 0.02,
        "listen_delay_p95_ms": 250,
        "board_delay_p95_ms": 1000,
        "rtp_lateness_p99_ms": 3.4,
        "rtp_lateness_p99_ms_without": 1.5,
    }
    assert missed(good) == []
    assert missed({**good, "listener_core_share": None}) == ["listener_core_share"]
    assert missed({**good, "board_delay_p95_ms": 1001}) == ["board_delay_p95_ms"]
    assert missed({**good, "rtp_lateness_p99_ms": 3.6}) == ["rtp_lateness_p99_ms"]
    assert missed({**good, "rtp_lateness_p99_ms": 14, "rtp_lateness_p99_ms_without": 10}) == []


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 95) is None
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0


def test_a_capture_is_read_with_the_kernels_times(tmp_path: Path) -> None:
    def record(at: float, payload: bytes) -> bytes:
        frame = bytes(14) + b"\x45" + bytes(19) + struct.pack(">HHHH", 6000, 12000, 8 + len(payload), 0) + payload
        return struct.pack("<IIII", int(at), round(at % 1 * 1e6), len(frame), len(frame)) + frame

    path = tmp_path / "a.pcap"
    path.write_bytes(
        b"\xd4\xc3\xb2\xa1" + bytes(20) + record(5.25, b"early") + record(7.5, b"in time") + record(9, b"x")[:-1]
    )
    assert [datagram.payload for datagram in datagrams(path)] == [b"early", b"in time"]
    assert list(datagrams(path, Phase(6, 8))) == [Datagram(7.5, 6000, 12000, b"in time")]
