"""One of a few options, each with the words people use for it."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from pydantic import Field

from flows.actions import Expectation
from flows.corrections import takes
from flows.numbers import find_numbers
from flows.phrasebook import PhraseSet
from flows.slots.base import Rejected, Slot
from flows.spans import Span
from flows.texts import Phrases, list_in_language
from flows.words import tokens

# "The second one", "opcja druga", "ostatnie": an option by its place.
_BESIDE_PLACE = {
    "pl": frozenset(
        "ta ten to te opcja opcje opcji wybieram prosze poprosze wersja wersje wariant numer numerem niech bedzie z "
        "tych biore odpowiedz moze chyba no yyy eee zdecydowanie".split()
    ),
    "en": frozenset("the one option number choice please i take ill choose would like that a um uh".split()),
}
_LAST = {"pl": ("ostatni", "ostatnia", "ostatnie", "ostatniego"), "en": ("last", "latter")}


@lru_cache(maxsize=1000)
def _phrases(*phrases: str) -> PhraseSet:
    return PhraseSet(phrases)


class ChoiceSlot(Slot):
    """`options` maps stored values to their words by language. The first is what the bot says; `kurier*` is a stem."""

    type: Literal["choice"]
    options: dict[str, Phrases] = Field(min_length=2)

    def _mentioned(self, text: str, language: str) -> list[str]:
        """Options of which words are said; words within longer ones of another option do not count."""
        said = tokens(text)
        found = {
            (option, *span)
            for option, words in self.options.items()
            for span in _phrases(option, *list_in_language(words, language)).spans(said)
        }
        kept = {
            option
            for option, start, end in found
            if not any(
                begin <= start and end <= stop and stop - begin > end - start and other != option
                for other, begin, stop in found
            )
        }
        return [option for option in self.options if option in kept]

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        mentioned = self._mentioned(text, language)
        if len(mentioned) == 1:
            return mentioned[0]
        if not mentioned:
            return self._by_place(text, language) if asked else None
        pieces = [self._mentioned(piece, language) for piece in takes(text, language)]
        taken_back = len(pieces) > 1 and {option for piece in pieces for option in piece} == set(mentioned)
        return pieces[-1][0] if taken_back and len(pieces[-1]) == 1 else None

    def _by_place(self, text: str, language: str) -> str | None:
        words = tokens(text)
        names = list(self.options)
        if any(word in _LAST[language] for word in words) and self._nothing_else(words, language, set(_LAST[language])):
            return names[-1]
        numbers = find_numbers(words, language)
        if len(numbers) == 2 and numbers[0].ordinal and words[numbers[1].start] == "one":
            numbers.pop()  # "the second one"
        if len(numbers) != 1 or not 1 <= numbers[0].value <= len(names):
            return None
        said = set(words[numbers[0].start : numbers[0].end])
        return names[numbers[0].value - 1] if self._nothing_else(words, language, said) else None

    def _nothing_else(self, words: list[str], language: str, said: set[str]) -> bool:
        return all(word in _BESIDE_PLACE[language] or word in said for word in words)

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        return value if isinstance(value, str) and value in self.options else Rejected("not_understood", {})

    def label(self, option: str, language: str) -> str:
        """How the bot says an option."""
        words = list_in_language(self.options[option], language)
        return words[0].rstrip("*") if words else option

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return (self.label(str(value), language),)

    def expectation(self, language: str) -> Expectation:
        hints = tuple(
            word.replace("*", "") for words in self.options.values() for word in list_in_language(words, language)
        )
        return Expectation("choice", hints=hints)

    def amend(self, value: Any, text: str, language: str, now: datetime) -> str | None:
        """After a denial the option already chosen is the one denied, so the other one mentioned is meant."""
        others = [option for option in self._mentioned(text, language) if option != value]
        return others[0] if len(others) == 1 else None

    def from_keys(self, keys: str, now: datetime) -> str | None:
        names = list(self.options)
        return names[int(keys) - 1] if keys.isascii() and keys.isdigit() and 1 <= int(keys) <= len(names) else None

    def mistakes(self) -> list[tuple[str, str, str]]:
        if len(self.options) > 9:
            return [("options", "More than nine options can not be chosen by keys.", "Ask in two questions.")]
        return []
