"""The two sides of a typed value: what a flow's filter marks is what the voices know how to read."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from flows.templates import FILTERS, render
from tts.text import spoken

TODAY = datetime.date(2026, 11, 25)
READ = {
    "digits": ("123456", "jeden dwa trzy, cztery pięć sześć"),
    "date": ("2026-12-06", "szóstego grudnia"),
    "time": ("8:30", "ósma trzydzieści"),
    "amount": ("22.50", "dwadzieścia dwa złote pięćdziesiąt groszy"),
    "number": ("22", "dwadzieścia dwa"),
    "ordinal": ("3", "trzeci"),
    "count('paczka', 'paczki', 'paczek')": ("2", "dwie paczki"),
    "spell": ("AB", "a, be"),
    "phone": ("+48600100200", "plus czterdzieści osiem, sześć zero zero, jeden zero zero, dwa zero zero"),
    "pesel": ("44051401359", "cztery cztery, zero pięć, jeden cztery, zero jeden trzy, pięć dziewięć"),
    "nip": ("5260250274", "pięć dwa sześć, zero dwa pięć, zero dwa, siedem cztery"),
    "regon": ("123456785", "jeden dwa trzy, cztery pięć sześć, siedem osiem pięć"),
    "iban": ("PL61109010140000071219812874", None),
    "postcode": ("00-950", "zero zero dziewięćset pięćdziesiąt"),
    "email": ("jan@firma.pl", "jan małpa firma kropka pe el"),
    "url": ("www.firma.pl", "wu wu wu kropka firma kropka pe el"),
    "ordinal('f', 'genitive')": ("3", "trzeciej"),
    "number(gender='f')": ("2", "dwie"),
    "digits(group=2)": ("1234", "jeden dwa, trzy cztery"),
}


@pytest.mark.parametrize(("written", "value", "heard"), [(used, *pair) for used, pair in READ.items()])
def test_a_filter_is_heard_as_it_should_be(written: str, value: str, heard: str | None) -> None:
    spans: Any = render("{{ value | " + written + " }}", {"value": value})
    said = spoken(spans, "pl", TODAY)
    assert said == heard if heard else said.startswith("pe el, sześć jeden, jeden zero dziewięć zero")


def test_every_filter_is_among_them() -> None:
    assert {used.partition("(")[0] for used in READ} == set(FILTERS)
