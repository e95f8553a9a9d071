"""Slot types, one module each. A new type is a class there and a line here."""

from __future__ import annotations

from flows.slots.base import Rejected, Slot
from flows.slots.choice import ChoiceSlot
from flows.slots.date import DateSlot
from flows.slots.digits import DigitsSlot
from flows.slots.integer import IntegerSlot
from flows.slots.text import TextSlot
from flows.slots.yes_no import YesNoSlot

SLOT_TYPES: dict[str, type[Slot]] = {
    "digits": DigitsSlot,
    "integer": IntegerSlot,
    "yes_no": YesNoSlot,
    "choice": ChoiceSlot,
    "date": DateSlot,
    "text": TextSlot,
}

__all__ = [
    "SLOT_TYPES",
    "ChoiceSlot",
    "DateSlot",
    "DigitsSlot",
    "IntegerSlot",
    "Rejected",
    "Slot",
    "TextSlot",
    "YesNoSlot",
]
