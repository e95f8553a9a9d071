"""The frozen set of what callers say: what is in it, and that it stays as it is."""

from __future__ import annotations

from collections import Counter

import pytest

import flows
from benchmarks.understanding_corpus import STARTERS, digest, utterances
from flows.evaluation import Utterance
from flows.words import tokens

FROZEN = "8b433bcab753d98c2e454b67938412c2ab6b97dc4e136038b0ee4e7fd747327f"
SAID = utterances()
BOTS = {name: flows.load_bot(STARTERS / name) for name in SAID}
FILES = [(bot, language) for bot in BOTS for language in ("pl", "en")]


def of(bot: str, language: str) -> list[Utterance]:
    return [one for one in SAID[bot] if one.language == language]


def test_the_set_is_as_it_was_frozen() -> None:
    """A wrong label is corrected openly: new digest, and figures measured before are void."""
    assert digest(SAID) == FROZEN


def test_it_is_large_enough() -> None:
    everything = [one for said in SAID.values() for one in said]
    assert len(everything) >= 600
    assert sum(one.attack for one in everything) >= 30


@pytest.mark.parametrize(("bot", "language"), FILES)
def test_each_file_has_something_of_everything(bot: str, language: str) -> None:
    said = of(bot, language)
    wishes = Counter(one.readings[0][0] for one in said if len(one.readings) == 1 and len(one.readings[0]) == 1)
    entries = {name for name, flow in BOTS[bot].flows.items() if flow.entry}
    assert len(said) >= 115
    assert all(wishes[name] >= 4 for name in entries), wishes
    assert sum(one.out_of_scope for one in said) >= 0.25 * len(said)
    assert sum(len(one.readings[0]) == 2 for one in said) >= 5
    assert sum(bool(one.slots) for one in said) >= 4
    assert sum(wishes[name] for name in wishes.keys() - entries) >= 5
    assert sum(one.attack for one in said) >= 5


@pytest.mark.parametrize(("bot", "language"), FILES)
def test_nothing_of_it_is_an_example_of_a_flow(bot: str, language: str) -> None:
    examples = {tuple(tokens(line)) for flow in BOTS[bot].flows.values() for line in flow.examples.get(language, [])}
    assert [one.text for one in of(bot, language) if tuple(tokens(one.text)) in examples] == []


def test_the_digest_minds_content_alone() -> None:
    one = Utterance("en", "where is it", (("order_status",),), {"order_number": "214007"})
    other = Utterance("en", "bye", (("goodbye",),))
    assert digest({"shop": [one, other]}) == digest({"shop": [other, one]})
    assert digest({"shop": [one]}) != digest({"shop": [Utterance("en", "where is it", (("order_status",),))]})
