"""Reads a bot's folder `knowledge/`, and answers questions from it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os.path import lexists
from pathlib import Path

from flows.decoding import Unreadable, decode, read_bytes
from flows.knowledge.passages import Passage, read_passages
from flows.knowledge.search import Match, Search
from flows.knowledge.stop_words import STOP_WORDS
from flows.source import Report

FOLDER = "knowledge"
ENDING = ".md"
LANGUAGES = tuple(STOP_WORDS)
MOST_FILES = 200  # of one language
MOST_CHARACTERS = 1_000_000  # of one language; read and indexed in about two seconds


@dataclass(frozen=True)
class Found:
    """An answer: the passage, its sentence for the ear, how much of the question it covers (0..1), where it stands."""

    passage: Passage
    sentence: str
    score: float
    source: str


class Knowledge:
    """The passages of a bot, ready to be asked. Without passages it never knows an answer."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self.passages = tuple(passages)
        self._by_source = {passage.source: passage for passage in passages}
        self._searches: Mapping[str, Search] = {
            language: Search([passage for passage in passages if passage.language == language], language)
            for language in {passage.language for passage in passages}
        }

    def passage(self, source: str, language: str) -> Passage | None:
        """The passage that stands there, if there is one in this language."""
        found = self._by_source.get(source)
        return found if found is not None and found.language == language else None

    def search(self, question: str, language: str) -> list[Match]:
        """The passages that may answer the question, best first; at most three."""
        search = self._searches.get(language)
        return search.best(question) if search else []

    def answer(self, question: str, language: str) -> Found | None:
        """The passage that answers the question best; None means "I do not know"."""
        matches = self.search(question, language)
        if not matches:
            return None
        best = matches[0]
        return Found(best.passage, best.passage.sentence, best.score, best.passage.source)


def load_knowledge(folder: Path, languages: Sequence[str], report: Report) -> Knowledge:
    """The knowledge of a bot's folder in its languages; empty where there is none. Mistakes go to `report`."""
    place = folder / FOLDER
    if not lexists(place):
        return Knowledge([])
    if not place.is_dir():
        report.add_whole(FOLDER, "This is not a folder.", f"Put the files into {FOLDER}/{languages[0]}/.")
        return Knowledge([])
    before = len(report.problems)
    passages: list[Passage] = []
    for path in _visible(place):
        if _leads_out(path, place):
            _tell_link(f"{FOLDER}/{path.name}", "Put the files themselves here.", report)
        elif path.is_dir() and path.name in languages:
            passages += _read_language(path, path.name, report)
        else:
            _tell_misplaced(path, languages, report)
    if not passages and len(report.problems) == before:
        report.add_whole(FOLDER, "There is no knowledge in this folder.", f"Write {FOLDER}/{languages[0]}/*{ENDING}.")
    return Knowledge(passages)


def _visible(place: Path) -> list[Path]:
    """What a folder holds; hidden files are not meant, editors and archives leave such."""
    return sorted(path for path in place.iterdir() if not path.name.startswith("."))


def _leads_out(path: Path, root: Path) -> bool:
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def _tell_link(name: str, remedy: str, report: Report) -> None:
    report.add_whole(name, f"This is a link that leads out of the folder {FOLDER}.", remedy)


def _tell_misplaced(path: Path, languages: Sequence[str], report: Report) -> None:
    name = f"{FOLDER}/{path.name}"
    if not path.is_dir():
        wanted = " or ".join(f"{FOLDER}/{language}/" for language in languages)
        report.add_whole(name, "This file belongs to no language.", f"Put it into {wanted}.")
    elif path.name in LANGUAGES:
        report.add_whole(name, f"The bot does not speak `{path.name}`.", "Add it to `languages` in bot.yaml.")
    else:
        known = " or ".join(f"`{language}`" for language in languages)
        report.add_whole(name, "A folder here is named after a language.", f"Name it {known}.")


def _read_language(place: Path, language: str, report: Report) -> list[Passage]:
    paths = _visible(place)
    if len(paths) > MOST_FILES:
        message = f"There are {len(paths):,} files in this folder, and at most {MOST_FILES} are read."
        report.add_whole(f"{FOLDER}/{language}", message, "Put several subjects into one file.")
        return []
    passages: list[Passage] = []
    characters = 0
    for path in paths:
        name = f"{FOLDER}/{language}/{path.name}"
        text = _read(path, place.parent, name, report)
        if text is None:
            continue
        characters += len(text)
        if characters > MOST_CHARACTERS:
            message = f"The files down to this one have more than {MOST_CHARACTERS:,} characters."
            report.add_whole(name, message, "Keep what callers ask about.")
            break
        passages += read_passages(text, name, language, report)
    _tell_duplicates(passages, report)
    return passages


def _read(path: Path, root: Path, name: str, report: Report) -> str | None:
    """The file's text, or None after its mistake was reported."""
    if _leads_out(path, root):
        _tell_link(name, "Put the file itself here.", report)
    elif path.suffix != ENDING:
        what = "A folder" if path.is_dir() else "A file that does not end in .md"
        report.add_whole(
            name, f"{what} is not read here.", f"Write it as Markdown, in a file like {path.stem}{ENDING}."
        )
    else:
        try:
            return decode(read_bytes(path))
        except Unreadable as error:
            report.add_at(name, (error.line, error.column), error.message, error.remedy)
    return None


def _tell_duplicates(passages: Sequence[Passage], report: Report) -> None:
    first: dict[str, Passage] = {}
    for passage in passages:
        known = first.setdefault(passage.text.casefold(), passage)
        if known is not passage:
            message = f"The same text stands in {known.source}."
            report.add_at(passage.file, (passage.line, 1), message, "Keep one of the two.")
