"""What is reached from somewhere by any number of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Node = TypeVar("Node")


def reached(start: Iterable[Node], leads: Callable[[Node], set[Node]]) -> set[Node]:
    """The start, and everything that `leads` leads to."""
    seen, open_ = set(start), list(start)
    while open_:
        for following in leads(open_.pop()) - seen:
            seen.add(following)
            open_.append(following)
    return seen
