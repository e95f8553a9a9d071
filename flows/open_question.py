"""What was meant where the open question is "what can I do for you?" or "anything else?"."""

from __future__ import annotations

from typing import Any

from flows.commands import (
    AskKnowledge,
    Command,
    Goodbye,
    Repeat,
    SetSlot,
    Slower,
    StartFlow,
    Understood,
    Wait,
    command_name,
)
from flows.numbers import find_numbers
from flows.utterance import LEFT_OVER, SURE, Utterance, not_understood, understood

_CERTAIN = 0.9  # of a flow, where hardly anything but a phrase was said
_QUESTION = 4  # words of a question that can be told from a scrap of one
_AROUND = 4  # words around a number that do not change what it means, "the number is ..."
_SHORTEST = 3  # digits of a number that starts a flow by itself
_BEGINNINGS: tuple[tuple[str, Command], ...] = (("slower", Slower()), ("repeat", Repeat()), ("wait", Wait()))


def read(said: Utterance) -> Understood:
    """What is nothing but a phrase is no matter of likelihood; then comes what a flow is about."""
    found = said.repair(left_over=0) or _answer_to_more(said, left_over=0)
    if found is not None:
        return found
    found = said.repair() or _answer_to_more(said)
    if found is not None and (said.guess.confidence > _CERTAIN or not _possible(said, found)):
        found = said.start() or found
    found = found or _take_leave(said) or said.start() or _by_value(said) or _beginning(said) or _known(said)
    return found or not_understood(said.guess.reason)


def _answer_to_more(said: Utterance, left_over: int = LEFT_OVER) -> Understood | None:
    """Yes or no to "anything else?", or to a person who was offered."""
    more = said.context.question == "more"
    if not more and "affirm" not in said.context.commands:
        return None
    answer = said.yes_or_no(left_over)
    if more and answer is None and said.means("thanks", left_over):
        return understood([Goodbye()], 0.8, "thanks at the end")
    return answer


def _possible(said: Utterance, found: Understood) -> bool:
    return all(command_name(command) in said.context.commands for command in found.commands)


def _take_leave(said: Utterance) -> Understood | None:
    """Whoever ends with a goodbye, and does not clearly want something, leaves."""
    leaves = said.phrases["goodbye"].ends(said.words) and said.guess.confidence < SURE
    return understood([Goodbye()], 0.7, "a goodbye at the end") if leaves else None


def _by_value(said: Utterance) -> Understood | None:
    """Hardly anything but a number was said, such as an order number, and only one flow asks for such a one."""
    covered = sum(number.end - number.start for number in find_numbers(said.words, said.context.language))
    if not covered or len(said.words) - covered > _AROUND:
        return None
    found = {option.name: values for option in said.context.flows if (values := _dictated(said, option.name))}
    if len(found) != 1:
        return None
    ((flow, values),) = found.items()
    commands: list[Command] = [StartFlow(flow), *(SetSlot(name, value) for name, value in values.items())]
    return understood(commands, 0.6, f"only {flow} asks for such a value")


def _dictated(said: Utterance, flow: str) -> dict[str, Any]:
    """Numbers and codes among the values that the utterance gives; one digit may be any word's slip."""
    values = said.values(flow).items()
    return {name: value for name, value in values if isinstance(value, str) and len(value) >= _SHORTEST}


def _beginning(said: Utterance) -> Understood | None:
    """ "One moment, I have to find my glasses": what follows means nothing to a flow."""
    for meaning, command in _BEGINNINGS:
        if said.phrases[meaning].starts(said.core):  # "hello" alone asks who is there
            return understood([command], 0.6, f"it begins with a phrase for {meaning}")
    return None


def _known(said: Utterance) -> Understood | None:
    """A question that the bot's knowledge answers, or one that it should answer and does not."""
    if "ask_knowledge" not in said.context.commands:
        return None
    asks = said.phrases["question"].after(said.core) is not None and len(said.core) >= _QUESTION
    return said.quoted() or (understood([AskKnowledge()], 0.5, f"a question; {said.guess.reason}") if asks else None)
