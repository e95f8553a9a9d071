"""The set that understanding is tuned on: it can be read, is large enough, and repeats nothing of the frozen set."""

from __future__ import annotations

from collections import Counter

import flows
from benchmarks.understanding_corpus import SET, STARTERS, utterances
from flows.evaluation import Utterance
from flows.phrasebook import LANGUAGES, other_sentences
from flows.words import tokens

TUNING = utterances(SET.with_name("understanding_tuning"))
BOTS = {name: flows.load_bot(STARTERS / name) for name in ("shop", "clinic", "office")}


def everything() -> list[Utterance]:
    return [one for said in TUNING.values() for one in said]


def test_each_file_is_large_enough() -> None:
    rows = Counter((bot, one.language) for bot, said in TUNING.items() for one in said)
    assert rows.keys() == {(bot, language) for bot in BOTS for language in LANGUAGES}
    assert min(rows.values()) >= 90, rows


def test_nothing_of_it_is_in_the_frozen_set() -> None:
    frozen = {tuple(tokens(one.text)) for said in utterances().values() for one in said}
    assert [one.text for one in everything() if tuple(tokens(one.text)) in frozen] == []


def test_nothing_of_it_is_an_example_of_a_flow() -> None:
    examples = {
        (bot, language, tuple(tokens(line)))
        for bot, loaded in BOTS.items()
        for flow in loaded.flows.values()
        for language, lines in flow.examples.items()
        for line in lines
    }
    rows = [(bot, one.language, tuple(tokens(one.text))) for bot, said in TUNING.items() for one in said]
    assert [row for row in rows if row in examples] == []


def test_nothing_of_it_teaches_what_to_refuse() -> None:
    refused = {tuple(tokens(line)) for language in LANGUAGES for line in other_sentences(language)}
    assert [one.text for one in everything() if tuple(tokens(one.text)) in refused] == []
