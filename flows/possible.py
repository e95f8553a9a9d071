"""Which commands make sense at each question, and which slots may be given or corrected. One table says it."""

from __future__ import annotations

from typing import Any

from flows.callback import CALLBACK_FLOW
from flows.commands import Command, NoneGiven, StartFlow, command_name
from flows.slots import Slot
from flows.turn import Turn

ALWAYS = frozenset(
    {"emergency", "handoff", "repeat", "slower", "wait", "goodbye", "ask_machine", "abuse", "speak_language"}
    | {"refuse_recording", "ask_knowledge", "no_match"}
)
POSSIBLE: dict[str, frozenset[str]] = {
    "intent": ALWAYS | {"start_flow", "set_slot"},
    "slot": ALWAYS | {"set_slot", "correct_slot", "none_given", "cancel", "start_over", "start_flow"},
    "confirm": ALWAYS | {"affirm", "deny", "set_slot", "correct_slot", "cancel", "start_over", "start_flow"},
    "more": ALWAYS | {"affirm", "deny", "start_flow", "set_slot"},
}


def possible(turn: Turn) -> frozenset[str]:
    """Names of the commands that make sense now."""
    kind, _ = turn.question
    names = POSSIBLE[kind]
    if not turn.bot.knowledge.passages or turn.way_out is not None or turn.running == CALLBACK_FLOW:
        names -= {"ask_knowledge"}
    if turn.data["person_offered"]:
        names |= {"affirm", "deny"}
    if turn.way_out is not None:
        return names | {"deny"}
    if turn.running == CALLBACK_FLOW:
        return (names - {"start_flow", "start_over"}) | {"deny"}
    if kind == "slot" and implied(turn):
        names |= {"deny"}
    return names if turn.bot.flows else names - {"start_flow"}


def is_possible(turn: Turn, command: Command) -> bool:
    names = possible(turn)
    ok = command_name(command) in names
    if ok and isinstance(command, StartFlow):
        flow = turn.bot.flows.get(command.flow)
        ok = flow is not None and flow.entry and command.flow != turn.running
    if ok and isinstance(command, NoneGiven):
        ok = command.slot in turn.flow.slots and turn.slot(command.slot).optional
    if not ok:
        turn.note("command_dropped", command=command_name(command))
    return ok


def implied(turn: Turn) -> str:
    """The slot whose value was said before the open question and taken as right, or empty."""
    return next((name for name in reversed(turn.data["implied"]) if name in turn.frame["slots"]), "")


def known(turn: Turn) -> tuple[dict[str, Slot], dict[str, Any]]:
    """The slots that may be given or corrected now, and what is known of them: those of flows that wait, too."""
    slots: dict[str, Slot] = {}
    values: dict[str, Any] = {}
    for frame in turn.data["frames"]:
        of_flow = turn.flow_named(frame["flow"]).slots
        running = frame is turn.frame
        answers = turn.answers(frame)
        values = {name: value for name, value in values.items() if not (running and name in of_flow)} | answers
        slots |= {name: slot for name, slot in of_flow.items() if running or name in answers}
    return slots, values
