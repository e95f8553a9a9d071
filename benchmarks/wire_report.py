"""How the wire benchmark tells its figures."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_COLUMNS = (
    "calls", "phase", "p50", "p95", "p99", "max", ">100ms", "sent", "expected", "silent %", "skipped", "tick p99",
    "CPU %", "media %", "RSS MB",
)  # fmt: skip


def table(steps: Sequence[dict[str, Any]]) -> str:
    """One line for each step and phase; deviation of RTP gaps from 20 ms in ms."""
    rows = [_COLUMNS]
    for step in steps:
        for phase in ("quiet", "busy"):
            figures = step[phase]
            deviation = figures["deviation_ms"]
            rows.append((
                step["calls"], phase, deviation["p50"], deviation["p95"], deviation["p99"], deviation["max"],
                figures["gaps_over_100_ms"], figures["packets_sent"], figures["packets_expected"],
                figures["silent_percent"], figures["ticks_skipped"], round(figures["tick_lateness_ms"]["p99"], 1),
                figures["cpu_percent"], figures["media_thread_percent"], step["rss_mb"],
            ))  # fmt: skip
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(_COLUMNS))]
    return "\n".join("  ".join(str(cell).rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def knee(steps: Sequence[dict[str, Any]]) -> int:
    """The most calls that were held while the process was busy.

    Held: p99 deviation within 5 ms of the smallest quiet step's, no gap over 100 ms, every call answered, and less than
    1 % of the packets without the audio they should carry.
    """
    unloaded = min(steps, key=lambda step: int(step["calls"]))["quiet"]["deviation_ms"]["p99"]
    held = 0
    for step in sorted(steps, key=lambda step: int(step["calls"])):
        busy = step["busy"]
        if (
            busy["deviation_ms"]["p99"] > unloaded + 5
            or busy["gaps_over_100_ms"]
            or busy["silent_percent"] >= 1
            or step["answered"] < step["calls"]
        ):
            break
        held = int(step["calls"])
    return held


def machine() -> dict[str, Any]:
    """What the figures were measured on; the load tells of other work at the same time."""
    cpu = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.processor())  # fmt: skip
    load = os.getloadavg()
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "load_average": [round(value, 2) for value in load],
        "system": platform.platform(),
        "python": platform.python_version(),
    }
