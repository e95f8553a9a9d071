"""From typed spans to spoken words. The kinds of spans and their keys:

    digits   value                         read one by one, in groups; `group` sets their size
    number   value                         int or decimal; Polish: `gender` m, f or n
    ordinal  value                         Polish: `gender`, `case` (nominative, genitive, dative, accusative, ...)
    amount   value, currency               ISO code, PLN when left out
    date     value, weekday                ISO; the year is said when it is not this one, the weekday where asked
    time     value                         HH:MM; Polish: the case follows from the words before
    phone    value                         in groups, one by one
    spell    value                         letter by letter
    count    value, forms                  number and noun; Polish: three forms (paczka, paczki, paczek), `gender`

A value that does not fit its kind is read as text: a strange date must not end a call.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tts.text import en, en_written, pl, pl_written

Span = str | Mapping[str, Any]


@dataclass(frozen=True)
class Reader:
    """How one language reads. Results hold words, spaces and punctuation, and no digits.

    `written(text, before, today)` reads plain text: abbreviations, and numbers as far as their meaning shows.
    `value(span, before, today)` reads a typed value; None when it does not fit its kind. `before` was said before it.
    """

    written: Callable[[str, str, datetime.date], str]
    value: Callable[[Mapping[str, Any], str, datetime.date], str | None]


_READERS: Mapping[str, Reader] = {"pl": Reader(pl_written.read, pl.value), "en": Reader(en_written.read, en.value)}


def spoken(spans: Sequence[Span], language: str, today: datetime.date | None = None) -> str:
    """What a voice is given to say. `today` (the machine's date when None) decides whether a year is said.

    A language without reading rules is given as it is written. Never raises, whatever the spans hold.
    """
    reader = _READERS.get(language.partition("-")[0].lower())
    if reader is None:
        return _tidy(" ".join(span if isinstance(span, str) else str(span.get("value", "")) for span in spans))
    today = today or datetime.date.today()
    said = ""
    for span in spans:
        words = None if isinstance(span, str) else reader.value(span, said, today)
        if words is None:
            words = reader.written(span if isinstance(span, str) else str(span.get("value", "")), said, today)
        said += words if not said or said[-1] in "(„“«[" else f" {words}"
    return _tidy(said)


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    return re.sub(r" (?=[.,;:!?…)\]”»])", "", text).strip()
