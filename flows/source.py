"""A YAML file with the place of everything in it, and the mistakes found so far."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.composer import Composer
from ruamel.yaml.constructor import DuplicateKeyError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import ScalarEvent

from flows.decoding import Unreadable, decode, read_bytes
from flows.errors import Problem

_DEEPEST, _LARGEST = 40, 20_000  # levels, values: far beyond any flow, far below what hurts
_MOST_PROBLEMS = 100  # of one file; who has more will not read them all
_LEADING_ZERO = re.compile(r"\+?0[0-9_]+")
Place = Sequence[str | int]


@dataclass
class Report:
    """Mistakes of all files of a bot. Of a file with very many, the first ones; `counts` knows how many there were."""

    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, source: Source, place: Place, message: str, remedy: str = "", *, at_value: bool = False) -> None:
        """A mistake at a place in a file: its key, or its value."""
        if self.full(source):
            self.counts[source.name] += 1
            return
        line, column = source.position(place, at_value=at_value)
        self.add_at(source.name, (line, column), message, remedy)

    def add_whole(self, name: str, message: str, remedy: str = "") -> None:
        """A mistake that has no line."""
        self.add_at(name, (0, 0), message, remedy)

    def add_at(self, name: str, position: tuple[int, int], message: str, remedy: str = "") -> None:
        """A mistake at a line and column of a file."""
        self.counts[name] += 1
        if self.counts[name] <= _MOST_PROBLEMS:
            self.problems.append(Problem(name, *position, message, remedy))

    def full(self, source: Source) -> bool:
        """Whether so many mistakes of a file were told that others are only counted."""
        return self.counts[source.name] >= _MOST_PROBLEMS

    def all(self) -> list[Problem]:
        """Every mistake once, in the order of the files."""
        more = [
            Problem(name, 0, 0, f"There are {count - _MOST_PROBLEMS} more mistakes in this file.", "Mend these first.")
            for name, count in self.counts.items()
            if count > _MOST_PROBLEMS
        ]
        return sorted({*self.problems, *more})


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
        return getattr(node, "value", None) if isinstance(getattr(node, "value", None), str) else str(node)

    def position(self, place: Place, *, at_value: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of the deepest part of `place` that exists."""
        node = self._tree
        line, column = _start(node)
        for index, part in enumerate(place):
            last = index == len(place) - 1
            if isinstance(node, CommentedMap):
                key = part if part in node else next((key for key in node if str(key) == str(part)), None)
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


class _BoundedComposer(Composer):
    """Stops while a file is being read, rather than after it has filled the memory."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._depth = self._nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._nodes += 1
        if self._depth > _DEEPEST or self._nodes > _LARGEST:
            raise _TooLarge
        event = self.parser.peek_event()
        plain = isinstance(event, ScalarEvent) and not event.style
        if plain and event.value == "<<":
            raise _Refused(event, "Keys can not be taken over with `<<`.", "Write them out here.")
        if plain and event.tag is not None:
            raise _Refused(event, "A text that begins with `!` needs quotes.", 'Write "!...".')
        if plain and _LEADING_ZERO.fullmatch(event.value):
            raise _Refused(event, "A number loses the 0 that it begins with.", f'Put it in quotes: "{event.value}".')
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _Constructor(RoundTripConstructor):
    """Days and hours stay as they are written: whether there is such a day is told where it is used."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", RoundTripConstructor.construct_yaml_str)


class _Refused(Exception):
    """YAML that hardly anyone means: `<<`, which also takes quadratic time, tags, and numbers that lose their zeros."""

    def __init__(self, event: Any, message: str, remedy: str) -> None:
        super().__init__(message)
        self.line, self.column = event.start_mark.line + 1, event.start_mark.column + 1
        self.message, self.remedy = message, remedy


def read(path: Path, report: Report) -> Source | None:
    """The file, or None after its mistake was reported."""
    try:
        text = decode(read_bytes(path))
    except Unreadable as error:
        report.add_at(path.name, (error.line, error.column), error.message, error.remedy)
        return None
    return read_text(path.name, text, report)


def read_text(name: str, text: str, report: Report) -> Source | None:
    """The file's text as a source, or None after its mistake was reported."""
    line = column = 0
    yaml = YAML(pure=True)
    yaml.Composer, yaml.Constructor = _BoundedComposer, _Constructor
    try:
        source = Source(name, yaml.load(text))
    except DuplicateKeyError as error:
        line, column = _mark(error)
        key = str(error.problem).split('"')[1] if '"' in str(error.problem) else ""
        message, remedy = f"The key `{key}` stands here twice.", "Keep one of the two."
    except MarkedYAMLError as error:
        line, column = _mark(error)
        message, remedy = _in_plain_words(error, text.split("\n")[line - 1][: max(column - 1, 0)] if line else "")
    except _Refused as error:
        line, column, message, remedy = error.line, error.column, error.message, error.remedy
    except (_TooLarge, RecursionError):
        message, remedy = "This file is too deeply nested or too large.", "Split it into several flows."
    except Exception as error:  # a YAML parser meets any text, and this one raises many kinds of errors for bad ones
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
        if source.data is None:
            message = "This file is empty."
    report.add_at(name, (line, column), message, remedy)
    return None


def _mark(error: MarkedYAMLError) -> tuple[int, int]:
    mark = error.problem_mark or error.context_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _in_plain_words(error: MarkedYAMLError, before: str) -> tuple[str, str]:
    problem, context = str(error.problem or ""), str(error.context or "")
    if re.search(r"[:\[{,-] *[„“”«‘’]", before):
        return "Typographic quotation marks do not quote a text.", 'Write the straight ones: "...".'
    if "mapping values are not allowed" in problem:
        return "A colon followed by a space stands in the middle of a text.", 'Put the whole text in quotes: "...".'
    if "\\t" in problem or "tab" in problem.lower():
        return "A tab is used for indentation.", "Indent with spaces."
    if "found '<scalar>'" in problem and before.rstrip().endswith(('"', "'")):
        return "A text goes on after its closing quotation mark.", "Put the whole of it in one pair of quotes."
    if "undefined alias" in problem:
        return "A text that begins with `*` needs quotes.", 'Write "*...".'
    if "cannot start any token" in problem:
        return "A text can not begin with this character.", 'Put the whole text in quotes: "...".'
    if "another document" in problem:
        return "A line `---` begins a second document here, which is not read.", "Remove the line, or split the file."
    if "flow sequence" in context or "flow mapping" in context:
        return (
            "A list in [ ] or a mapping in { } is not closed, or a text in it holds a brace, bracket or comma.",
            'Close it, or put the text in quotes: "...".',
        )
    if "quoted scalar" in context:
        return "A quotation mark is opened and never closed.", "Close it at the end of the text."
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
