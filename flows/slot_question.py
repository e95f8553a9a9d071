"""What was meant where the open question is about a slot: its value, or whether the value is right."""

from __future__ import annotations

from flows.commands import Affirm, CorrectSlot, Deny, NoneGiven, SetSlot, Understood
from flows.numbers import find_numbers
from flows.slots import Rejected, Slot, TextSlot, YesNoSlot
from flows.utterance import LEFT_OVER, SURE, Utterance, not_understood, understood


def read(said: Utterance) -> Understood:
    """An answer to the question comes first, free text last."""
    found = _none(said) or _answer(said)
    if found is None and said.context.question == "slot" and "deny" in said.context.commands:
        found = said.yes_or_no()
    found = found or said.repair() or _correction_of_another(said) or _something_else(said)
    return found or _free_text(said) or _asked_back(said) or not_understood("no answer to the question")


def _asked(said: Utterance) -> Slot:
    return said.context.slots[said.context.slot]


def _none(said: Utterance) -> Understood | None:
    """ "I don't have it", where a slot may be left empty. A "no" is an answer to a question of yes or no."""
    context = said.context
    if context.question != "slot" or "none_given" not in context.commands:
        return None
    if not _asked(said).optional or isinstance(_asked(said), YesNoSlot):
        return None
    if find_numbers(said.phrases["none"].without(said.words), context.language):
        return None  # "I don't have it here, but I think it is one two three"
    return understood([NoneGiven(context.slot)], 0.9, f"there is no {context.slot}") if said.means("none") else None


def _answer(said: Utterance) -> Understood | None:
    context, slot = said.context, _asked(said)
    if context.question == "confirm":
        return _answer_to_read_back(said)
    if isinstance(slot, TextSlot):
        return None  # only when it is nothing else
    value = slot.parse(said.text, context.language, context.now, asked=True)
    if value is None:
        return None
    refused = isinstance(slot.accept(value, context.now), Rejected)
    # "One moment" holds a number, too; "no, 123456" is too long for the postal code, but right for the order number.
    if refused and (other := said.repair() or _correction_of_another(said)) is not None:
        return other
    return understood([SetSlot(context.slot, value)], 0.6 if refused else 0.9, f"a value for {context.slot}")


def _answer_to_read_back(said: Utterance) -> Understood | None:
    """Yes, no, or "no, not six, seven": the new value may come with the denial, or without one."""
    context, slot = said.context, _asked(said)
    current = context.values.get(context.slot)
    rest = _after_denial(said)
    if rest is not None:
        amended = slot.amend(current, " ".join(rest), context.language, context.now) if rest else None
        if amended is not None and amended != current:
            return understood([Deny(), CorrectSlot(context.slot, amended)], 0.9, "a new value in the denial")
        if not rest or amended is not None or len(said.core_of(rest)) <= LEFT_OVER:
            return understood([Deny()], 0.9, "a phrase for deny")
        return None
    value = slot.parse(said.text, context.language, context.now, asked=True)
    agreed = said.phrases["affirm"].starts(said.words)
    if value is not None and value != current and not isinstance(slot, TextSlot):
        return None if agreed else understood([CorrectSlot(context.slot, value)], 0.8, "another value")
    if agreed or (value is not None and value == current):
        return understood([Affirm()], 0.9, "a phrase for affirm")
    return None


def _after_denial(said: Utterance) -> list[str] | None:
    """What follows a "no", freed of "not", "but" and the like; None when there is no "no"."""
    if not said.begins("deny") or said.begins("unsure"):
        return None
    return said.phrases["not"].without(said.phrases["deny"].without(said.rest("deny") or []))


def _correction_of_another(said: Utterance) -> Understood | None:
    """ "No, the order number is ...", while something else is being asked."""
    context = said.context
    if _after_denial(said) is None:
        return None
    for name, value in context.values.items():
        slot = context.slots.get(name)
        if slot is None or name == context.slot:
            continue
        new = slot.parse(said.text, context.language, context.now, asked=False)
        if new is not None and new != value and not isinstance(slot.accept(new, context.now), Rejected):
            return understood([CorrectSlot(name, new)], 0.75, f"a new value for {name}")
    return None


def _something_else(said: Utterance) -> Understood | None:
    """Another flow, where that is clear."""
    other = said.guess.flow not in (None, said.context.flow) and said.guess.confidence > SURE
    return said.start() if other else None


def _free_text(said: Utterance) -> Understood | None:
    if said.context.question == "slot" and isinstance(_asked(said), TextSlot):
        return understood([SetSlot(said.context.slot, said.text)], 0.7, "the caller's own words")
    return None


def _asked_back(said: Utterance) -> Understood | None:
    """A question of the caller's own, in the midst of a flow, that the bot's knowledge answers."""
    asks = "ask_knowledge" in said.context.commands and said.occurs("question")
    return said.quoted() if asks else None
