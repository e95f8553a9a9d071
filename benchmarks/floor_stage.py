"""The processes of the floor benchmark: server, callers, agents, supervisors; each ends with its block."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from benchmarks.barge_in_bot import VOICE, write_bot
from benchmarks.floor_measure import digits
from benchmarks.wire_peers import RTP_PORTS_PER_CALL, rtp_low
from voicebot.access.model import NewUser
from voicebot.access.passwords import make_password
from voicebot.demo.children import Child
from voicebot.demo.client import ApiClient
from voicebot.demo.guests import Login, sign_up
from voicebot.demo.stage import LOCALHOST, free_port, until_healthy

BOT, PEOPLE = "100", "110"
"""What callers dial: a bot that talks with them, and one that gives them to people at once."""

_READY_S = 180.0
_OBEYS_S = 60.0
_SPARE_CALLS = 10
_LOOKS_EVERY_S = 0.5
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Server:
    """`benchmarks.floor_server` on loopback, with its users. A context manager."""

    def __init__(self, folder: Path, calls: int, agents: int, supervisors: int) -> None:
        self.sip_port = free_port(socket.SOCK_DGRAM)
        low = rtp_low()
        self.rtp_ports = (low, low + RTP_PORTS_PER_CALL * (calls + _SPARE_CALLS) - 1)
        self._folder = folder
        self._http = free_port(socket.SOCK_STREAM)
        self._calls = calls + _SPARE_CALLS
        self._people = [_person(f"agent{number}", "agent") for number in range(agents)]
        self._people += [_person(f"boss{number}", "supervisor") for number in range(supervisors)]
        self._people.append(_person("watch", "supervisor"))
        self._agents = agents
        self._stack = AsyncExitStack()
        self._child: Child

    @property
    def pages(self) -> str:
        return f"http://{LOCALHOST}:{self._http}"

    @property
    def agents(self) -> list[NewUser]:
        return self._people[: self._agents]

    @property
    def supervisors(self) -> list[NewUser]:
        return self._people[self._agents : -1]

    @property
    def watch(self) -> Login:
        return Login(self._people[-1].login, self._people[-1].password)

    async def __aenter__(self) -> Server:
        folder = self._folder
        for name, number, flow in (("bot", BOT, "part_0"), ("people", PEOPLE, "people")):
            write_bot(folder / name, "choice")
            _write_people(folder / name)
            _enter_at(folder / name, number, flow)
        config = folder / "voicebot.yaml"
        config.write_text(json.dumps(self._configuration()), "utf-8")
        await asyncio.to_thread(sign_up, folder / "data", self._people)
        argv = [sys.executable, "-m", "benchmarks.floor_server", str(config)]
        self._child = await self._stack.enter_async_context(
            Child("server", argv, folder / "server.log", on_line=lambda line: None)
        )
        await until_healthy(self._child, f"{self.pages}/health", _READY_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def cpu_s(self) -> float:
        """What the worker and the browsers' audio have used until now; recogniser and voice are other processes."""
        pid = self._child.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        browsers = [child for child in children if b"telephony.browser" in Path(f"/proc/{child}/cmdline").read_bytes()]
        return sum(_used_s(one) for one in (str(pid), *browsers))

    def _configuration(self) -> dict[str, Any]:
        return {
            "data": str(self._folder / "data"),
            "sip": {
                "address": LOCALHOST,
                "port": self.sip_port,
                "max_calls": self._calls,
                "rtp_ports": list(self.rtp_ports),
            },
            "numbers": [
                {"number": BOT, "bot": str(self._folder / "bot"), "language": "pl"},
                {"number": PEOPLE, "bot": str(self._folder / "people"), "language": "pl"},
            ],
            "queues": {"service": {}},
            "speech": {"voices": {"pl": VOICE, "en": "espeak:en-us"}},
            "turns": {"drain_s": 1},
            "http": {"address": LOCALHOST, "port": self._http, "media_addresses": [LOCALHOST]},
        }


def _used_s(pid: str) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def _person(login: str, role: str) -> NewUser:
    return NewUser(login, login.capitalize(), make_password(), (role,))


def _enter_at(bot: Path, number: str, flow: str) -> None:
    """Whoever calls this number begins there, without a question."""
    path = bot / "bot.yaml"
    settings = json.loads(path.read_text("utf-8"))
    settings["entry_points"] = {"first": {"numbers": [number], "start": flow}}
    path.write_text(json.dumps(settings, ensure_ascii=False), "utf-8")


def _write_people(bot: Path) -> None:
    """A flow that gives callers to people at once."""
    flow = {
        "flow": "people",
        "description": "The caller is given to people at once.",
        "offer": "porozmawiać z kierownikiem zmiany",
        "examples": ["dajcie mi kierownika zmiany"],
        "steps": [{"handoff": "caller_asked"}],
    }
    (bot / "people.yaml").write_text(json.dumps(flow, ensure_ascii=False), "utf-8")


class PeersProcess:
    """`benchmarks.floor_peers`. A context manager that signs its people in."""

    def __init__(self, name: str, folder: Path, pages: str, people: Sequence[NewUser]) -> None:
        plan = folder / f"{name}.json"
        content = {"pages": pages, "people": [{"login": one.login, "password": one.password} for one in people]}
        plan.write_text(json.dumps(content), "utf-8")
        argv = [sys.executable, "-m", "benchmarks.floor_peers", str(plan)]
        self._child = Child(name, argv, folder / f"{name}.log", on_line=self._on_line, obeys=True)
        self._done = asyncio.Event()
        self._answer: dict[str, Any] = {}

    async def __aenter__(self) -> PeersProcess:
        await self._child.__aenter__()
        await self._child.ready(self._done, _OBEYS_S)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._child.__aexit__(*error)

    async def obey(self, what: str, **values: Any) -> dict[str, Any]:
        """Returns its answer when it is done. Raises ProcessFailed."""
        self._done.clear()
        await self._child.tell({"do": what, **values})
        await self._child.ready(self._done, _OBEYS_S)
        return self._answer

    def _on_line(self, line: dict[str, Any]) -> None:
        self._answer = line
        self._done.set()


class BoardWatch:
    """What the board tells of calls, and when it came. `told`: INVITE for a call that is there, BYE for one gone."""

    def __init__(self, client: ApiClient) -> None:
        self.told: dict[tuple[str, str], float] = {}
        self.calls: dict[str, dict[str, Any]] = {}
        self._client = client

    async def run(self) -> None:
        """Until cancelled."""
        async for event, changes in self._client.stream("board"):
            if event == "open":
                self._take({call["call_id"]: call for call in (await self._client.get("/board"))["calls"]})
            elif event == "board":
                self._take(changes["calls"])

    async def until(self, condition: Callable[[], bool], deadline_s: float, what: str) -> None:
        """Raises TimeoutError, with the phases of all calls."""
        end = time.monotonic() + deadline_s
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"not within {deadline_s:g} s: {what}; {self.phases()}")
            await asyncio.sleep(_LOOKS_EVERY_S)

    def phases(self) -> dict[str, int]:
        """How many calls are where."""
        found = [str(call["phase"]) for call in self.calls.values()]
        return {phase: found.count(phase) for phase in sorted(set(found))}

    def of_callers(self, beginning: str) -> dict[str, str]:
        """Call ids of the callers whose numbers begin so, by number."""
        numbers = {digits(call["caller"]): call_id for call_id, call in self.calls.items()}
        return {number: call_id for number, call_id in numbers.items() if number.startswith(beginning)}

    def _take(self, calls: dict[str, dict[str, Any] | None]) -> None:
        now = time.time()
        for call_id, call in calls.items():
            if call is not None:
                self.told.setdefault(("INVITE", digits(call["caller"])), now)
                self.calls[call_id] = call
            elif (gone := self.calls.pop(call_id, None)) is not None:
                self.told.setdefault(("BYE", digits(gone["caller"])), now)
