"""How the human side stands a full house: calls with the bot, callers who wait, agents, supervisors who listen.

A real server process (its recogniser is scripted) has 50 calls with the bot and 20 callers who wait, all of them sipp;
20 agents are signed in, 10 of whom are in a call, and 5 supervisors listen, each to another call: aiortc peers in two
processes of their own. Everything is measured from outside of the server, in windows that alternate:

listener_core_share   share of a core that the server needs for one listener: its CPU time with listeners less that
                      without, by the number of listeners (that of the worker and of the browsers' audio; recogniser
                      and voice are other processes)
listen_delay_p95_ms   from a caller's packet with the beginning of a tone on the wire to that tone in a listener's
                      decoded audio. The listener has no jitter buffer: a browser's comes on top. The server's buffer
                      for the caller's sound is in it
board_delay_p95_ms    from a caller's INVITE or BYE on the wire to the board's event at a supervisor that says so
rtp_lateness_p99_ms   how far the gaps between the bot's packets to the callers are from 20 ms, with everybody there;
                      rtp_lateness_p99_ms_without: with the same callers before any agent or supervisor came

    python -m benchmarks.floor [--bot 50] [--waiting 20] [--agents 20] [--talks 10] [--listeners 5] [--json]

Needs sipp (Debian: sip-tester), tcpdump and the right to capture. The last line of `--json` is
{"figures": {...}, "machine": {...}}.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks import report
from benchmarks.floor_measure import (
    GOALS,
    Window,
    board_delays_ms,
    delays_ms,
    listener_core_share,
    missed,
    percentile,
    sent_marks,
    sip_events,
)
from benchmarks.floor_sounds import answers, marks, nothing
from benchmarks.floor_stage import BOT, PEOPLE, BoardWatch, PeersProcess, Server
from benchmarks.machine import machine
from benchmarks.wire_capture import Phase, datagrams, phase_figures
from benchmarks.wire_peers import Capture, SippCallers, missing_programs, speech_like
from voicebot.demo.client import ApiClient
from voicebot.demo.load import Load

SETUPS_PER_S = 5.0
SETTLE_S = 4.0
PROBE_HOLD_S = 1.0
PROBES_PER_S = 0.8

# How the numbers of each kind of caller begin.
MARKED, SPEAKING, WAITING, WITH_BOT, PROBE = "48601", "48602", "48603", "48604", "48605"

_COMES_UP_S = 60.0
_LONGEST_S = 900.0


@dataclass(frozen=True)
class Size:
    """How full the house is."""

    bot: int
    waiting: int
    agents: int
    talks: int
    listeners: int
    seconds: float
    rounds: int

    @property
    def calls(self) -> int:
        return self.bot + self.waiting + self.talks


@dataclass
class Seen:
    """Everything that was seen in a run."""

    without: list[Window] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    heard: list[dict[str, list[float]]] = field(default_factory=list)  # by call, of each window with listeners
    ports: dict[str, str] = field(default_factory=dict)  # calls that are listened to, by the caller's number
    busy: list[float] = field(default_factory=list)


class Run:
    """One run over one server. `folder` gets captures and logs."""

    def __init__(self, size: Size, folder: Path) -> None:
        self._size = size
        self._folder = folder
        self._seen = Seen()
        self._load = Load()

    async def run(self) -> dict[str, Any]:
        """Raises VoicebotError, RuntimeError, TimeoutError when the house does not fill up."""
        size = self._size
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(Server(self._folder, size.calls, size.agents, size.listeners))
            sip_port = server.sip_port
            rtp = stack.enter_context(Capture(server.rtp_ports, self._folder / "rtp.pcap"))
            sip = stack.enter_context(Capture((sip_port, sip_port), self._folder / "sip.pcap", kept=2000))
            client = await stack.enter_async_context(ApiClient(server.pages, server.watch))
            # Callers wait only where somebody is there who may serve them.
            await client.put("/agent/state", state="break")
            board = BoardWatch(client)
            watching = asyncio.create_task(board.run(), name="watch the board")
            try:
                callers = await self._fill(stack, server, board)
                report.say(f"callers are there: {board.phases()}")
                for _ in range(size.rounds):
                    self._seen.without.append(await self._window(server, 0))
                await self._with_people(server, board)
            finally:
                watching.cancel()
                await asyncio.wait({watching})
            for group in callers:
                group.stop()
            rtp.stop()
            sip.stop()
            return await asyncio.to_thread(self._figures, server, board)

    async def _fill(self, stack: AsyncExitStack, server: Server, board: BoardWatch) -> list[SippCallers]:
        """Everybody calls. Those who are to talk with agents come first, so that they are first in the queue."""
        size = self._size
        groups = (
            (PEOPLE, MARKED, size.listeners, marks()),
            (PEOPLE, SPEAKING, size.talks - size.listeners, speech_like() // 8),
            (PEOPLE, WAITING, size.waiting, nothing(10)),
            (BOT, WITH_BOT, size.bot, await answers()),
        )
        callers = []
        there = 0
        for dial, caller, calls, sound in groups:
            if calls:
                callers.append(self._sipp(stack, server, calls, _LONGEST_S, dial, caller, sound))
            there += calls
            wanted = there
            await board.until(lambda: len(board.calls) >= wanted, _COMES_UP_S, f"{wanted} calls on the board")  # noqa: B023
        waiting = size.talks + size.waiting
        await board.until(lambda: board.phases().get("waiting", 0) >= waiting, _COMES_UP_S, f"{waiting} callers wait")
        await asyncio.sleep(SETTLE_S)
        return callers

    async def _with_people(self, server: Server, board: BoardWatch) -> None:
        size = self._size
        async with AsyncExitStack() as stack:
            agents = await stack.enter_async_context(PeersProcess("agents", self._folder, server.pages, server.agents))
            bosses = await stack.enter_async_context(
                PeersProcess("supervisors", self._folder, server.pages, server.supervisors)
            )
            await agents.obey("connect", silent=size.listeners, talking=size.talks - size.listeners)
            await agents.obey("take", agents=size.talks)
            await board.until(lambda: board.phases().get("agent", 0) >= size.talks, _COMES_UP_S, f"{size.talks} talks")
            self._seen.ports = board.of_callers(MARKED)
            report.say(f"agents talk: {board.phases()}")
            await asyncio.sleep(SETTLE_S)
            for _ in range(size.rounds):
                self._seen.windows.append(await self._window(server, 0, probed=True))
                await bosses.obey("listen", calls=list(self._seen.ports.values()))
                await asyncio.sleep(SETTLE_S)
                self._seen.windows.append(await self._window(server, len(self._seen.ports), probed=True))
                self._seen.heard.append((await bosses.obey("leave"))["heard"])
                await asyncio.sleep(SETTLE_S)
                self._check_full(board.phases())

    def _check_full(self, phases: Mapping[str, int]) -> None:
        """Figures of a house that has emptied meanwhile would flatter."""
        size = self._size
        if phases.get("bot", 0) < size.bot or phases.get("agent", 0) < size.talks:
            raise RuntimeError(f"{size.bot} calls with the bot and {size.talks} talks did not stay: {phases}")

    async def _window(self, server: Server, listeners: int, *, probed: bool = False) -> Window:
        """A while; `probed`: somebody calls the bot now and then, and hangs up."""
        seconds = self._size.seconds
        async with AsyncExitStack() as stack:
            if probed:
                number = f"{PROBE}{len(self._seen.windows):02}"
                calls = max(1, int((seconds - 2 * PROBE_HOLD_S) * PROBES_PER_S))
                probes = self._sipp(stack, server, calls, PROBE_HOLD_S, BOT, number, nothing(5), PROBES_PER_S)
                stack.callback(probes.stop)
            self._load.busy_share()
            before, start = server.cpu_s(), time.time()
            await asyncio.sleep(seconds)
            window = Window(start, time.time(), listeners, server.cpu_s() - before)
        self._seen.busy.append(self._load.busy_share())
        report.say(f"{listeners} listeners: {window.core:.3f} cores, machine {self._seen.busy[-1]:.0%} busy")
        return window

    def _sipp(
        self,
        stack: AsyncExitStack,
        server: Server,
        calls: int,
        hold_s: float,
        dial: str,
        caller: str,
        sound: Any,
        per_s: float = SETUPS_PER_S,
    ) -> SippCallers:
        callers = SippCallers(
            server.sip_port, calls, per_s, hold_s, self._folder, dial=dial, caller=caller, sound=sound
        )
        return stack.enter_context(callers)

    def _figures(self, server: Server, board: BoardWatch) -> dict[str, Any]:
        size, seen = self._size, self._seen
        events = sip_events(datagrams(self._folder / "sip.pcap"))
        with_listeners = [window for window in seen.windows if window.listeners]
        listen = self._listen_delays({event.number: event.port for event in events if event.port}, with_listeners)
        probes = [event for event in events if event.number.startswith(PROBE)]
        board_delays = board_delays_ms(probes, board.told)
        lateness = [self._lateness(server, window) for window in with_listeners]
        without = [self._lateness(server, window) for window in seen.without]
        figures: dict[str, Any] = {
            "listener_core_share": listener_core_share(seen.windows),
            "listen_delay_p50_ms": percentile(listen, 50),
            "listen_delay_p95_ms": percentile(listen, 95),
            "board_delay_p50_ms": percentile(board_delays, 50),
            "board_delay_p95_ms": percentile(board_delays, 95),
            "rtp_lateness_p99_ms": round(median(lateness), 2),
            "rtp_lateness_p99_ms_without": round(median(without), 2),
            "marks_heard": len(listen),
            "board_changes_told": f"{len(board_delays)} of {len(probes)}",
            "calls": {"bot": size.bot, "waiting": size.waiting, "talks": size.talks},
            "agents": size.agents,
            "listeners": size.listeners,
            "server_cores_without": round(mean(window.core for window in seen.without), 3),
            "server_cores": round(mean(window.core for window in with_listeners), 3),
            "machine_busy": round(mean(seen.busy), 3),
        }
        return {**figures, "missed": missed(figures)}

    def _listen_delays(self, ports: dict[str, int], windows: list[Window]) -> list[float]:
        found = []
        for window, heard in zip(windows, self._seen.heard, strict=True):
            packets = list(datagrams(self._folder / "rtp.pcap", Phase(window.start, window.end)))
            for number, call in self._seen.ports.items():
                found += delays_ms(sent_marks(packets, ports[number]), heard.get(call, []))
        return found

    def _lateness(self, server: Server, window: Window) -> float:
        figures = phase_figures(self._folder / "rtp.pcap", server.rtp_ports, Phase(window.start, window.end))
        return float(figures["deviation_ms"]["p99"])


def table(figures: dict[str, Any]) -> str:
    """What has a goal, with it."""
    late = max(1.5 * figures["rtp_lateness_p99_ms_without"], figures["rtp_lateness_p99_ms_without"] + 2)
    goals = {**GOALS, "rtp_lateness_p99_ms": round(late, 2)}
    rows: list[tuple[object, ...]] = [("figure", "measured", "goal", "")]
    rows += [
        (name, figures[name], f"<= {goal}", "missed" if name in figures["missed"] else "")
        for name, goal in goals.items()
    ]
    return report.table(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bot", type=int, default=50, help="calls with the bot")
    parser.add_argument("--waiting", type=int, default=20, help="callers who wait")
    parser.add_argument("--agents", type=int, default=20, help="agents who are signed in")
    parser.add_argument("--talks", type=int, default=10, help="how many of them are in a call")
    parser.add_argument("--listeners", type=int, default=5, help="supervisors, each in a talk of their own")
    parser.add_argument("--seconds", type=float, default=15.0, help="of a window")
    parser.add_argument("--rounds", type=int, default=3, help="windows of each kind")
    parser.add_argument("--keep", type=Path, help="a folder for captures and logs")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    if missing := missing_programs():
        print(f"cannot run: {missing}", file=sys.stderr)
        return 2
    if not options.listeners <= options.talks <= options.agents:
        parser.error("every listener needs a talk, and every talk an agent")
    size = Size(
        options.bot, options.waiting, options.agents, options.talks, options.listeners, options.seconds, options.rounds
    )
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    figures = report.measured("floor", lambda folder: Run(size, options.keep or folder).run())
    if figures is None:
        return 1
    print(table(figures))
    report.tell(figures, machine(), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
