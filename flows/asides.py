"""What may be said at any question, whatever the flow: carried out at once, then the question is put again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flows import actions, languages, repair
from flows.callback import CALLBACK_FLOW
from flows.commands import AskKnowledge
from flows.knowledge import Grounded, Refused, ground
from flows.progress import carry_on, leave_question, progressed
from flows.turn import Turn

KNOWLEDGE = "knowledge"  # among what a call has done
_SLOWER = 0.8  # the pace for a caller who asked for it


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
    progressed(turn)
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


def decline_callback(turn: Turn) -> None:
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
        decline_callback(turn)
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
AT_ONCE: dict[str, Callable[[Turn, Any], None]] = {
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
