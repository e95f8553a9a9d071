"""Codes of letters and digits: contracts, number plates, bookings. Kept in capitals without spaces: "AB123"."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal

from flows.actions import Expectation
from flows.patterns import fits
from flows.slots.base import Rejected, Slot
from flows.slots.digits import pattern_mistakes
from flows.spans import Span
from flows.spelling import Spelling
from flows.words import fold

_ANY = r"[A-Z0-9]{2,20}"
_WRITTEN = re.compile(r"(?<![\w])(?=[\w/-]*\d)(?=[\w/-]*[^\W\d_])[\w]+(?:[/-][\w]+)*(?![\w])")
_LETTERS_THEN_DIGITS = re.compile(r"\s*[^\W\d_]{1,4}(?:[\s-]?\d+)+(?:[\s-]?[^\W\d_]{1,2})?\W*")
_ALIKE = {"O": "0", "0": "O"}


class CodeSlot(Slot):
    """Letters and digits that a `pattern` fits entirely; letters are capitals."""

    type: Literal["code"]
    pattern: str | None = None

    def _fitting(self, code: str) -> str | None:
        """The code, or what it is when "oh" was meant the other way."""
        pattern = self.pattern or _ANY
        if fits(pattern, code):
            return code
        swapped = ["".join(_ALIKE.get(c, c) if i == at else c for i, c in enumerate(code)) for at in range(len(code))]
        return next((other for other in swapped if fits(pattern, other)), None)

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        spelled = [_plain(run) for run in Spelling(text, language).runs()]
        written = [_plain(found) for found in _WRITTEN.findall(text)]
        if _LETTERS_THEN_DIGITS.fullmatch(text):
            written.append(_plain(text))
        candidates = sorted([*written, *spelled], key=len, reverse=True)
        fitting = (code for candidate in candidates if (code := self._fitting(candidate)) is not None)
        found = next(fitting, None)
        if not asked:
            mixed = found is not None and not found.isdigit() and not found.isalpha()
            return found if self.pattern is not None and mixed else None
        return found or next(iter(c for c in candidates if len(c) > 1), None)

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        if not isinstance(value, str) or not (code := _plain(value)):
            return Rejected("not_understood", {})
        return self._fitting(code) or Rejected("code_pattern", {"heard": code[:40]})

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return ({"kind": "spell", "value": str(value)},)

    def expectation(self, language: str) -> Expectation:
        return Expectation("spelled", timeout_s=8.0)

    def plainest(self, value: Any, text: str, language: str) -> bool:
        return self.pattern is not None

    def join(self, first: Any, second: Any, now: datetime) -> str | None:
        return self._fitting(_plain(f"{first}{second}"))

    def mistakes(self) -> list[tuple[str, str, str]]:
        return pattern_mistakes(self.pattern)


def _plain(code: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", fold(code).upper())
