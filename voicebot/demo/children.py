"""The demo's processes: started, read line by line, ended by their own id within a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from voicebot.errors import ProcessFailed

OnLine = Callable[[dict[str, Any]], None]

_LONGEST_LINE = 1 << 20
_TERM_S = 20.0  # a bot ends its calls and its own children in this time
_KILL_S = 5.0
_TAIL = 1500


def cancelled_by_signals() -> None:
    """SIGTERM and Ctrl-C cancel the task that calls this."""
    task = asyncio.current_task()
    assert task is not None
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, task.cancel)


class Child:
    """A process that prints JSON objects, one a line; its errors go to `log`. A context manager that ends it."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        log: Path,
        *,
        on_line: OnLine,
        env: Mapping[str, str] | None = None,
        obeys: bool = False,
    ) -> None:
        """`obeys`: it reads commands, JSON objects, one a line."""
        self.name = name
        self._argv = tuple(argv)
        self._log = log
        self._on_line = on_line
        self._env = {**os.environ, **(env or {})}
        self._obeys = obeys
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Child:
        with self._log.open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.PIPE if self._obeys else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=self._env,
                limit=_LONGEST_LINE,
                start_new_session=True,  # Ctrl-C is for the demo, which then ends them in order
            )
        self._reader = asyncio.create_task(self._read(self._process), name=f"read {self.name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        process, reader = self._process, self._reader
        assert process is not None
        assert reader is not None
        try:
            for send, deadline_s in ((process.terminate, _TERM_S), (process.kill, _KILL_S)):
                if process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        send()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(deadline_s):
                            await process.wait()
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            reader.cancel()
            await asyncio.wait({reader})

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process is not None
        return self._process.pid

    async def tell(self, command: Mapping[str, Any]) -> None:
        """To one that obeys. Raises ConnectionError when it has ended."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        await self._process.stdin.drain()

    async def wait(self, deadline_s: float) -> int:
        """Exit status, when it ends by itself and all it printed has been read. Raises TimeoutError."""
        assert self._process is not None
        assert self._reader is not None
        async with asyncio.timeout(deadline_s):
            status = await self._process.wait()
            await asyncio.wait({self._reader})
        return status

    async def ready(self, event: asyncio.Event, deadline_s: float) -> None:
        """Return when `event` is set. Raises ProcessFailed, with its last words, when it ends or takes longer."""
        assert self._process is not None
        waits = [asyncio.create_task(waiting) for waiting in (event.wait(), self._process.wait())]
        try:
            await asyncio.wait(waits, timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
            await asyncio.wait(waits)
        if not event.is_set():
            what = "ended" if self._process.returncode is not None else f"was not ready after {deadline_s:g} s"
            raise ProcessFailed(
                f"The {self.name} process {what}.", f"Its last words ({self._log}): {self._last_words()}"
            )

    async def until_ended(self) -> NoReturn:
        """For a process that is not to end. Raises ProcessFailed, with its last words, when it does."""
        assert self._process is not None
        await self._process.wait()
        raise ProcessFailed(f"The {self.name} process ended.", f"Its last words ({self._log}): {self._last_words()}")

    def _last_words(self) -> str:
        try:
            return self._log.read_text(encoding="utf-8", errors="replace")[-_TAIL:].strip() or "none"
        except OSError:
            return "none"

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError:  # longer than any line of ours
                continue
            if not line:
                return
            with contextlib.suppress(json.JSONDecodeError):
                data = json.loads(line)
                if isinstance(data, dict):
                    self._on_line(data)


async def until_signal(*children: Child) -> None:
    """Return at SIGTERM or Ctrl-C. Raises ProcessFailed when one of the processes ends before."""
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    stopping = asyncio.create_task(stop.wait(), name="until stopped")
    running = [asyncio.create_task(child.until_ended(), name=f"until the {child.name} ends") for child in children]
    try:
        done, _ = await asyncio.wait({stopping, *running}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (stopping, *running):
            task.cancel()
        await asyncio.wait({stopping, *running})
