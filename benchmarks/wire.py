"""The spike behind the media thread: how many calls does the wire hold while Python is busy?

For each N of `--calls` a bot process (SIP endpoint and media thread, every call in a room of its own that echoes it)
takes N calls of `sipp`, which stream A-law speech-like sound without pauses. The first half of the measurement the bot
is left alone, the second half its event loop is blocked for 200 ms in every second and a thread burns the GIL. Every
RTP packet is captured on the loopback (tcpdump, kernel time stamps), so the figures are those of the caller's side.

    python -m benchmarks.wire [--calls 10,50,100] [--nice -10] [--json]

Needs sipp (Debian: sip-tester), tcpdump and the right to capture. The last line of `--json` is
{"figures": {...}, "machine": {...}}.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

from benchmarks.wire_capture import Phase, phase_figures
from benchmarks.wire_peers import Capture, EchoBot, SippCallers, missing_programs
from benchmarks.wire_report import knee, machine, table

SETUPS_PER_S = 8
SETTLE_S = 3.0
PHASE_S = 8.0


def run_step(calls: int, nice: int, folder: Path) -> dict[str, Any]:
    """One N: set up, measure quiet and busy, hang up. About 20 s and the set-up."""
    with EchoBot(calls, nice, folder) as bot, Capture(bot.rtp_ports, folder / f"{calls}.pcap") as capture:
        before = bot.usage()
        setup_s = calls / SETUPS_PER_S
        with SippCallers(bot.sip_port, calls, SETUPS_PER_S, setup_s + 2 * PHASE_S + 4 * SETTLE_S, folder) as callers:
            bot.wait_for_calls(calls, deadline_s=setup_s + 15)
            time.sleep(SETTLE_S)
            phases = {}
            for name in ("quiet", "busy"):
                bot.be(name)
                time.sleep(SETTLE_S if name == "busy" else 0)
                first, start = bot.usage(), time.time()
                time.sleep(PHASE_S)
                phases[name] = (Phase(start, time.time()), first, bot.usage())
            bot.be("quiet")
        capture.stop()
        figures: dict[str, Any] = {
            "calls": calls,
            "answered": phases["busy"][2]["calls"],
            "sipp_failed": callers.failed,
        }
        for name, (phase, first, last) in phases.items():
            figures[name] = phase_figures(capture.file, bot.rtp_ports, phase)
            figures[name]["tick_lateness_ms"] = last["lateness_ms"]
            figures[name]["ticks_skipped"] = last["ticks_skipped"] - first["ticks_skipped"]
            figures[name]["frames_concealed"] = last["concealed"] - first["concealed"]
            figures[name]["cpu_percent"] = round(100 * (last["cpu_s"] - first["cpu_s"]) / phase.seconds, 1)
            figures[name]["media_thread_percent"] = round(100 * (last["media_s"] - first["media_s"]) / phase.seconds, 1)
        figures["rss_mb"] = round(phases["quiet"][2]["rss_mb"], 1)
        figures["rss_mb_per_call"] = round((phases["quiet"][2]["rss_mb"] - before["rss_mb"]) / calls, 2)
        return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", default="10,50,100", help="numbers of simultaneous calls, by comma")
    parser.add_argument("--nice", type=int, default=0, help="nice value of the bot process, for instance -10")
    parser.add_argument("--json", action="store_true", help="last line: the figures as JSON")
    options = parser.parse_args()
    missing = missing_programs()
    if missing:
        print(f"cannot run: {missing}", file=sys.stderr)
        return 2
    steps = []
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        for calls in (int(part) for part in cast(str, options.calls).split(",")):
            try:
                steps.append(run_step(calls, options.nice, Path(folder)))
            except (RuntimeError, TimeoutError, subprocess.SubprocessError) as error:
                print(f"{calls} calls: {error}", file=sys.stderr)
                return 1
            print(table(steps[-1:]), flush=True)
    figures = {"steps": steps, "knee": knee(steps), "nice": options.nice}
    described = machine()
    print(f"\n{table(steps)}\nholds {figures['knee']} calls (of those tried); on {described}")
    if options.json:
        print(json.dumps({"figures": figures, "machine": described}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
