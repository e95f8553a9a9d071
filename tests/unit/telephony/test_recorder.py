"""Recordings: whole, valid after a crash, harmless when the disk is full or slow."""

from __future__ import annotations

import os
import stat
import threading
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from telephony import recorder as recorder_module
from telephony.errors import RecordingFailed
from telephony.recorder import Recorder
from tests.unit.telephony.media_rig import level

FRAME = 160


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> object:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("recorder")]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def stereo(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)


def test_both_channels_are_written(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.wav", 16000)
    for value in range(100):
        recorder.push(level(320, value), level(320, -value))
    result = recorder.close()
    assert recorder.close() == result
    recorder.push(level(320, 1), level(320, 1))
    assert (result.seconds, result.dropped_frames, result.error) == (2.0, 0, None)
    expected = np.repeat(np.arange(100), 320)
    assert (stereo(result.path) == np.stack((expected, -expected), axis=1)).all()
    assert stat.S_IMODE(os.stat(result.path).st_mode) == 0o600


def test_the_header_is_true_before_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_WRITE_EVERY_S", 0.02)
    recorder = Recorder(tmp_path / "a.wav", 8000)
    for _ in range(50):
        recorder.push(level(FRAME, 5), level(FRAME, 6))
    until(lambda: len(stereo(recorder.path)) == 50 * FRAME)
    recorder.close()


def test_a_full_disk_stops_the_recording_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recorder_module, "_WRITE_EVERY_S", 0.02)
    path = tmp_path / "a.wav"
    file = FillsUp(path, capacity=44 + 40 * FRAME * 4 + 100)
    monkeypatch.setattr(recorder_module, "_create", lambda _: file)
    recorder = Recorder(path, 8000)
    for _ in range(30):
        recorder.push(level(FRAME, 5), level(FRAME, 6))
    until(lambda: file.tell() > 30 * FRAME * 4)
    for _ in range(30):
        recorder.push(level(FRAME, 5), level(FRAME, 6))
    until(lambda: not recorder._thread.is_alive())
    for _ in range(10):
        recorder.push(level(FRAME, 5), level(FRAME, 6))
    result = recorder.close()
    assert result.error == os.strerror(28)
    assert result.dropped_frames >= 10
    assert "stopped" in caplog.text
    assert file.closed
    kept = stereo(path)
    assert len(kept) >= 40 * FRAME, "what had been written plays"
    assert (kept == (5, 6)).all()


class FillsUp:
    """A real file on a disk with room for `capacity` bytes; then /dev/full says ENOSPC, as a full disk does."""

    def __init__(self, path: Path, capacity: int) -> None:
        self._file = open(path, "wb", buffering=0)
        self._full: BinaryIO = open("/dev/full", "wb", buffering=0)
        self._capacity = capacity

    def write(self, data: bytes) -> int:
        room = self._capacity - self._file.tell()
        if room <= 0:
            return self._full.write(data)
        return self._file.write(data[:room])

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    @property
    def closed(self) -> bool:
        return self._file.closed

    def __enter__(self) -> FillsUp:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._full.close()


def test_a_slow_disk_costs_frames_but_neither_time_nor_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_CAPACITY_FRAMES", 10)
    monkeypatch.setattr(recorder_module, "_WRITE_EVERY_S", 0.3)
    recorder = Recorder(tmp_path / "a.wav", 8000)
    for _ in range(14):
        recorder.push(level(FRAME, 5), level(FRAME, 6))
    until(lambda: not recorder._queue)
    recorder.push(level(FRAME, 7), level(FRAME, 8))
    result = recorder.close()
    assert result.dropped_frames == 4
    assert result.seconds == pytest.approx(15 * 0.02)
    assert stereo(result.path)[::FRAME].tolist() == [[5, 6]] * 10 + [[0, 0]] * 4 + [[7, 8]]


def test_push_never_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "_WRITE_EVERY_S", 0.01)
    monkeypatch.setattr(recorder_module, "_CLOSE_DEADLINE_S", 0.05)
    released = threading.Event()
    stuck = threading.Event()
    path = tmp_path / "a.wav"

    class Hangs(FillsUp):
        def write(self, data: bytes) -> int:
            if len(data) > 44:
                stuck.set()
                released.wait(10)
            return super().write(data)

    monkeypatch.setattr(recorder_module, "_create", lambda _: Hangs(path, 10**6))
    recorder = Recorder(path, 8000)
    recorder.push(level(FRAME, 5), level(FRAME, 6))
    assert stuck.wait(10)
    for _ in range(600):
        recorder.push(level(FRAME, 5), level(FRAME, 6))
    result = recorder.close()
    assert result.error is not None
    assert "in time" in result.error
    assert result.dropped_frames == 100
    released.set()
    recorder._thread.join(10)


def test_discard_leaves_no_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "a.wav", 8000)
    recorder.push(level(FRAME, 5), level(FRAME, 6))
    recorder.discard()
    recorder.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(RecordingFailed, match="could not be begun"):
        Recorder(tmp_path / "no such folder" / "a.wav", 8000)
    taken = tmp_path / "a.wav"
    taken.write_bytes(b"an earlier call")
    with pytest.raises(RecordingFailed):
        Recorder(taken, 8000)
    assert taken.read_bytes() == b"an earlier call"
