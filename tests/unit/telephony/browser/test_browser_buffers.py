"""What lies between the event loop and the media thread for a browser's leg."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from telephony.browser.inbound import MAX_UNREAD_MS, Inbound
from telephony.browser.opus import OpusDecoder, OpusEncoder
from telephony.browser.outbound import MAX_QUEUED_MS, Encoded, OutboundTrack, Paced
from tests.unit.telephony.media_rig import tone, values

RATE = 16000
FRAME = RATE // 50


def packets(seconds: float, hz: float = 500.0) -> list[bytes]:
    encoder, pcm = OpusEncoder(RATE), tone(seconds, RATE, hz)
    return [encoder.encode(pcm[at : at + 2 * FRAME]) for at in range(0, len(pcm), 2 * FRAME)]


def feed(inbound: Inbound, stream: list[bytes], start: int = 0, delay_s: float = 0.0) -> None:
    for n, packet in enumerate(stream, start):
        inbound.add(n, 960 * n, packet, 0.02 * n + delay_s)


def test_what_comes_is_read_at_16_khz() -> None:
    inbound = Inbound(RATE)
    assert inbound.read(FRAME) == b""
    heard = b""
    for n, packet in enumerate(packets(1.0)):
        inbound.add(n, 960 * n, packet, 0.02 * n)
        heard += inbound.read(10 * FRAME)
    assert len(heard) == 2 * RATE
    spectrum = np.abs(np.fft.rfft(values(heard)[RATE // 2 :].astype(float)))
    assert np.argmax(spectrum) * 2 == 500


def test_nobody_is_given_old_news() -> None:
    inbound = Inbound(RATE)
    stream = packets(2.0)
    feed(inbound, stream[:50])
    assert inbound.read(RATE) == b"", "what came before anybody read"
    feed(inbound, stream[50:60], 50)
    assert len(inbound.read(RATE)) == 2 * 10 * FRAME
    too_many = MAX_UNREAD_MS // 20 + 1
    feed(inbound, stream[60 : 60 + too_many], 60)
    assert inbound.read(RATE) == b"", "what was left unread for too long"
    feed(inbound, stream[90:], 90)
    assert len(inbound.read(3 * FRAME)) == 2 * 3 * FRAME


def test_what_is_no_opus_is_no_sound() -> None:
    inbound = Inbound(RATE)
    inbound.read(1)
    for n, nonsense in enumerate((b"", b"\xff" * 40, b"\x03", bytes(1400))):
        inbound.add(n, 960 * n, nonsense, 0.0)
    feed(inbound, packets(0.2), 4)
    assert len(inbound.read(RATE)) >= 2 * 10 * FRAME


def test_the_figures_of_a_bad_network() -> None:
    inbound = Inbound(RATE)
    stream = packets(1.0)
    for n, packet in enumerate(stream):
        if n % 10 != 3:
            inbound.add(n, 960 * n, packet, 0.02 * n + 0.01 * (n % 2))
    stats = inbound.stats()
    assert (stats.codec, stats.packets_received, stats.packets_lost) == ("opus", 45, 5)
    assert stats.jitter_ms == pytest.approx(10, abs=2)


async def test_writing_is_bounded_and_a_flush_makes_room() -> None:
    paced = Paced(RATE)
    assert paced.write(bytes(2 * 3 * RATE)) == RATE * MAX_QUEUED_MS // 1000
    assert paced.write(bytes(320)) == 0
    paced.flush()
    assert paced.write(bytes(320)) == 160


async def test_after_a_stall_little_is_sent_at_once_and_the_rest_is_left_out() -> None:
    paced = Paced(RATE)
    loop = asyncio.get_running_loop()
    await paced.next()
    paced.write(tone(1.0, RATE))
    paced._due = loop.time() - 0.401  # type: ignore[attr-defined]
    first = await paced.next()
    assert first.skipped == 15
    began = loop.time()
    burst = [await paced.next() for _ in range(5)]
    assert loop.time() - began < 0.02
    assert [encoded.skipped for encoded in burst] == [0] * 5
    await paced.next()
    assert loop.time() - began > 0.01


class Scripted:
    """Gives its packets, then waits for its end."""

    def __init__(self, *stream: bytes) -> None:
        self.stream = list(stream)
        self.closed = asyncio.Event()

    async def next(self) -> Encoded | None:
        if self.stream:
            return Encoded(self.stream.pop(0), skipped=1)
        await self.closed.wait()
        return None

    def close(self) -> None:
        self.closed.set()


async def test_a_track_changes_its_source_and_its_timestamps_go_on() -> None:
    track = OutboundTrack(Paced(RATE))
    first = await track.recv()
    source = Scripted(b"one", b"two")
    track.play(source)
    got = [await track.recv(), await track.recv()]
    assert [bytes(packet) for packet in got] == [b"one", b"two"]
    waiting = asyncio.create_task(track.recv())
    await asyncio.sleep(0)
    track.play(None)
    last = await waiting
    assert [packet.pts for packet in (first, *got, last)] == [0, 1920, 3840, 4800]
    assert OpusDecoder().decode(bytes(last))
    assert source.closed.is_set()


async def test_a_track_whose_source_ends_is_silent_and_alive() -> None:
    track = OutboundTrack(Paced(RATE))
    source = Scripted(b"one")
    source.close()
    track.play(source)
    assert bytes(await track.recv()) == b"one"
    assert OpusDecoder().decode(bytes(await track.recv()))
