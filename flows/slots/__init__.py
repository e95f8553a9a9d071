"""Slot types, one class each. A new type is a class in a module here and a line below."""

from __future__ import annotations

from flows.slots.amount import AmountSlot
from flows.slots.base import Rejected, Slot
from flows.slots.choice import ChoiceSlot
from flows.slots.code import CodeSlot
from flows.slots.date import DateSlot
from flows.slots.digits import DigitsSlot
from flows.slots.email import EmailSlot
from flows.slots.identifiers import IbanSlot, NipSlot, PeselSlot, PostcodeSlot
from flows.slots.integer import IntegerSlot
from flows.slots.name import NameSlot
from flows.slots.phone import PhoneSlot
from flows.slots.range import RangeSlot
from flows.slots.text import TextSlot
from flows.slots.time import TimeSlot
from flows.slots.yes_no import YesNoSlot

SLOT_TYPES: dict[str, type[Slot]] = {
    "digits": DigitsSlot,
    "code": CodeSlot,
    "integer": IntegerSlot,
    "amount": AmountSlot,
    "yes_no": YesNoSlot,
    "choice": ChoiceSlot,
    "date": DateSlot,
    "time": TimeSlot,
    "range": RangeSlot,
    "phone": PhoneSlot,
    "email": EmailSlot,
    "name": NameSlot,
    "postcode": PostcodeSlot,
    "pesel": PeselSlot,
    "nip": NipSlot,
    "iban": IbanSlot,
    "text": TextSlot,
}

__all__ = [
    "SLOT_TYPES",
    "AmountSlot",
    "ChoiceSlot",
    "CodeSlot",
    "DateSlot",
    "DigitsSlot",
    "EmailSlot",
    "IbanSlot",
    "IntegerSlot",
    "NameSlot",
    "NipSlot",
    "PeselSlot",
    "PhoneSlot",
    "PostcodeSlot",
    "RangeSlot",
    "Rejected",
    "Slot",
    "TextSlot",
    "TimeSlot",
    "YesNoSlot",
]
