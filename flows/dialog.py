"""What each command does, by the open question. One table says which commands are possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from flows import actions, languages, repair
from flows.callback import CALLBACK_FLOW
from flows.commands import (
    Affirm,
    AskKnowledge,
    Command,
    CorrectSlot,
    Deny,
    NoneGiven,
    SetSlot,
    StartFlow,
    command_name,
)
from flows.knowledge import Grounded, Refused, ground
from flows.slots import Rejected, Slot
from flows.steps import Go
from flows.turn import Turn

_LONGEST_RUN = 200  # steps in a row without anybody else acting: more is a loop
_DENIALS = 3  # times that one slot may be denied
KNOWLEDGE = "knowledge"  # among what a call has done
_SLOWER = 0.8  # the pace for a caller who asked for it

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
    if kind == "slot" and _implied(turn):
        names |= {"deny"}
    return names if turn.bot.flows else names - {"start_flow"}


def _implied(turn: Turn) -> str:
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


def follow(turn: Turn, commands: Iterable[Command]) -> None:
    """Carry out what was understood; commands that are not possible now are dropped, and the record says so."""
    wanted = [command for command in commands if _is_possible(turn, command)]
    by_name = {command_name(command): command for command in reversed(wanted)}
    offered, turn.data["person_offered"] = turn.data["person_offered"], False
    if "refuse_recording" in by_name:
        refuse_recording(turn, told="emergency" not in by_name)
        if len(by_name) == 1 or set(by_name) == {"refuse_recording", "no_match"}:
            turn.say_question()
            turn.listen()
            return
    for name, act in _AT_ONCE.items():
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


def leave_question(turn: Turn) -> None:
    """The caller does not want to answer, and need not."""
    turn.note("not_answered", step=turn.place)
    turn.frame["index"] = turn.way_out
    _progress(turn)
    carry_on(turn)


def _is_possible(turn: Turn, command: Command) -> bool:
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


def _answer_offer(turn: Turn, by_name: Mapping[str, Command]) -> bool:
    """Yes or no to the person that was offered, where nothing else is wanted; whether it was that."""
    if set(by_name) == {"affirm"}:
        turn.hand_off("caller_asked")
        return True
    if set(by_name) == {"deny"} and not turn.data["frames"]:
        turn.ask("more")
        return True
    return False


def refuse_recording(turn: Turn, *, told: bool = True) -> None:
    """Nothing of this call is recorded from now on; `told`: the caller hears that now."""
    if turn.data["recording"]:
        turn.data["recording"] = False
        turn.actions.append(actions.StopRecording())
        turn.note("recording_refused")
    if told:
        turn.say_phrase("recording_stopped")


def _emergency(turn: Turn) -> None:
    emergency = turn.bot.emergency
    if emergency is None:
        repair.no_match(turn)
        return
    turn.say(emergency.say, "emergency", interruptible=False)
    turn.hand_off("emergency", queue=emergency.queue or "", at_any_hour=True)


def _answer(turn: Turn, phrase: str) -> None:
    """Say a phrase and put the open question again."""
    turn.say_phrase(phrase)
    turn.say_question()
    turn.listen()


def _abuse(turn: Turn) -> None:
    """Calm the first time; then a person."""
    turn.data["abuse"] += 1
    turn.note("abuse", count=turn.data["abuse"])
    if turn.data["abuse"] > 1:
        turn.hand_off("abuse")
    else:
        _answer(turn, "abuse")


def _speak(turn: Turn, language: str) -> None:
    """Go on in the caller's language, or say in it that a person will."""
    turn.note("language", wanted=language, spoken=language in turn.bot.languages)
    if language in turn.bot.languages:
        turn.data["language"] = language
        _answer(turn, "language_changed")
        return
    told = languages.told(language, connecting=turn.open)
    if told is not None:
        turn.say_in(told, language)
    turn.hand_off("other_language", announce=told is None)


def _ask_knowledge(turn: Turn, asked: AskKnowledge) -> None:
    """Quote the passage, or its sense in other words that it bears out; a person is offered where there is none."""
    found = [turn.bot.knowledge.passage(source, turn.language) for source in asked.sources]
    passages = [passage for passage in found if passage is not None]
    if not passages:
        _not_known(turn)
        return
    grounded = ground(asked.answer, passages, turn.language) if asked.answer else None
    reworded = isinstance(grounded, Grounded)
    why = grounded.reason if isinstance(grounded, Refused) else ""
    turn.note("knowledge", sources=[passage.source for passage in passages], reworded=reworded, refused=why)
    _progress(turn)
    turn.say_verbatim(asked.answer if reworded else passages[0].sentence, passages[0].source)
    if turn.data["frames"]:
        turn.say_question()
        turn.listen()
    else:
        turn.data["done"].append(KNOWLEDGE)
        turn.ask("more")


def _not_known(turn: Turn) -> None:
    """An honest answer and the way to a person; whoever asks in vain again and again is given one."""
    turn.data["misses"] += 1
    turn.note("not_known", count=turn.data["misses"])
    if turn.data["misses"] > repair.MISSES_BEFORE_HANDOFF:
        turn.hand_off("not_understood")
        return
    turn.say_phrase("not_known")
    turn.data["person_offered"] = True
    if turn.data["frames"]:
        turn.say_question()
    turn.listen()


def _goodbye(turn: Turn) -> None:
    if turn.running == CALLBACK_FLOW:
        turn.say_phrase("callback_declined")
    if turn.way_out is not None:
        turn.data["done"].append(turn.running)  # a survey comes when the task is done
    turn.close("contained" if turn.data["done"] else "not_served")


def _decline_callback(turn: Turn) -> None:
    """No call back is wanted: the flow that offered it goes on, or the call ends."""
    if turn.data["handoff_failed"]:
        _goodbye(turn)
        return
    turn.say_phrase("callback_declined")
    turn.finish_flow(and_hang_up=False)
    carry_on(turn)


def _repeat(turn: Turn) -> None:
    turn.note("repeated")
    turn.say_again()
    turn.listen()


def _slower(turn: Turn) -> None:
    turn.data["pace"] = _SLOWER
    turn.note("slower")
    turn.say_again()
    turn.listen()


def _wait(turn: Turn) -> None:
    turn.data["patience"] = True
    turn.say_phrase("wait")
    turn.listen()


def _cancel(turn: Turn) -> None:
    if turn.running == CALLBACK_FLOW:
        _decline_callback(turn)
        return
    if turn.way_out is not None:
        leave_question(turn)
        return
    turn.note("flow_cancelled", flow=turn.running, step=turn.place)
    goes_on = turn.leave_task()
    turn.say_phrase("cancelled")
    if goes_on:
        turn.come_back()
        carry_on(turn)
    else:
        turn.ask("more")


def _start_over(turn: Turn) -> None:
    turn.note("flow_restarted", flow=turn.running, step=turn.place)
    turn.restart_task()
    turn.say_phrase("start_over")
    carry_on(turn)


# In the order of their weight: a caller who wants a person gets one whatever else was understood.
_AT_ONCE: dict[str, Callable[[Turn, Any], None]] = {
    "emergency": lambda turn, _: _emergency(turn),
    "handoff": lambda turn, _: turn.hand_off("caller_asked"),
    "goodbye": lambda turn, _: _goodbye(turn),
    "cancel": lambda turn, _: _cancel(turn),
    "start_over": lambda turn, _: _start_over(turn),
    "repeat": lambda turn, _: _repeat(turn),
    "slower": lambda turn, _: _slower(turn),
    "wait": lambda turn, _: _wait(turn),
    "ask_machine": lambda turn, _: _answer(turn, "machine"),
    "ask_knowledge": _ask_knowledge,
    "abuse": lambda turn, _: _abuse(turn),
    "speak_language": lambda turn, command: _speak(turn, command.language),
}


def _converse(turn: Turn, commands: list[Command]) -> bool:
    """Flows, slots, yes and no; whether anything came of it."""
    starts = [command.flow for command in commands if isinstance(command, StartFlow)]
    values = [command for command in commands if isinstance(command, SetSlot | CorrectSlot)]
    for flow in reversed(list(dict.fromkeys(starts))):  # the first is done first, the others wait beneath it
        turn.start_flow(flow)
    if starts:
        _progress(turn)
    if not turn.data["frames"]:
        return _answer_more(turn, commands)
    for command in commands:
        if isinstance(command, NoneGiven):
            turn.fill(command.slot, None)
            _progress(turn)
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
            _progress(turn)
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
        _progress(turn)
        carry_on(turn)
        return True
    implied = _implied(turn)
    if "deny" in names and (kind == "confirm" or (kind == "slot" and implied)):
        slot = slot if kind == "confirm" else implied
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
        _decline_callback(turn)
        return True
    return False


def _answer_more(turn: Turn, commands: list[Command]) -> bool:
    kind, _ = turn.question
    if kind != "more":
        return False
    names = {command_name(command) for command in commands}
    if "affirm" in names:
        _progress(turn)
        turn.ask("intent", phrase="listening")
        return True
    if "deny" in names:
        turn.close("contained" if turn.data["done"] else "not_served")
        return True
    return False


def _progress(turn: Turn) -> None:
    turn.data["misses"] = 0
    turn.data["recognition_down"] = False


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
