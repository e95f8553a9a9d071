"""What callers take back while they speak: "piętnastego, nie, szesnastego", "not Thursday but Friday"."""

from __future__ import annotations

import re

_TAKEN_BACK = {
    "pl": re.compile(
        r"\b(?:nie tylko|znaczy się|to znaczy|znaczy|przepraszam|sorry|sorki|pomyłka|"
        r"pomyli[łl][ae]?m?(?: się)?|tfu|wróć|albo nie|czekaj|poprawka|poprawiam|poprawiam się|nie|tylko|lecz)\b",
        re.IGNORECASE,
    ),
    "en": re.compile(
        r"\b(?:i mean|sorry|i meant|no|not|but|wait|rather|correction|make that|scratch that|my mistake)\b",
        re.IGNORECASE,
    ),
}
# "Friday and not Thursday": what follows is what is not meant.
_NOT_MEANT = {
    "pl": re.compile(r"\b(?:a|ale|i) nie\b(?! tylko).*", re.IGNORECASE | re.DOTALL),
    "en": re.compile(r"\b(?:and|but) not\b(?!.*\bbut\b).*", re.IGNORECASE | re.DOTALL),
}


def takes(text: str, language: str) -> list[str]:
    """The text cut where the caller takes something back; what is said later counts. One piece when nothing is."""
    kept = _NOT_MEANT[language].sub("", text)
    pieces = [piece.strip(" ,.;:-") for piece in _TAKEN_BACK[language].split(kept)]
    return [piece for piece in pieces if piece] or [text]
