"""Audio of a leg when the stack replaces its streams, at every point where that can be met."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
from baresip import AudioInfo, AudioNotActive, AudioRestarted
from baresip.audio import CallAudio

from telephony.baresip_audio import MAX_HELD_MS, LegAudio


class Streams:
    """Stands in for `CallAudio`: tells a replacement once, as the native side does, and flushes at the next packet."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.active = True
        self.received = b""
        self.sent = bytearray()
        self.capacity = 2 * rate * 2
        self._bound: int | None = None
        self._epoch = 0
        self._flush = False

    def replace(self, rate: int) -> None:
        self.rate = rate
        self.capacity = 2 * rate * 2
        self.sent.clear()
        self.received = b""
        self._epoch += 1

    def tick(self) -> None:
        """One packet time of the sending thread."""
        if self._flush:
            self.sent.clear()
        self._flush = False

    def info(self) -> AudioInfo:
        if not self.active:
            self._bound = None
            raise AudioNotActive("none")
        self._bound = self._epoch
        size = self.capacity
        return AudioInfo(True, True, self.rate, 1, 20, self.rate, 1, len(self.sent), len(self.received), size, size)

    def _check(self) -> None:
        if self._bound is None:
            self.info()
        if not self.active:
            self._bound = None
            raise AudioNotActive("none")
        if self._bound != self._epoch:
            self._bound = None
            raise AudioRestarted("replaced")

    def read(self, max_bytes: int) -> bytes:
        self._check()
        pcm, self.received = self.received[:max_bytes], self.received[max_bytes:]
        return pcm

    def write(self, pcm: bytes) -> int:
        self._check()
        taken = min(len(pcm), self.capacity - len(self.sent))
        self.sent += pcm[:taken]
        return taken

    def flush_tx(self) -> None:
        self._check()
        self._flush = True


def _audio(rate: int = 8000) -> tuple[LegAudio, Streams]:
    streams = Streams(rate)
    return LegAudio(cast("CallAudio", streams), rate), streams


def _sine(samples: int, hz: float, rate: int) -> bytes:
    return (8000 * np.sin(2 * np.pi * hz * np.arange(samples) / rate)).astype("<i2").tobytes()


def _pitch(pcm: bytes, rate: int) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(float)
    return float(np.abs(np.fft.rfft(samples * np.hanning(samples.size))).argmax()) * rate / samples.size


def test_audio_passes_unchanged_at_the_streams_rate() -> None:
    audio, streams = _audio()
    streams.received = bytes(range(200)) * 2
    assert audio.read(50) == bytes(range(100))
    assert audio.read(1000) == bytes(range(100, 200)) + bytes(range(200))
    assert audio.read(10) == b""
    assert audio.write(bytes(range(100))) == 50
    assert bytes(streams.sent) == bytes(range(100))
    assert audio.write(b"") == 0


def test_a_full_queue_takes_what_fits() -> None:
    audio, streams = _audio()
    streams.capacity = 100
    assert audio.write(bytes(80)) == 40
    assert audio.write(bytes(80)) == 10
    assert audio.write(bytes(80)) == 0


@pytest.mark.parametrize("first", ["read", "write", "flush"])
@pytest.mark.parametrize(("before", "after"), [(8000, 16000), (16000, 8000), (8000, 48000), (8000, 8000)])
def test_replaced_streams_keep_the_legs_rate_whoever_meets_them_first(first: str, before: int, after: int) -> None:
    audio, streams = _audio(before)
    audio.write(bytes(320))
    audio.read(160)
    streams.replace(after)
    if first == "read":
        audio.read(160)
    elif first == "write":
        audio.write(bytes(320))
    else:
        audio.flush()
    streams.sent.clear()
    streams.received = _sine(after // 2, 440, after)
    heard = b"".join(audio.read(before // 50) for _ in range(30))
    assert len(heard) == before  # half a second
    assert _pitch(heard[before // 2 :], before) == pytest.approx(440, abs=6)
    taken = sum(audio.write(_sine(before // 50, 1000, before)) for _ in range(20))
    assert taken == 20 * (before // 50)
    assert len(streams.sent) == 2 * after * 20 // 50


def test_a_replacement_that_the_flush_probe_meets_is_adopted() -> None:
    audio, streams = _audio(8000)
    audio.write(bytes(320))
    streams.replace(16000)
    streams.sent += bytes(640)
    audio.flush()
    streams.tick()
    assert audio.write(bytes(320)) == 160
    assert len(streams.sent) == 640, "the new streams run at twice the rate"


def test_streams_that_are_gone_and_come_back() -> None:
    audio, streams = _audio()
    streams.active = False
    assert audio.read(160) == b""
    assert audio.write(bytes(320)) == 0
    audio.flush()
    streams.active = True
    assert audio.write(bytes(320)) == 160
    streams.active = False
    assert audio.write(bytes(320)) == 0
    assert audio.read(160) == b""


def test_what_is_written_after_a_flush_waits_until_the_stack_has_flushed() -> None:
    audio, streams = _audio()
    audio.write(b"\1\0" * 800)
    audio.flush()
    assert audio.write(b"\2\0" * 160) == 160
    assert audio.write(b"\3\0" * 160) == 160
    assert b"\2" not in streams.sent, "the stack would drop it"
    streams.tick()
    audio.read(160)
    assert bytes(streams.sent) == b"\2\0" * 160 + b"\3\0" * 160
    assert audio.write(b"\4\0" * 160) == 160
    assert streams.sent.endswith(b"\4\0" * 160)


def test_what_waits_for_a_flush_is_bounded_and_a_second_flush_drops_it() -> None:
    audio, streams = _audio()
    audio.write(b"\1\0" * 800)
    audio.flush()
    most = 8 * MAX_HELD_MS
    assert audio.write(b"\2\0" * (most - 10)) == most - 10
    assert audio.write(b"\2\0" * 160) == 10
    assert audio.write(b"\2\0" * 160) == 0
    audio.flush()
    streams.tick()
    assert audio.write(b"\3\0" * 160) == 160
    assert set(streams.sent) == {0, 3}


def test_a_flush_of_nothing_delays_nothing() -> None:
    audio, streams = _audio()
    audio.write(bytes(320))
    streams.sent.clear()
    audio.flush()
    assert audio.write(b"\2\0" * 160) == 160
    assert len(streams.sent) == 320
