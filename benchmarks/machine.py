"""What a benchmark ran on."""

from __future__ import annotations

from benchmarks.wire_report import machine

__all__ = ["machine"]
