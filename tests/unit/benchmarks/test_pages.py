"""What the benchmark of the pages makes of what it has seen."""

from __future__ import annotations

import pytest

from benchmarks.pages import board_figures
from benchmarks.pages_crowd import letters


def test_a_sentence_counts_from_when_it_was_told_to_its_first_picture() -> None:
    told = [
        {"words": "one", "at": 10.0},
        {"words": "two", "at": 10.5},
        {"words": "never drawn", "at": 11.0},
        {"event": "x"},
    ]
    figures = board_figures(told, {"one": 10_100.0, "two": 10_900.0, "of before": 1.0})
    assert figures == {
        "full_board_delay_p50_ms": 250,
        "full_board_delay_p95_ms": 385,
        "full_board_delay_max_ms": 400,
        "full_board_sentences_seen": 2,
    }


def test_a_board_on_which_nothing_is_seen_has_no_figures() -> None:
    with pytest.raises(RuntimeError, match="board"):
        board_figures([{"words": "one", "at": 10.0}], {})


def test_each_number_has_a_word_without_digits() -> None:
    words = [letters(number) for number in range(2000)]
    assert len(set(words)) == len(words)
    assert all(word.isalpha() for word in words)
