"""Child processes: ready when they answer, replaced when they die or go deaf, never left behind."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from voicebot.errors import ProcessFailed
from voicebot.processes import ChildProcess, Probe

SERVER = textwrap.dedent(
    """
    import socket, sys
    listener = socket.socket(socket.AF_UNIX)
    import os
    if os.path.exists(sys.argv[1]):
        os.unlink(sys.argv[1])
    listener.bind(sys.argv[1])
    listener.listen()
    while True:
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
        connection.close()
    """
)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., ChildProcess]:
    def build(code: str = SERVER, **options: object) -> ChildProcess:
        socket = tmp_path / "socket"
        return ChildProcess("model", [sys.executable, "-c", code, str(socket)], socket, **options)  # type: ignore[arg-type]

    return build


async def test_a_process_that_dies_is_replaced(make: Callable[..., ChildProcess]) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    process = make(on_event=told.put_nowait)
    await process.start()
    try:
        first = process.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(20):
            assert await told.get() == "died with status -9"
            assert await told.get() == "back"
        assert process.pid not in (None, first)
        assert process.restarts == 1
        assert await process.healthy()
    finally:
        await process.stop()
    assert process.pid is None


async def test_a_process_that_goes_deaf_is_replaced(make: Callable[..., ChildProcess]) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    process = make(on_event=told.put_nowait, probe=Probe(every_s=0.05, deadline_s=0.5))
    await process.start()
    try:
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)
        async with asyncio.timeout(20):
            assert await told.get() == "gave no answer"
            assert await told.get() == "back"
    finally:
        await process.stop()


async def test_a_process_that_cannot_start_is_told(make: Callable[..., ChildProcess]) -> None:
    process = make("raise SystemExit(3)")
    with pytest.raises(ProcessFailed, match="ended with status 3 before it was ready"):
        await process.start()
    await process.stop()


async def test_a_process_that_never_gets_ready_is_ended(make: Callable[..., ChildProcess]) -> None:
    process = make("import time; time.sleep(60)", ready_s=0.5)
    with pytest.raises(ProcessFailed, match=r"not ready after 0.5 s"):
        await process.start()
    assert process.pid is None


async def test_a_replacement_that_the_system_refuses_is_tried_again(
    make: Callable[..., ChildProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    spawn, refused = asyncio.create_subprocess_exec, asyncio.Event()

    async def refuse(*args: Any, **options: Any) -> Any:
        monkeypatch.setattr(asyncio, "create_subprocess_exec", spawn)
        refused.set()
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    told: asyncio.Queue[str] = asyncio.Queue()
    process = make(on_event=told.put_nowait)
    await process.start()
    try:
        monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        async with asyncio.timeout(20):
            while await told.get() != "back":
                pass
        assert refused.is_set()
    finally:
        await process.stop()
