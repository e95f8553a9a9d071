"""What callers say, drawn from the text files of one language (syntax: texts/README.md).

Every draw takes its own `Random`: the same seed gives the same words.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from random import Random

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from asr.training import numbers
from asr.training.errors import TextProblems

LANGUAGES = ("pl", "en")
TEXTS = Path(__file__).parent / "texts"

_WEIGHT = re.compile(r"(\d+) \* (.+)", re.DOTALL)
_LITERAL = re.compile(r"[a-ząćęłńóśźż' ]*")
_SLOT = re.compile(r"(?P<name>[a-z_]+)(?:#(?P<which>\d))?(?:\.(?P<column>[a-z]+))?(?::(?P<arguments>.+))?")
_COMPUTED = ("digits", "number", "count", "hour", "day_of_month")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass
class Draw:
    """One sentence being drawn: its random source, and the table rows it has chosen, so that its words agree."""

    rng: Random
    rows: dict[tuple[str, str], Mapping[str, Node]] = field(default_factory=dict)


Node = Callable[[Draw], str]


class _Mistake(Exception):
    """A mistake in one template; the loader adds file and line."""


class Weighted:
    """Templates, drawn by weight."""

    def __init__(self, nodes: Sequence[tuple[int, Node]], chance: float = 1.0) -> None:
        self._nodes = [node for _, node in nodes]
        self._cumulative = list(accumulate(weight for weight, _ in nodes))
        self._chance = chance

    def __len__(self) -> int:
        return len(self._nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self._nodes)

    def draw(self, draw: Draw) -> str:
        if self._chance < 1 and draw.rng.random() >= self._chance:
            return ""
        return self._nodes[bisect(self._cumulative, draw.rng.random() * self._cumulative[-1])](draw)


@dataclass
class Slots:
    """What `{...}` can name: computed numbers, lists, tables (rows of named columns)."""

    language: str
    lists: dict[str, Weighted] = field(default_factory=dict)
    tables: dict[str, list[Mapping[str, Node]]] = field(default_factory=dict)

    def node(self, text: str) -> Node:
        """The slot written `{text}`, checked."""
        match = _SLOT.fullmatch(text)
        if match is None:
            raise _Mistake(f"'{{{text}}}' is not a slot")
        name, which, column, arguments = match.group("name", "which", "column", "arguments")
        if name in self.tables:
            return self._table_node(name, which or "1", column)
        if column or which:
            raise _Mistake(f"there is no table '{name}'")
        if name in self.lists:
            return self.lists[name].draw
        return self._computed_node(name, arguments or "")

    def _table_node(self, name: str, which: str, column: str | None) -> Node:
        rows = self.tables[name]
        if column is None or column not in rows[0]:
            raise _Mistake(f"table '{name}' has no column '{column}' but {', '.join(rows[0])}")

        def draw_column(draw: Draw) -> str:
            row = draw.rows.get((name, which))
            if row is None:
                row = draw.rows[name, which] = draw.rng.choice(rows)
            return row[column](draw)

        return draw_column

    def _computed_node(self, name: str, arguments: str) -> Node:
        language = self.language
        first, _, rest = arguments.partition(":")
        match = _RANGE.fullmatch(first)
        low, high = (int(match[1]), int(match[2] or match[1])) if match else (1, 31)
        if name not in _COMPUTED:
            raise _Mistake(f"there is no slot '{name}'")
        if name != "day_of_month" and (match is None or low > high):
            raise _Mistake(f"'{name}' needs a range like {{{name}:1-9}}")
        forms = tuple(rest.split(","))
        if name == "digits":
            return lambda draw: numbers.digits(
                "".join(draw.rng.choice("0123456789") for _ in range(draw.rng.randint(low, high))), language, draw.rng
            )
        if name == "number":
            return lambda draw: _spoken(draw.rng.randint(low, high), language, draw.rng)
        if name == "hour":
            return lambda draw: numbers.hour(draw.rng.randint(low, high), language)
        if name == "day_of_month":
            return lambda draw: numbers.day_of_month(draw.rng.randint(1, 31), language)
        if name == "count" and len(forms) == (3 if language == "pl" else 2):
            return lambda draw: _counted(draw.rng.randint(low, high), forms, language, draw.rng)
        raise _Mistake("'count' needs one word form for each plural, separated by commas")


def _spoken(n: int, language: str, rng: Random) -> str:
    words = numbers.cardinal(n, language)
    return words.replace(" and ", " ") if rng.random() < 0.5 else words


def _counted(n: int, forms: tuple[str, ...], language: str, rng: Random) -> str:
    return f"{_spoken(n, language, rng)} {numbers.plural(n, forms)}"


def parse(template: str, slots: Slots) -> Node:
    """The drawing function of a template without a weight."""
    node, end = _sequence(template, 0, slots, nested=False)
    if end != len(template):
        raise _Mistake(f"')' too many at column {end + 1}")
    return node


def _sequence(text: str, start: int, slots: Slots, *, nested: bool) -> tuple[Node, int]:
    """Words, slots and choices up to the end, or (nested) to the next `|` or `)`; the node and where it ended."""
    parts: list[Node] = []
    position = start
    while position < len(text):
        character = text[position]
        if character == ")" or (nested and character == "|"):
            break
        if character == "{":
            close = text.find("}", position)
            if close < 0:
                raise _Mistake(f"'{{' at column {position + 1} is never closed")
            parts.append(slots.node(text[position + 1 : close]))
            position = close + 1
        elif character == "(":
            node, position = _choice(text, position + 1, slots)
            parts.append(node)
        else:
            literal = re.compile(r"[^(){}|]*").match(text, position)
            assert literal is not None
            if not literal[0] or not _LITERAL.fullmatch(literal[0]):
                raise _Mistake(f"only lower-case words may stand there: {literal[0] or character!r}")
            parts.append(_say(literal[0]))
            position = literal.end()
    return (lambda draw: "".join(part(draw) for part in parts)), position


def _choice(text: str, start: int, slots: Slots) -> tuple[Node, int]:
    alternatives: list[Node] = []
    position = start
    while True:
        node, position = _sequence(text, position, slots, nested=True)
        alternatives.append(node)
        if position >= len(text):
            raise _Mistake(f"'(' at column {start} is never closed")
        position += 1
        if text[position - 1] == ")":
            return (lambda draw: draw.rng.choice(alternatives)(draw)), position


def _say(words: str) -> Node:
    return lambda draw: words


def _weighted(line: str, slots: Slots) -> tuple[int, Node]:
    match = _WEIGHT.fullmatch(line)
    return (int(match[1]), parse(match[2], slots)) if match else (1, parse(line, slots))


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line number and text of every line that is not empty or a comment."""
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip()
        if line and not line.startswith("#"):
            yield number, line


@dataclass(frozen=True)
class Grammar:
    """All that can be said in one language; the lists hold one entry per line of their files."""

    language: str
    sentences: Weighted
    held_out: Weighted
    phrases: Weighted
    words: tuple[str, ...]
    unseen: tuple[str, ...]

    def sentence(self, rng: Random) -> str:
        return say(self.sentences.draw, rng)

    def held_out_sentence(self, rng: Random) -> str:
        return say(self.held_out.draw, rng)

    def phrase(self, rng: Random) -> str:
        return say(self.phrases.draw, rng)

    def number(self, rng: Random) -> str:
        """Dictated digits, two times of three six of them, alone or after the first words of a sentence."""
        length = 6 if rng.random() < 2 / 3 else rng.randint(1, 11)
        dictated = numbers.digits("".join(rng.choices("0123456789", k=length)), self.language, rng)
        if rng.random() < 0.7:
            return dictated
        source = self.sentence(rng).split()
        return " ".join([*source[: rng.randint(1, 4)], dictated])

    def scrambled(self, rng: Random) -> str:
        """Two to seven words in random order, half of them common words, half taken from sentences."""
        chosen = [
            rng.choice(self.words) if rng.random() < 0.5 else rng.choice(self.sentence(rng).split())
            for _ in range(rng.randint(2, 7))
        ]
        return " ".join(chosen)

    def mixed(self, rng: Random) -> str:
        """Runs of words from two to four sentences, now and then with a common word at the seam: known words and
        phrases in sentences that no template says."""
        words: list[str] = []
        for _ in range(rng.randint(2, 4)):
            if words and rng.random() < 0.4:
                words.append(rng.choice(self.words))
            source = (self.sentence if rng.random() < 0.8 else self.phrase)(rng).split()
            length = min(len(source), rng.randint(1, 5))
            start = rng.randint(0, len(source) - length)
            words += source[start : start + length]
        return " ".join(words)


def say(node: Node, rng: Random) -> str:
    """One sentence drawn from a template, spaces tidied."""
    return " ".join(node(Draw(rng)).split())


def load(language: str, texts: Path = TEXTS) -> Grammar:
    """Reads and checks `texts/<language>/`; raises TextProblems with every mistake of every file."""
    folder, problems = texts / language, list[str]()
    if not folder.is_dir():
        raise TextProblems([f"{folder}: there are no texts for '{language}'"])
    slots = _load_slots(folder / "slots.yaml", language, problems)
    if problems:
        raise TextProblems(problems)  # every line would complain of missing slots as well
    sentences, held_out, phrases = (
        _load_lines(folder / name, slots, problems) for name in ("sentences.txt", "held_out.txt", "phrases.txt")
    )
    words = _load_words(folder / "words.txt", problems)
    unseen = _load_plain(folder / "unseen.txt", problems)
    if problems:
        raise TextProblems(problems)
    return Grammar(language, sentences, held_out, phrases, words, unseen)


def _load_words(path: Path, problems: list[str]) -> tuple[str, ...]:
    words: set[str] = set()
    for number, line in lines(path):
        for word in line.split():
            if not _LITERAL.fullmatch(word):
                problems.append(f"{path}:{number}: '{word}' is not a lower-case word")
            words.add(word)
    return tuple(sorted(words))


def _load_plain(path: Path, problems: list[str]) -> tuple[str, ...]:
    """Whole sentences, one a line."""
    found = [(number, line) for number, line in lines(path)]
    problems += [
        f"{path}:{n}: only lower-case words may stand there" for n, line in found if not _LITERAL.fullmatch(line)
    ]
    return tuple(line for _, line in found)


def _load_lines(path: Path, slots: Slots, problems: list[str]) -> Weighted:
    nodes: list[tuple[int, Node]] = []
    for number, line in lines(path):
        try:
            nodes.append(_weighted(line, slots))
        except _Mistake as mistake:
            problems.append(f"{path}:{number}: {mistake}")
    if not nodes and not problems:
        problems.append(f"{path}:1: the file holds no line")
    return Weighted(nodes)


def _load_slots(path: Path, language: str, problems: list[str]) -> Slots:
    """Tables first, then the lists in the order of the file: a list may use the tables and the lists above it."""
    slots = Slots(language)
    try:
        document = YAML(typ="rt").load(path)
    except YAMLError as error:
        problems.append(f"{path}:1: {error}")
        return slots
    tables, lists_ = document.get("tables", {}), document.get("lists", {})
    for name, table in tables.items():
        rows: list[Mapping[str, Node]] = []
        for position, row in enumerate(table["rows"]):
            if len(row) != len(table["columns"]):
                line, wanted = table["rows"].lc.item(position)[0] + 1, len(table["columns"])
                problems.append(f"{path}:{line}: a row of '{name}' has {len(row)} cells for {wanted} columns")
                continue
            rows.append({column: _say(cell) for column, cell in zip(table["columns"], row, strict=True)})
        slots.tables[name] = rows or [{}]
    for name, entry in lists_.items():
        items, chance = (entry["of"], float(entry["chance"])) if isinstance(entry, dict) else (entry, 1.0)
        nodes: list[tuple[int, Node]] = []
        for position, item in enumerate(items):
            try:
                nodes.append(_weighted(str(item), slots))
            except _Mistake as mistake:
                problems.append(f"{path}:{items.lc.item(position)[0] + 1}: {name}: {mistake}")
        slots.lists[name] = Weighted(nodes or [(1, _say(""))], chance)
    return slots
