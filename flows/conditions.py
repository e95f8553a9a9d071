"""What a condition claims, and which names it makes sure of: for checks that follow the ways through a flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from jinja2 import nodes

from flows.templates import as_text, condition_variables, tree

Claim = tuple[str, bool]  # something that holds, or does not; two ways to write it are the same
_DEFINED = {"defined": True, "undefined": False}


@dataclass(frozen=True)
class Tested:
    """Names that are set where a condition holds, and where it does not, since it asks for that."""

    where_true: frozenset[str]
    where_false: frozenset[str]


@lru_cache(maxsize=2048)
def claims(condition: str) -> tuple[Claim, ...]:
    """All that holds where the condition holds. Raises jinja2.TemplateError or TemplateFailed."""
    return tuple((repr(node), holds) for node, holds in _parts(_expression(condition)))


@lru_cache(maxsize=2048)
def tested(condition: str) -> Tested:
    """The names of which a condition asks whether they are set. Raises jinja2.TemplateError or TemplateFailed."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    parts = list(_parts(_expression(condition)))
    for node, holds in parts:
        if isinstance(node, nodes.Test) and node.name in _DEFINED and isinstance(node.node, nodes.Name):
            found[holds is _DEFINED[node.name]].add(node.node.name)
    where_false = found[False] if len(parts) == 1 else set()  # of several parts, another one may be wrong
    return Tested(frozenset(found[True]), frozenset(where_false))


def optional_names(text: str) -> frozenset[str]:
    """Names that a text copes without. Raises jinja2.TemplateError or TemplateFailed."""
    parsed = tree(text)
    asked = [test.node for test in parsed.find_all(nodes.Test) if test.name in _DEFINED]
    asked += [found.node for found in parsed.find_all(nodes.Filter) if found.name in ("default", "d") and found.node]
    return frozenset(node.name for node in asked if isinstance(node, nodes.Name))


def _expression(condition: str) -> nodes.Expr:
    condition_variables(condition)  # it is one expression, and nothing else
    (output,) = tree(as_text(condition)).body
    assert isinstance(output, nodes.Output)
    return output.nodes[0]


def _parts(node: nodes.Expr, holds: bool = True) -> Iterator[tuple[nodes.Expr, bool]]:
    """What is joined by `and`, each with whether it holds; `not` and `!=` turn it round."""
    match node:
        case nodes.Not():
            yield from _parts(node.node, not holds)
        case nodes.And() if holds:
            yield from _parts(node.left)
            yield from _parts(node.right)
        case nodes.Or() if not holds:
            yield from _parts(node.left, False)
            yield from _parts(node.right, False)
        case nodes.Compare(ops=[nodes.Operand(op="ne", expr=other)]):
            yield nodes.Compare(node.expr, [nodes.Operand("eq", other)]), not holds
        case _:
            yield node, holds
