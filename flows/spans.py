"""Spans: what is to be spoken, as plain data. A string is read as it is; a mapping says what kind of value it holds.

The kinds and their keys:

    {"kind": "digits", "value": "123456"}            read digit by digit, grouped; `group` sets the size of the groups
    {"kind": "number", "value": 12}                  int or float
    {"kind": "ordinal", "value": 3}
    {"kind": "amount", "value": "12.50", "currency": "PLN"}
    {"kind": "date", "value": "2026-11-30"}          with `weekday: true` the day of the week is read out, too
    {"kind": "time", "value": "14:30"}
    {"kind": "phone", "value": "+48600100200"}
    {"kind": "spell", "value": "AB12"}
    {"kind": "count", "value": 3, "forms": ["dzień", "dni", "dni"]}   one, few, many (English: one, many)
    {"kind": "pesel", "value": "44051401359"}        also nip, regon, iban, postcode, email, url: as each is dictated

`number`, `ordinal` and `count` may carry `gender` (m, f, n, p for men counted together) and `case` for Polish.
"""

from __future__ import annotations

from typing import Any

Span = str | dict[str, Any]


def plain_text(spans: tuple[Span, ...]) -> str:
    """The spans as written text, for transcripts and the text chat."""
    return "".join(span if isinstance(span, str) else _written(span) for span in spans)


def _written(span: dict[str, Any]) -> str:
    value = str(span["value"])
    if span["kind"] == "amount":
        return f"{value} {span['currency']}"
    if span["kind"] == "count":
        return f"{value} {plural(int(span['value']), span['forms'])}"
    return value


def plural(number: int, forms: list[str]) -> str:
    """The noun's form for a number: two forms are English (one, many), three are Polish (one, few, many)."""
    number = abs(number)
    if number == 1:
        return forms[0]
    if len(forms) == 3 and number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14):
        return forms[1]
    return forms[-1]
