"""Whatever a text or a condition says, working it out gives a value or our error: soon, and without filling memory."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError

from flows import TemplateFailed
from flows.templates import argument, evaluate, render, variables

VALUES: dict[str, Any] = {"x": "a" * 5_000, "n": 7, "order": {"status": "sent", "lines": list(range(500))}}
BOMBS = [
    "{{ 'a' * 10**9 }}",
    "{{ [0] * 10**9 }}",
    "{{ 9**9**9 }}",
    "{{ 9**100 * 9**100 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 'a'.ljust(10**9) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ 'a' | center(10**9) }}",
    "{{ x | join(x) }}",
    "{{ x | replace('a', x) }}",
    "{{ lipsum(n=1000000) }}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "{% for i in range(99) %}{% for j in range(99) %}{% for k in range(99) %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% for i in x %}{{ x }}{% endfor %}",
    "{% macro a() %}{{ a() }}{{ a() }}{% endmacro %}{{ a() }}",
    "{% set y = x ~ x %}" + "{% set y = y ~ y %}" * 40 + "{{ y }}",
    "{{ " + "(" * 1_500 + "1" + ")" * 1_500 + " }}",
    "{{ " + "[" * 300 + "]" * 300 + " }}",
    "{{ " + "-" * 3_000 + "1 }}",
    "{{ 1" + "+1" * 1_900 + " }}",
    "{{ x" + " ~ x" * 900 + " }}",
    "{{ " + "x" * 1_000_000 + " }}",
]
WAYS_OUT = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ x['__class__'] }}",
    "{{ x | attr('__class__') }}",
    "{{ self }}",
    "{{ cycler.__init__.__globals__ }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os }}",
]


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb[:30])
def test_a_bomb_is_an_error_in_time(bomb: str) -> None:
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(TemplateFailed):
            render(bomb, VALUES)
        with pytest.raises(TemplateFailed):
            evaluate(bomb[3:-3], VALUES)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.process_time() - began < 3
    assert peak < 50_000_000


@pytest.mark.parametrize("way", WAYS_OUT)
def test_a_text_does_not_get_out_of_its_box(way: str) -> None:
    with pytest.raises(TemplateFailed):
        render(way, VALUES)


def test_a_value_does_not_grow_from_step_to_step() -> None:
    def grown(times: int) -> Any:
        value: Any = "x"
        for _ in range(times):
            value = argument("{{ [v, v] }}", {"v": value})
        return value

    assert grown(3)
    with pytest.raises(TemplateFailed):
        grown(40)


pieces = st.lists(
    st.sampled_from(
        "{{ }} {% %} if endif for in else x n order .lines .status | digits join( range( ) * ** 9 99999 ~ + [ ] 'a' "
        "default length map( not is defined , :".split()
    ),
    max_size=14,
).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(text=pieces)
def test_any_text_gives_spans_or_our_error(text: str) -> None:
    for attempt in (f"{{{{ {text} }}}}", text):
        try:
            variables(attempt)
        except (TemplateError, TemplateFailed, RecursionError, ValueError, TypeError, SyntaxError):
            continue
        try:
            render(attempt, VALUES)
        except TemplateFailed:
            pass
