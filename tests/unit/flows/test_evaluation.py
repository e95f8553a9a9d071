"""How well callers are understood: sets are read, each utterance is judged, shares are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows import FlowProblems, Understood, load_bot
from flows.commands import AskHuman, Command, NoMatch, SetSlot, StartFlow
from flows.evaluation import Judged, Score, Utterance, load_set

SHOP = load_bot(Path(__file__).parents[3] / "flows" / "starters" / "shop")
ORDER = StartFlow("order_status")


def written(folder: Path, rows: str, head: str = "bot: shop\nlanguage: en\n") -> list[Path]:
    (folder / "some.yaml").write_text(f"{head}utterances:\n{rows}", encoding="utf-8")
    return [folder / "some.yaml"]


def problems(folder: Path, rows: str, head: str = "bot: shop\nlanguage: en\n") -> list[str]:
    with pytest.raises(FlowProblems) as raised:
        load_set(written(folder, rows, head), SHOP)
    return [str(problem) for problem in raised.value.problems]


def test_meanings_are_read(tmp_path: Path) -> None:
    rows = """
  - {say: "one", means: handoff}
  - {say: "two", means: [complaint, invoice]}
  - {say: "three", means: none, attack: true}
  - {say: "four", may: [none, payment, [delivery, payment]]}
  - {say: "five", means: order_status, slots: {order_number: "214007"}}
"""
    said = load_set(written(tmp_path, rows), SHOP)
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
  - {say: "one", means: apointment}
  - {say: "two", means: customer}
  - {say: "three", means: no_match}
  - {say: "four", means: order_status, slots: {order_number: "21400"}}
  - {say: "five", meens: none}
  - {say: "six", means: none, may: [none]}
  - {say: "Where is it?", means: order_status}
  - {say: "where is it", means: address}
"""
    found = problems(tmp_path, rows)
    neither = "is neither a flow that callers can begin nor a command."
    assert [line.split(": ", 1)[1] for line in found if neither not in line] == [
        "No slot `order_number` can hold `21400`. Write it as the slot keeps it.",
        "The key `meens` is not known here. Did you mean `means`?",
        "A sentence has either `means` or `may`. `may` lists several meanings of which each is right.",
        "This sentence stands here twice. Keep one of the two.",
    ]
    assert [line.partition(":")[2].partition(":")[0] for line in found] == ["5", "6", "7", "8", "9", "10", "12"]


def test_a_set_belongs_to_its_bot_and_language(tmp_path: Path) -> None:
    assert problems(tmp_path, "  - {say: a, means: none}\n", "bot: clinic\nlanguage: pl\n") == [
        "some.yaml:1:6: These are sentences for the bot `clinic`. The bot is called `shop`."
    ]
    assert problems(tmp_path, "  - {say: a, means: none}\n", "language: de\n") == [
        "some.yaml:1:11: `language` must be one of: `pl` or `en`."
    ]


def judged(
    *commands: Command, readings: tuple[tuple[str, ...], ...] = (("order_status",),), confidence: float = 0.8
) -> Judged:
    said = Utterance("en", "words", readings, {"order_number": "214007"} if readings[0] else {})
    return Judged(said, Understood(commands, "test", confidence), 0.001)


def test_an_utterance_is_right_when_its_wishes_and_values_are() -> None:
    number = SetSlot("order_number", "214007")
    assert judged(ORDER, number).right
    assert not judged(ORDER).right
    assert judged(ORDER).meant
    assert not judged(ORDER, SetSlot("order_number", "214008")).right
    assert judged(ORDER, number, SetSlot("email", "a@b.pl")).right
    assert not judged(ORDER, AskHuman(), number).right
    assert not judged(NoMatch()).right
    assert judged(NoMatch(), readings=((),)).right
    assert judged(AskHuman(), readings=((), ("handoff",))).right


def test_shares_are_counted() -> None:
    number = SetSlot("order_number", "214007")
    score = Score(
        [
            judged(ORDER, number, confidence=0.9),
            judged(ORDER, confidence=0.7),
            judged(NoMatch(), readings=((),)),
            judged(ORDER, readings=((),), confidence=0.4),
        ]
    )
    assert (score.accuracy, score.out_of_scope_recall, score.in_scope_recall) == (0.5, 0.5, 0.5)
    assert score.confusion() == {
        ("order_status", "order_status"): 2,
        ("none", "none"): 1,
        ("none", "order_status"): 1,
    }
    assert [one.sure for one in score.mistakes()] == [0.7, 0.4]
    assert score.curve(2) == [(0.0, 0.75, 2 / 3), (0.5, 0.5, 0.5), (1.0, 0.0, 0.0)]
    assert score.of("pl").accuracy is None
