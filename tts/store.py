"""Prompts kept on disk, so that a sentence said before costs nothing at call time.

One file per request and voice: a header with lengths and a checksum, then PCM. Files are written aside and renamed, so
a second process or a crash never shows half of one; a file that fails its checksum is deleted and made again. The
fingerprints of the voices are kept beside the prompts, so that these can be played while the speech process is away.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import json
import logging
import os
import struct
import time
import zlib
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tts.errors import SpeechUnavailable, TtsError
from tts.synthesizer import SpeechRequest, Synthesizer

logger = logging.getLogger(__name__)

_HEADER = struct.Struct("<8sIIQ")  # mark, sample rate, CRC-32 of the PCM, bytes of PCM
_MARK = b"VBPROMP1"
_SUFFIX = ".prompt"
_VOICES = "voices.json"
_LEFTOVER_AFTER_S = 3600.0
_MARK_USED_EVERY_S = 3600.0
_EVICT_TO = 0.9


@dataclass(frozen=True)
class FillReport:
    """What `fill` did: prompts that were there, prompts made, and those that could not be, each with its error."""

    kept: int
    made: int
    failed: tuple[tuple[SpeechRequest, TtsError], ...]
    seconds: float


class PromptStore:
    """Implements Synthesizer over another one, with memory.

    `folder` may be shared by processes. Files take at most about `size_limit_mb` on disk, those used longest ago go
    first; `memory_limit_mb` bounds what is held for `get`. A disk that is full or not writable costs only the keeping.
    """

    def __init__(
        self, folder: Path, synthesizer: Synthesizer, *, size_limit_mb: float = 512, memory_limit_mb: float = 64
    ) -> None:
        self._folder = folder
        self._synthesizer = synthesizer
        self._size_limit = size_limit_mb * 1_000_000
        self._memory_limit = memory_limit_mb * 1_000_000
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._memory_size = 0
        self._marked_used: dict[str, float] = {}
        self._size_on_disk: int | None = None
        self._temporary = itertools.count()
        self._disk_complained = False
        self._checked: set[str] = set()
        self._fingerprints = self._remembered_fingerprints()

    def get(self, request: SpeechRequest) -> bytes | None:
        """The whole prompt as PCM, or None when it is not kept. Does not block but for one read of a small file."""
        fingerprint = self._fingerprints.get(request.voice)
        if fingerprint is None:
            return None
        key = _key(request, fingerprint)
        pcm = self._memory.get(key)
        if pcm is not None:
            self._memory.move_to_end(key)
        else:
            pcm = self._read(key, request.sample_rate)
            if pcm is None:
                return None
            self._hold(key, pcm)
        self._mark_used(key)
        return pcm

    async def speak(self, request: SpeechRequest, *, keep: bool = True) -> AsyncIterator[bytes]:
        """PCM in chunks: the kept prompt in one, or what the synthesizer says, which is then kept.

        `keep` False is for sentences that hold personal data or will hardly come again. Errors are the synthesizer's.
        """
        stored = self.get(request)
        if stored is not None:
            yield stored
            return
        chunks = []
        spoken = self._synthesizer.synthesize(request)
        try:
            async for chunk in spoken:
                chunks.append(chunk)
                yield chunk
        finally:
            if isinstance(spoken, AsyncGenerator):
                await spoken.aclose()
        if keep and chunks:
            with contextlib.suppress(TtsError):  # all has been said; only what the voice was stays unknown
                await self._fingerprint(request.voice)
                await self._keep(request, b"".join(chunks))

    def synthesize(self, request: SpeechRequest) -> AsyncIterator[bytes]:
        """See Synthesizer; what is said is kept."""
        return self.speak(request)

    async def fingerprint(self, voice: str) -> str:
        """See Synthesizer."""
        return await self._synthesizer.fingerprint(voice)

    async def close(self) -> None:
        """Closes the synthesizer."""
        await self._synthesizer.close()

    async def fill(self, requests: Iterable[SpeechRequest]) -> FillReport:
        """Make every prompt that is not kept yet. Asks each voice anew how it sounds, so a changed voice is heard.

        When speech is unavailable the rest is not tried, but looked up: what was kept before is still good.
        """
        started = time.monotonic()
        kept = made = 0
        failed: list[tuple[SpeechRequest, TtsError]] = []
        away: SpeechUnavailable | None = None
        self._checked.clear()
        await asyncio.to_thread(self._clear_leftovers)
        for request in dict.fromkeys(requests):
            try:
                if away is None:
                    await self._fingerprint(request.voice)
                if self.get(request) is not None:
                    kept += 1
                elif away is None:
                    pcm = b"".join([chunk async for chunk in self._synthesizer.synthesize(request)])
                    await self._keep(request, pcm)
                    made += 1
                else:
                    failed.append((request, away))
            except TtsError as error:
                away = error if isinstance(error, SpeechUnavailable) else None
                if away is not None and self.get(request) is not None:
                    kept += 1
                else:
                    failed.append((request, error))
        return FillReport(kept, made, tuple(failed), time.monotonic() - started)

    async def _fingerprint(self, voice: str) -> None:
        """Make sure that we know how the voice sounds now, once per run and `fill`."""
        if voice in self._checked:
            return
        fingerprint = await self._synthesizer.fingerprint(voice)
        self._checked.add(voice)
        if self._fingerprints.get(voice) != fingerprint:
            self._fingerprints[voice] = fingerprint
            await asyncio.to_thread(self._remember_fingerprints)

    async def _keep(self, request: SpeechRequest, pcm: bytes) -> None:
        key = _key(request, self._fingerprints[request.voice])
        self._hold(key, pcm)
        header = _HEADER.pack(_MARK, request.sample_rate, zlib.crc32(pcm), len(pcm))
        await asyncio.to_thread(self._write_prompt, key, header + pcm)

    def _hold(self, key: str, pcm: bytes) -> None:
        self._memory_size += len(pcm) - len(self._memory.pop(key, b""))
        self._memory[key] = pcm
        while self._memory_size > self._memory_limit:
            _, dropped = self._memory.popitem(last=False)
            self._memory_size -= len(dropped)

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"

    def _read(self, key: str, sample_rate: int) -> bytes | None:
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        if len(content) >= _HEADER.size:
            mark, stored_rate, checksum, length = _HEADER.unpack_from(content)
            pcm = content[_HEADER.size :]
            if (mark, stored_rate, length) == (_MARK, sample_rate, len(pcm)) and zlib.crc32(pcm) == checksum:
                return pcm
        logger.warning("a stored prompt is damaged and will be made again: %s", path)
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    def _mark_used(self, key: str) -> None:
        """The file's time says when it was last used; once an hour is exact enough to choose what goes first."""
        now = time.monotonic()
        if now - self._marked_used.get(key, -_MARK_USED_EVERY_S) >= _MARK_USED_EVERY_S:
            self._marked_used[key] = now
            with contextlib.suppress(OSError):
                os.utime(self._path(key))

    def _write_prompt(self, key: str, content: bytes) -> None:
        if not self._write(self._path(key), content):
            return
        self._size_on_disk = (self._measured() if self._size_on_disk is None else self._size_on_disk) + len(content)
        if self._size_on_disk > self._size_limit:
            self._evict()

    def _write(self, path: Path, content: bytes) -> bool:
        """Whole or not at all. No fsync: after a power cut the checksum finds what did not reach the disk."""
        aside = path.with_name(f".{path.name}.{os.getpid()}.{next(self._temporary)}.tmp")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                aside.write_bytes(content)
                aside.replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    aside.unlink()
                raise
        except OSError as error:
            if not self._disk_complained:
                logger.error("prompts cannot be kept in %s (%s); speech goes on without", self._folder, error.strerror)
            self._disk_complained = True
            return False
        self._disk_complained = False
        return True

    def _files(self) -> list[tuple[float, int, Path]]:
        """Time of last use, bytes and path of every prompt, without those that another process takes away meanwhile."""
        found = []
        with contextlib.suppress(OSError):
            for path in self._folder.glob(f"*{_SUFFIX}"):
                with contextlib.suppress(OSError):
                    about = path.stat()
                    found.append((about.st_mtime, about.st_size, path))
        return found

    def _measured(self) -> int:
        return sum(size for _, size, _ in self._files())

    def _evict(self) -> None:
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total <= self._size_limit * _EVICT_TO:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size
        self._size_on_disk = total

    def _clear_leftovers(self) -> None:
        """Files that a process which died in mid-write left aside."""
        oldest = time.time() - _LEFTOVER_AFTER_S
        with contextlib.suppress(OSError):
            for path in self._folder.glob(".*.tmp"):
                with contextlib.suppress(OSError):
                    if path.stat().st_mtime < oldest:
                        path.unlink()

    def _remembered_fingerprints(self) -> dict[str, str]:
        try:
            remembered = json.loads((self._folder / _VOICES).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(remembered, dict):
            return {}
        return {str(voice): str(fingerprint) for voice, fingerprint in remembered.items()}

    def _remember_fingerprints(self) -> None:
        known = {**self._remembered_fingerprints(), **self._fingerprints}
        self._write(self._folder / _VOICES, json.dumps(known, indent=1, sort_keys=True).encode())


def _key(request: SpeechRequest, fingerprint: str) -> str:
    described = json.dumps({**asdict(request), "fingerprint": fingerprint}, sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()[:40]
