"""Checks of the ways through a flow: every step is reached, from each the end can be, and no loop turns by itself."""

from __future__ import annotations

from collections.abc import Callable

from flows.model import Flow
from flows.reach import reached
from flows.steps.base import Path
from flows.steps.branch import Fork, Jump
from flows.steps.collect import CollectStep
from flows.steps.log import LogStep
from flows.steps.say import SayStep
from flows.steps.ways import GoToStep

Add = Callable[[int, Path, str, str], None]
_CHANGES_NOTHING = (SayStep, LogStep, CollectStep, Fork, Jump, GoToStep)  # what is collected is not asked again


def check_ways(flow: Flow, add: Add) -> None:
    """Report steps that are never reached, from which nothing ends, and loops that nobody can leave."""
    end = len(flow.steps)
    leads = [_leads(flow, index) for index in range(end)]
    begun = reached({0}, lambda at: leads[at] if at < end else set())
    backwards = [{at for at in range(end) if to in leads[at]} for to in range(end + 1)]
    ending = reached({end}, lambda at: backwards[at])
    written = [index for index, step in enumerate(flow.steps) if not isinstance(step, Jump)]
    for index, before in zip(written, [-1, *written], strict=False):
        if index not in begun:
            if before >= 0 and before not in begun:
                continue  # told once for a run of such steps
            add(index, (), "This step is never reached.", "Remove it, or give it a `label` that a `go_to` names.")
        elif index not in ending and (before < 0 or before in ending):
            add(index, (), "From here the conversation never ends.", "Lead it to `ask_more`, `hang_up` or `handoff`.")
    turning = [index for index in written if index in begun & ending and _turns(flow, index, leads)]
    for index in turning[:1]:
        message = "From here the bot comes back here, and on the way nothing is asked that could change anything."
        add(index, (), message, "Lead the loop through a `choose`, a `call` with `retry`, or a `set`.")


def _leads(flow: Flow, index: int) -> set[int]:
    step = flow.steps[index]
    ways = step.ways()
    return flow.leads(ways) | ({index + 1} if ways.on or ways.bare or step.when is not None else set())


def _turns(flow: Flow, index: int, leads: list[set[int]]) -> bool:
    """Whether steps that change nothing lead from this one back to it: what led there once will do so for ever."""

    def on(at: int) -> set[int]:
        return leads[at] if at < len(flow.steps) and isinstance(flow.steps[at], _CHANGES_NOTHING) else set()

    return index in reached(on(index), on)
