from __future__ import annotations

import time

import pytest

from flows.patterns import fits, mistake


def test_a_pattern_fits_all_of_a_text() -> None:
    assert fits("[0-9]{6,8}", "1234567")
    assert not fits("[0-9]{6,8}", "123456789")
    assert not fits("[0-9]", "1\n")


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(a*)*b", "a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?b"])
def test_no_pattern_takes_longer_than_its_text(pattern: str) -> None:
    began = time.process_time()
    assert not fits(pattern, "a" * 2_000 + "!")
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("(", "missing ): ("),
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("(?=a)", "invalid perl operator: (?="),
        ("((a{99}){99}){99}", "invalid repetition size: {99}"),
        ("a" * 201, "it has more than 200 characters"),
    ],
)
def test_what_is_no_pattern(pattern: str, told: str) -> None:
    assert mistake(pattern) == told
