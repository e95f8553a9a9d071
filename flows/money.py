"""Amounts, as they are said: "sto dwadzieścia złotych pięćdziesiąt groszy", "półtora tysiąca", "129,50 zł"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from flows.said import said

_THOUSANDS = re.compile(r"(?<![\d.,])(\d{1,3})(?:[ \u00a0.,'](\d{3}))(?:[ \u00a0.,'](\d{3}))?(?![\d])")
_DECIMALS = re.compile(r"(?<![\d.,])(\d+)[.,](\d{1,2})(?!\d|[.,]\d)")
_MARK = re.compile(r"<[cd](\d+)>")
_SIGN_BEFORE = re.compile(r"([€$£])\s*(\d[\d .,]*)")
_SIGNS = {"€": " euro ", "$": " dollars ", "£": " pounds "}
_MANY = re.compile(r"(?<![\d.,])(\d+)[.,](\d{1,3})\s*(tys\w*|thousand|mln|milion\w*|million)", re.IGNORECASE)

# Currencies by the words for them (folded stems); hundredths by theirs.
_CURRENCIES = {
    "PLN": r"zl|zlot[aeyoi]\w*|zlotow\w*|pln|zlotys?",
    "EUR": r"euro|euros|eur|ojro",
    "USD": r"dolar\w*|dollars?|usd|bucks?",
    "GBP": r"funt\w*|pounds?|gbp|quid|sterling",
    "CHF": r"frank\w*|francs?|chf",
    "CZK": r"koron\w*|crowns?|czk|koruna",
}
_UNIT = "|".join(_CURRENCIES.values())
_CURRENCY = {currency: re.compile(pattern) for currency, pattern in _CURRENCIES.items()}
_PART = re.compile(r"grosz\w*|gr|cent\w*|pens\w*|pence|penny|p|halerz\w*|haler|centym\w*")
_SCALES = {
    **dict.fromkeys("tys tysiak tysiaki tysiakow tysiaka grand".split(), 1000),
    **dict.fromkeys("stowa stowe stowy stow stowka stowke stowki setka setke setki setek".split(), 100),
    **dict.fromkeys("dycha dyche dychy dych dyszka dyszki tenner tenners".split(), 10),
    **dict.fromkeys("fiver fivers".split(), 5),
    **dict.fromkeys("tuzin dozen".split(), 12),
}
_BIG = (1000, 10**6, 10**9)
_DECIMAL_POINT = frozenset("przecinek kropka koma point comma".split())
_AND = frozenset("i and z".split())
_HALF = frozenset("pol half".split())
_ONE_UNIT = frozenset("zloty zlotowka zlotowke".split())  # "złoty pięćdziesiąt"
_ONE_AND_A_HALF = frozenset("poltora poltorej".split())


@dataclass(frozen=True)
class Amount:
    """What was said; `currency` is None where none was named, and empty where only hundredths were ("fifty pence")."""

    value: Decimal
    currency: str | None


def _written(text: str) -> str:
    """Written numbers in the words that the pattern knows: "1 200,50 zł" is "1200 przecinek 50 zl"."""
    text = _SIGN_BEFORE.sub(r"\2 \1 ", text.lower())
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    text = _MANY.sub(_in_full, text)
    text = _THOUSANDS.sub(lambda found: "".join(group for group in found.groups() if group), text)
    return _DECIMALS.sub(r"\1 przecinek \2", text)


def _in_full(found: re.Match[str]) -> str:
    """ "2,5 tysiąca" as 2500."""
    scale = 1000 if found[3][0] == "t" else 10**6
    return str(int(Decimal(f"{found[1]}.{found[2]}") * scale))


def find_amount(text: str, language: str) -> Amount | None:
    """The last amount in a text; one with a currency is preferred."""
    words = said(_written(text), language).split()
    found: list[Amount] = []
    position = 0
    while position < len(words):
        reader = _Reader(words, position)
        amount = reader.read()
        if amount is not None:
            found.append(amount)
        position = max(reader.position, position + 1)
    named = [amount for amount in found if amount.currency is not None]
    return next(reversed(named or found), None)


class _Reader:
    """Reads one amount from a place in the words; `position` is behind it afterwards."""

    def __init__(self, words: list[str], position: int) -> None:
        self._words = words
        self.position = position

    def _word(self, ahead: int = 0) -> str:
        place = self.position + ahead
        return self._words[place] if place < len(self._words) else ""

    def _digits(self, ahead: int = 0) -> str | None:
        found = _MARK.fullmatch(self._word(ahead))
        return found[1] if found else None

    def read(self) -> Amount | None:
        negative = self._word() == "minus" and self._digits(1) is not None
        self.position += negative
        whole = self._whole()
        if whole is None:
            return None
        sign = -1 if negative else 1
        if _PART.fullmatch(self._word()):
            self.position += 1
            return Amount(sign * whole / 100, "")
        currency = self._currency()
        cents = self._cents(bare=currency is None and whole == int(whole))
        return Amount(sign * (whole + Decimal(cents) / 100), currency or self._currency())

    def _whole(self) -> Decimal | None:
        """Before the currency: "dwa i pół tysiąca", "dwie stówy", "pół", "sto przecinek pięć"."""
        word = self._word()
        if word in _ONE_AND_A_HALF:
            self.position += 1
            return Decimal("1.5") * (self._scale() or 1)
        if word in _HALF:
            self.position += 1 + (self._word(1) in ("a", "an"))
            scale = self._scale()
            return Decimal("0.5") * (scale or 1) if scale or self._is_currency() else None
        if word in _SCALES:
            return Decimal(self._scale() or 1)
        digits = self._digits()
        if word in _ONE_UNIT and self._digits(1) is not None:
            return Decimal(1)
        if digits is None:
            return None
        self.position += 1
        number = Decimal(digits) + self._fraction()
        scale = self._scale(only_colloquial=number == int(number))
        if scale is None:
            return number
        rest = self._digits()
        more = int(rest) if rest and scale >= 100 and int(rest) < scale else 0
        self.position += bool(more)
        return number * scale + more

    def _fraction(self) -> Decimal:
        if self._word() in _AND and self._word(1) in ("pol", "a") and self._word(2 - (self._word(1) == "pol")) in _HALF:
            self.position += 2 if self._word(1) == "pol" else 3
            return Decimal("0.5")
        if self._word() not in _DECIMAL_POINT or self._digits(1) is None:
            return Decimal(0)
        self.position += 1
        digits = ""
        while (more := self._digits()) is not None and len(digits + more) <= 2:
            digits += more
            self.position += 1
        return Decimal(f"0.{digits or 0}")

    def _scale(self, *, only_colloquial: bool = False) -> int | None:
        word, digits = self._word(), self._digits()
        scale = _SCALES.get(word)
        if scale is None and digits is not None and not only_colloquial and int(digits) in _BIG:
            scale = int(digits)
        self.position += scale is not None
        return scale

    def _is_currency(self) -> bool:
        return any(pattern.fullmatch(self._word()) for pattern in _CURRENCY.values())

    def _currency(self) -> str | None:
        found = next((name for name, pattern in _CURRENCY.items() if pattern.fullmatch(self._word())), None)
        self.position += found is not None
        return found

    def _cents(self, *, bare: bool) -> int:
        """ "(Dwanaście złotych) pięćdziesiąt groszy", "(twelve) fifty"; `bare`: no currency was said before them."""
        start = self.position
        self.position += self._word() in _AND and not bare
        if not bare and self._word() in _HALF:
            self.position += 1
            return 50
        zero = self._digits() in ("0", "00") and self._digits(1) is not None and len(self._digits(1) or "") == 1
        self.position += zero
        digits = self._digits()
        self.position += digits is not None
        named = _PART.fullmatch(self._word()) is not None
        two = digits is not None and (zero or len(digits) == 2)
        if digits is None or len(digits) > 2 or not (two or named) or self._word() in _SCALES or (bare and named):
            self.position = start
            return 0
        self.position += named
        return int(digits)
