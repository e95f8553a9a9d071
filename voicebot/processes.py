"""Child processes that serve over a Unix socket (models, browsers' audio, call workers): started, watched, and replaced
when they die or go deaf.

A child is ready when `GET /health` on its socket answers 200. Clients keep the socket path; they ride over a
replacement by themselves (one repeat), so this module only has to bring the process back quickly.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from voicebot.errors import ProcessFailed

log = logging.getLogger(__name__)

DEAF, BACK = "gave no answer", "back"

RESTART_PAUSE_S = (0.0, 0.5, 1.0, 2.0, 5.0)  # before the first, second, ... restart in a row; the last one repeats
STEADY_AFTER_S = 30.0  # a child that lived this long starts from the first pause again
STOP_DEADLINE_S = 5.0


@dataclass(frozen=True)
class Probe:
    """How it is asked whether it is well. So many questions in a row without an answer, and it is deaf."""

    every_s: float = 2.0
    deadline_s: float = 5.0
    tries: int = 3


class ChildProcess:
    """One child. `argv` starts it; it must listen on `socket`. `on_event(what)` tells of deaths (`DEAF` and others) and
    returns (`BACK`). `stop_s`: how long it may take to end once it is told to.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        socket: Path,
        *,
        ready_s: float = 60.0,
        stop_s: float = STOP_DEADLINE_S,
        probe: Probe = Probe(),
        on_event: Callable[[str], None] = lambda what: None,
    ) -> None:
        self.name = name
        self._argv = tuple(argv)
        self._socket = socket
        self._ready_s = ready_s
        self._stop_s = stop_s
        self._probe = probe
        self._on_event = on_event
        self._child: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._stopping = False
        self.restarts = 0
        self.ready = False

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    async def start(self) -> None:
        """Start the child and return when it is ready. Raises ProcessFailed when it ends before that."""
        await self._spawn()
        self._watch = asyncio.create_task(self._keep_alive(), name=f"watch {self.name}")

    async def stop(self) -> None:
        """End the child; idempotent, bounded in time."""
        self._stopping = True
        self.ready = False
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        await self._end_child()
        self._socket.unlink(missing_ok=True)

    async def healthy(self) -> bool:
        """Does the child answer its health request in time?"""
        # No TLS on a Unix socket: loading certificates at each probe would hold every thread up for 40 ms.
        transport = httpx.AsyncHTTPTransport(uds=str(self._socket), verify=False)
        try:
            async with httpx.AsyncClient(
                transport=transport, timeout=self._probe.deadline_s, trust_env=False
            ) as client:
                return (await client.get("http://local/health")).status_code == 200
        except httpx.HTTPError:
            return False

    async def _spawn(self) -> None:
        try:
            self._child = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C drains the calls, which need their models until the end
            )
        except OSError as error:
            raise ProcessFailed(
                f"The {self.name} process could not be started: {error.strerror}.",
                "Look at the memory and the limits of processes and open files.",
            ) from error
        try:
            async with asyncio.timeout(self._ready_s):
                while not await self.healthy():
                    if self._child.returncode is not None:
                        raise ProcessFailed(
                            f"The {self.name} process ended with status {self._child.returncode} before it was ready.",
                            "Its message stands above; `voicebot doctor` tells what is missing.",
                        )
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            await self._end_child()
            raise ProcessFailed(
                f"The {self.name} process was not ready after {self._ready_s:g} s.",
                "Choose a smaller model, or look at its messages above.",
            ) from error
        except BaseException:
            await self._end_child()
            raise
        self.ready = True
        log.info("%s process ready, pid %s", self.name, self._child.pid)

    async def _keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        in_a_row, born = 0, loop.time()
        while not self._stopping:
            reason = await self._until_lost()
            self.ready = False
            if loop.time() - born > STEADY_AFTER_S:
                in_a_row = 0
            log.error("%s process %s; it is replaced", self.name, reason)
            self._on_event(reason)
            await self._end_child(answers=reason != DEAF)
            await asyncio.sleep(RESTART_PAUSE_S[min(in_a_row, len(RESTART_PAUSE_S) - 1)])
            in_a_row, born = in_a_row + 1, loop.time()
            self.restarts += 1
            try:
                await self._spawn()
            except ProcessFailed as error:
                log.error("%s", error)
            else:
                self._on_event(BACK)

    async def _until_lost(self) -> str:
        """Wait until the child is dead or deaf, and say which."""
        child, missed = self._child, 0
        assert child is not None  # it was ready before it was watched
        # One wait for all probes: asyncio keeps a future for each that is given up, for as long as the child lives.
        ended = asyncio.create_task(child.wait(), name=f"end of {self.name}")
        try:
            while missed < self._probe.tries:
                await asyncio.wait({ended}, timeout=self._probe.every_s)
                if ended.done():
                    return f"died with status {child.returncode}"
                missed = 0 if await self.healthy() else missed + 1
            return DEAF
        finally:
            ended.cancel()

    def send(self, signum: int) -> None:
        """A signal, if it lives."""
        if self._child is not None and self._child.returncode is None:
            self._child.send_signal(signum)

    async def _end_child(self, *, answers: bool = True) -> None:
        child = self._child
        if child is None or child.returncode is not None:
            return
        ways = [(child.terminate, self._stop_s), (child.kill, STOP_DEADLINE_S)]
        for send, deadline_s in ways if answers else ways[1:]:
            with contextlib.suppress(ProcessLookupError):
                send()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(deadline_s):
                    await child.wait()
                return
        log.error("%s process %s could not be ended", self.name, child.pid)
