"""Recording of one call: a stereo WAV file, left what the member said, right what it heard.

The media thread hands over frames and never waits; a thread of the recorder's own writes them. The header is made true
again every few seconds, so a file left behind by a crash plays up to there.
"""

from __future__ import annotations

import logging
import os
import struct
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from telephony.errors import RecordingFailed
from telephony.pcm import samples

logger = logging.getLogger(__name__)

_WRITE_EVERY_S = 0.5
_HEADER_EVERY_WRITES = 4
_CLOSE_DEADLINE_S = 5.0
_CAPACITY_FRAMES = 500  # 10 s wait for a slow disk at most; then new frames are dropped and become silence in the file
_CHANNELS = 2
_BYTES_PER_MOMENT = 2 * _CHANNELS
_LARGEST_DATA = 2**32 - 64  # WAV counts in 32 bits: 18 h at 16 kHz


@dataclass(frozen=True)
class RecordingResult:
    """What became of a recording: `error` is None when everything is in the file."""

    path: Path
    seconds: float
    dropped_frames: int
    error: str | None


class Recorder:
    """Records to `path`, a new file that its owner alone can read. Raises RecordingFailed when it cannot begin.

    `push` belongs to the media thread, everything else to any other thread.
    """

    def __init__(self, path: Path, sample_rate: int) -> None:
        self.path = path
        self.sample_rate = sample_rate
        self._queue: deque[tuple[int, bytes, bytes]] = deque()
        self._gap = 0  # samples dropped since the last frame that was queued
        self._dropped = 0
        self._written = 0  # bytes of audio in the file
        self._error: str | None = None
        self._closing = threading.Event()
        try:
            self._file = _create(path)
            self._file.write(_header(sample_rate, 0))
        except OSError as error:
            raise RecordingFailed(
                f"The recording {path} could not be begun: {error.strerror}.",
                "Check the folder, its rights and the disk.",
            ) from error
        self._thread = threading.Thread(target=self._run, name=f"recorder {path.name}", daemon=True)
        self._thread.start()

    @property
    def error(self) -> str | None:
        """Why nothing more is written, while it should be; the disk is full, say."""
        return self._error

    def push(self, left: bytes, right: bytes) -> None:
        """Queue one frame of both channels (same length, 16-bit mono). Never blocks, never raises."""
        if self._closing.is_set():
            return
        if self._error is not None or len(self._queue) >= _CAPACITY_FRAMES:
            self._dropped += 1
            self._gap += len(left) // 2
            return
        self._queue.append((self._gap, left, right))
        self._gap = 0

    def close(self) -> RecordingResult:
        """Write what is queued and close the file; waits for the disk for at most 5 s. Idempotent."""
        self._closing.set()
        self._thread.join(_CLOSE_DEADLINE_S)
        if self._thread.is_alive():
            self._error = "the disk did not take the recording in time"
            logger.error("recording %s: %s", self.path, self._error)
        seconds = self._written / _BYTES_PER_MOMENT / self.sample_rate
        return RecordingResult(self.path, seconds, self._dropped, self._error)

    def discard(self) -> None:
        """End the recording and remove the file, as if it had never been."""
        self._queue.clear()
        self.close()
        self.path.unlink(missing_ok=True)

    def _run(self) -> None:
        writes = 0
        try:
            with self._file:
                while not self._closing.wait(_WRITE_EVERY_S):
                    self._write_queued()
                    writes += 1
                    if writes % _HEADER_EVERY_WRITES == 0:
                        self._write_header()
                self._write_queued()
                self._write_header()
        except OSError as error:
            self._fail(error)
        except Exception as error:
            logger.exception("recording %s broke off", self.path)
            self._error = f"internal error: {error}"

    def _fail(self, error: OSError) -> None:
        self._error = error.strerror or str(error)
        logger.error("recording %s stopped: %s", self.path, self._error)
        self._dropped += len(self._queue)
        self._queue.clear()

    def _write_queued(self) -> None:
        pieces = []
        while self._queue:
            gap, left, right = self._queue.popleft()
            if gap:
                pieces.append(bytes(gap * _BYTES_PER_MOMENT))
            pieces.append(np.stack((samples(left), samples(right)), axis=1).tobytes())
        data = b"".join(pieces)
        if self._written + len(data) > _LARGEST_DATA:
            raise OSError(0, "the file has reached the largest size of its format")
        try:
            self._write_all(data)
        except OSError:
            self._dropped += len(pieces)
            self._write_header()
            raise

    def _write_all(self, data: bytes) -> None:
        """An unbuffered file may take a part, and a full disk may take a part before it says so."""
        rest = memoryview(data)
        while rest:
            taken = self._file.write(rest)
            self._written += taken
            rest = rest[taken:]

    def _write_header(self) -> None:
        self._file.seek(0)
        self._file.write(_header(self.sample_rate, self._written - self._written % _BYTES_PER_MOMENT))
        self._file.seek(0, os.SEEK_END)


def _create(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return open(descriptor, "wb", buffering=0)


def _header(sample_rate: int, data_bytes: int) -> bytes:
    """RIFF/WAVE header of 44 bytes: PCM, 16 bits, stereo."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + data_bytes,
        b"WAVE",
        b"fmt ",
        16,
        1,
        _CHANNELS,
        sample_rate,
        sample_rate * _BYTES_PER_MOMENT,
        _BYTES_PER_MOMENT,
        16,
        b"data",
        data_bytes,
    )
