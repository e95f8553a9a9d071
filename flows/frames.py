"""The flows that a caller is in: a stack in the state, of which the last one runs.

A flow is entered because the caller asked for it (`asked`, or as a `digression` out of another), or as a `sub` flow by
a step. One that ends gives way to the one beneath it: a sub flow to the step after the one that began it, a digression
to the question that it interrupted.
"""

from __future__ import annotations

from typing import Any

DEEPEST = 6  # flows at the same time; a digression from there takes the place of the one that runs


def new(flow: str, entered: str, *, save: dict[str, str] | None = None) -> dict[str, Any]:
    """A flow's part of the state, at its first step."""
    return {
        "flow": flow,
        "entered": entered,
        "save": save or {},
        "index": 0,
        "slots": {},
        "confirmed": [],
        "vars": {},
        "tries": {},
        "turns": 0,
        "partial": None,
        "early": {},
    }


def task(frames: list[dict[str, Any]]) -> int:
    """Where the running task begins: the flow that the caller asked for, beneath its sub flows."""
    start = len(frames) - 1
    while start > 0 and frames[start]["entered"] == "sub":
        start -= 1
    return start


def above(frames: list[dict[str, Any]], place: int) -> int:
    """Where the sub flows of the flow at `place` end."""
    end = place + 1
    while end < len(frames) and frames[end]["entered"] == "sub":
        end += 1
    return end


def position(frames: list[dict[str, Any]], flow: str) -> int | None:
    """Where a flow is in the stack, the topmost of that name."""
    return next((index for index in reversed(range(len(frames))) if frames[index]["flow"] == flow), None)
