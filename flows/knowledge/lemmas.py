"""Words in one common form, so that a question finds a text: "paczkę", "paczki" and "paczek" are one word here.

The forms are stems, made for comparing and for nothing else. They come from the Snowball stemmers (M. F. Porter; the
Polish one ships since Snowball 3.1), which know endings and no dictionary. For Polish a few rules of sounds are added
here, and a short list of words that no rule reaches. What is left apart: forms of irregular verbs ("idzie", "szedł"),
and words of one family that the language forms anew ("parking", "zaparkować").
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from Stemmer import Stemmer

from flows.knowledge.stop_words import STOP_WORDS
from flows.numbers import find_numbers
from flows.words import fold

_WORD = re.compile(r"[^\W\d_]+|\d+")
_STEMMERS = {"pl": Stemmer("polish"), "en": Stemmer("english")}
# The stem, then the forms that the rules below would bring elsewhere.
_IRREGULAR = {
    form: listed.split()[0]
    for listed in (
        "dzien dnia dniu dniem dni dniom dniach dniami",
        "tydzien tygodnia tygodniu tygodniem tygodnie tygodni tygodniach",
        "miesiac miesiaca miesiacu miesiacem miesiace miesiecy miesiacach",
        "rok roku rokiem lata lat latach latami",
        "pies psa psu psem psy psow psom psami psach",
        "czlowiek czlowieka czlowiekiem ludzie ludzi ludziom ludzmi",
        "dziecko dziecka dziecku dzieckiem dzieci dzieciom dziecmi dzieciach",
        "pieniadze pieniedzy pieniadz pieniadzom pieniedzmi pieniadzach",
        "sposob sposobu sposobem sposoby sposobow sposobami",
        "konto konta kontu koncie kontem kont",
        "koniec konca koncu koncem",
        "droga drogi droge drodze drog drogami",
        "dzial dziala dzialaja dzialac dzialal dzialalo dzialala",
        "wysyl wysle wysla wyslij wyslemy wyslac wyslane wyslana wyslany",
        "zwroc zwrocie",
        "soboc sobocie",
        "paczkomac paczkomacie",
    )
    for form in listed.split()
}
# Participles, nouns made of verbs, a vowel that comes and goes; then consonants that change before an ending.
_ENDINGS = (
    ("uj", "ow"), ("ek", "k"), ("ien", ""), ("en", ""), ("an", ""), ("ion", ""), ("zon", "z"), ("yc", ""), ("i", ""),
)  # fmt: skip
_SOUNDS = (("rz", "r"), ("dz", "d"), ("sz", "s"), ("cz", "c"), ("k", "c"), ("t", "c"))
_SHORTEST = 4  # letters that a stem keeps


def words(text: str) -> list[str]:
    """Lower-case words and digit groups, with their accents; apostrophes join ("don't" is "dont")."""
    composed = unicodedata.normalize("NFKC", text).lower()
    return _WORD.findall(composed.replace("'", "").replace("’", ""))


@lru_cache(maxsize=20_000)
def lemma(word: str, language: str) -> str:
    """The common form of a lower-case word. `language` is "pl" or "en"."""
    folded = fold(word)
    if folded.isdigit():
        return folded
    if language == "en":
        return str(_STEMMERS["en"].stemWord(folded))
    if folded in _IRREGULAR:
        return _IRREGULAR[folded]
    return _soften(fold(_STEMMERS["pl"].stemWord(word)))


def _soften(stem: str) -> str:
    """Polish sounds that change before an ending, brought to one: "paczek", "paczce" and "paczk" end alike."""
    for ending, instead in _ENDINGS:
        if stem.endswith(ending) and len(stem) - len(ending) + len(instead) >= _SHORTEST:
            stem = stem[: -len(ending)] + instead
            break
    for ending, instead in _SOUNDS:
        if stem.endswith(ending) and len(stem) >= _SHORTEST:
            return stem[: -len(ending)] + instead
    return stem


def lemmas(text: str, language: str) -> list[str]:
    """The common forms of all words of a text in order; spoken numbers become digits."""
    return [common for _, common in _with_words(words(text), language)]


def telling(text: str, language: str) -> list[tuple[str, str]]:
    """The words that say what a text is about, each with its common form: without stop words."""
    return _with_words([word for word in words(text) if fold(word) not in STOP_WORDS[language]], language)


def _with_words(plain: list[str], language: str) -> list[tuple[str, str]]:
    numbers = {number.start: number for number in find_numbers([fold(word) for word in plain], language)}
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(plain):
        word, number = plain[position], numbers.get(position)
        found.append((word, number.digits if number else lemma(word, language)))
        position = number.end if number else position + 1
    return found
