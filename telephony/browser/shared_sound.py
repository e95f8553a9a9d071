"""The sound of one line between two processes: two rings of PCM in memory that both of them map.

The media thread must neither wait nor call the system for each 20 ms of each line, so that nothing passes through a
socket. A ring has one writer and one reader. Each counter has one writer, is eight bytes wide and aligned, and is moved
after the sound that it speaks of, so that no lock is needed. Counters count bytes since the beginning.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from enum import IntEnum
from pathlib import Path

from telephony.leg import MediaStats

SAMPLE_RATE = 16000
MAX_UNREAD_MS = 400  # of what a browser says: more than this unread means that nobody reads
MAX_QUEUED_MS = 2000  # of what a browser is to hear: no more is taken from the writer, who must keep what was not taken

_MEMORY = "/dev/shm"
_COUNTER_BYTES = 8
_FIGURES = 4  # of the packets that came from the browser
_BYTES_PER_MS = 2 * SAMPLE_RATE // 1000


class _Counter(IntEnum):
    """Of a ring; in brackets who sets it."""

    WRITTEN = 0  # (writer)
    READ = 1  # (reader)
    DROPPED = 2  # (writer) up to here the reader leaves out what it has not read
    MISSED = 3  # (writer) times that something did not fit


class Ring:
    """One direction. `write`, `drop` and `unread` belong to the writer, `read` and `skip` to the reader."""

    def __init__(self, counters: memoryview, sound: memoryview) -> None:
        self._counters = counters
        self._sound = sound
        self._missed = 0

    @property
    def unread(self) -> int:
        """Bytes that the reader has still to read."""
        written, read, dropped, _ = self._counters
        return int(written - max(read, dropped))

    @property
    def room(self) -> int:
        """Bytes that can be written now."""
        return len(self._sound) - self.unread

    def write(self, pcm: bytes) -> int:
        """Write whole samples as far as there is room; returns the bytes taken."""
        taken = min(len(pcm), self.room) & ~1
        if taken:
            written = self._counters[_Counter.WRITTEN]
            at = written % len(self._sound)
            before_end = min(taken, len(self._sound) - at)
            self._sound[at : at + before_end] = pcm[:before_end]
            self._sound[: taken - before_end] = pcm[before_end:taken]
            self._counters[_Counter.WRITTEN] = written + taken
        return taken

    def drop(self) -> None:
        """The reader shall not get what it has not read yet."""
        self._counters[_Counter.DROPPED] = self._counters[_Counter.WRITTEN]

    def miss(self) -> None:
        """There was something to write, and no room: whoever reads again shall skip what is there."""
        self._counters[_Counter.MISSED] += 1

    def read(self, size: int) -> bytes:
        """At most `size` bytes, less when they are not there."""
        written, read, dropped, _ = self._counters
        start = max(read, dropped)
        taken = min(size, written - start)
        at = start % len(self._sound)
        before_end = min(taken, len(self._sound) - at)
        pcm = bytes(self._sound[at : at + before_end]) + bytes(self._sound[: taken - before_end])
        self._counters[_Counter.READ] = start + taken
        return pcm

    def skip(self) -> None:
        """Leave out all that is there."""
        self._missed = self._counters[_Counter.MISSED]
        self._counters[_Counter.READ] = self._counters[_Counter.WRITTEN]

    @property
    def has_missed(self) -> bool:
        """Whether something did not fit since the reader last skipped: what is there is old."""
        return bool(self._counters[_Counter.MISSED] != self._missed)


class SharedSound:
    """Both rings of a line and what is known of its reception. `create` at one process, `open` at the other."""

    def __init__(self, memory: mmap.mmap) -> None:
        """The memory is given back when nobody holds this, nor a ring of it."""
        whole = memoryview(memory)
        counters = whole[:_HEADER_BYTES].cast("Q")
        heard = _HEADER_BYTES + MAX_UNREAD_MS * _BYTES_PER_MS
        self.said = Ring(counters[0:4], whole[_HEADER_BYTES:heard])  # by the browser
        self.heard = Ring(counters[4:8], whole[heard:])  # by the browser
        self._figures = counters[8:12]

    @classmethod
    def create(cls) -> tuple[SharedSound, Path]:
        """A new one, and the file by which another process opens it; remove that when it has. Raises OSError."""
        descriptor, name = tempfile.mkstemp(prefix="voicebot-line-", dir=_MEMORY)
        try:
            os.truncate(descriptor, _BYTES)
            return cls(mmap.mmap(descriptor, _BYTES)), Path(name)
        except BaseException:
            os.unlink(name)
            raise
        finally:
            os.close(descriptor)

    @classmethod
    def open(cls, path: Path) -> SharedSound:
        """Raises OSError, ValueError when that is none."""
        with path.open("r+b") as file:
            return cls(mmap.mmap(file.fileno(), _BYTES))

    @property
    def stats(self) -> MediaStats:
        """Of what came from the browser."""
        received, lost, late, jitter_us = self._figures
        return MediaStats("opus", received, lost, late, jitter_us / 1000)

    def tell(self, received: int, lost: int, late: int, jitter_us: int) -> None:
        """What `stats` says from now on."""
        for place, figure in enumerate((received, lost, late, jitter_us)):
            self._figures[place] = figure


_HEADER_BYTES = _COUNTER_BYTES * (2 * len(_Counter) + _FIGURES)
_BYTES = _HEADER_BYTES + (MAX_UNREAD_MS + MAX_QUEUED_MS) * _BYTES_PER_MS
