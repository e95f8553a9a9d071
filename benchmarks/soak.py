"""What many calls and long calls leave behind in a worker: memory, threads, files, lost calls.

First short calls come one after the other (each is greeted and hangs up), then some stay for half an hour and answer
with a spoken word every twelve seconds. The bot is `voicebot serve` but for its recognition, which is scripted; callers
are sipp. Everything is seen from outside of the process.

calls, calls_lost         short and long; lost are those that were not answered, or that the bot let go
lost_turns                spoken words of the long calls that were not answered within three seconds
memory_kb_per_100_calls   slope of the resident memory over the short calls but for the first fifth, when caches fill,
                          and its standard error. Goal 50
threads_left, files_left  of the process when all is over, beyond those before the first call. Goal 0

    python -m benchmarks.soak [--calls 10000] [--long 20] [--minutes 30] [--short] [--json]

Needs sipp (Debian: sip-tester), tcpdump and the right to capture. The last line of `--json` is
{"figures": {...}, "machine": {...}}.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from benchmarks.capacity_dialog import NUMBER, TURN_EVERY_S, Samples, answers
from benchmarks.capacity_stage import Bot, Usage, ours, watch
from benchmarks.capacity_wire import CallSeen
from benchmarks.machine import machine
from benchmarks.wire_peers import SippCallers, missing_programs

_SHORT_CALL_S = 1.0
_WARM_UP_CALLS = 100  # before anything is counted: what the first calls load stays
_SAMPLED_EVERY_S = 2.0
_AFTERWARDS_S = 15.0  # records are written, threads end
_CACHES_FILL = 0.2


@dataclass(frozen=True)
class Size:
    """calls: short ones, so many a second. stay: long ones, so many minutes."""

    calls: int
    per_s: float
    stay: int
    minutes: float


class Soak:
    """One run. `folder` gets the data, captures and logs."""

    def __init__(self, size: Size, folder: Path, sound: Samples) -> None:
        self._size = size
        self._folder = folder
        self._sound = sound
        self._lost = 0

    async def run(self) -> dict[str, Any]:
        """Raises ProcessFailed."""
        size = self._size
        async with ours(self._folder, max(size.stay, round(size.per_s * 10))) as bot:
            await self._come(bot, _WARM_UP_CALLS, "48600")
            await asyncio.sleep(_AFTERWARDS_S)
            before = bot.usage()
            samples = await self._come(bot, size.calls, "48601")
            await asyncio.sleep(_AFTERWARDS_S)
            seen = await self._stay(bot)
            await asyncio.sleep(_AFTERWARDS_S)
            after = bot.usage()
        return figures(size, samples, seen, self._lost, before, after)

    async def _come(self, bot: Bot, calls: int, caller: str) -> list[tuple[int, float]]:
        """Short calls; how many were over, and the memory in kB, now and then."""
        samples: list[tuple[int, float]] = []
        callers = self._callers(bot, calls, _SHORT_CALL_S, caller)
        with callers:
            while callers.process.poll() is None:
                await asyncio.sleep(_SAMPLED_EVERY_S)
                samples.append((callers.counts()[0], 1024 * bot.usage().memory_mb))
        self._lost += calls - callers.counts()[0]
        report.say(f"{calls} short calls, lost by now: {self._lost}")
        return samples

    async def _stay(self, bot: Bot) -> list[CallSeen]:
        """Long calls; the last turns of each are looked at on the wire."""
        size = self._size
        stay_s = 60 * size.minutes
        callers = self._callers(bot, size.stay, stay_s, "48602")
        with callers:
            watched_s = min(stay_s / 2, 10 * TURN_EVERY_S)
            await asyncio.sleep(stay_s - watched_s)
            watched = await watch(bot, self._folder, watched_s - size.stay / size.per_s)
            await asyncio.to_thread(callers.process.wait)
        self._lost += size.stay - callers.counts()[0]
        seen = await watched.calls()
        report.say(f"{size.stay} long calls, lost by now: {self._lost}; seen to their end: {len(seen)}")
        return list(seen.values())

    def _callers(self, bot: Bot, calls: int, stay_s: float, caller: str) -> SippCallers:
        return SippCallers(
            bot.sip_port, calls, self._size.per_s, stay_s, self._folder, dial=NUMBER, caller=caller, sound=self._sound
        )


def slope(samples: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Of the straight line through (x, y), by least squares, and its standard error."""
    x, y = np.array(samples, dtype=float).T
    spread = x - x.mean()
    rise = float((spread * (y - y.mean())).sum() / np.square(spread).sum())
    rest = y - y.mean() - rise * spread
    return rise, float(np.sqrt(np.square(rest).sum() / (len(x) - 2) / np.square(spread).sum()))


def figures(
    size: Size,
    samples: Sequence[tuple[int, float]],
    seen: Sequence[CallSeen],
    lost: int,
    before: Usage,
    after: Usage,
) -> dict[str, Any]:
    settled = [(calls, memory) for calls, memory in samples if calls >= _CACHES_FILL * size.calls]
    per_call, error = slope(settled)
    return {
        "calls": size.calls + size.stay,
        "calls_lost": lost,
        "lost_turns": sum(call.lost for call in seen),
        "turns": sum(call.turns for call in seen),
        "memory_kb_per_100_calls": round(100 * per_call, 1),
        "memory_kb_per_100_calls_error": round(100 * error, 1),
        "threads_left": max(0, after.threads - before.threads),
        "files_left": max(0, after.files - before.files),
        "memory_mb_before": round(before.memory_mb, 1),
        "memory_mb_after": round(after.memory_mb, 1),
    }


async def measured(size: Size, folder: Path) -> dict[str, Any]:
    return await Soak(size, folder, await answers()).run()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=10_000, help="short ones")
    parser.add_argument("--per-s", type=float, default=8.0, help="short calls a second")
    parser.add_argument("--long", type=int, default=20, help="calls that stay")
    parser.add_argument("--minutes", type=float, default=30.0, help="so long they stay")
    parser.add_argument("--short", action="store_true", help="500 short calls, 5 a second, and 5 for a minute")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    if missing := missing_programs():
        print(f"cannot run: {missing}", file=sys.stderr)
        return 2
    size = Size(500, 5.0, 5, 1.0) if options.short else Size(
        options.calls, options.per_s, options.long, options.minutes
    )  # fmt: skip
    found = report.measured("soak", lambda folder: measured(size, folder))
    if found is None:
        return 1
    report.tell(found, machine(), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
