"""What calls that were taken feel of calls that cannot be: twice as many as a worker holds want to be served.

So many calls as the worker holds are up, and are measured; then others come on end, so fast that there would be as many
again, for five minutes; the first ones are measured again, three times. The bot is `voicebot serve` with measured
admission as it comes, and `max_calls` far above. Callers are sipp; everything is seen on the wire as in
`benchmarks.capacity`, and recognition is scripted unless `--recognised`.

lateness_p99_ms, answer_p95_ms    of the calls that were there first, while others wanted in (the worst of the windows),
                                  and `_without`; `lost_turns` likewise
refused, taken                    of those who came later

    python -m benchmarks.overload [--calls 100] [--minutes 5] [--recognised] [--json]

Needs sipp (Debian: sip-tester), tcpdump and the right to capture. The last line of `--json` is
{"figures": {...}, "machine": {...}}.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.capacity import SETTLE_S, SETUPS_PER_S
from benchmarks.capacity_dialog import NUMBER, TURN_EVERY_S, Samples, answers
from benchmarks.capacity_stage import Bot, ours, watch
from benchmarks.capacity_wire import CallSeen, answer_p95_ms, lateness_p99_ms
from benchmarks.machine import machine
from benchmarks.wire_peers import SippCallers, missing_programs

WINDOWS = 3
_WINDOW_S = 3 * TURN_EVERY_S
_LATER_STAY_S = 20.0
_ANALYSIS_S = 30.0  # of a window, at most


class Overload:
    """One run. `folder` gets captures and logs."""

    def __init__(self, folder: Path, calls: int, minutes: float, sound: Samples) -> None:
        self._folder = folder
        self._calls = calls
        self._press_s = 60 * minutes
        self._sound = sound

    async def run(self, *, scripted: bool) -> dict[str, Any]:
        """Raises ProcessFailed."""
        filling_s = self._calls / SETUPS_PER_S
        stay_s = 2 * filling_s + SETTLE_S + self._press_s + (WINDOWS + 1) * (_WINDOW_S + _ANALYSIS_S)
        async with ours(self._folder, 2 * self._calls, scripted=scripted) as bot:
            with self._callers(bot, self._calls, SETUPS_PER_S, stay_s, "48601") as first:
                await asyncio.sleep(filling_s + SETTLE_S)
                without = await self._window(bot)
                per_s = self._calls / _LATER_STAY_S
                with self._callers(bot, round(per_s * self._press_s), per_s, _LATER_STAY_S, "48602") as later:
                    began = time.monotonic()
                    under = []
                    for window in range(WINDOWS):
                        await _sleep_until(began + (window + 0.5) * self._press_s / WINDOWS)
                        under.append(await self._window(bot, without))
                    await _sleep_until(began + self._press_s)
                    taken, refused = later.counts()
                    later.stop()
                first.stop()
        return figures(self._calls, list(without.values()), under, taken, refused)

    def _callers(self, bot: Bot, calls: int, per_s: float, stay_s: float, caller: str) -> SippCallers:
        return SippCallers(
            bot.sip_port, calls, per_s, stay_s, self._folder, dial=NUMBER, caller=caller, sound=self._sound
        )

    async def _window(self, bot: Bot, only: Iterable[int] | None = None) -> dict[int, CallSeen]:
        """The calls of a while, by port: all, or these alone."""
        seen = await (await watch(bot, self._folder, _WINDOW_S)).calls()
        found = seen if only is None else {port: seen[port] for port in only if port in seen}
        report.say(
            f"{len(seen)} calls, {len(found)} of them looked at: lateness p99 {lateness_p99_ms(found.values())} ms, "
            f"answer p95 {answer_p95_ms(found.values())} ms"
        )
        return found


async def _sleep_until(at: float) -> None:
    """By the monotonic clock."""
    await asyncio.sleep(max(0.0, at - time.monotonic()))


def figures(
    calls: int, without: Sequence[CallSeen], under: Sequence[dict[int, CallSeen]], taken: int, refused: int
) -> dict[str, Any]:
    """`under`: the windows while others wanted in. A call that is missing in one of them was lost."""
    windows = [list(window.values()) for window in under]
    return {
        "calls": calls,
        "calls_lost": calls - min(len(without), *(len(window) for window in windows)),
        "lateness_p99_ms": _worst(lateness_p99_ms(window) for window in windows),
        "lateness_p99_ms_without": lateness_p99_ms(without),
        "answer_p95_ms": _worst(answer_p95_ms(window) for window in windows),
        "answer_p95_ms_without": answer_p95_ms(without),
        "lost_turns": sum(call.lost for window in windows for call in window),
        "lost_turns_without": sum(call.lost for call in without),
        "turns": sum(call.turns for window in windows for call in window),
        "refused": refused,
        "taken": taken,
    }


def _worst(values: Iterable[float | None]) -> float | None:
    """None where one of them could not be measured: no call was left."""
    found = list(values)
    known = [value for value in found if value is not None]
    return max(known) if len(known) == len(found) else None


async def measured(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    run = Overload(folder, options.calls, options.minutes, await answers())
    return await run.run(scripted=not options.recognised)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=100, help="as many as the worker holds")
    parser.add_argument("--minutes", type=float, default=5.0, help="so long others come")
    parser.add_argument("--recognised", action="store_true", help="the demo model recognises")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    if missing := missing_programs():
        print(f"cannot run: {missing}", file=sys.stderr)
        return 2
    found = report.measured("overload", lambda folder: measured(folder, options))
    if found is None:
        return 1
    report.tell(found, machine(), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
