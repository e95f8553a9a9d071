"""A YAML file with the place of everything in it, and the mistakes found so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError

from flows.errors import Problem

_DEEPEST, _LARGEST = 20, 20_000  # levels, values: far beyond any flow, far below what hurts
Place = Sequence[str | int]


@dataclass
class Report:
    """Mistakes of all files of a bot."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, source: Source, place: Place, message: str, remedy: str = "", *, at_value: bool = False) -> None:
        """A mistake at a place in a file: its key, or its value."""
        line, column = source.position(place, at_value=at_value)
        self.problems.append(Problem(source.name, line, column, message, remedy))

    def add_whole(self, name: str, message: str, remedy: str = "") -> None:
        """A mistake that has no line."""
        self.problems.append(Problem(name, 0, 0, message, remedy))


class Source:
    """A file read. `data` is plain Python; `position` says where in the file a part of it stands."""

    def __init__(self, name: str, tree: Any) -> None:
        self.name = name
        self._tree = tree
        self._count = 0
        self.data = self._plain(tree, 0)

    def _plain(self, node: Any, depth: int) -> Any:
        self._count += 1
        if depth > _DEEPEST or self._count > _LARGEST:
            raise _TooLarge
        if isinstance(node, CommentedMap):
            return {str(key): self._plain(value, depth + 1) for key, value in node.items()}
        if isinstance(node, CommentedSeq | list | tuple | set):
            return [self._plain(item, depth + 1) for item in node]
        if node is None or isinstance(node, bool):
            return node
        for kind in (int, float, str):
            if isinstance(node, kind):
                return kind(node)
        if isinstance(node, date | datetime):
            return node.isoformat()
        return getattr(node, "value", None) if isinstance(getattr(node, "value", None), str) else str(node)

    def position(self, place: Place, *, at_value: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of the deepest part of `place` that exists."""
        node = self._tree
        line, column = _start(node)
        for index, part in enumerate(place):
            last = index == len(place) - 1
            if isinstance(node, CommentedMap):
                key = next((key for key in node if str(key) == str(part)), None)
                if key is None:
                    break
                line, column = node.lc.value(key) if last and at_value else node.lc.key(key)
                node = node[key]
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                line, column = node.lc.item(part)
                node = node[part]
            else:
                break
        return line + 1, column + 1


class _TooLarge(Exception):
    pass


def _start(node: Any) -> tuple[int, int]:
    lc = getattr(node, "lc", None)
    return (lc.line or 0, lc.col or 0) if lc is not None else (0, 0)


def read(path: Path, report: Report) -> Source | None:
    """The file, or None after its mistake was reported."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        report.add_whole(
            path.name, f"This file can not be read: {error.strerror}.", "Check that it is there and readable."
        )
        return None
    except UnicodeDecodeError:
        report.add_whole(path.name, "This file is not UTF-8 text.", "Save it with the encoding UTF-8.")
        return None
    return read_text(path.name, text, report)


def read_text(name: str, text: str, report: Report) -> Source | None:
    """The file's text as a source, or None after its mistake was reported."""
    try:
        source = Source(name, YAML(pure=True).load(text))
    except DuplicateKeyError as error:
        line, column = _mark(error)
        key = str(error.problem).split('"')[1] if '"' in str(error.problem) else ""
        message, remedy = f"The key `{key}` stands here twice.", "Keep one of the two."
    except MarkedYAMLError as error:
        line, column = _mark(error)
        message, remedy = _in_plain_words(error)
    except (_TooLarge, RecursionError):
        line, column = 0, 0
        message, remedy = "This file is too deeply nested or too large.", "Split it into several flows."
    except Exception as error:  # a YAML parser meets any text, and this one raises many kinds of errors for bad ones
        line, column = 0, 0
        message, remedy = (
            f"This is not valid YAML: {_first_line(error)}.",
            "Check the file in an editor that knows YAML.",
        )
    else:
        if isinstance(source.data, dict):
            return source
        line, column = 1, 1
        message, remedy = (
            "The file has to be a list of keys with values.",
            "Begin for example with `flow: order_status`.",
        )
    report.problems.append(Problem(name, line, column, message, remedy))
    return None


def _mark(error: MarkedYAMLError) -> tuple[int, int]:
    mark = error.problem_mark or error.context_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _in_plain_words(error: MarkedYAMLError) -> tuple[str, str]:
    problem, context = str(error.problem or ""), str(error.context or "")
    if "mapping values are not allowed" in problem:
        return "A colon followed by a space stands in the middle of a text.", 'Put the whole text in quotes: "...".'
    if "flow sequence" in context or "flow mapping" in context:
        return (
            "A list in [ ] or a mapping in { } is not closed, or a text in it holds a brace, bracket or comma.",
            'Close it, or put the text in quotes: "...".',
        )
    if "quoted scalar" in context:
        return "A quotation mark is opened and never closed.", "Close it at the end of the text."
    if "\\t" in problem or "tab" in problem.lower():
        return "A tab is used for indentation.", "Indent with spaces."
    if "block mapping" in context or "block sequence" in context or "block collection" in context:
        return "The indentation does not fit the lines above.", "Indent keys of one level by the same number of spaces."
    if "could not find expected ':'" in problem:
        return "A key without a colon, or a text that goes on in the wrong column.", "Write `key: value`."
    return f"This is not valid YAML: {problem}.", "Check the file in an editor that knows YAML."


def likely(word: str, known: Iterable[str]) -> str | None:
    """The known word that was likely meant."""
    best = process.extractOne(word, sorted(known), scorer=fuzz.ratio, score_cutoff=60)
    return best[0] if best else None


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that was likely meant, as a remedy, or the list of those there are."""
    names = sorted(known)
    best = likely(word, names)
    if best:
        return f"Did you mean `{best}`?"
    return f"Known here: {', '.join(f'`{name}`' for name in names)}." if names else ""
