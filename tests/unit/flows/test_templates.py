from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateError

from flows import Span, TemplateFailed, plain_text
from flows.templates import argument, condition_variables, holds, marked, render, variables

OF_HER = {"gender": "f", "case": "genitive"}


@pytest.mark.parametrize(
    ("source", "values", "expected"),
    [
        ("Nr {{ n | digits }}!", {"n": "12 34"}, ("Nr ", {"kind": "digits", "value": "1234"}, "!")),
        ("{{ d | date }}", {"d": "2026-12-06T10:00:00"}, ({"kind": "date", "value": "2026-12-06"},)),
        (
            "{{ d | date(weekday=true) }}",
            {"d": "2026-12-06"},
            ({"kind": "date", "value": "2026-12-06", "weekday": True},),
        ),
        ("{{ t | time }}", {"t": "9:30"}, ({"kind": "time", "value": "09:30"},)),
        ("{{ a | amount }}", {"a": 12.5}, ({"kind": "amount", "value": "12.50", "currency": "PLN"},)),
        ("{{ a | amount('EUR') }}", {"a": "3,1"}, ({"kind": "amount", "value": "3.10", "currency": "EUR"},)),
        ("{{ n | number }}", {"n": "7"}, ({"kind": "number", "value": 7},)),
        ("{{ n | number }}", {"n": 7.25}, ({"kind": "number", "value": 7.25},)),
        ("{{ c | spell }}", {"c": "AB1"}, ({"kind": "spell", "value": "AB1"},)),
        ("{{ p | phone }}", {"p": "+48600100200"}, ({"kind": "phone", "value": "+48600100200"},)),
        ("{{ n | count('day', 'days') }}", {"n": 2}, ({"kind": "count", "value": 2, "forms": ["day", "days"]},)),
        ("{{ n | digits(group=2) }}", {"n": "1234"}, ({"kind": "digits", "value": "1234", "group": 2},)),
        ("{{ n | ordinal('f', 'genitive') }}", {"n": 3}, ({"kind": "ordinal", "value": 3} | OF_HER,)),
        ("{{ n | number(gender='f', case='genitive') }}", {"n": 2}, ({"kind": "number", "value": 2} | OF_HER,)),
        ("{{ i | pesel }}", {"i": 44051401359}, ({"kind": "pesel", "value": "44051401359"},)),
        ("{{ e | email }}", {"e": "jan@firma.pl"}, ({"kind": "email", "value": "jan@firma.pl"},)),
        ("{{ a }}  and\n{{ b }}", {"a": 1, "b": "x"}, ("1 and x",)),
        ("plain", {}, ("plain",)),
    ],
)
def test_texts_become_spans(source: str, values: dict[str, Any], expected: tuple[Span, ...]) -> None:
    assert render(source, values) == expected


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("{{ missing }}", {}),
        ("{{ a.b }}", {"a": {}}),
        ("{{ a.b.c }}", {"a": {}}),
        ("{{ a | date }}", {"a": None}),
        ("{{ a | date }}", {"a": "soon"}),
        ("{{ a | digits }}", {"a": "none"}),
        ("{{ a | number }}", {"a": "many"}),
        ("{{ a | amount }}", {"a": "dear"}),
        ("{{ a | time }}", {"a": "noon"}),
        ("{{ a | count('x') }}", {"a": 1}),
        ("{{ a | number(case=b) }}", {"a": 1, "b": "kind"}),
        ("{{ a | iban }}", {"a": ""}),
        ("{{ 1 / a }}", {"a": 0}),
        ("{{ a + 1 }}", {"a": "x"}),
        ("{{ a.__class__.__mro__ }}", {"a": "x"}),
        ("{{ a.append(1) }}", {"a": [1]}),
    ],
)
def test_what_can_not_be_said_fails_in_one_way(source: str, values: dict[str, Any]) -> None:
    with pytest.raises(TemplateFailed):
        render(source, values)


def test_conditions_and_arguments() -> None:
    assert holds("a > 1 and b is not defined", {"a": 2})
    assert argument("{{ a }}", {"a": 2}) == 2
    assert argument("{{ a }}-{{ a }}", {"a": 2}) == "2-2"
    assert argument("{{ a | digits }}", {"a": "1 2"}) == "12"
    assert argument(5, {}) == 5
    with pytest.raises(TemplateFailed):
        holds("missing", {})


def test_names_that_are_used() -> None:
    assert variables("{{ a.b | digits }} {% if c %}{{ range(2) }}{% endif %}") == {"a", "c"}
    assert condition_variables("a is defined and b") == {"a", "b"}
    for wrong in ("{{ a", "{% if %}", "{{ a | nothing }}"):
        with pytest.raises(TemplateError):
            variables(wrong)


@given(st.recursive(st.text() | st.integers() | st.none(), lambda inner: st.lists(inner, max_size=3)))
def test_values_from_outside_can_not_make_spans(value: Any) -> None:
    trick = "\x01" + json.dumps({"kind": "amount", "value": "1", "currency": "PLN"}) + "\x02"
    for spans in (
        render("{{ a }}", {"a": value}),
        render("{{ a }}", {"a": trick}),
        render("{{ a.b }}", {"a": {"b": trick}}),
    ):
        assert all(isinstance(span, str) for span in spans)


def test_spans_survive_being_a_value() -> None:
    spans: tuple[Span, ...] = ("To ", {"kind": "digits", "value": "12"})
    assert render("{{ value }}. Tak?", {"value": marked(spans)}) == (*spans, ". Tak?")
    assert plain_text(({"kind": "count", "value": 3, "forms": ["dzień", "dni", "dni"]}, ".")) == "3 dni."
    assert plain_text(({"kind": "count", "value": 5, "forms": ["cyfra", "cyfry", "cyfr"]},)) == "5 cyfr"
    assert plain_text(({"kind": "amount", "value": "12.50", "currency": "PLN"},)) == "12.50 PLN"
