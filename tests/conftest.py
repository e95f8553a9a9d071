"""A task, thread, socket or process that a test leaves behind fails it (style rule 14)."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

SETTLE_S = 3.0

# Threads of libraries that live as long as the process and hold nothing of a test.
LASTING_THREADS = ("tqdm_monitor", "pytest_timeout", "baresip", "asyncio_", "ThreadPoolExecutor", "AnyIO")


def _threads() -> set[threading.Thread]:
    return {
        thread
        for thread in threading.enumerate()
        if thread.is_alive() and not thread.name.startswith(LASTING_THREADS) and thread is not threading.main_thread()
    }


def _children() -> set[int]:
    found = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            found |= {int(pid) for pid in (task / "children").read_text().split()}
        except OSError:
            continue
    return {pid for pid in found if not _is_zombie(pid)}


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _sockets() -> set[str]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(entry)
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


@pytest.fixture(autouse=True)
def nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Compare threads, child processes and sockets before and after; what is on its way out gets a moment."""
    threads, children, sockets = _threads(), _children(), _sockets()
    yield
    deadline = time.monotonic() + SETTLE_S
    while True:
        left = {
            "threads": sorted(thread.name for thread in _threads() - threads),
            "processes": sorted(_children() - children),
            "sockets": sorted(_sockets() - sockets),
        }
        if not any(left.values()):
            return
        if time.monotonic() > deadline:
            break
        gc.collect()
        time.sleep(0.05)
    pytest.fail(f"left behind: { {kind: items for kind, items in left.items() if items} }")


@pytest.fixture(autouse=True)
async def no_tasks_left() -> AsyncIterator[None]:
    """Every task a test started has ended by its end."""
    yield
    current = asyncio.current_task()
    deadline = time.monotonic() + 1.0
    while left := [task for task in asyncio.all_tasks() if task is not current and not task.done()]:
        if time.monotonic() > deadline:
            pytest.fail(f"tasks left behind: {sorted(task.get_name() for task in left)}")
        await asyncio.sleep(0.01)
