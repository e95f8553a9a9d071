"""The set that understanding is tuned on: it can be read, is large enough, and repeats nothing of the frozen set."""

from __future__ import annotations

from collections import Counter

import flows
from benchmarks.understanding_corpus import SET, STARTERS, utterances
from flows.phrasebook import LANGUAGES, other_sentences
from flows.words import tokens

TUNING = utterances(SET.with_name("understanding_tuning"))
BOTS = {name: flows.load_bot(STARTERS / name) for name in ("shop", "clinic", "office")}


def test_each_file_is_large_enough() -> None:
    rows = Counter((one.bot, one.language) for one in TUNING)
    assert rows.keys() == {(bot, language) for bot in BOTS for language in LANGUAGES}
    assert min(rows.values()) >= 90, rows


def test_nothing_of_it_is_in_the_frozen_set() -> None:
    frozen = {tuple(tokens(one.text)) for one in utterances()}
    assert [one.text for one in TUNING if tuple(tokens(one.text)) in frozen] == []


def test_nothing_of_it_is_an_example_of_a_flow() -> None:
    examples = {
        (bot, language, tuple(tokens(line)))
        for bot, loaded in BOTS.items()
        for flow in loaded.flows.values()
        for language, lines in flow.examples.items()
        for line in lines
    }
    assert [one.text for one in TUNING if (one.bot, one.language, tuple(tokens(one.text))) in examples] == []


def test_nothing_of_it_teaches_what_to_refuse() -> None:
    refused = {tuple(tokens(line)) for language in LANGUAGES for line in other_sentences(language)}
    assert [one.text for one in TUNING if tuple(tokens(one.text)) in refused] == []
