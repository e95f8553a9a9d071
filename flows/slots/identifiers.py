"""Numbers with a checksum: PESEL, NIP, IBAN. And postal codes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal

from stdnum import iban
from stdnum.pl import nip, pesel

from flows.actions import Expectation
from flows.slots.base import Rejected
from flows.slots.dictated import DictatedSlot, only_digits
from flows.spans import Span
from flows.spelling import Spelling

_POLISH_ACCOUNT = 26  # digits of a Polish IBAN
_COUNTRY = re.compile(r"[A-Z]{2}")


class PeselSlot(DictatedSlot):
    """The number of a person in Poland: eleven digits, the last of them a check digit."""

    type: Literal["pesel"]

    def fits(self, digits: str) -> bool:
        return bool(pesel.is_valid(digits))

    @property
    def digits_expected(self) -> int | None:
        return 11

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        return _checked(self, value, "pesel")

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "pesel", "value": str(value)},)


class NipSlot(DictatedSlot):
    """The tax number of a firm in Poland: ten digits, the last of them a check digit."""

    type: Literal["nip"]

    def fits(self, digits: str) -> bool:
        return bool(nip.is_valid(digits))

    @property
    def digits_expected(self) -> int | None:
        return 10

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        return _checked(self, value, "nip")

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "nip", "value": str(value)},)


class PostcodeSlot(DictatedSlot):
    """A Polish postal code, kept as "00-950"."""

    type: Literal["postcode"]

    def fits(self, digits: str) -> bool:
        return len(digits) == 5

    @property
    def digits_expected(self) -> int | None:
        return 5

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        digits = only_digits(value)
        if digits is None:
            return Rejected("not_understood", {})
        if not self.fits(digits):
            return Rejected("postcode_length", {"heard": digits})
        return f"{digits[:2]}-{digits[2:]}"

    def amend(self, value: Any, text: str, language: str, now: datetime) -> Any | None:
        return super().amend(str(value).replace("-", ""), text, language, now)

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "postcode", "value": str(value)},)


class IbanSlot(DictatedSlot):
    """An account number. Digits alone are a Polish one; the value has its country: "PL61109010140000071219812874"."""

    type: Literal["iban"]

    def fits(self, digits: str) -> bool:
        return bool(iban.is_valid(_with_country(digits)))

    @property
    def digits_expected(self) -> int | None:
        return _POLISH_ACCOUNT

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        found = super().parse(text, language, now, asked=asked)
        if found is not None and self.fits(found):
            return _with_country(found)
        spelled = Spelling(text, language).characters()
        foreign = next((s for s in (spelled.upper(), text.upper().replace(" ", "")) if iban.is_valid(s)), None)
        return foreign or found

    def plainest(self, value: Any, text: str, language: str) -> bool:
        return super().plainest(str(value).removeprefix("PL"), text, language) or not str(value).startswith("PL")

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        if not isinstance(value, str) or not value.isascii():
            return Rejected("not_understood", {})
        number = _with_country(re.sub(r"[\s-]", "", value).upper())
        if iban.is_valid(number):
            return str(iban.compact(number))
        heard = number.removeprefix("PL")
        if not heard.isdigit():
            return Rejected("not_understood", {})
        if len(heard) != _POLISH_ACCOUNT:
            return Rejected("iban_length", {"heard": heard, "count": len(heard)})
        return Rejected("iban_checksum", {"heard": heard})

    def amend(self, value: Any, text: str, language: str, now: datetime) -> Any | None:
        return super().amend(str(value).removeprefix("PL"), text, language, now)

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "iban", "value": str(value).removeprefix("PL")},)

    def expectation(self, language: str) -> Expectation:
        return Expectation("digits", length=_POLISH_ACCOUNT, timeout_s=10.0, keys=True)


def _with_country(number: str) -> str:
    return number if _COUNTRY.match(number) else f"PL{number}"


def _checked(slot: DictatedSlot, value: Any, kind: str) -> str | Rejected:
    digits = only_digits(value)
    if digits is None:
        return Rejected("not_understood", {})
    if slot.fits(digits):
        return digits
    if len(digits) != slot.digits_expected:
        return Rejected(f"{kind}_length", {"heard": digits})
    return Rejected(f"{kind}_checksum", {"heard": digits})
