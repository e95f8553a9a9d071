"""What the caller wants is done: flows begin, slots are filled, questions answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from flows import repair
from flows.asides import AT_ONCE, decline_callback, refuse_recording
from flows.callback import CALLBACK_FLOW
from flows.commands import (
    Affirm,
    Command,
    CorrectSlot,
    Deny,
    NoneGiven,
    SetSlot,
    StartFlow,
    command_name,
)
from flows.possible import implied, is_possible
from flows.progress import carry_on, leave_question, progressed
from flows.slots import Rejected
from flows.turn import Turn

_DENIALS = 3  # times that one slot may be denied


def follow(turn: Turn, commands: Iterable[Command]) -> None:
    """Carry out what was understood; commands that are not possible now are dropped, and the record says so."""
    wanted = [command for command in commands if is_possible(turn, command)]
    by_name = {command_name(command): command for command in reversed(wanted)}
    offered, turn.data["person_offered"] = turn.data["person_offered"], False
    if "refuse_recording" in by_name:
        refuse_recording(turn, told="emergency" not in by_name)
        if len(by_name) == 1 or set(by_name) == {"refuse_recording", "no_match"}:
            turn.say_question()
            turn.listen()
            return
    for name, act in AT_ONCE.items():
        if name in by_name:
            act(turn, by_name[name])
            return
    if offered and _answer_offer(turn, by_name):
        return
    if not _converse(turn, wanted):
        misunderstood(turn)


def misunderstood(turn: Turn, rejected: Rejected | None = None) -> None:
    """Ask in other words; a question that needs no answer is not asked a third time."""
    if turn.way_out is not None and turn.data["misses"]:
        leave_question(turn)
    else:
        repair.no_match(turn, rejected)


def _answer_offer(turn: Turn, by_name: Mapping[str, Command]) -> bool:
    """Yes or no to the person that was offered, where nothing else is wanted; whether it was that."""
    if set(by_name) == {"affirm"}:
        turn.hand_off("caller_asked")
        return True
    if set(by_name) == {"deny"} and not turn.data["frames"]:
        turn.ask("more")
        return True
    return False


def _converse(turn: Turn, commands: list[Command]) -> bool:
    """Flows, slots, yes and no; whether anything came of it."""
    starts = [command.flow for command in commands if isinstance(command, StartFlow)]
    values = [command for command in commands if isinstance(command, SetSlot | CorrectSlot)]
    for flow in reversed(list(dict.fromkeys(starts))):  # the first is done first, the others wait beneath it
        turn.start_flow(flow)
    if starts:
        progressed(turn)
    if not turn.data["frames"]:
        return _answer_more(turn, commands)
    for command in commands:
        if isinstance(command, NoneGiven):
            turn.fill(command.slot, None)
            progressed(turn)
            carry_on(turn)
            return True
    changed, rejected = _fill(turn, values)
    if rejected is not None:
        if starts:
            carry_on(turn)  # the flow asks for it properly
        else:
            misunderstood(turn, rejected)
        return True
    if starts or changed:
        if changed:
            progressed(turn)
        carry_on(turn)
        return True
    return _answer_confirm(turn, commands)


def _fill(turn: Turn, values: list[SetSlot | CorrectSlot]) -> tuple[bool, Rejected | None]:
    """Set the slots; whether anything was set, and the first refusal. What no flow here knows is dropped.

    After a correction what follows its question is done again.
    """
    changed = False
    for command in values:
        refused = _fill_one(turn, command)
        if isinstance(refused, Rejected):
            turn.note("value_refused", slot=command.slot, reason=refused.reason)
            return changed, refused
        changed = changed or refused is None
    return changed, None


def _fill_one(turn: Turn, command: SetSlot | CorrectSlot) -> Rejected | Literal["dropped"] | None:
    name = command.slot
    if name in turn.flow.slots:
        accepted = turn.accept(name, command.value)
        if isinstance(accepted, Rejected):
            turn.frame["partial"] = {"slot": name, "value": accepted.details.get("heard")}
            return accepted
        turn.fill(name, accepted)
        if isinstance(command, CorrectSlot):
            turn.correct(name)
        return None
    if name in turn.bot.slots_of(turn.running):
        turn.remember(name, command.value)
        return None
    if turn.waiting_with(name) is not None:
        return turn.correct_waiting(name, command.value)
    turn.note("command_dropped", command=command_name(command), slot=name)
    return "dropped"


def _answer_confirm(turn: Turn, commands: list[Command]) -> bool:
    kind, slot = turn.question
    names = {command_name(command) for command in commands}
    if kind == "confirm" and "affirm" in names:
        turn.confirm(slot)
        progressed(turn)
        carry_on(turn)
        return True
    taken = implied(turn)
    if "deny" in names and (kind == "confirm" or (kind == "slot" and taken)):
        slot = slot if kind == "confirm" else taken
        turn.forget(slot)
        turn.jump_to_slot(slot)
        turn.note("denied", slot=slot)
        if not turn.may_retry(f"denied/{slot}", _DENIALS - 1):
            turn.hand_off("not_understood")
            return True
        turn.say_phrase("denied")
        carry_on(turn)
        return True
    if "deny" in names and turn.way_out is not None:
        leave_question(turn)
        return True
    if "deny" in names and turn.running == CALLBACK_FLOW:
        decline_callback(turn)
        return True
    return False


def _answer_more(turn: Turn, commands: list[Command]) -> bool:
    kind, _ = turn.question
    if kind != "more":
        return False
    names = {command_name(command) for command in commands}
    if "affirm" in names:
        progressed(turn)
        turn.ask("intent", phrase="listening")
        return True
    if "deny" in names:
        turn.close("contained" if turn.data["done"] else "not_served")
        return True
    return False


def answer_keys(turn: Turn, keys: str) -> list[Command]:
    """What keys mean to the open question; empty when nothing."""
    kind, name = turn.question
    if kind == "slot":
        value = turn.slot(name).from_keys(keys, turn.now)
        return [] if value is None else [SetSlot(name, value)]
    if kind in ("confirm", "more"):
        answers: dict[str, Command] = {"1": Affirm(), "2": Deny()}
        return [answers[keys]] if keys in answers else []
    offers = turn.offers()
    if keys.isdigit() and 1 <= int(keys) <= len(offers):
        return [StartFlow(offers[int(keys) - 1][0])]
    return []
