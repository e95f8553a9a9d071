"""The mark that a survey asks for."""

from __future__ import annotations

import re
from datetime import datetime

from flows.actions import Expectation
from flows.corrections import takes
from flows.numbers import find_numbers
from flows.slots.integer import IntegerSlot
from flows.slots.text import TextSlot
from flows.texts import Text
from flows.words import begins, tokens

# Marks as people name them, by the number.
_NAMED: dict[str, dict[str, int]] = {
    "pl": {
        "zerem*": 0, "jedynk*": 1, "dwojk*": 2, "dwoja": 2, "trojk*": 3, "troja": 3, "czwork*": 4, "czwork": 4,
        "piatk*": 5, "szostk*": 6, "siodemk*": 7, "osemk*": 8, "dziewiatk*": 9, "dziesiatk*": 10,
    },
    "en": {},
}  # fmt: skip
_HIGHEST = {"pl": ("najwyzsz*", "maksymaln*", "maks", "maksimum"), "en": ("highest", "maximum", "top", "full")}
_LOWEST = {"pl": ("najnizsz*", "minimaln*", "minimum"), "en": ("lowest", "minimum", "bottom")}
_OUT_OF = re.compile(r"(\d+)\s*/\s*\d+")


class MarkSlot(IntegerSlot):
    """A whole number from `minimum` to `maximum`: "dziewięć", "dziesiątkę", "pięć z plusem", "nine out of ten"."""

    ask: Text = {}  # noqa: RUF012  (the survey's own phrase asks)

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> int | None:
        if not asked:
            return None
        refuses = tokens(text)[:1] in (["nie"], ["not"], ["no"])  # "nie pięć, siedem"
        found = [mark for take in takes(text, language) if (mark := self._mark(take, language, refuses)) is not None]
        return found[-1] if found else None

    def _mark(self, text: str, language: str, refuses: bool) -> int | None:
        words = tokens(_OUT_OF.sub(r"\1", text))
        marks = [number.value for number in find_numbers(words, language, fuzzy=True)]
        for word in words:
            marks += [value for pattern, value in _NAMED[language].items() if begins(word, pattern)]
        if marks:
            return marks[-1] if refuses else marks[0]
        for patterns, value in ((_HIGHEST, self.maximum), (_LOWEST, self.minimum)):
            if any(begins(word, pattern) for word in words for pattern in patterns[language]):
                return value
        return None

    def expectation(self, language: str) -> Expectation:
        return Expectation("digits", length=1 if self.maximum < 10 else None, keys=True)


class CommentSlot(TextSlot):
    """The reason for a mark, in the caller's words."""

    ask: Text = {}  # noqa: RUF012
