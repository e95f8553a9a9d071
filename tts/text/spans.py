"""minimal"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Span = str | Mapping[str, Any]


def spoken(spans: Sequence[Span], language: str) -> str:
    return " ".join(" ".join(s if isinstance(s, str) else str(s.get("value", "")) for s in spans).split())
