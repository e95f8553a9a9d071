"""Fixtures of the telephony contract suite. Every test must leave no task and no thread behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from telephony.leg import Endpoint
from tests.contract.telephony.far_end import FarEnd, MemoryFarEnd, SippFarEnd


@pytest.fixture(params=["memory", "baresip"])
def far_end(request: pytest.FixtureRequest, tmp_path: Path) -> FarEnd:
    return MemoryFarEnd() if request.param == "memory" else SippFarEnd(tmp_path)


@pytest.fixture
async def nothing_left() -> AsyncIterator[None]:
    """No task and no thread of ours outlives the test."""
    threads = set(threading.enumerate())
    tasks = asyncio.all_tasks()
    yield
    left = {task.get_name() for task in asyncio.all_tasks() - tasks if task is not asyncio.current_task()}
    running = {t.name for t in set(threading.enumerate()) - threads if not t.name.startswith("asyncio")}
    assert not left, f"tasks left: {left}"
    assert not running, f"threads left: {running}"


@pytest.fixture
async def endpoint(far_end: FarEnd, nothing_left: None) -> AsyncIterator[Endpoint]:
    endpoint = far_end.endpoint()
    await endpoint.start()
    yield endpoint
    await endpoint.stop()
