"""The process of browsers' audio as the worker meets it: killed, replaced, frozen, away, and left by who asked."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from telephony.browser import endpoint as endpoint_module
from telephony.browser.endpoint import BrowserEndpoint
from telephony.browser.leg import BrowserLeg
from telephony.browser.testing import HOME, BrowserPeer
from telephony.errors import LinesAway
from telephony.leg import Answered, EndCause, Ended, LegState
from tests.unit.telephony.media_rig import tone

PATIENCE_S = 20


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:  # a short path: Unix sockets have 107 bytes
        yield Path(folder) / "browsers"


@pytest.fixture
async def endpoint(path: Path) -> AsyncIterator[BrowserEndpoint]:
    there = BrowserEndpoint(path)
    yield there
    await there.stop()
    assert not any(name.startswith("voicebot-line-") for name in os.listdir("/dev/shm"))


def command(path: Path) -> list[str]:
    return [sys.executable, "-m", "telephony.browser.process", "--socket", str(path), "--address", HOME[0]]


@asynccontextmanager
async def process(path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    child = await asyncio.create_subprocess_exec(*command(path))
    try:
        await lines(path)
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def lines(path: Path) -> int:
    """How many it has, when it answers."""
    transport = httpx.AsyncHTTPTransport(uds=str(path), verify=False)
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client, asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return int((await client.get("http://local/health")).json()["lines"])
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def hears(leg: BrowserLeg, peer: BrowserPeer) -> None:
    """Sound goes both ways between the processes."""
    loudest = 0
    async with asyncio.timeout(PATIENCE_S):
        while loudest < 1000 or not any(peer.heard()):
            peer.say(tone(0.1, 16000))
            leg.write(tone(0.1, 16000))
            await asyncio.sleep(0.1)
            heard = memoryview(leg.read(3200)).cast("h")
            loudest = max(loudest, *heard, 0)


async def test_a_process_that_is_killed_ends_its_lines_and_the_next_one_takes_new_ones(
    path: Path, endpoint: BrowserEndpoint
) -> None:
    async with process(path) as child, BrowserPeer(HOME) as peer:
        leg = await peer.call(endpoint, "anna")
        await hears(leg, peer)
        child.kill()
        async with asyncio.timeout(2):
            events = [event async for event in leg.events()]
        assert events[0] == Answered()
        assert isinstance(events[-1], Ended)
        assert events[-1].cause is EndCause.MEDIA_TIMEOUT
        assert (leg.read(160), leg.write(bytes(320)), leg.state) == (b"", 0, LegState.ENDED)
    async with BrowserPeer(HOME) as peer:
        asked = asyncio.create_task(peer.call(endpoint, "anna"))  # while it is away
        await asyncio.sleep(0.5)
        async with process(path):
            await hears(await asked, peer)


async def test_a_line_ends_where_the_worker_that_asked_for_it_is_gone(path: Path, endpoint: BrowserEndpoint) -> None:
    async with process(path), BrowserPeer(HOME) as peer:
        await peer.call(endpoint, "anna")
        assert await lines(path) == 1
        await endpoint._http.aclose()  # as the end of its process would
        async with asyncio.timeout(PATIENCE_S):
            while await lines(path):
                await asyncio.sleep(0.05)
        while peer.connection.connectionState != "closed":
            await asyncio.sleep(0.05)


async def test_one_that_is_away_or_stands_still_is_told_with_a_remedy(
    path: Path, endpoint: BrowserEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint_module, "_REPLACEMENT_S", 0.5)
    monkeypatch.setattr(endpoint_module, "_ANSWER_S", 2.0)
    async with BrowserPeer(HOME) as peer:
        offer = await peer.offer()
        with pytest.raises(LinesAway) as away:
            await endpoint.answer_offer(offer)
        assert away.value.remedy
        async with process(path) as child:
            child.send_signal(signal.SIGSTOP)
            with pytest.raises(LinesAway):
                await endpoint.answer_offer(offer)
    assert endpoint.legs == ()


def test_it_ends_with_the_process_that_started_it(path: Path) -> None:
    starts = f"import subprocess, time; print(subprocess.Popen({command(path)!r}).pid, flush=True); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", starts], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    deadline = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    parent.kill()
    parent.communicate()
    while _runs(pid):
        assert time.monotonic() < deadline, "it goes on without its parent"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
