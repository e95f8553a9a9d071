"""The engine: state and event in, state and actions out. No socket, no clock, no trust in commands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flows import dialog, repair
from flows.asides import refuse_recording
from flows.commands import AskHuman, command_name
from flows.errors import TemplateFailed
from flows.events import (
    CallStarted,
    Event,
    Faulted,
    HandoffFailed,
    Heard,
    Interrupted,
    Keys,
    NoInput,
    PeopleWanted,
    RecognitionDown,
    Returned,
    SystemResult,
    SystemSlow,
)
from flows.memory import first_state
from flows.model import Bot
from flows.personal import MASK
from flows.possible import known, possible
from flows.progress import carry_on, leave_question
from flows.slots import Rejected
from flows.state import FlowOption, State, Step, TurnContext
from flows.steps import Go
from flows.texts import list_in_language
from flows.turn import Turn

_PERSON_KEY = "0"


class Engine:
    """A bot's conversation. One engine serves any number of calls: all that is known of a call is in its state."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self._flows = {language: _options(bot, language) for language in bot.languages}

    def start(self, started: CallStarted, now: datetime) -> Step:
        """Greet: that a machine speaks, that the call is recorded, and what can be done."""
        name = self.bot.entry_point(started.dialled)
        entry = self.bot.entry_points.get(name)
        language = (entry.language if entry else None) or started.language
        language = language if language in self.bot.languages else self.bot.languages[0]
        data = first_state(started.call_id, started.caller, started.dialled, started.channel, language)
        data["entry"] = name
        turn = Turn(self.bot, State(data), now)
        turn.note("started", bot=self.bot.name, language=language)
        turn.say(self.bot.greeting.machine, "greeting/machine", interruptible=False)
        turn.say(self.bot.greeting.recording, "greeting/recording", interruptible=False)
        if started.cut_off:
            turn.say_phrase("cut_off")
        for number, announcement in enumerate(self.bot.announcements, 1):
            here = not announcement.entry_points or data["entry"] in announcement.entry_points
            if here and announcement.holds(now):
                turn.say(announcement.text, f"announcements/{number}")
        if started.people:
            turn.hand_off(started.people)
        elif entry is not None and entry.start:
            turn.start_flow(entry.start)
            carry_on(turn)
        else:
            turn.ask("intent")
        return _step(turn)

    def step(self, state: State, event: Event, now: datetime) -> Step:
        """What an event leads to. Events that mean nothing in the state's mode change nothing but the record."""
        turn = Turn(self.bot, state, now)
        handle = _TRANSITIONS.get((state.mode, type(event)))
        if handle is None:
            turn.note("event_ignored", event=type(event).__name__, mode=state.mode)
            return _step(turn)
        try:
            handle(turn, event)
        except TemplateFailed as error:
            turn.note("flow_error", error=error.message)
            turn.hand_off("flow_error")
        return _step(turn)

    def context(self, state: State) -> TurnContext:
        """What may be understood now. While a system is being asked it is still the last question that is open."""
        turn = Turn(self.bot, state, state.now)
        kind, slot = turn.question
        slots, values = known(turn)
        return TurnContext(
            language=turn.language,
            question=kind,
            now=turn.now,
            commands=possible(turn),
            flows=self._flows[turn.language],
            flow=state.flow,
            slot=slot,
            slots=slots,
            values=values,
            languages=self.bot.languages,
        )


def _options(bot: Bot, language: str) -> tuple[FlowOption, ...]:
    """The flows that callers can ask for."""
    return tuple(
        FlowOption(
            flow.name,
            flow.description,
            tuple(list_in_language(dict(flow.examples), language)),
            bot.slots_of(flow.name),
        )
        for flow in bot.flows.values()
        if flow.entry
    )


def _step(turn: Turn) -> Step:
    return Step(State(turn.data), tuple(turn.actions))


def _too_long(turn: Turn) -> bool:
    """Count a turn; past the limits a person takes over."""
    turn.data["turns"] += 1
    limits = turn.bot.limits
    in_flow = 0
    if turn.data["frames"]:
        turn.frame["turns"] += 1
        in_flow = turn.frame["turns"]
    if turn.data["turns"] <= limits.turns_per_call and in_flow <= limits.turns_per_flow:
        return False
    turn.hand_off("too_long")
    return True


def _heard(turn: Turn, event: Heard) -> None:
    turn.data["silences"] = 0
    understood = event.understood
    names = [command_name(command) for command in understood.commands]
    turn.note("understood", commands=names, source=understood.source, confidence=understood.confidence,
              reason=understood.reason)  # fmt: skip
    if {"handoff", "emergency"} & set(names) or not _too_long(turn):
        turn.data["patience"] = False
        dialog.follow(turn, understood.commands)


def _keys(turn: Turn, event: Keys) -> None:
    """Keys answer the open question. A lone 0 is a person; `0#` is one too, unless zero is a valid answer."""
    turn.data["silences"] = 0
    keys = event.digits.rstrip("#")
    commands = dialog.answer_keys(turn, keys)
    turn.note("keys", count=len(keys))
    if keys == _PERSON_KEY and not (event.digits.endswith("#") and _accepts_zero(turn)):
        dialog.follow(turn, [AskHuman()])
    elif not _too_long(turn):
        turn.data["patience"] = False
        dialog.follow(turn, commands)


def _accepts_zero(turn: Turn) -> bool:
    kind, name = turn.question
    if kind != "slot":
        return False
    value = turn.slot(name).from_keys(_PERSON_KEY, turn.now)
    return value is not None and not isinstance(turn.slot(name).accept(value, turn.now), Rejected)


def _no_input(turn: Turn, _: NoInput) -> None:
    if turn.way_out is not None and repair.still_there(turn):
        leave_question(turn)
    elif not _too_long(turn):
        repair.no_input(turn)


def _recognition_down(turn: Turn, _: RecognitionDown) -> None:
    if turn.way_out is not None:
        leave_question(turn)
    elif not _too_long(turn):
        repair.recognition_down(turn)


def _interrupted(turn: Turn, event: Interrupted) -> None:
    """What the caller says now was said without having heard the rest."""
    if event.missed:
        turn.interrupted(event.steps)
    # What was missed is told as it was spoken, in which nothing can be masked.
    turn.note("interrupted", missed=MASK if event.missed and turn.data["personal"] else event.missed)


def _faulted(turn: Turn, _: Faulted) -> None:
    turn.hand_off("fault")


def _people_wanted(turn: Turn, event: PeopleWanted) -> None:
    """Once nobody took the call, a rule does not send it there again."""
    if turn.data["handoff_failed"]:
        turn.note("event_ignored", event="PeopleWanted", mode="listening")
    else:
        turn.hand_off(event.reason, queue=event.queue)


def _returned(turn: Turn, event: Returned) -> None:
    """What was asked before is old news: people have dealt with it, or say where to go on."""
    turn.note("returned", flow=event.flow)
    turn.leave_everything()
    turn.data["handoff_failed"] = False
    if event.flow in turn.bot.flows:
        turn.start_flow(event.flow)
        carry_on(turn)
    else:
        turn.ask("more")


def _system_result(turn: Turn, event: SystemResult) -> None:
    if turn.data["pending"]["id"] != event.id:
        turn.note("event_ignored", event="SystemResult", id=event.id)
        return
    turn.data["pending"] = None
    step = turn.flow.steps[turn.frame["index"]]
    turn.note("system_answered", id=event.id, outcome=event.outcome, step=turn.place)
    went = step.resume(turn, event.outcome, event.data)
    if went is Go.STOP:
        return
    if went is Go.ON:
        turn.frame["index"] += 1
    carry_on(turn)


def _system_slow(turn: Turn, event: SystemSlow) -> None:
    if turn.data["pending"]["id"] == event.id:
        turn.say_phrase("checking")


def _heard_while_calling(turn: Turn, event: Heard) -> None:
    """Only what can not wait: an emergency, a person, goodbye, no recording."""
    names = {command_name(command) for command in event.understood.commands}
    urgent = [c for c in event.understood.commands if command_name(c) in ("emergency", "handoff", "goodbye")]
    if "refuse_recording" in names:
        refuse_recording(turn, told="emergency" not in names)
    if urgent:
        dialog.follow(turn, urgent)
    else:
        turn.note("heard_while_calling", commands=sorted(names))


def _keys_while_calling(turn: Turn, event: Keys) -> None:
    if event.digits.rstrip("#") == _PERSON_KEY:
        dialog.follow(turn, [AskHuman()])


def _handoff_failed(turn: Turn, event: HandoffFailed) -> None:
    turn.note("handoff_failed", reason=event.reason)
    turn.offer_callback("callback_wanted" if event.reason == "callback_wanted" else "handoff_failed")


_TRANSITIONS: dict[tuple[str, type[Any]], Callable[[Turn, Any], None]] = {
    ("listening", Heard): _heard,
    ("listening", Keys): _keys,
    ("listening", NoInput): _no_input,
    ("listening", RecognitionDown): _recognition_down,
    ("listening", Faulted): _faulted,
    ("listening", Interrupted): _interrupted,
    ("listening", PeopleWanted): _people_wanted,
    ("listening", Returned): _returned,
    ("calling", SystemResult): _system_result,
    ("calling", SystemSlow): _system_slow,
    ("calling", Heard): _heard_while_calling,
    ("calling", Keys): _keys_while_calling,
    ("calling", Faulted): _faulted,
    ("calling", Interrupted): _interrupted,
    ("calling", PeopleWanted): _people_wanted,
    ("calling", Returned): _returned,
    ("transferring", HandoffFailed): _handoff_failed,
    ("transferring", Returned): _returned,
}
