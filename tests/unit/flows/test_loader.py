from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows import FlowProblems, Known, load_bot
from flows.schema import FOLDER, schemas, written

DATA = Path(__file__).parents[2] / "data" / "flows"
SHOP = Path(__file__).parents[3] / "flows" / "examples" / "shop"
KNOWN = Known(queues=frozenset({"service", "sales"}))
MISTAKES = sorted((DATA / "mistakes").glob("*.yaml"))


def problems(folder: Path) -> list[str]:
    try:
        load_bot(folder, known=KNOWN)
    except FlowProblems as found:
        return [str(problem) for problem in found.problems]
    return []


def test_the_base_and_the_shop_have_no_mistakes() -> None:
    assert problems(DATA / "base") == []
    assert problems(SHOP) == []


@pytest.mark.parametrize("fixture", MISTAKES, ids=lambda path: path.stem)
def test_a_mistake_is_told_with_its_place_and_remedy(fixture: Path, tmp_path: Path) -> None:
    """A fixture takes the place of one file of the base; its first lines say which, and what is to be told."""
    text = fixture.read_text(encoding="utf-8")
    header = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]
    (file,) = [line.removeprefix("file: ") for line in header if line.startswith("file: ")]
    expected = [line.removeprefix("expect: ") for line in header if line.startswith("expect: ")]
    folder = tmp_path / "bot"
    shutil.copytree(DATA / "base", folder)
    (folder / file).write_text(text, encoding="utf-8")
    assert expected
    assert problems(folder) == expected


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    for file, fixture in (
        ("bot.yaml", "machine_not_said"),
        ("order.yaml", "several_at_once"),
        ("systems.yaml", "system_path"),
    ):
        shutil.copy(DATA / "mistakes" / f"{fixture}.yaml", tmp_path / file)
    assert {line.partition(":")[0] for line in problems(tmp_path)} == {"bot.yaml", "order.yaml", "systems.yaml"}


def test_a_bot_without_its_file(tmp_path: Path) -> None:
    assert problems(tmp_path) == [
        f"bot.yaml: There is no bot.yaml in {tmp_path.name}. A bot is a folder with a bot.yaml."
    ]


def test_a_bot_without_flows(tmp_path: Path) -> None:
    shutil.copy(DATA / "base" / "bot.yaml", tmp_path)
    assert problems(tmp_path) == ["bot.yaml: This bot has no flow. Put a flow file beside bot.yaml."]


def test_two_flows_of_one_name(tmp_path: Path) -> None:
    shutil.copytree(DATA / "base", tmp_path, dirs_exist_ok=True)
    shutil.copy(tmp_path / "order.yaml", tmp_path / "parcel.yaml")
    told = "parcel.yaml:1:1: The flow `order` is also in order.yaml. Give one of them another name."
    assert problems(tmp_path) == [told]


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    shutil.copytree(DATA / "base", tmp_path, dirs_exist_ok=True)
    (tmp_path / "order.yaml").write_bytes("flow: zamówienie".encode("cp1250"))
    told = "order.yaml:1:10: This file is not UTF-8 text; it seems to be Windows-1250. Save it with the encoding UTF-8."
    assert told in problems(tmp_path)


def test_a_bot_of_one_language_writes_each_text_once(tmp_path: Path) -> None:
    (tmp_path / "bot.yaml").write_text(
        "bot: short\nlanguages: [en]\ngreeting:\n  machine: This is a machine.\n  recording: The call is recorded.\n"
        "  ask: How can I help?\nclosing: Goodbye.\nqueue: service\nphrases:\n  checking: Let me look.\n"
    )
    (tmp_path / "bye.yaml").write_text(
        "flow: bye\ndescription: Bye.\nexamples: [end this]\nsteps:\n  - say: Well then.\n  - hang_up\n"
    )
    bot = load_bot(tmp_path, known=KNOWN)
    assert bot.phrases["en"]["checking"] == ("Let me look.",)
    assert ("Well then.",) in bot.fixed_texts("en")


def test_fixed_texts_are_all_texts_without_variables() -> None:
    bot = load_bot(SHOP)
    for language in bot.languages:
        fixed = bot.fixed_texts(language)
        assert len(fixed) == len(set(fixed))
        assert (bot.greeting.machine[language],) in fixed
        assert (bot.phrases[language]["handoff_caller_asked"][0],) in fixed
        assert (bot.flows["order_status"].slots["order_number"].ask[language],) in fixed
        assert not any("{{" in str(span) for text in fixed for span in text)
        assert not any(text == (bot.phrases[language]["why_caller_asked"][0],) for text in fixed)


def test_the_published_schemas_are_those_of_the_models() -> None:
    for name, schema in schemas().items():
        text = (FOLDER / f"{name}.schema.json").read_text(encoding="utf-8")
        assert text == written(schema), "run: python -m flows.schema"


def test_an_example_of_two_flows_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "bot"
    shutil.copytree(DATA / "base", folder)
    other = (folder / "order.yaml").read_text(encoding="utf-8").replace("flow: order", "flow: parcel")
    (folder / "parcel.yaml").write_text(other.replace("where is my parcel", "Where is my parcel?"), encoding="utf-8")
    assert problems(folder) == [
        "parcel.yaml:4:8: The flow `order` has the same example (Polish). Keep it in one of them.",
        "parcel.yaml:5:8: The flow `order` has the same example (English). Keep it in one of them.",
    ]


def test_the_same_words_in_another_order_or_among_fillers_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "bot"
    shutil.copytree(DATA / "base", folder)
    other = (folder / "order.yaml").read_text(encoding="utf-8").replace("flow: order", "flow: parcel")
    other = other.replace("gdzie jest paczka", "gdzie paczka jest").replace("where is my parcel", "where is it")
    (folder / "parcel.yaml").write_text(other, encoding="utf-8")
    told = "The flow `order` has almost the same example, `gdzie jest paczka` (Polish). Keep it in one of them."
    assert problems(folder) == [f"parcel.yaml:4:8: {told}"]


def test_a_text_that_takes_too_long_to_say_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "bot"
    shutil.copytree(DATA / "base", folder)
    text = (folder / "order.yaml").read_text(encoding="utf-8").replace("What number?", "What number? " * 20)
    (folder / "order.yaml").write_text(text, encoding="utf-8")
    known = Known(spoken_s=lambda text, language: len(text) / 20)
    with pytest.raises(FlowProblems) as found:
        load_bot(folder, known=known)
    assert [str(problem) for problem in found.value.problems] == [
        "order.yaml:10:32: This text takes about 13 s to say: more than 12 s is forgotten. "
        "Make it shorter, or two steps of it."
    ]
