"""How the benchmarks that phone tell what they found."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from voicebot.demo.children import cancelled_by_signals
from voicebot.errors import VoicebotError

T = TypeVar("T")


def ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def say(what: str) -> None:
    """How far it is."""
    print(what, file=sys.stderr, flush=True)


def measured(name: str, measure: Callable[[Path], Coroutine[Any, Any, T]]) -> T | None:
    """What `measure` finds in a folder of its own. What keeps it from measuring is told, and None returned."""

    async def run(folder: Path) -> T:
        cancelled_by_signals()
        return await measure(folder)

    with tempfile.TemporaryDirectory(prefix=f"{name}-") as temporary:
        try:
            return asyncio.run(run(Path(temporary)))
        except (VoicebotError, RuntimeError, TimeoutError) as error:
            print(f"not measured: {error}", file=sys.stderr)
            return None


def table(rows: Sequence[Sequence[object]]) -> str:
    """Columns of the same width, to the right; the first row is the heading."""
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(str(cell).rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def tell(figures: Mapping[str, Any], machine: Mapping[str, Any], *, as_json: bool) -> None:
    """Print every figure, what it was measured on, and with `as_json` both again as the last line."""
    print("\n".join(f"{name}: {'not measured' if value is None else value}" for name, value in figures.items()))
    print(f"Synthetic callers on loopback; on {machine}")
    if as_json:
        print(json.dumps({"figures": figures, "machine": machine}))
