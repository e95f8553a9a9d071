"""The folder `knowledge/`: what is read of it, and every mistake with its wording."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flows.knowledge import Knowledge, load_knowledge
from flows.knowledge.library import MOST_FILES
from flows.knowledge.passages import read_passages, sentences
from flows.source import Report

Files = dict[str, str | bytes]


def load(folder: Path, files: Files) -> tuple[Knowledge, list[str]]:
    for name, content in files.items():
        path = folder / "knowledge" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    report = Report()
    knowledge = load_knowledge(folder, ["pl", "en"], report)
    return knowledge, [str(problem) for problem in report.all()]


def test_a_file_becomes_passages(tmp_path: Path) -> None:
    text = """# Dostawa

## Koszt
Pytania: ile kosztuje dostawa?

Kurier kosztuje **15 zł**, a [paczkomat](https://example.com) 12 zł.
Od 200 zł jest za darmo.
Pytania: cena kuriera; ile
za paczkomat

Wysyłamy:

- kurierem,
- do *paczkomatu*

1. Proszę spakować towar.
2. Proszę nadać paczkę.
"""
    knowledge, problems = load(tmp_path, {"pl/dostawa.md": text})
    assert problems == []
    assert [(passage.source, passage.text) for passage in knowledge.passages] == [
        (
            "knowledge/pl/dostawa.md:6",
            "Kurier kosztuje 15 zł, a paczkomat 12 zł. Od 200 zł jest za darmo.",
        ),
        ("knowledge/pl/dostawa.md:11", "Wysyłamy: kurierem, do paczkomatu."),
        ("knowledge/pl/dostawa.md:16", "Proszę spakować towar. Proszę nadać paczkę."),
    ]
    assert {passage.headings for passage in knowledge.passages} == {("Dostawa", "Koszt")}
    assert [passage.questions for passage in knowledge.passages] == [
        ("cena kuriera", "ile", "za paczkomat", "ile kosztuje dostawa"),
        ("ile kosztuje dostawa",),
        ("ile kosztuje dostawa",),
    ]
    assert knowledge.passages[0].sentence == "Kurier kosztuje 15 zł, a paczkomat 12 zł."


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Sklep jest przy ul. Lipowej 12. Zapraszamy.", 2),
        ("Kosztuje to np. 5 zł. Tyle!", 2),
        ("Od 8.30 do 12.50. Potem nie", 2),
        ("Call us at 8 a.m. Monday. Really?", 2),
        ("Prof. J. Nowak przyjmuje.", 1),
        ("Bez kropki", 1),
        ("", 1),
    ],
)
def test_sentences_end_where_they_end(text: str, count: int) -> None:
    assert len(sentences(text)) == count


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: This file is empty. Write what callers ask about, or remove it."),
        (
            "---\ntitle: x\n---\n",
            "1:1: Settings above the text (front matter) are not read. Remove them; begin with a heading.",
        ),
        ("# A\n", "1:1: Nothing stands below this heading. Write a text, or remove the heading."),
        ("#\n\nText.\n", "1:1: This heading is empty. Write what the text below it is about."),
        (
            "# A\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nText.\n",
            "3:1: A table can not be said on the telephone. Write it as sentences, or as a list.",
        ),
        ("Text.\n\n```\nx\n```\n", "3:1: A block of code can not be said on the telephone. Write it as a sentence."),
        (
            "Text.\n\n    x\n",
            "3:1: A line indented by four spaces is taken for a block of code. Begin it at the left edge of the page.",
        ),
        ("Text.\n\n<div>x</div>\n", "3:1: HTML is not read. Write plain text."),
        ("Text,\nand <b>more</b>.\n", "2:1: HTML is not read. Write plain text."),
        (
            "Text,\n![map](map.png)\n",
            "2:1: An image can not be said on the telephone. Say in words what it shows.",
        ),
        ("> Text.\n\nText.\n", "1:1: A quotation (`>`) is not read. Write a plain paragraph."),
        (
            "- one\n  - two\n",
            "2:1: A list inside another is hard to follow by ear. Give the inner list a heading of its own.",
        ),
        ("- # one\n- two\n", "1:1: A heading stands inside a list. Begin it at the left edge of the page."),
        ("-\n\nText.\n", "1:1: This list is empty. Write its items, or remove it."),
        (
            "We send:\n\nText.\n",
            "1:1: This paragraph ends with a colon, and no list follows. Write the list below it, or end it with a full"
            " stop.",
        ),
        (
            "Text.\nQuestions:\n",
            "2:1: No questions stand here. Write them on this line, with semicolons between.",
        ),
        ("# A\n\nQuestions: a; b\n\n## B\n\nText.\n", "3:1: These questions have no answer. Write it below them."),
        ("Questions: a; b\n", "1:1: These questions have no answer. Write it below them."),
        ("# A\n\n...\n", "3:1: This text has no words. Write a sentence, or remove it."),
        (
            "word " * 31,
            "1:1: The first sentence has 31 words, and it is what callers hear: at most 30. Begin with a short sentence"
            " that answers the question.",
        ),
        (
            "Short one. " + "word " * 120,
            "1:1: This text has 122 words, and a passage may have at most 120. Split it with an empty line.",
        ),
        ("Text.\n\ntext.\n", "3:1: The same text stands in knowledge/en/a.md:1. Keep one of the two."),
        (
            b"Za\xbf\xf3\xb3\xe6",
            "1:3: This file is not UTF-8 text; it seems to be Windows-1250. Save it with the encoding UTF-8.",
        ),
        (b"a\x01b", "1:2: A character that no text has stands here (U+0001). Delete it, or write the line anew."),
    ],
)
def test_mistakes_in_a_file_are_told_with_their_line(tmp_path: Path, text: str | bytes, problem: str) -> None:
    _, problems = load(tmp_path, {"en/a.md": text})
    assert problems == [f"knowledge/en/a.md:{problem}"]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (
            {"a.md": "Text."},
            "knowledge/a.md: This file belongs to no language. Put it into knowledge/pl/ or knowledge/en/.",
        ),
        (
            {"polski/a.md": "Text."},
            "knowledge/polski: A folder here is named after a language. Name it `pl` or `en`.",
        ),
        (
            {"en/a.docx": "Text."},
            "knowledge/en/a.docx: A file that does not end in .md is not read here. Write it as Markdown, in a file"
            " like a.md.",
        ),
        (
            {"en/more/a.md": "Text."},
            "knowledge/en/more: A folder is not read here. Write it as Markdown, in a file like more.md.",
        ),
        (
            {"en/more.md/a.md": "Text."},
            "knowledge/en/more.md: This is a folder, not a file. Give it a name that does not end in .md.",
        ),
        (
            {"en/a.md": "a" * 256_001},
            "knowledge/en/a.md: This file is too large: 256 kB, and at most 256 are read. Split it into several files.",
        ),
        (
            {f"en/{number}.md": f"Text {number}." for number in range(MOST_FILES + 1)},
            "knowledge/en: There are 201 files in this folder, and at most 200 are read. Put several subjects into one"
            " file.",
        ),
        (
            {"en/.hidden.md": ""},
            "knowledge: There is no knowledge in this folder. Write knowledge/pl/*.md.",
        ),
        (
            {f"en/{number}.md": f"Text {number}.\n" + "\n" * 250_000 for number in range(4)},
            "knowledge/en/3.md: The files down to this one have more than 1,000,000 characters. Keep what callers ask"
            " about.",
        ),
    ],
)
def test_mistakes_of_the_folder_are_told(tmp_path: Path, files: Files, problem: str) -> None:
    _, problems = load(tmp_path, files)
    assert problems == [problem]


def test_a_language_that_the_bot_does_not_speak_is_told(tmp_path: Path) -> None:
    load(tmp_path, {"pl/a.md": "Tekst.", "en/a.md": "Text."})
    report = Report()
    load_knowledge(tmp_path, ["pl"], report)
    assert [str(problem) for problem in report.all()] == [
        "knowledge/en: The bot does not speak `en`. Add it to `languages` in bot.yaml."
    ]


def test_links_that_lead_out_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("Secret.", encoding="utf-8")
    (tmp_path / "bot" / "knowledge" / "pl").mkdir(parents=True)
    (tmp_path / "bot" / "knowledge" / "pl" / "a.md").symlink_to(tmp_path / "secret.md")
    (tmp_path / "bot" / "knowledge" / "pl" / "b.md").symlink_to("b.md")
    (tmp_path / "bot" / "knowledge" / "en").symlink_to(tmp_path)
    knowledge, problems = load(tmp_path / "bot", {"pl/c.md": "Tekst."})
    assert [passage.text for passage in knowledge.passages] == ["Tekst."]
    assert problems == [
        "knowledge/en: This is a link that leads out of the folder knowledge. Put the files themselves here.",
        "knowledge/pl/a.md: This is a link that leads out of the folder knowledge. Put the file itself here.",
        f"knowledge/pl/b.md: This file can not be read: {os.strerror(40)}. Check that it is there and readable.",
    ]


def test_links_inside_are_followed(tmp_path: Path) -> None:
    load(tmp_path, {"..data/a.md": "Tekst."})
    (tmp_path / "knowledge" / "pl").mkdir()
    (tmp_path / "knowledge" / "pl" / "a.md").symlink_to("../..data/a.md")
    knowledge, problems = load(tmp_path, {})
    assert problems == []
    assert [passage.source for passage in knowledge.passages] == ["knowledge/pl/a.md:1"]


def test_no_folder_is_no_knowledge_and_no_mistake(tmp_path: Path) -> None:
    knowledge, problems = load(tmp_path, {})
    assert (knowledge.passages, problems) == ((), [])


def test_a_file_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "knowledge").write_text("", encoding="utf-8")
    _, problems = load(tmp_path, {})
    assert problems == ["knowledge: This is not a folder. Put the files into knowledge/pl/."]


def test_questions_behind_a_list_are_not_spoken() -> None:
    report = Report()
    (passage,) = read_passages("- kurierem\n- pocztą\nPytania: jak wysyłacie\n", "a.md", "pl", report)
    assert (passage.text, passage.questions, report.all()) == ("kurierem, pocztą.", ("jak wysyłacie",), [])
