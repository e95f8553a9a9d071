"""The Jinja2 environment of texts and conditions: no access to Python, and a bound on everything that can grow.

A flow file comes from people who can not bring a call, let alone all calls of a worker, to a halt by a slip. So only
what texts need is there (values, filters, tests, arithmetic, `if`, one `for`), and what is left is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from jinja2 import StrictUndefined, TemplateError, nodes
from jinja2.filters import FILTERS as SHIPPED
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from flows.errors import TemplateFailed

LONGEST_TEXT = 4_000  # characters, of a template and of what it gives: more than four minutes of speech
_LONGEST_RESULT = LONGEST_TEXT * 4  # values bring their marks along
_MOST_VALUES = 10_000
_MOST_BITS = 128
_DEEPEST = 40
_FILTERS = (
    "abs", "capitalize", "default", "float", "first", "int", "last", "length", "list", "lower", "map", "max", "min",
    "reject", "rejectattr", "round", "select", "selectattr", "sort", "string", "sum", "title", "trim", "unique",
    "upper",
)  # fmt: skip
_METHODS = ("get", "keys", "values", "items", "lower", "upper", "strip", "startswith", "endswith", "split")
_STATEMENTS = (nodes.Output, nodes.If, nodes.For)


class Sandbox(ImmutableSandboxedEnvironment):
    """With our own filters and a few of Jinja2's."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def __init__(self, filters: Mapping[str, Callable[..., Any]]) -> None:
        # Without the optimizer nothing of a file is worked out while it is only being checked.
        super().__init__(undefined=StrictUndefined, autoescape=False, optimized=False)
        self.filters = {name: SHIPPED[name] for name in _FILTERS} | {"join": _joined, **filters}
        self.globals = {"range": _short_range}

    def checked(self, source: str) -> nodes.Template:
        """The tree of a text. Raises TemplateError or TemplateFailed for what is not right or not allowed in it."""
        if len(source) > LONGEST_TEXT:
            raise _too_much(f"The text has more than {LONGEST_TEXT} characters")
        tree = self.parse(source)
        _check(tree.body)
        return tree

    def check_expression(self, source: str) -> None:
        """Raises as `checked` does, for a condition."""
        if len(source) > LONGEST_TEXT:
            raise _too_much(f"The condition has more than {LONGEST_TEXT} characters")
        _check([Parser(self, source, state="variable").parse_expression()])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic, without what makes a small text a large value."""
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator in ("*", "**", "%") and not numbers:
            raise _too_much(f"`{operator}` is for numbers only")
        if operator == "**" and abs(right) > _MOST_BITS:
            raise _too_much("The power is too high")
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, int) and result.bit_length() > _MOST_BITS:
            raise _too_much("The number is too large")
        return bounded(result)


def _short_range(*bounds: int) -> range:
    whole = range(*bounds)
    if len(whole) > 100:
        raise _too_much("`range` gives more than 100 numbers")
    return whole


def _joined(values: Iterable[Any], between: str = "") -> str:
    pieces, length = [], 0
    for value in values:
        pieces.append(str(value))
        length += len(pieces[-1]) + len(between)
        if length > _LONGEST_RESULT:
            raise _too_much("The text is too long")
    return str(between).join(pieces)


def _check(tree: Sequence[nodes.Node]) -> None:
    """Only statements and calls that are bounded. Walks with a list of its own, whatever the depth."""
    open_: list[tuple[nodes.Node, int, bool]] = [(node, 1, False) for node in tree]
    while open_:
        node, depth, looping = open_.pop()
        if depth > _DEEPEST:
            raise TemplateFailed("The template is too deeply nested.", "Write it more simply.")
        if isinstance(node, nodes.Stmt) and not isinstance(node, _STATEMENTS):
            raise TemplateFailed(f"`{{% {type(node).__name__.lower()} %}}` can not be used here.", "Use steps instead.")
        if isinstance(node, nodes.For) and (looping or node.recursive):
            raise TemplateFailed("A `for` can not stand within another.", "Write it more simply.")
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise TemplateFailed(f"`{node.attr}` can not be used here.", "Values are written as `{{ name.part }}`.")
        if isinstance(node, nodes.Name) and node.name == "self":
            raise TemplateFailed("`self` can not be used here.", "Values are written as `{{ name }}`.")
        if isinstance(node, nodes.Call):
            _check_call(node)
        inside = looping or isinstance(node, nodes.For)
        open_ += [(child, depth + 1, inside) for child in node.iter_child_nodes()]


def _check_call(call: nodes.Call) -> None:
    what = call.node
    if isinstance(what, nodes.Name) and what.name == "range":
        return
    if isinstance(what, nodes.Getattr) and what.attr in _METHODS:
        return
    name = getattr(what, "attr", getattr(what, "name", "..."))
    raise TemplateFailed(f"`{name}(...)` can not be used here.", "Use a filter: `{{ value | filter }}`.")


def bounded_text(pieces: Iterable[str]) -> str:
    """The text that a template gives piece by piece. Raises TemplateError as soon as it is too long."""
    kept, length = [], 0
    for piece in pieces:
        kept.append(piece)
        length += len(piece)
        if length > _LONGEST_RESULT:
            raise _too_much("The text is too long")
    return "".join(kept)


def bounded(value: Any) -> Any:
    """The value. Raises TemplateError when there is more to it than a text, an argument or a call's state may hold."""
    open_, count = [value], 0
    while open_:
        one = open_.pop()
        count += 1
        if isinstance(one, str):
            count += len(one) // 10
        elif isinstance(one, Mapping):
            open_ += one.values()
        elif isinstance(one, list | tuple | set | range):
            open_ += one
        if count + len(open_) > _MOST_VALUES:
            raise _too_much("The value is too large")
    return value


def _too_much(what: str) -> TemplateError:
    return TemplateError(f"{what}.")
