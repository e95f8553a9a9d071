"""What no voice should meet: addresses in signs, and signs that stand for words or for nothing at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

EMAIL = re.compile(r"(?<![\w.@+-])[\w+-]+(?:\.[\w+-]+)*@[\w-]+(?:\.[\w-]+)+")
URL = re.compile(
    r"(?<![\w@.])(?:(?:https?://|www\.)[\w-]+(?:\.[\w-]+)*(?::\d+)?(?:/[\w./+&#-]*[\w/])?"
    r"|[A-Za-z][\w-]*(?:\.[\w-]+)*\.(?:pl|com|eu|org|net|gov|io|de|uk|info)(?:/[\w./+&#-]*[\w/])?)(?![\w@])",
    re.I,
)
IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?\d{4}){3,7}(?: ?\d{1,3})?(?!\w)|(?<![\w.,])\d{2}(?: ?\d{4}){6}(?!\w)")

_KEPT = frozenset(".,;:!?…()„”“\"'’‘‚«»-–—")
_EMPHASIS = re.compile(r"\*{2,}|_{2,}|`+|~{2,}")
_LONE_HYPHEN = re.compile(r"(?<!\w)-(?!\w)|(?<=\s)-(?=\s)")


def without_signs(text: str, names: Mapping[str, str]) -> str:
    """`text` with every sign as its name, or as a space when it has none. Letters and punctuation stay."""
    if text.isascii() and text.replace(" ", "").isalnum():
        return text
    text = _EMPHASIS.sub(" ", text)
    text = "".join(character if _plain(character) else names.get(character, " ") for character in text)
    return _LONE_HYPHEN.sub(" – ", text)


def _plain(character: str) -> bool:
    return character.isalpha() or character.isspace() or character in _KEPT or unicodedata.category(character)[0] == "M"
