"""Personal fields of what company systems answer: which values they are, and records without them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from flows.spans import Span, plain_text

MASK = "[personal]"
_SHORTEST = 2  # one letter or digit would mask half of a text


def personal_values(data: Any, fields: Collection[str]) -> set[str]:
    """The values of these fields, at any depth, as texts."""
    return {value for value in _values(data, fields, inside=False) if len(value) >= _SHORTEST}


def _values(data: Any, fields: Collection[str], *, inside: bool) -> Iterator[str]:
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _values(value, fields, inside=inside or name in fields)
    elif isinstance(data, list):
        for value in data:
            yield from _values(value, fields, inside=inside)
    elif inside and data is not None and not isinstance(data, bool):
        yield str(data)


def masked_spans(spans: tuple[Span, ...], values: Collection[str]) -> str:
    """What is recorded of words that hold such values, or empty when they hold none."""
    written = plain_text(spans)
    typed = [MASK if isinstance(span, dict) and str(span["value"]) in values else span for span in spans]
    told = masked(plain_text(tuple(typed)), values)
    return "" if told == written else told


def masked(text: str, values: Collection[str]) -> str:
    """The text with MASK in place of these values, the longest first."""
    for value in sorted(values, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", MASK, text, flags=re.IGNORECASE)
    return text
