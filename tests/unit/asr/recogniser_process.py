"""Starting the real recogniser process for tests."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
START_S = 60.0


def command(*arguments: str, socket: Path) -> list[str]:
    return [sys.executable, "-m", "asr.process", "--socket", str(socket), "--threads", "1", *arguments]


async def start(*arguments: str, socket: Path) -> Process:
    return await asyncio.create_subprocess_exec(
        *command(*arguments, socket=socket), cwd=REPOSITORY, stdout=PIPE, stderr=PIPE
    )


async def ready(process: Process) -> None:
    """Waits for the line that says so; what comes after it is read and forgotten by `end`."""
    assert process.stderr is not None
    async with asyncio.timeout(START_S):
        lines = []
        while b"ready:" not in (line := await process.stderr.readline()):
            lines.append(line)
            assert line, b"".join(lines).decode()


async def end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.communicate()


@contextlib.asynccontextmanager
async def running(*arguments: str, socket: Path) -> AsyncIterator[Process]:
    process = await start(*arguments, socket=socket)
    try:
        await ready(process)
        yield process
    finally:
        await end(process)


@contextlib.contextmanager
def shared(*arguments: str, socket: Path) -> Iterator[int]:
    """One process for many tests, each with its own event loop; gives its pid."""
    with subprocess.Popen(command(*arguments, socket=socket), cwd=REPOSITORY, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            lines = []
            while b"ready:" not in (line := process.stderr.readline()):
                lines.append(line)
                assert line, b"".join(lines).decode()
            yield process.pid
        finally:
            process.kill()
