"""Programs under test as separate processes: started, read while they run, ended with all that they have started."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

_Value = TypeVar("_Value")

_MARK = "ACCEPTANCE_TEST_PROGRAM"
_ANYIO_RACE = re.compile(
    r"^.*ERROR asyncio .*Exception in callback Future\.set_result\(None\)\nhandle: .*\n"
    r"Traceback .*\n(?:  .*\n)+asyncio\.exceptions\.InvalidStateError: invalid state\n",
    re.MULTILINE,
)
_LOOK_AGAIN_S = 0.05
_TERM_S = 40.0
_KILL_S = 10.0


def until(condition: Callable[[], _Value], timeout_s: float, what: Callable[[], str] | str) -> _Value:
    """The first true value of `condition`; fails with `what` did not happen. For what other processes do."""
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(_LOOK_AGAIN_S)
    return value


class Program:
    """One process. What it prints goes to files, so that nothing it writes can block it.

    Its temporary files go to `temporary`, a short path of its own, and every descendant carries its mark in the
    environment: so both can be looked for, whatever else runs on this machine.
    """

    def __init__(self, argv: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.temporary = Path(tempfile.mkdtemp(prefix="acc-", dir="/tmp"))  # socket paths are at most 107 bytes long
        self._mark = f"{_MARK}={uuid.uuid4().hex}"
        name, _, value = self._mark.partition("=")
        environment = {**os.environ, "TMPDIR": str(self.temporary), name: value, **(env or {})}
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment, start_new_session=True
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def pid(self) -> int:
        return self.process.pid

    def running(self) -> bool:
        return self.process.poll() is None

    def output(self) -> str:
        return (self.folder / "stdout").read_text(encoding="utf-8", errors="replace")

    def log(self) -> str:
        return (self.folder / "stderr").read_text(encoding="utf-8", errors="replace")

    def told(self) -> list[dict[str, Any]]:
        """The JSON objects that it has printed, one a line; a line that is still being written is left out."""
        lines = self.output().split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def send(self, signum: signal.Signals) -> None:
        self.process.send_signal(signum)

    def wait(self, timeout_s: float) -> int:
        """Exit status, when it ends by itself."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout_s:g} s:\n{self.log()[-2000:]}") from None

    def family(self, module: str = "") -> set[int]:
        """Live descendants, orphans too; with `module`, those that run it (`-m module`)."""
        found = {pid for pid in _processes() if self._mark in _words(pid, "environ")} - {self.pid}
        return {pid for pid in found if not module or module in _words(pid, "cmdline")}

    def end(self) -> None:
        """SIGTERM, then SIGKILL for it and whoever is left of its family. Its temporary files go too."""
        if self.running():
            self.send(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_TERM_S)
        for pid in self.family() | ({self.pid} if self.running() else set()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(_KILL_S)
        subprocess.run(["rm", "-rf", str(self.temporary)], check=True)

    def assert_nothing_left(self) -> None:
        """It has ended: so have its children, its temporary files are gone, and no fault of ours was logged."""
        assert not self.running()
        until(lambda: not self.family(), 10, lambda: f"the end of {sorted(map(_command, self.family()))}")
        left = sorted(path.name for path in self.temporary.iterdir())
        assert left == [], f"temporary files left: {left}"
        assert tracebacks(self.log()) == ""


def tracebacks(log: str) -> str:
    """The log if it holds a traceback, else "".

    One is not ours and does no harm: anyio 4.16 resolves the future of a Unix socket's read that was cancelled in the
    very moment in which the answer came (`_RawSocketMixin._wait_until_readable`), as when a decoding is dropped.
    """
    rest = _ANYIO_RACE.sub("", log)
    return rest if "Traceback" in rest else ""


def udp_sockets(pid: int) -> int:
    """How many UDP sockets a process has open: those of SIP and of the live calls' audio."""
    inodes = set()
    for table in ("udp", "udp6"):
        inodes |= {line.split()[9] for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]}
    count = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            target = os.readlink(entry)
            count += target.startswith("socket:[") and target[8:-1] in inodes
    return count


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and not _is_zombie(entry)]


def _is_zombie(entry: Path) -> bool:
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _words(pid: int, name: str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def _command(pid: int) -> str:
    return " ".join(_words(pid, "cmdline"))
