"""Packets to audio: G.711 tables, loss, DTX, wrap-around, new sources, clocks that jump."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.caller.capture import SAMPLE_RATE, CallCapture, PacketLog, RtpPacket, parse_rtp

START_NS = 1_700_000_000_000_000_000
FRAME_NS = 20_000_000


def _log(frames: dict[int, int], *, first_timestamp: int = 0, first_sequence: int = 0) -> PacketLog:
    """A µ-law packet per `frames` item: {frame number: code repeated in it}, arriving on time."""
    packets = PacketLog()
    for index, (frame, code) in enumerate(frames.items()):
        del index
        packets.add(
            RtpPacket(
                START_NS + frame * FRAME_NS,
                (first_sequence + frame) % 0x10000,
                (first_timestamp + frame * 160) % 0x1_0000_0000,
                1,
                0,
                bytes([code]) * 160,
            )
        )
    return packets


def test_g711_tables_hold_the_values_of_the_standard() -> None:
    # ITU-T G.711 tables 1 and 2, scaled to 16 bits: codes of the largest, the smallest and a middle value.
    for kind, expected in (
        (0, {0x80: 32124, 0x00: -32124, 0xFF: 0, 0xF0: 120}),
        (8, {0xAA: 32256, 0x2A: -32256, 0xD5: 8}),
    ):
        for code, value in expected.items():
            packets = PacketLog()
            packets.add(RtpPacket(START_NS, 0, 0, 1, kind, bytes([code])))
            assert packets.audio().samples[0] == value, (kind, hex(code))


def test_loss_is_silence_and_is_counted() -> None:
    log = _log({0: 0x80, 1: 0x80, 3: 0x80})
    audio = log.audio()
    assert len(audio.samples) == 4 * 160
    assert not audio.samples[320:480].any()
    assert audio.samples[480:].all()
    stats = log.stats()
    assert (stats.packets, stats.lost, stats.longest_gap_ms) == (3, 1, 40.0)


def test_reordered_packets_find_their_place() -> None:
    log = _log({0: 0x80, 2: 0x90, 1: 0xA0})
    assert log.audio().pcm == _log({0: 0x80, 1: 0xA0, 2: 0x90}).audio().pcm
    assert log.stats().lost == 0


def test_pause_of_a_dtx_peer_is_silence() -> None:
    audio = _log({0: 0x80, 500: 0x80}).audio()
    assert audio.seconds == pytest.approx(500 * 0.02 + 0.02)
    assert audio.time_at(500 * 160) == pytest.approx(START_NS / 1e9 + 10.0, abs=1e-6)


def test_timestamps_and_sequence_wrap() -> None:
    frames = dict.fromkeys(range(4), 0x80)
    log = _log(frames, first_timestamp=0x1_0000_0000 - 200, first_sequence=0xFFFE)
    assert len(log.audio().samples) == 640
    assert log.stats().lost == 0


def test_a_new_source_is_placed_by_its_arrival() -> None:
    log = _log({0: 0x80})
    log.add(RtpPacket(START_NS + 10 * FRAME_NS, 7, 999_999, 2, 0, bytes([0x80]) * 160))
    assert len(log.audio().samples) == 11 * 160


def test_a_clock_that_stood_still_is_placed_by_its_arrival() -> None:
    log = _log({0: 0x80})
    log.add(RtpPacket(START_NS + 3_000_000_000, 1, 160, 1, 0, bytes([0x80]) * 160))
    assert log.audio().seconds == pytest.approx(3.02)


def test_keys_and_comfort_noise_leave_silence() -> None:
    log = _log({0: 0x80})
    log.add(RtpPacket(START_NS + FRAME_NS, 1, 160, 1, 101, b"\x01\x0a\x00\xa0"))
    log.add(RtpPacket(START_NS + 2 * FRAME_NS, 2, 320, 1, 13, b"\x40"))
    assert len(log.audio().samples) == 160


def test_time_and_sample_belong_together_when_packets_come_late() -> None:
    log = _log({0: 0x80, 1: 0x80})
    log.add(RtpPacket(START_NS + 2 * FRAME_NS + 200_000_000, 2, 320, 1, 0, bytes([0x80]) * 160))
    audio = log.audio()
    assert audio.time_at(320) == pytest.approx(START_NS / 1e9 + 0.24, abs=1e-6)
    assert audio.sample_at(audio.time_at(400)) == pytest.approx(400, abs=1)


def test_no_packets_is_no_audio() -> None:
    audio = CallCapture("x").audio("received")
    assert (audio.seconds, audio.pcm, audio.sample_at(5.0)) == (0.0, b"", 0)
    assert PacketLog().stats().packets == 0


def test_a_flood_is_bounded() -> None:
    log = PacketLog()
    for number in range(1000):
        log.add(RtpPacket(START_NS, number, 0, 1, 0, bytes(60_000)))
    assert len(log) * 60_000 <= 30 * 60 * SAMPLE_RATE
    assert log.not_kept == 1000 - len(log) > 0


def test_rtp_header_with_everything_in_it() -> None:
    header = (
        struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 2, 8, 5, 6, 7) + bytes(8) + struct.pack("!HH", 0xBEDE, 1) + bytes(4)
    )
    packet = parse_rtp(header + b"voice" + b"\x00\x00\x03", 9)
    assert packet == RtpPacket(9, 5, 6, 7, 8, b"voice")


def test_rtcp_is_no_rtp() -> None:
    assert parse_rtp(bytes([0x80, 200]) + bytes(26), 0) is None


@given(st.binary(max_size=60))
def test_any_datagram_is_survived(data: bytes) -> None:
    packet = parse_rtp(data, START_NS)
    if packet is not None:
        log = PacketLog()
        log.add(packet)
        log.audio()
        assert len(packet.payload) <= len(data) - 12


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=40))
def test_audio_is_never_longer_than_what_came(frames: list[tuple[int, int]]) -> None:
    log = _log(dict(frames))
    audio = log.audio()
    order = [frame for frame in dict(frames)]
    assert len(audio.samples) <= (max(order) - min(order) + 51) * 160
    assert np.all(np.diff(audio.anchors) >= 0)
