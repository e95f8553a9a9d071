"""How many calls one worker holds, beside an echo that does nothing else and a stock Pipecat bot.

Callers are sipp: each is asked something and answers with a spoken word every twelve seconds, in G.711. The bot is all
of it: voice activity, turn-taking, dialog with embedded understanding, prompts from the store, recording, records.
Everything is measured on the wire (captured RTP and SIP, kernel time stamps). Levels of both bots alternate; only one
bot runs at a time.

A call is held when the bot answered every word within three seconds, and the gaps between its packets are off 20 ms, at
the 99th percentile, by at most 5 ms more than those of one single call of an echo.

calls_held            the largest level at which every call was held, as every call was at all levels below. Recognition
                      is scripted on both sides: it costs what the model costs, and is measured by
                      `benchmarks.recognition`
calls_held_recognised the same with the demo model recognising on the same machine
stock_calls_held      of the stock bot
cpu_ms_per_call_s, memory_mb_per_call    of the worker process at calls_held; recogniser and voice are other processes
setups_per_s          the largest rate at which no caller had to send its INVITE twice

    python -m benchmarks.capacity [--levels 25,50,75,100,125] [--recognised 5,10,20] [--stock 5,8,10,15] [--json]

Needs sipp (Debian: sip-tester), tcpdump and the right to capture. The last line of `--json` is
{"figures": {...}, "machine": {...}}.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.capacity_dialog import NUMBER, TURN_EVERY_S, Samples, answers
from benchmarks.capacity_stage import Bot, ours, stock, watch
from benchmarks.capacity_wire import (
    ANSWERED_WITHIN_S,
    CallSeen,
    answer_p95_ms,
    lateness_p99_ms,
    set_ups,
)
from benchmarks.machine import machine
from benchmarks.wire_capture import Phase, datagrams, phase_figures
from benchmarks.wire_peers import Capture, EchoBot, SippCallers, missing_programs
from voicebot.demo.load import Load

ALLOWED_MS = 5.0
SETUPS_PER_S = 5.0
RATES = (4.0, 6.0, 8.0, 10.0, 12.0, 15.0)
_RATE_S = 6.0  # so long do callers come at one rate
_SHORT_CALL_S = 2.0
SETTLE_S = TURN_EVERY_S + 4.0  # everybody has been greeted, and has answered once
_ECHO_S = 15.0

Make = Callable[[Path, int], AbstractAsyncContextManager[Bot]]


@dataclass(frozen=True)
class Level:
    """So many calls at the same time with one bot."""

    side: str
    calls: int
    seen: tuple[CallSeen, ...]
    cpu_ms_per_call_s: float
    memory_mb_per_call: float
    busy: float

    def held(self, echo_p99_ms: float) -> int:
        """How many of its calls."""
        return sum(call.held(echo_p99_ms, ALLOWED_MS) for call in self.seen)

    @property
    def lost_turns(self) -> int:
        return sum(call.lost for call in self.seen)


class Measurement:
    """One run. `folder` gets captures and logs."""

    def __init__(self, folder: Path, seconds: float, sound: Samples) -> None:
        self._folder = folder
        self._seconds = seconds
        self._sound = sound
        self._load = Load()

    def echo_p99_ms(self) -> float:
        """How even packets come from a bot that has one call, and echoes it."""
        with EchoBot(1, 0, self._folder) as bot, Capture(bot.rtp_ports, self._folder / "echo.pcap") as capture:
            with SippCallers(bot.sip_port, 1, 1, _ECHO_S + 4, self._folder):
                bot.wait_for_calls(1, deadline_s=15)
                time.sleep(2)
                start = time.time()
                time.sleep(_ECHO_S)
                phase = Phase(start, time.time())
            capture.stop()
            return float(phase_figures(capture.file, bot.rtp_ports, phase)["deviation_ms"]["p99"])

    async def level(self, side: str, make: Make, calls: int) -> Level:
        """Raises ProcessFailed, TimeoutError."""
        folder = self._own(f"{side}-{calls}")
        async with make(folder, calls) as bot:
            empty = bot.usage()
            filling_s = calls / SETUPS_PER_S
            hold_s = filling_s + SETTLE_S + self._seconds + 5
            callers = SippCallers(
                bot.sip_port, calls, SETUPS_PER_S, hold_s, folder, dial=NUMBER, caller="48601", sound=self._sound
            )
            with callers:
                await asyncio.sleep(filling_s + SETTLE_S)
                self._load.busy_share()
                first = bot.usage()
                watched = await watch(bot, folder, self._seconds)
                last = bot.usage()
                busy = self._load.busy_share()
                callers.stop()
        seen = await watched.calls()
        missing = calls - len(seen)  # calls that never came up, or were over
        return Level(
            side,
            calls,
            (*seen.values(), *[CallSeen(float("inf"), 1, ())] * missing),
            round(1000 * (last.cpu_s - first.cpu_s) / (last.at - first.at) / calls, 2),
            round((last.memory_mb - empty.memory_mb) / calls, 2),
            round(busy, 3),
        )

    async def setups_per_s(self) -> float:
        """The largest rate that went well, as all below. Raises ProcessFailed."""
        best = 0.0
        for rate in RATES:
            calls = round(rate * _RATE_S)
            folder = self._own(f"rate-{rate:g}")
            async with ours(folder, calls) as bot:
                with Capture((bot.sip_port, bot.sip_port), folder / "sip.pcap", kept=2000) as capture:
                    callers = SippCallers(
                        bot.sip_port, calls, rate, _SHORT_CALL_S, folder, dial=NUMBER, caller="48602", sound=self._sound
                    )
                    with callers:
                        await asyncio.sleep(_RATE_S + _SHORT_CALL_S + 3)
                        callers.stop()
                    capture.stop()
                    seen = set_ups(datagrams(capture.file))
            well = [one for one in seen if one.took_s is not None and one.sent == 1]
            longest = max((one.took_s for one in seen if one.took_s is not None), default=float("nan"))
            report.say(f"{rate:g} set-ups/s: {len(well)} of {calls} at once, the slowest took {1000 * longest:.0f} ms")
            if len(well) < calls:
                break
            best = rate
        return best

    def _own(self, name: str) -> Path:
        folder = self._folder / name
        folder.mkdir()
        return folder


def calls_held(levels: Sequence[Level], echo_p99_ms: float) -> int:
    """The largest level of which every call was held, and of every level below."""
    held = 0
    for level in sorted(levels, key=lambda level: level.calls):
        if level.held(echo_p99_ms) < level.calls:
            break
        held = level.calls
    return held


async def measured(folder: Path, options: argparse.Namespace) -> tuple[list[Level], dict[str, Any]]:
    run = Measurement(folder, options.seconds, await answers())
    echoes = [await asyncio.to_thread(run.echo_p99_ms)]
    sides: dict[str, tuple[Make, list[int]]] = {
        "ours": (ours, options.levels),
        "stock": (stock, options.stock),
        "recognised": (partial(ours, scripted=False), options.recognised),
    }
    levels: list[Level] = []
    failed: set[str] = set()
    for step in zip_longest(*(counts for _, counts in sides.values())):
        for (side, (make, _)), calls in zip(sides.items(), step, strict=True):
            if calls is None or side in failed:
                continue
            level = await run.level(side, make, calls)
            levels.append(level)
            held = level.held(echoes[0])
            late = lateness_p99_ms(level.seen)
            report.say(f"{side}, {calls} calls: {held} held, p99 {late} ms, {level.lost_turns} turns lost")
            if held < calls:
                failed.add(side)
    echoes.append(await asyncio.to_thread(run.echo_p99_ms))
    rate = None if options.no_setups else await run.setups_per_s()
    return levels, figures(levels, min(echoes), rate)


def figures(levels: Sequence[Level], echo_p99_ms: float, setups_per_s: float | None) -> dict[str, Any]:
    """`rtp_lateness_p99_ms` and the like are those of our largest level that was held."""
    of = {side: [level for level in levels if level.side == side] for side in ("ours", "stock", "recognised")}
    held = {side: calls_held(found, echo_p99_ms) for side, found in of.items()}
    best = next((level for level in of["ours"] if level.calls == held["ours"]), None)
    return {
        "calls_held": held["ours"],
        "rtp_lateness_p99_ms": best and lateness_p99_ms(best.seen),
        "echo_lateness_p99_ms": echo_p99_ms,
        "lost_turns": best and best.lost_turns,
        "answer_p95_ms": best and answer_p95_ms(best.seen),
        "cpu_ms_per_call_s": best and best.cpu_ms_per_call_s,
        "memory_mb_per_call": best and best.memory_mb_per_call,
        "machine_busy": best and best.busy,
        "setups_per_s": setups_per_s,
        "calls_held_recognised": held["recognised"] if of["recognised"] else None,
        "stock_calls_held": held["stock"] if of["stock"] else None,
    }


def table(levels: Sequence[Level], echo_p99_ms: float) -> str:
    rows: list[tuple[object, ...]] = [
        ("side", "calls", "held", "turns", "lost", "lateness p99 ms", "answer p95 ms", "CPU ms/s", "MB", "busy")
    ]
    for level in sorted(levels, key=lambda level: (level.side, level.calls)):
        turns = sum(call.turns for call in level.seen)
        rows.append(
            (level.side, level.calls, level.held(echo_p99_ms), turns, level.lost_turns, lateness_p99_ms(level.seen),
             report.ms(answer_p95_ms(level.seen)), level.cpu_ms_per_call_s, level.memory_mb_per_call, level.busy)
        )  # fmt: skip
    return report.table(rows)


def _counts(text: str) -> list[int]:
    return sorted(int(part) for part in text.split(",") if part)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--levels", type=_counts, default=[25, 50, 75, 100, 125], help="of ours")
    parser.add_argument("--recognised", type=_counts, default=[5, 10, 20], help="of ours with real recognition")
    parser.add_argument("--stock", type=_counts, default=[5, 8, 10, 15], help="of the stock bot")
    parser.add_argument("--seconds", type=float, default=40.0, help="of a level")
    parser.add_argument("--no-setups", action="store_true", help="do not look for the rate of set-ups")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    if missing := missing_programs():
        print(f"cannot run: {missing}", file=sys.stderr)
        return 2
    if options.seconds < TURN_EVERY_S + ANSWERED_WITHIN_S + 1:
        parser.error(f"a level takes at least {TURN_EVERY_S + ANSWERED_WITHIN_S + 1:g} s")
    result = report.measured("capacity", lambda folder: measured(folder, options))
    if result is None:
        return 1
    levels, found = result
    print(table(levels, found["echo_lateness_p99_ms"]))
    report.tell(found, machine(), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
