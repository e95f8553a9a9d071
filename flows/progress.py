"""How a flow goes on: its steps one after the other, until somebody else has to act."""

from __future__ import annotations

from flows.steps import Go
from flows.turn import Turn

_LONGEST_RUN = 200  # steps in a row without anybody else acting: more is a loop


def carry_on(turn: Turn) -> None:
    """Carry out steps until somebody else has to act. Raises TemplateFailed."""
    turn.say_missed_values()
    for _ in range(_LONGEST_RUN):
        steps = turn.flow.steps
        if turn.frame["index"] >= len(steps):
            if turn.finish_flow(and_hang_up=False) is Go.STOP:
                return
            continue
        step = steps[turn.frame["index"]]
        if step.when is not None and not turn.condition(step.when):
            turn.frame["index"] += 1
            continue
        went = step.run(turn)
        if went is Go.STOP:
            return
        if went is Go.ON:
            turn.frame["index"] += 1
    turn.note("loop", flow=turn.running)
    turn.hand_off("flow_error")


def progressed(turn: Turn) -> None:
    turn.data["misses"] = 0
    turn.data["recognition_down"] = False


def leave_question(turn: Turn) -> None:
    """The caller does not want to answer, and need not."""
    turn.note("not_answered", step=turn.place)
    turn.frame["index"] = turn.way_out
    progressed(turn)
    carry_on(turn)
