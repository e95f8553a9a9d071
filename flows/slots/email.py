"""E-mail addresses, said ("jan kropka nowak małpa firma kropka pl") or spelled."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal

from flows.actions import Expectation
from flows.corrections import takes
from flows.slots.base import Rejected, Slot
from flows.spans import Span
from flows.spelling import Spelling
from flows.words import fold

_ADDRESS = re.compile(
    r"[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9_])?@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,18}"
)
_WRITTEN = re.compile(r"[\w.+-]+\s?@\s?[\w-]+(?:\.[\w-]+)+", re.ASCII)
_AT = {"pl": ("małpa", "małpka", "malpa", "małpą", "et", "at", "@"), "en": ("at", "@")}
_SIGNS = {
    "pl": {
        "kropka": ".", "kropeczka": ".", "dot": ".", "myślnik": "-", "minus": "-", "kreska": "-", "łącznik": "-",
        "pauza": "-", "podkreślenie": "_", "podkreślnik": "_", "podłoga": "_", "podkreślacz": "_", "plus": "+",
    },
    "en": {
        "dot": ".",
        "period": ".", "point": ".", "dash": "-", "hyphen": "-", "minus": "-", "underscore": "_", "plus": "+",
    },
}  # fmt: skip
_SOUNDS = {  # as recognisers write what is said
    "dżimejl": "gmail", "dżimail": "gmail", "dzimejl": "gmail", "gimejl": "gmail", "gmejl": "gmail",
    "dżi mejl": "gmail",
    "g mail": "gmail", "kom": "com", "hotmejl": "hotmail", "autluk": "outlook", "outluk": "outlook", "jahu": "yahoo",
    "gie mail": "gmail", "dolna kreska": "_", "kreska dolna": "_", "znak podkreślenia": "_", "o dwa": "o2",
    "interja": "interia", "gow": "gov", "gmaila": "gmail", "znak et": "małpa",
}  # fmt: skip
_ENDS = frozenset("pl com eu net org info biz gov edu de uk ua".split())
_BEFORE = {
    "pl": frozenset(
        "mój moj adres mail mejl maila mejla mailowy to jest email e emaila adresem no yyy eee więc proszę zapisać na "
        "tak będzie podaję nasz firmowy prywatny mi zapisuje zapisz się".split()
    ),
    "en": frozenset("my address mail email e it is its that would be the uh um well so s yes please write".split()),
}
_AFTER = {
    "pl": frozenset("dziękuję to wszystko proszę tak tyle jest wszystkie małe małymi literami razem".split()),
    "en": frozenset("thanks thank you that is thats it all please lower case".split()),
}


class EmailSlot(Slot):
    """An address, in small letters without accents."""

    type: Literal["email"]

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        written = _WRITTEN.findall(fold(text))
        if written:
            return str(written[-1]).replace(" ", "")
        found = [address for piece in [text, *takes(text, language)] if (address := _said(piece, language))]
        whole = next((address for address in found if _ADDRESS.fullmatch(address)), None)
        return whole or (found[0] if asked and found else None)

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        address = fold(value).replace(" ", "") if isinstance(value, str) else ""
        if _ADDRESS.fullmatch(address) and ".." not in address:
            return address
        return Rejected("email_incomplete", {}) if "@" in address else Rejected("not_understood", {})

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "email", "value": str(value)},)

    def expectation(self, language: str) -> Expectation:
        return Expectation("spelled", timeout_s=10.0)

    def amend(self, value: Any, text: str, language: str, now: datetime) -> str | None:
        """A new address, or a new part before or behind the at sign."""
        whole = self.parse(text, language, now, asked=True)
        if whole is not None:
            return whole
        local, _, domain = str(value).partition("@")
        part = _characters(text, language, strip=True)
        if not part:
            return None
        return f"{local}@{part}" if re.search(r"\.[a-z]{2,4}$", part) else f"{part}@{domain}"


def _said(text: str, language: str) -> str | None:
    """The address around the word for the at sign, or None when there is none."""
    said = f" {text.lower()} "
    for sound, meant in _SOUNDS.items():
        said = said.replace(f" {sound} ", f" {meant} ")
    words = re.findall(r"[^\W\d_]+|\d+|[@_.+-]", said)
    places = [index for index, word in enumerate(words) if word in _AT[language]]
    place = next((index for index in places if words[index] not in ("et", "at")), places[-1] if places else None)
    if place is None:
        return None
    local = _characters(" ".join(words[:place]), language, strip=True)
    domain = _domain(" ".join(words[place + 1 :]), language)
    return f"{local}@{domain}" if local else None


def _domain(text: str, language: str) -> str:
    """With the full stop before the ending, which some leave out; what follows the ending is no address."""
    parts = _parts(text, language)
    while parts and parts[-1] in _AFTER[language]:
        parts.pop()
    if "." not in parts and len(parts) > 1 and parts[-1] in _ENDS:
        parts.insert(-1, ".")
    joined = "".join(parts)
    joined = joined[:-2] + ".pl" if "." not in joined and joined.endswith("pl") and len(joined) > 3 else joined
    return joined.strip(".")


def _characters(text: str, language: str, *, strip: bool) -> str:
    parts = _parts(text, language)
    while strip and parts and parts[0] in _BEFORE[language]:
        parts = parts[1:]
    return "".join(parts)


def _parts(text: str, language: str) -> list[str]:
    """Letters, digits, signs and words of a part of an address, without accents."""
    spelling = Spelling(text, language)
    parts: list[str] = []
    for piece in spelling.pieces:
        words = spelling.words[piece.start : piece.end]
        sign = _SIGNS[language].get(words[0]) if len(words) == 1 else None
        parts.append(sign or fold(piece.characters or "".join(words)))
    return parts
