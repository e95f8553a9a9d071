"""Where everything in a drawing of a flow goes.

A flow is structured: steps below each other, ways that part and come together again. So no general graph layout is
needed: each part is a block around an axis (x = 0), blocks are stacked, and the ways of a step stand side by side.
Jumps (`go_to`, `retry`) are written out where they happen instead of being drawn as lines across the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from flows.outline import Item, Outline

WIDEST = 230  # of the text in a box
PADDING = 10
LINE = 17
TITLE, TEXT, SMALL = 13, 13, 11  # sizes of letters
_GAP = 24  # between steps, for the arrow
_BESIDE = 26  # between ways
_WAY = 44  # from a step to the first step of a way, with the way's name
_MARGIN = 24
_ROW = 2200  # width at which the next flow begins a new row
_LONGEST_TEXT = 8  # lines

Style = Literal["start", "say", "ask", "system", "choice", "people", "end", "jump", "keep"]
Measure = Callable[[str, int], float]
"""Width of a text in letters of a size."""

_STYLE: dict[str, Style] = {
    "say": "say", "log": "keep", "set": "keep", "collect": "ask", "survey": "ask", "call": "system",
    "verify": "system", "choose": "choice", "decision": "choice", "handoff": "people", "callback": "people",
    "sub_flow": "jump", "go_to": "jump", "retry": "jump", "ask_more": "end", "hang_up": "end",
}  # fmt: skip


@dataclass(frozen=True)
class Text:
    """A line of text; `y` is its middle."""

    x: float
    y: float
    words: str
    size: int
    bold: bool = False
    anchor: Literal["middle", "start"] = "middle"
    backed: bool = False  # on a patch of background, so that a line beneath does not run through it


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    style: Style
    round: bool


@dataclass(frozen=True)
class Line:
    """Through these points; `arrow` at the last one."""

    points: tuple[tuple[float, float], ...]
    arrow: bool


Shape = Text | Box | Line


@dataclass
class Block:
    """Shapes around an axis, from y = 0 to `height`; `goes_on`: its line leads out of the bottom.

    A line that comes from above ends at `entry`, beneath the name of a step.
    """

    left: float = 0.0
    right: float = 0.0
    height: float = 0.0
    entry: float = 0.0
    goes_on: bool = True
    shapes: list[Shape] = field(default_factory=list)

    def put(self, other: Block, x: float, y: float) -> None:
        self.left = max(self.left, other.left - x)
        self.right = max(self.right, other.right + x)
        self.height = max(self.height, other.height + y)
        self.shapes += [_moved(shape, x, y) for shape in other.shapes]

    def line(self, *points: tuple[float, float], arrow: bool = False) -> None:
        self.shapes.append(Line(points, arrow))


@dataclass(frozen=True)
class Drawing:
    width: float
    height: float
    shapes: tuple[Shape, ...]


def _moved(shape: Shape, x: float, y: float) -> Shape:
    if isinstance(shape, Line):
        return replace(shape, points=tuple((px + x, py + y) for px, py in shape.points))
    return replace(shape, x=shape.x + x, y=shape.y + y)


def lay_out(flows: Sequence[Outline], measure: Measure) -> Drawing:
    """All flows beside each other, in rows."""
    pen = _Pen(measure)
    shapes: list[Shape] = []
    x = y = float(_MARGIN)
    row_height = width = 0.0
    for flow in flows:
        block = pen.flow(flow)
        if x > _MARGIN and x + block.left + block.right > _ROW:
            x, y, row_height = float(_MARGIN), y + row_height + 2 * _MARGIN, 0.0
        shapes += [_moved(shape, x + block.left, y) for shape in block.shapes]
        x += block.left + block.right + 2 * _MARGIN
        row_height = max(row_height, block.height)
        width = max(width, x - _MARGIN)
    return Drawing(width, y + row_height + _MARGIN, tuple(shapes))


class _Pen:
    def __init__(self, measure: Measure) -> None:
        self._measure = measure

    def flow(self, flow: Outline) -> Block:
        steps = self.steps(flow.steps)
        whole = self._below(self._box("start", flow.name, flow.description, "", ""), steps)
        if steps.goes_on:
            whole = self._below(whole, self._box("end", flow.end, "", "", ""))
        return whole

    def steps(self, steps: Sequence[Item]) -> Block:
        whole = Block()
        for step in steps:
            whole = self._below(whole, self.step(step))
        return whole

    def _below(self, above: Block, below: Block) -> Block:
        """Two blocks, with an arrow from one to the other where the upper one leads on."""
        if not above.height:
            return below
        if not below.height:
            return above
        whole = Block(entry=above.entry, goes_on=below.goes_on)
        whole.put(above, 0, 0)
        if above.goes_on:
            whole.line((0, above.height), (0, above.height + _GAP + below.entry), arrow=True)
        whole.put(below, 0, above.height + _GAP)
        return whole

    def step(self, item: Item) -> Block:
        style = _STYLE.get(item.kind, "say")
        box = self._box(style, item.title, item.text, item.when, item.label)
        if not item.ways:
            box.goes_on = not item.ends
            return box
        return self._fork(box, item)

    def _fork(self, box: Block, item: Item) -> Block:
        ways = [self.steps(way.steps) for way in item.ways]
        names = [way.name for way in item.ways]
        axes = self._axes(ways, names, spread=item.kind in ("decision", "choose"))
        whole = Block(entry=box.entry)
        whole.put(box, 0, 0)
        bus, top = box.height + _GAP / 2, box.height + _WAY
        deepest = max(way.height for way in ways)
        bottom = top + deepest + (_GAP / 2 if deepest else 0)
        for axis, way, name in zip(axes, ways, names, strict=True):
            straight = axis == 0
            start = [(0.0, box.height)] if straight else [(0.0, box.height), (0.0, bus), (axis, bus)]
            whole.line(*start, (axis, top + way.entry if way.height else bottom), arrow=bool(way.height))
            whole.put(way, axis, top)
            half = self._measure(name, SMALL) / 2
            whole.put(Block(half + 6, half + 6), axis, bus + 14)
            whole.shapes.append(Text(axis, bus + 13, name, SMALL, backed=True))
            if way.goes_on:
                if way.height:
                    whole.line((axis, top + way.height), (axis, bottom))
                if not straight:
                    whole.line((axis, bottom), (0, bottom))
        whole.height = bottom
        whole.goes_on = any(way.goes_on for way in ways)
        return whole

    def _axes(self, ways: Sequence[Block], names: Sequence[str], *, spread: bool) -> list[float]:
        """Where the ways stand: around the step, or the first one below it and the others to its right."""
        halves = [self._measure(name, SMALL) / 2 + 8 for name in names]
        axes = [0.0]
        for index in range(1, len(ways)):
            before = max(ways[index - 1].right, halves[index - 1])
            axes.append(axes[-1] + before + _BESIDE + max(ways[index].left, halves[index]))
        middle = (axes[0] + axes[-1]) / 2 if spread else 0.0
        return [axis - middle for axis in axes]

    def _box(self, style: Style, title: str, text: str, when: str, label: str) -> Block:
        lines = [(words, TITLE, True) for words in self._wrapped(title, TITLE)]
        lines += [(words, TEXT, False) for words in self._wrapped(text, TEXT)]
        lines += [(words, SMALL, False) for words in self._wrapped(f"only if {when}" if when else "", SMALL)]
        width = max(self._measure(words, size) * (1.06 if bold else 1.0) for words, size, bold in lines) + 2 * PADDING
        height = len(lines) * LINE + 2 * PADDING - 4
        block = Block()
        above = 0.0
        if label:
            above = block.entry = float(LINE)
            block.shapes.append(Text(-width / 2, LINE / 2, f"▸ {label}", SMALL, anchor="start"))
        block.shapes.append(Box(-width / 2, above, width, height, style, style in ("start", "end", "people", "jump")))
        for index, (words, size, bold) in enumerate(lines):
            block.shapes.append(Text(0, above + PADDING - 2 + (index + 0.5) * LINE, words, size, bold))
        half = max(width, self._measure(f"▸ {label}", SMALL) * 2 - width if label else 0) / 2
        block.left, block.right, block.height = width / 2, half, above + height
        return block

    def _wrapped(self, text: str, size: int) -> list[str]:
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and self._measure(longer, size) <= WIDEST:
                lines[-1] = longer
            else:
                lines += self._cut(word, size)
        if len(lines) > _LONGEST_TEXT:
            lines = [*lines[: _LONGEST_TEXT - 1], f"{lines[_LONGEST_TEXT - 1]} …"]
        return lines

    def _cut(self, word: str, size: int) -> list[str]:
        """A word that is wider than a box, in pieces."""
        pieces = [""]
        for letter in word:
            if pieces[-1] and self._measure(pieces[-1] + letter, size) > WIDEST:
                pieces.append("")
            pieces[-1] += letter
        return pieces
