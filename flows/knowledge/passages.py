"""Markdown to passages: one paragraph or one list each, with the headings above it and the questions that it answers.

Only what can be said on the telephone is read: headings, paragraphs, lists. Everything else of Markdown is a mistake,
told with its line. The parser is markdown-it-py (CommonMark 0.31).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from flows.source import Report

LONGEST_SENTENCE = 30  # words of the sentence that is spoken: about twelve seconds
LONGEST_PASSAGE = 120  # words
_PARSER = MarkdownIt("commonmark").enable("table")
_QUESTIONS = re.compile(r"\s*(?:pytani[ae]|questions?)\s*:", re.IGNORECASE)
_BETWEEN_QUESTIONS = re.compile(r"[;?\n]+")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”»)]*\s+(?=[\"„“«(]*[^\W_])")
# A full stop behind these ends no sentence; behind one letter it does not either.
_SHORT_FORMS = frozenset(
    "al bl bp br dot dr ew godz gr im in inż itd itp kl kpt ks lek lic m.in mgr min mln np nr ok os pl płk pok pon poz"
    " prof przyp pt por r.ż śp św tel tj tys tzn tzw ul ust wt zob śr czw sob niedz"
    " mr mrs ms st no vs etc e.g i.e a.m p.m approx dept ext inc ltd rd ave sq jr sr".split()
)
_REFUSED = {
    "table": ("A table can not be said on the telephone.", "Write it as sentences, or as a list."),
    "fence": ("A block of code can not be said on the telephone.", "Write it as a sentence."),
    "code_block": (
        "A line indented by four spaces is taken for a block of code.",
        "Begin it at the left edge of the page.",
    ),
    "html_block": ("HTML is not read.", "Write plain text."),
    "html_inline": ("HTML is not read.", "Write plain text."),
    "image": ("An image can not be said on the telephone.", "Say in words what it shows."),
    "blockquote": ("A quotation (`>`) is not read.", "Write a plain paragraph."),
}
_NESTED = ("A list inside another is hard to follow by ear.", "Give the inner list a heading of its own.")


@dataclass(frozen=True)
class Passage:
    """A paragraph or a list. `file` is the path from the bot's folder, `line` the one where the text begins."""

    text: str
    headings: tuple[str, ...]  # the outermost first
    questions: tuple[str, ...]
    language: str
    file: str
    line: int

    @property
    def source(self) -> str:
        """Where it stands, as editors write it: "knowledge/pl/dostawa.md:12"."""
        return f"{self.file}:{self.line}"

    @property
    def sentence(self) -> str:
        """The first sentence: what is said when nothing rephrases the passage."""
        return sentences(self.text)[0]


@dataclass
class _Section:
    """What stands below one heading, so far. `line` is the heading's, 0 before the first heading."""

    level: int
    headings: tuple[str, ...]
    line: int
    questions: tuple[str, ...] = ()
    asked: int = 0  # the line of its questions
    passages: list[Passage] = field(default_factory=list)
    sections: int = 0  # below this one


def sentences(text: str) -> list[str]:
    """The sentences of a text; never empty."""
    found: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        sentence = text[start : end.start()]
        last = re.split(r"[\s(]", sentence)[-1].rstrip(".").casefold()
        if sentence.endswith(".") and (last in _SHORT_FORMS or (len(last) == 1 and last.isalpha())):
            continue
        found.append(text[start : end.end()].strip())
        start = end.end()
    return [*found, text[start:].strip()] if text[start:].strip() or not found else found


def read_passages(text: str, file: str, language: str, report: Report) -> list[Passage]:
    """The passages of a file's text; mistakes go to `report`."""
    if not text.strip():
        report.add_at(file, (1, 1), "This file is empty.", "Write what callers ask about, or remove it.")
        return []
    if re.match(r"(---|\+\+\+)[ \t]*\n", text):
        message = "Settings above the text (front matter) are not read."
        report.add_at(file, (1, 1), message, "Remove them; begin with a heading.")
        return []
    return _Reader(file, language, report).read(SyntaxTreeNode(_PARSER.parse(text)))


class _Reader:
    """Walks through the blocks of one file."""

    def __init__(self, file: str, language: str, report: Report) -> None:
        self._file, self._language, self._report = file, language, report
        self._path = [_Section(0, (), 0)]
        self._passages: list[Passage] = []
        self._intro: tuple[str, int] | None = None  # a paragraph that announces a list, and its line

    def read(self, tree: SyntaxTreeNode) -> list[Passage]:
        for block in tree.children:
            if self._intro and block.type not in ("bullet_list", "ordered_list"):
                self._give_up_intro()
            if block.type == "heading":
                self._heading(block)
            elif block.type == "paragraph":
                self._paragraph(block)
            elif block.type in ("bullet_list", "ordered_list"):
                self._list(block)
            elif block.type in _REFUSED:
                self._tell(_line(block), *_REFUSED[block.type])
        if self._intro:
            self._give_up_intro()
        self._close(0)
        return sorted(self._passages, key=lambda passage: passage.line)

    def _tell(self, line: int, message: str, remedy: str) -> None:
        self._report.add_at(self._file, (line, 1), message, remedy)

    def _give_up_intro(self) -> None:
        assert self._intro is not None
        message = "This paragraph ends with a colon, and no list follows."
        self._tell(self._intro[1], message, "Write the list below it, or end it with a full stop.")
        self._intro = None

    def _heading(self, block: SyntaxTreeNode) -> None:
        level = int(block.tag[1:])
        self._close(level)
        parent = self._path[-1]
        parent.sections += 1
        name = " ".join(self._inline(block).split())
        if not name:
            self._tell(_line(block), "This heading is empty.", "Write what the text below it is about.")
        self._path.append(_Section(level, (*parent.headings, name), _line(block)))

    def _close(self, level: int) -> None:
        """Ends the sections down to this level, and gives their questions to their passages."""
        while self._path and self._path[-1].level >= level:
            section = self._path.pop()
            if section.questions and not section.passages:
                self._tell(section.asked, "These questions have no answer.", "Write it below them.")
            elif section.line and not section.passages and not section.sections:
                self._tell(section.line, "Nothing stands below this heading.", "Write a text, or remove the heading.")
            self._passages += [
                replace(passage, questions=(*passage.questions, *section.questions)) for passage in section.passages
            ]
            if not section.level:
                break

    def _paragraph(self, block: SyntaxTreeNode) -> None:
        said, asked = _split_questions(self._inline(block))
        text = " ".join(said.split())
        if text.endswith(":") and asked is None:
            self._intro = text, _line(block)
        elif text:
            self._add(text, _line(block))
        if asked is not None:
            self._ask(asked, _line(block) + said.count("\n"))

    def _ask(self, asked: str, line: int) -> None:
        """Questions belong to the passage above them; right below a heading, to its whole section."""
        questions = tuple(" ".join(text.split()) for text in _BETWEEN_QUESTIONS.split(asked) if _has_words(text))
        if not questions:
            self._tell(line, "No questions stand here.", "Write them on this line, with semicolons between.")
            return
        section = self._path[-1]
        if not section.passages:
            section.questions, section.asked = section.questions + questions, line
            return
        last = section.passages[-1]
        section.passages[-1] = replace(last, questions=last.questions + questions)

    def _list(self, block: SyntaxTreeNode) -> None:
        split = [_split_questions(self._item(item)) for item in block.children]
        items = [" ".join(said.split()) for said, _ in split if said.strip()]
        intro, line = self._intro or ("", _line(block))
        self._intro = None
        if not items:
            self._tell(line, "This list is empty.", "Write its items, or remove it.")
            return
        whole = any(len(sentences(item)) > 1 or item.endswith((".", "!", "?")) for item in items)
        joined = " ".join(_ended(item) for item in items) if whole else ", ".join(item.rstrip(",;") for item in items)
        self._add(f"{intro} {_ended(joined)}".strip(), line)
        for asked in (asked for _, asked in split if asked is not None):
            self._ask(asked, line)

    def _item(self, item: SyntaxTreeNode) -> str:
        texts = []
        for block in item.children:
            if block.type == "paragraph":
                texts.append(self._inline(block))
            elif block.type in ("bullet_list", "ordered_list"):
                self._tell(_line(block), *_NESTED)
            elif block.type == "heading":
                self._tell(_line(block), "A heading stands inside a list.", "Begin it at the left edge of the page.")
            elif block.type in _REFUSED:
                self._tell(_line(block), *_REFUSED[block.type])
        return "\n".join(texts)

    def _add(self, text: str, line: int) -> None:
        section = self._path[-1]
        passage = Passage(text, section.headings, (), self._language, self._file, line)
        section.passages.append(passage)
        if not _has_words(text):
            self._tell(line, "This text has no words.", "Write a sentence, or remove it.")
        elif (count := len(text.split())) > LONGEST_PASSAGE:
            message = f"This text has {count} words, and a passage may have at most {LONGEST_PASSAGE}."
            self._tell(line, message, "Split it with an empty line.")
        elif (count := len(passage.sentence.split())) > LONGEST_SENTENCE:
            message = f"The first sentence has {count} words, and it is what callers hear: at most {LONGEST_SENTENCE}."
            self._tell(line, message, "Begin with a short sentence that answers the question.")

    def _inline(self, block: SyntaxTreeNode) -> str:
        """The text of a block's inside, with its line breaks; a mistake in it is told with its own line."""
        said = ""
        for node in _leaves(block):
            if node.type in _REFUSED:
                self._tell(_line(block) + said.count("\n"), *_REFUSED[node.type])
            elif node.type in ("softbreak", "hardbreak"):
                said += "\n"
            else:
                said += node.content
        return said


def _leaves(node: SyntaxTreeNode) -> Iterator[SyntaxTreeNode]:
    for child in node.children:
        if child.children and child.type != "image":
            yield from _leaves(child)
        else:
            yield child


def _split_questions(said: str) -> tuple[str, str | None]:
    """What is spoken, and what stands behind `Questions:` down to the end of the paragraph."""
    lines = said.split("\n")
    for number, line in enumerate(lines):
        if mark := _QUESTIONS.match(line):
            above = "".join(f"{text}\n" for text in lines[:number])
            return above, "\n".join([line[mark.end() :], *lines[number + 1 :]])
    return said, None


def _has_words(text: str) -> bool:
    return re.search(r"[^\W_]", text) is not None


def _line(node: SyntaxTreeNode) -> int:
    return node.map[0] + 1 if node.map else 1


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text.rstrip(',;')}."
