"""Flows as Mermaid text (https://mermaid.js.org), as wikis and code hosts draw it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from flows.outline import Item, Outline

_SHAPES = {"decision": ("{{", "}}"), "handoff": ("([", "])"), "hang_up": ("([", "])"), "ask_more": ("([", "])")}
_CLASSES = {"handoff": "people", "decision": "choice", "choose": "choice", "call": "system", "verify": "system"}
_STYLES = (
    "classDef people fill:#fde2e1,stroke:#c0392b,color:#111",
    "classDef choice fill:#eeeeee,stroke:#555555,color:#111",
    "classDef system fill:#fff3cd,stroke:#b8860b,color:#111",
)

Loose = list[tuple[str, str]]
"""Ends of lines that wait for the next step: the node, and what is written on the line."""


def mermaid(flows: Sequence[Outline]) -> str:
    """All flows as one diagram, each in a box of its own."""
    lines = ["flowchart TD"]
    for number, flow in enumerate(flows):
        lines += _Writer(number).flow(flow)
    return "\n".join([*lines, *(f"  {style}" for style in _STYLES)]) + "\n"


class _Writer:
    def __init__(self, number: int) -> None:
        self._prefix = f"f{number}"
        self._numbers = itertools.count(1)
        self._lines: list[str] = []

    def flow(self, flow: Outline) -> list[str]:
        start = f"{self._prefix}start"
        self._lines += [f"  subgraph {self._prefix}[{_quoted(flow.name)}]", f"    {start}(({_quoted(flow.name)}))"]
        loose = self._steps(flow.steps, [(start, "")])
        if loose:
            end = f"{self._prefix}end"
            self._lines.append(f"    {end}([{_quoted(flow.end)}])")
            self._join(loose, end)
        self._lines.append("  end")
        return self._lines

    def _steps(self, steps: Sequence[Item], loose: Loose) -> Loose:
        for step in steps:
            loose = self._step(step, loose)
        return loose

    def _step(self, step: Item, loose: Loose) -> Loose:
        node = f"{self._prefix}n{next(self._numbers)}"
        left, right = _SHAPES.get(step.kind, ("[", "]"))
        words = [f"<b>{_escaped(step.title)}</b>", _escaped(step.text)]
        if step.label:
            words.insert(0, f"<i>{_escaped(step.label)}</i>")
        if step.when:
            words.append(f"<i>if {_escaped(step.when)}</i>")
        name = _CLASSES.get(step.kind, "")
        shape = f'{left}"{"<br/>".join(word for word in words if word)}"{right}'
        self._lines.append(f"    {node}{shape}{f':::{name}' if name else ''}")
        self._join(loose, node)
        if step.ways:
            return [end for way in step.ways for end in self._steps(way.steps, [(node, way.name)])]
        return [] if step.ends else [(node, "")]

    def _join(self, loose: Loose, node: str) -> None:
        for end, words in loose:
            arrow = f"-->|{_quoted(words)}|" if words else "-->"
            self._lines.append(f"    {end} {arrow} {node}")


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    """Mermaid takes HTML entities, written with # instead of &."""
    signs = {'"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "{": "#123;", "}": "#125;", "|": "#124;"}
    return "".join(signs.get(sign, sign) for sign in " ".join(text.split()))
