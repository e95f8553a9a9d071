"""The agents, or the supervisors, of the floor benchmark: aiortc peers in one process, signed in through the API.

    python -m benchmarks.floor_peers PLAN.json

PLAN.json: {"pages", "people": [{"login", "password"}]}. Reads one command a line:
{"do": "connect", "silent": 5, "talking": 5}     agents: bring all audio lines up; so many are quiet, so many talk
{"do": "take", "agents": 10}        so many become available, and take what is offered
{"do": "listen", "calls": [...]}    supervisors: one to each call
{"do": "leave"}                     listen no more; `heard` tells when each call's marks were heard
and answers each, when it is done, with one line, {"event": "done", ...}.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.floor_measure import LOUD, onsets
from benchmarks.wire_peers import speech_like
from telephony.browser.opus import CLOCK_RATE
from telephony.browser.testing import BrowserPeer
from voicebot.demo.children import cancelled_by_signals
from voicebot.demo.client import ApiClient, Refused
from voicebot.demo.guests import Login

ADDRESSES = ["127.0.0.1"]
_RATE = 8000
_SAYS_EVERY_S = 1.0
_LOOKS_EVERY_S = 0.3
_MURMUR = np.random.default_rng(1).integers(-60, 61, 2 * _RATE)  # a quiet room, of which a browser sends every packet


class Listener(BrowserPeer):
    """Notes when something loud came, as the sound would be played at once: this peer has no jitter buffer."""

    def __init__(self) -> None:
        super().__init__(ADDRESSES, _RATE)
        self.came: list[tuple[float, bool]] = []

    def _hear(self, pcm: bytes) -> None:
        now = time.time()
        loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)) > LOUD)
        self.came.append((now + float(loud[0]) / CLOCK_RATE, True) if len(loud) else (now, False))


class Agent(BrowserPeer):
    """Hears, and does not spend this machine's time on decoding it."""

    def _receive(self, sequence: int, timestamp: int, payload: bytes) -> None:
        pass


class Peers:
    """All people of one process."""

    def __init__(self, clients: Sequence[ApiClient], tasks: asyncio.TaskGroup) -> None:
        self._clients = clients
        self._tasks = tasks
        self._lines: list[BrowserPeer] = []
        self._listeners: list[tuple[ApiClient, str, str, Listener]] = []  # with the listen's id, and the call's

    async def connect(self, silent: int, talking: int) -> dict[str, Any]:
        for number, client in enumerate(self._clients):
            peer = Agent(ADDRESSES, _RATE)
            self._lines.append(peer)
            answer = await client.post("/agent/line", sdp=await peer.offer())
            await peer.connect(answer["sdp"])
            while (await client.get("/agent"))["line"] != "up":  # noqa: ASYNC110 - whoever commands has a deadline
                await asyncio.sleep(_LOOKS_EVERY_S)
            if number < silent + talking:
                sound = _MURMUR if number < silent else speech_like() // 8
                self._tasks.create_task(_talk(peer, sound.astype("<i2").tobytes()), name=f"talk {number}")
        return {}

    async def take(self, agents: int) -> dict[str, Any]:
        for client in self._clients[:agents]:
            self._tasks.create_task(_take(client), name="take calls")
        return {}

    async def listen(self, calls: Sequence[str]) -> dict[str, Any]:
        for client, call in zip(self._clients, calls, strict=False):
            peer = Listener()
            answer = await client.post(f"/live/{call}/listen", sdp=await peer.offer(), mode="listen")
            self._listeners.append((client, answer["id"], call, peer))
            await peer.connect(answer["sdp"])
        return {}

    async def leave(self) -> dict[str, Any]:
        heard: dict[str, list[float]] = {}
        for client, listen, call, peer in self._listeners:
            await client.delete(f"/listens/{listen}")
            await peer.close()
            heard[call] = onsets(peer.came)
        self._listeners.clear()
        return {"heard": heard}

    async def close(self) -> None:
        for peer in [*self._lines, *(listener for *_, listener in self._listeners)]:
            await peer.close()


async def _talk(peer: BrowserPeer, sound: bytes) -> None:
    """Over and over, softer than a mark."""
    rest = b""
    while True:
        rest = rest or sound
        rest = rest[2 * peer.say(rest) :]
        await asyncio.sleep(_SAYS_EVERY_S)


async def _take(client: ApiClient) -> None:
    """Accept what is offered, told of it by the stream as an open page is, and stay in the call."""
    async for event, view in client.stream("agent"):
        if event == "open":
            view = await client.put("/agent/state", state="available")
        if view["offer"] and not view["call"]:
            with contextlib.suppress(Refused):  # somebody else's, or accepted already
                await client.post(f"/offers/{view['offer']['entry']}/accept")


async def obey(peers: Peers) -> None:
    """Commands from standard input, one after the other."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        answer = await getattr(peers, command.pop("do"))(**command)
        print(json.dumps({"event": "done", **answer}), flush=True)


async def run(plan: dict[str, Any]) -> None:
    cancelled_by_signals()
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(ApiClient(plan["pages"], Login(person["login"], person["password"])))
            for person in plan["people"]
        ]
        print(json.dumps({"event": "done"}), flush=True)
        async with asyncio.TaskGroup() as tasks:
            peers = Peers(clients, tasks)
            stack.push_async_callback(peers.close)
            await obey(peers)


if __name__ == "__main__":
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(run(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
