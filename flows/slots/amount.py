"""Amounts of money, kept as "129.50"."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from flows.actions import Expectation
from flows.corrections import takes
from flows.money import Amount, find_amount
from flows.slots.base import Rejected, Slot
from flows.spans import Span

_LARGEST = Decimal(10) ** 11
_CENT = Decimal("0.01")


def _currency(value: str) -> str:
    if not re.fullmatch("[A-Z]{3}", value):
        raise PydanticCustomError("currency", "must be a currency of three capital letters, for example `PLN`")
    return value


Currency = Annotated[str, AfterValidator(_currency), WithJsonSchema({"type": "string", "pattern": "^[A-Z]{3}$"})]


class AmountSlot(Slot):
    """An amount between `minimum` and `maximum` in `currency`; a caller who names another currency is told."""

    keys_phrase: ClassVar[str] = "keys_amount"

    type: Literal["amount"]
    minimum: float | None = None
    maximum: float | None = None
    currency: Currency = "PLN"

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        found: Amount | None = None
        for piece in takes(text, language) if asked else [text]:
            found = find_amount(piece, language) or found
        if found is None or (found.currency is None and not asked):
            return None
        value = f"{found.value.quantize(_CENT)}" if abs(found.value) < _LARGEST else None
        other = found.currency if found.currency not in ("", None, self.currency) else None
        return f"{value} {other}" if value and other else value

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        number, _, currency = str(value).strip().replace(",", ".").partition(" ")
        try:
            amount = Decimal(number).quantize(_CENT)
        except InvalidOperation:
            return Rejected("not_understood", {})
        if isinstance(value, bool) or not amount.is_finite() or abs(amount) >= _LARGEST:
            return Rejected("not_understood", {})
        heard = {"heard": f"{amount}", "currency": self.currency}
        if currency and currency != self.currency:
            return Rejected("amount_currency", {"heard": f"{amount}", "said": currency, "currency": self.currency})
        lowest = Decimal(str(self.minimum)) if self.minimum is not None else Decimal(0)
        if amount < lowest:
            return Rejected("amount_too_low", {**heard, "minimum": f"{lowest.quantize(_CENT)}"})
        if self.maximum is not None and amount > Decimal(str(self.maximum)):
            return Rejected("amount_too_high", {**heard, "maximum": f"{Decimal(str(self.maximum)).quantize(_CENT)}"})
        return f"{amount}"

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "amount", "value": str(value), "currency": self.currency},)

    def expectation(self, language: str) -> Expectation:
        return Expectation("digits", keys=True)

    def from_keys(self, keys: str, now: datetime) -> str | None:
        """`*` is the comma: 129*50."""
        whole, _, part = keys.partition("*")
        if not (whole.isascii() and whole.isdigit() and len(whole) <= 9 and len(part) <= 2):
            return None
        return f"{whole}.{part.ljust(2, '0')}" if not part or (part.isascii() and part.isdigit()) else None

    def mistakes(self) -> list[tuple[str, str, str]]:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            return [("minimum", "`minimum` is above `maximum`.", "Swap them.")]
        return []
