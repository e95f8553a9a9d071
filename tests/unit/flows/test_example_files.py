"""What callers say, in files of their own: read, and each mistake told with its line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows import EmbeddedUnderstanding, FlowProblems, load_bot

NO_FLOWS = "This file holds the examples of no flow."
BASE = Path(__file__).parents[2] / "data" / "flows" / "base"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(BASE, tmp_path / "bot")
    (tmp_path / "bot" / "examples").mkdir()
    return tmp_path / "bot"


def write(folder: Path, name: str, *lines: str) -> None:
    (folder / "examples" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def problems(folder: Path) -> list[str]:
    with pytest.raises(FlowProblems) as raised:
        load_bot(folder)
    return [str(problem) for problem in raised.value.problems]


def test_they_are_beside_those_of_the_flow(folder: Path) -> None:
    write(folder, "order.pl.txt", "# kurierzy", "", "kurier nie przyjechał", "  nic nie doszło {number}  ")
    write(folder, "none.pl.txt", "ile zarabia kurier")
    bot = load_bot(folder)
    assert bot.flows["order"].examples["pl"] == [
        "gdzie jest paczka",
        "kurier nie przyjechał",
        "nic nie doszło {number}",
    ]
    assert bot.flows["order"].examples["en"] == ["where is my parcel"]
    assert bot.not_served == {"pl": ["ile zarabia kurier"], "en": []}
    EmbeddedUnderstanding(bot)


def test_a_flow_may_have_all_of_them_there(folder: Path) -> None:
    order = (folder / "order.yaml").read_text(encoding="utf-8")
    (folder / "order.yaml").write_text(order.replace("  pl: [gdzie jest paczka]\n", ""), encoding="utf-8")
    assert problems(folder) == ["order.yaml:3:1: There are no Polish examples. Add `pl:`."]
    write(folder, "order.pl.txt", "gdzie jest paczka")
    assert load_bot(folder).flows["order"].examples["pl"] == ["gdzie jest paczka"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "order.txt",
            "This file holds the examples of no flow. Name it after a flow and a language, like order.pl.txt.",
        ),
        (
            "order.pl.md",
            "This file holds the examples of no flow. Name it after a flow and a language, like order.pl.txt.",
        ),
        ("oder.pl.txt", "There is no flow `oder` that callers can begin. Did you mean `order`?"),
        ("order.de.txt", "The bot does not speak `de`. Known here: `en`, `pl`."),
    ],
)
def test_a_file_that_belongs_to_nothing(folder: Path, name: str, told: str) -> None:
    write(folder, name, "gdzie to jest")
    assert problems(folder) == [f"examples/{name}: {told}"]


def test_mistakes_of_lines_are_told_with_their_line(folder: Path) -> None:
    write(folder, "order.pl.txt", "kurier nie przyjechał", "do widzenia", "gdzie jest {numer}", "a" * 301)
    write(folder, "none.pl.txt", "nie przyjechał kurier")
    assert problems(folder) == [
        "examples/none.pl.txt:1:1: The flow `order` has almost the same example, `kurier nie przyjechal` (Polish). "
        "Keep it in one of them.",
        "examples/order.pl.txt:2:1: This is always understood as a goodbye, whatever flow it is an example of. "
        "Remove it.",
        "examples/order.pl.txt:3:1: There is no slot `numer` in this flow. Did you mean `number`?",
        "examples/order.pl.txt:4:1: This sentence is too long for an example. Write what a caller says in one breath.",
    ]


def test_a_file_that_is_not_utf8(folder: Path) -> None:
    (folder / "examples" / "order.pl.txt").write_bytes("przesyłka".encode("cp1250"))
    (told,) = problems(folder)
    assert told.startswith("examples/order.pl.txt:1:7: This file is not UTF-8 text; it seems to be Windows-1250.")
