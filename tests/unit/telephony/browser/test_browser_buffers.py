"""What lies between a browser's packets and the media thread."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from telephony.browser.inbound import Inbound
from telephony.browser.leg import BrowserLeg
from telephony.browser.opus import OpusDecoder, OpusEncoder
from telephony.browser.outbound import OutboundTrack
from telephony.browser.shared_sound import MAX_QUEUED_MS, MAX_UNREAD_MS, SAMPLE_RATE, SharedSound
from tests.unit.telephony.media_rig import tone, values

RATE = SAMPLE_RATE
FRAME = RATE // 50


class Line:
    """Both ends of a line, each with its own view of the memory; the worker's end is up."""

    def __init__(self) -> None:
        here, file = SharedSound.create()
        there = SharedSound.open(file)
        file.unlink()
        self.leg = BrowserLeg("browser-1", "anna", here, lambda leg: None)
        self.leg._life.answer()
        self.inbound = Inbound(there)
        self.heard = there.heard


@pytest.fixture
def line() -> Line:
    return Line()


def packets(seconds: float, hz: float = 500.0) -> list[bytes]:
    encoder, pcm = OpusEncoder(RATE), tone(seconds, RATE, hz)
    return [encoder.encode(pcm[at : at + 2 * FRAME]) for at in range(0, len(pcm), 2 * FRAME)]


def feed(inbound: Inbound, stream: list[bytes], start: int = 0, delay_s: float = 0.0) -> None:
    for n, packet in enumerate(stream, start):
        inbound.add(n, 960 * n, packet, 0.02 * n + delay_s)


def test_what_comes_is_read_at_16_khz(line: Line) -> None:
    assert line.leg.read(FRAME) == b""
    heard = b""
    for n, packet in enumerate(packets(1.0)):
        line.inbound.add(n, 960 * n, packet, 0.02 * n)
        heard += line.leg.read(10 * FRAME)
    assert len(heard) == 2 * RATE
    spectrum = np.abs(np.fft.rfft(values(heard)[RATE // 2 :].astype(float)))
    assert np.argmax(spectrum) * 2 == 500


def test_nobody_is_given_old_news(line: Line) -> None:
    stream = packets(2.0)
    feed(line.inbound, stream[:50])
    assert line.leg.read(RATE) == b"", "what came before anybody read"
    feed(line.inbound, stream[50:60], 50)
    assert len(line.leg.read(RATE)) == 2 * 10 * FRAME
    too_many = MAX_UNREAD_MS // 20 + 1
    feed(line.inbound, stream[60 : 60 + too_many], 60)
    assert line.leg.read(RATE) == b"", "what was left unread for too long"
    feed(line.inbound, stream[90:], 90)
    assert len(line.leg.read(3 * FRAME)) == 2 * 3 * FRAME


def test_nothing_is_decoded_that_nobody_reads(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []
    decode = OpusDecoder.decode

    def counted(self: OpusDecoder, packet: bytes) -> bytes:
        decoded.append(packet)
        return decode(self, packet)

    monkeypatch.setattr(OpusDecoder, "decode", counted)
    feed(line.inbound, packets(2.0))
    assert len(decoded) == MAX_UNREAD_MS // 20


def test_what_is_no_opus_is_no_sound(line: Line) -> None:
    line.leg.read(1)
    for n, nonsense in enumerate((b"", b"\xff" * 40, b"\x03", bytes(1400))):
        line.inbound.add(n, 960 * n, nonsense, 0.0)
    feed(line.inbound, packets(0.2), 4)
    assert len(line.leg.read(RATE)) >= 2 * 10 * FRAME


def test_the_figures_of_a_bad_network(line: Line) -> None:
    stream = packets(1.0)
    for n, packet in enumerate(stream):
        if n % 10 != 3:
            line.inbound.add(n, 960 * n, packet, 0.02 * n + 0.01 * (n % 2))
    stats = line.leg.media_stats()
    assert (stats.codec, stats.packets_received, stats.packets_lost) == ("opus", 45, 5)
    assert stats.jitter_ms == pytest.approx(10, abs=2)


def test_writing_is_bounded_and_a_flush_makes_room(line: Line) -> None:
    assert line.leg.write(bytes(2 * 3 * RATE)) == RATE * MAX_QUEUED_MS // 1000
    assert line.leg.write(bytes(320)) == 0
    assert line.leg.unsent_s() == MAX_QUEUED_MS / 1000
    line.leg.flush()
    assert line.leg.unsent_s() == 0
    assert line.leg.write(b"\1\2" * 160) == 160
    assert line.heard.read(640) == b"\1\2" * 160


def test_sound_comes_through_as_it_went_in_however_often_the_ring_goes_round(line: Line) -> None:
    chance = np.random.default_rng(5)
    sent, got = bytearray(), bytearray()
    for size in chance.integers(0, 3000, 400):
        pcm = chance.bytes(int(size))
        sent += pcm[: 2 * line.leg.write(pcm)]
        got += line.heard.read(int(chance.integers(0, 4000)))
    got += line.heard.read(len(sent))
    assert got == sent
    assert len(sent) > 3 * 2 * RATE * MAX_QUEUED_MS // 1000


async def test_a_track_leaves_silence_out_and_its_timestamps_go_on(line: Line) -> None:
    track = OutboundTrack(line.heard.read, RATE)
    line.leg.write(tone(0.1, RATE))
    got = [await track.recv() for _ in range(13)]
    at = [packet.pts // 960 for packet in got]
    assert at == [*range(11), 30, 50], "five of sound, five of silence, and then one in 400 ms"
    decoder = OpusDecoder()
    loudest = [np.abs(values(decoder.decode(bytes(packet))).astype(int)).max() for packet in got]
    assert loudest[2] > 1000
    assert max(loudest[8:]) < 10
    line.leg.write(tone(0.1, RATE))
    again = await track.recv()
    assert again.pts == got[-1].pts + 960


async def test_after_a_stall_little_is_sent_at_once_and_the_rest_is_left_out(line: Line) -> None:
    track = OutboundTrack(line.heard.read, RATE)
    loop = asyncio.get_running_loop()
    await track.recv()
    line.leg.write(tone(1.0, RATE))
    track._due = loop.time() - 0.401
    assert (await track.recv()).pts == 16 * 960
    began = loop.time()
    burst = [await track.recv() for _ in range(5)]
    assert loop.time() - began < 0.02
    assert [packet.pts for packet in burst] == [960 * n for n in range(17, 22)]
    await track.recv()
    assert loop.time() - began > 0.01
