"""How the benchmarks that phone tell what they found."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


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
