"""Telephone numbers: one way of writing them, and which are never rung."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import PhoneNumberType

from voicebot.errors import WrongNumber

REGION = "PL"
_LONGEST_EXTENSION = 6

_DEAR = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST, PhoneNumberType.PAGER})


def callable_number(text: str, region: str = REGION) -> str:
    """The number as E.164, from any way of writing it; without a country code it is one of `region`.

    Raises WrongNumber: for what is no number, or one that costs whoever calls it more than a call.
    """
    number = _read(text, region)
    if phonenumbers.number_type(number) in _DEAR:
        raise WrongNumber(f"{text} is a number of higher rates.", "Give an ordinary number.")
    return _written(number)


def as_e164(text: str, region: str = REGION) -> str:
    """The number in the form of E.164, from any way of writing it; what is none (an extension, a name) as it is."""
    if not re.fullmatch(r"\+?[0-9 ()./-]+", text):
        return text
    try:
        return _written(_read(text, region))
    except WrongNumber:
        return text


def number_in(user: str, region: str = REGION) -> str | None:
    """The telephone number that ringing the user part of a SIP address would dial; None for a telephone of the house.

    Names and extensions are of the house. What is longer and no number (one with a prefix, a code that diverts calls)
    is taken for one as it stands, which nobody then allows.
    """
    number = as_e164(user, region)
    digits = sum(sign.isdigit() for sign in user)
    is_name = any(sign.isalpha() for sign in user)
    return number if number.startswith("+") or (digits > _LONGEST_EXTENSION and not is_name) else None


def as_kept(text: str) -> str:
    """The number as the records hold it: E.164, or as it came when nobody can be called at it."""
    try:
        return callable_number(text)
    except WrongNumber:
        return text


def _read(text: str, region: str) -> phonenumbers.PhoneNumber:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise WrongNumber(
            f"{text or 'An empty text'} is no telephone number.", "Give nine digits, or one with its country code."
        ) from error
    if not phonenumbers.is_valid_number(number):
        raise WrongNumber(f"There can be no telephone number {text}.", "Check its digits and its country code.")
    return number


def _written(number: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
