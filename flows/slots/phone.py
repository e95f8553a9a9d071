"""Telephone numbers, kept as "+48501600700"."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

import phonenumbers
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from flows.numbers import digit_runs
from flows.slots.base import Rejected
from flows.slots.dictated import DictatedSlot
from flows.spans import Span
from flows.words import tokens


def _region(value: str) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise PydanticCustomError("region", "must be a country of two capital letters, for example `PL`")
    return value


class PhoneSlot(DictatedSlot):
    """A number that can be called. Without a country code it belongs to `region`."""

    type: Literal["phone"]
    region: Annotated[str, AfterValidator(_region)] = "PL"

    def fits(self, digits: str) -> bool:
        return self._number(digits) is not None

    def _number(self, digits: str) -> str | None:
        """The number with its country code, if there can be such a number."""
        written = f"+{digits[2:]}" if digits.startswith("00") else digits
        code = str(phonenumbers.country_code_for_region(self.region))
        candidates = [written, f"+{written}"] if written.startswith(code) else [written]
        for candidate in candidates:
            try:
                number = phonenumbers.parse(candidate, self.region)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number):
                return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
        return None

    @property
    def digits_expected(self) -> int | None:
        return 9 if self.region == "PL" else None

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        found = super().parse(text, language, now, asked=asked)
        if found is None or not self._says_plus(text, language):
            return found
        foreign = self._number(f"+{found}")
        return foreign or found

    def _says_plus(self, text: str, language: str) -> bool:
        """Whether the number that was said begins with a plus."""
        return "+" in text or "plus" in tokens(text)

    def plainest(self, value: Any, text: str, language: str) -> bool:
        said = str(value)
        national = self._national(said)
        runs = digit_runs(text, language, fuzzy=True)
        return any(
            super(PhoneSlot, self).plainest(form, text, language) for form in (said, said.lstrip("+"), national)
        ) or (not runs)

    def _national(self, value: str) -> str:
        """Without the country code of the region."""
        return value.removeprefix(f"+{phonenumbers.country_code_for_region(self.region)}")

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        written = re.sub(r"[\s()./-]", "", value) if isinstance(value, str) else ""
        if not re.fullmatch(r"\+?[0-9]{1,20}", written):
            return Rejected("not_understood", {})
        number = self._number(written)
        if number is not None:
            return number
        heard = written.lstrip("+")
        if self.digits_expected is not None and len(heard) < self.digits_expected:
            return Rejected("phone_length", {"heard": heard, "length": self.digits_expected})
        return Rejected("phone_unknown", {"heard": heard})

    def amend(self, value: Any, text: str, language: str, now: datetime) -> Any | None:
        return super().amend(self._national(str(value)), text, language, now)

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "phone", "value": self._national(str(value))},)
