"""The frozen set of what callers say: what is in it, that it stays as it is, and which mistakes are found in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import flows
from benchmarks.understanding_corpus import STARTERS, Utterance, digest, utterances
from flows.words import tokens

FROZEN = "8b433bcab753d98c2e454b67938412c2ab6b97dc4e136038b0ee4e7fd747327f"
SAID = utterances()
BOTS = {name: flows.load_bot(STARTERS / name) for name in ("shop", "clinic", "office")}
FILES = [(bot, language) for bot in BOTS for language in ("pl", "en")]


def of(bot: str, language: str) -> list[Utterance]:
    return [one for one in SAID if (one.bot, one.language) == (bot, language)]


def test_the_set_is_as_it_was_frozen() -> None:
    """A wrong label is corrected openly: new digest, and figures measured before are void."""
    assert digest(SAID) == FROZEN


def test_it_is_large_enough() -> None:
    assert len(SAID) >= 600
    assert {(one.bot, one.language) for one in SAID} == set(FILES)
    assert sum(one.attack for one in SAID) >= 30


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
    one = Utterance("shop", "en", "where is it", (("order_status",),), {"order_number": "214007"})
    other = Utterance("shop", "en", "bye", (("goodbye",),))
    assert digest([one, other]) == digest([other, one])
    assert digest([one]) != digest([Utterance("shop", "en", "where is it", (("order_status",),))])


def written(folder: Path, rows: str) -> Path:
    (folder / "shop.en.yaml").write_text(f"bot: shop\nlanguage: en\nutterances:\n{rows}", encoding="utf-8")
    return folder


def test_meanings_are_read(tmp_path: Path) -> None:
    rows = """
  - {say: "one", means: handoff}
  - {say: "two", means: [complaint, invoice]}
  - {say: "three", means: none, attack: true}
  - {say: "four", may: [none, payment, [delivery, payment]]}
  - {say: "five", means: order_status, slots: {order_number: "214007"}}
"""
    said = utterances(written(tmp_path, rows))
    assert [one.readings for one in said] == [
        (("handoff",),),
        (("complaint", "invoice"),),
        ((),),
        ((), ("payment",), ("delivery", "payment")),
        (("order_status",),),
    ]
    assert [one.out_of_scope for one in said] == [False, False, True, False, False]
    assert said[2].attack
    assert said[4].slots == {"order_number": "214007"}


def test_all_mistakes_are_told_together(tmp_path: Path) -> None:
    rows = """
  - {say: "one", means: appointment}
  - {say: "two", means: customer}
  - {say: "three", means: no_match}
  - {say: "four", means: order_status, slots: {order_number: "21400"}}
  - {say: "five", means: order_status, slots: {pesel: "78031512346"}}
  - {say: "Where is it?", means: order_status}
  - {say: "where is it", means: address}
"""
    with pytest.raises(ValueError, match="no flow") as raised:
        utterances(written(tmp_path, rows))
    assert str(raised.value).splitlines() == [
        "shop.en: one: no flow that callers can start, and no command: appointment",
        "shop.en: two: no flow that callers can start, and no command: customer",
        "shop.en: three: no flow that callers can start, and no command: no_match",
        "shop.en: four: no slot holds order_number: 21400",
        "shop.en: five: no slot holds pesel: 78031512346",
        "shop.en: where is it: said twice",
    ]


@pytest.mark.parametrize("row", ["{say: one}", "{say: one, means: none, may: [none]}", "{say: one, meens: none}"])
def test_rows_have_known_keys_only(row: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it takes `say`"):
        utterances(written(tmp_path, f"  - {row}\n"))
