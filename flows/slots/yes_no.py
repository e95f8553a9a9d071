"""Yes or no. Understanding sets it from `Affirm` and `Deny`; the words live in flows/phrases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from flows.actions import Expectation
from flows.phrasebook import understood_phrases
from flows.slots.base import Rejected, Slot
from flows.spans import Span
from flows.words import tokens

# "I think so", "myślę, że nie": what follows is the answer.
_BEFORE_ANSWER = {"pl": ("ze", "raczej", "znaczy", "odpowiedz"), "en": ("think", "say", "guess", "answer", "well")}


_ANSWERS: dict[str, bool | Literal["unsure"]] = {"unsure": "unsure", "deny": False, "affirm": True}


class YesNoSlot(Slot):
    """True or false."""

    type: Literal["yes_no"]

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> bool | None:
        return yes_or_no(text, language) if asked else None

    def accept(self, value: Any, now: datetime) -> bool | Rejected:
        return value if isinstance(value, bool) else Rejected("not_understood", {})

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return (({"pl": "tak", "en": "yes"} if value else {"pl": "nie", "en": "no"})[language],)

    def expectation(self, language: str) -> Expectation:
        return Expectation("yes_no")

    def from_keys(self, keys: str, now: datetime) -> bool | None:
        return {"1": True, "2": False}.get(keys)


def yes_or_no(text: str, language: str) -> bool | None:
    """The answer that a text begins with, fillers aside; "nie wiem" is none, "nie ma sprawy" is a yes."""
    words = tokens(text)
    core = understood_phrases(language)["filler"].without(words)
    for candidate in (words, core, _behind(core, language)):
        if candidate and (answer := _begins(candidate, language)) is not None:
            return answer if answer != "unsure" else None
    return None


def _begins(words: Sequence[str], language: str) -> bool | Literal["unsure"] | None:
    """By the longest phrase: "nie" is a no, "nie mam nic przeciwko" a yes."""
    phrases = understood_phrases(language)
    left: dict[str, int] = {}
    for meaning in _ANSWERS:
        rest = phrases[meaning].after(words)
        if rest is not None:
            left[meaning] = len(rest)
    return _ANSWERS[min(left, key=left.__getitem__)] if left else None


def _behind(words: Sequence[str], language: str) -> list[str]:
    places = [place for place, word in enumerate(words) if word in _BEFORE_ANSWER[language]]
    return list(words[places[-1] + 1 :]) if places else []
