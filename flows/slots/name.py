"""Names of people, said or spelled: "Maria Kowalska", "Kowalska, ka o wu a el es ka a", "M jak Maria, a, n"."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal

from rapidfuzz import fuzz

from flows.actions import Expectation
from flows.corrections import takes
from flows.letters import AROUND
from flows.slots.base import Rejected, Slot
from flows.spans import Span
from flows.spelling import Spelling
from flows.words import fold

_NAME = re.compile(r"[^\W\d_]+(?:[-' ’][^\W\d_]+)*")
_LONGEST = 80
_WORDS_OF_A_NAME = 4
_SAME = 75  # how alike a said and a spelled word are when they are one name, of 100
_AROUND = {
    "pl": frozenset(
        "nazywam się sie moje mój imię imie nazwisko nazwiska na mam to jest jestem tu tutaj z tej strony przy "
        "telefonie mówi ja pan pani pana panią dzień dobry witam no yyy eee więc tak proszę zapisać przeliteruję "
        "literuję a i po czyli przez samo imieniem będzie dziękuję nazywa żona mąż rezerwacja "
        "zamówienie zwykłe podaję hmm".split()
    ),
    "en": frozenset(
        "my name is its it s m i im am this that thats the first last surname full speaking hello hi mister mr mrs ms "
        "miss good morning um uh er well so yes please and a spelled spelt with would be thanks thank you".split()
    ),
}
_INTRODUCED = {
    "pl": re.compile(
        r"(?:[Nn]azywam się|[Zz] tej strony|[Mm]oje nazwisko to)\s+([^\W\d_]+(?:\s+[^\W\d_]+(?:-[^\W\d_]+)?))"
    ),
    "en": re.compile(r"(?:[Mm]y name is|[Mm]y name's)\s+([^\W\d_]+\s+[^\W\d_]+(?:-[^\W\d_]+)?)"),
}


class NameSlot(Slot):
    """`parts`: `full` is first name and surname."""

    type: Literal["name"]
    parts: Literal["full", "first", "last"] = "full"

    def parse(self, text: str, language: str, now: datetime, *, asked: bool) -> str | None:
        if not asked:
            return self._introduced(text, language)
        said = [names for piece in takes(text, language) if (names := _names(piece, language))]
        return self._part(said[-1]) if said and len(said[-1]) <= _WORDS_OF_A_NAME else None

    def _introduced(self, text: str, language: str) -> str | None:
        """ "My name is Jan Kowalski", where the capitals show that it is a name."""
        found = _INTRODUCED[language].search(text)
        names = found[1].split() if found else []
        return self._part(names) if names and all(name[0].isupper() for name in names) else None

    def _part(self, names: list[str]) -> str:
        if len(names) > 1 and self.parts != "full":
            names = names[-1:] if self.parts == "last" else names[:-1]
        return " ".join(_capital(name) for name in names)

    def accept(self, value: Any, now: datetime) -> str | Rejected:
        name = " ".join(value.split()) if isinstance(value, str) else ""
        if not _NAME.fullmatch(name) or len(name) > _LONGEST:
            return Rejected("not_understood", {})
        if self.parts == "full" and " " not in name:
            return Rejected("name_parts", {"heard": name})
        return name

    def spans(self, value: Any, language: str) -> tuple[Span, ...]:
        return (str(value),)

    def expectation(self, language: str) -> Expectation:
        return Expectation("spelled", timeout_s=8.0)

    def plainest(self, value: Any, text: str, language: str) -> bool:
        """Somebody who spells may go on."""
        return not Spelling(text, language, digits=False).runs()

    def amend(self, value: Any, text: str, language: str, now: datetime) -> str | None:
        """ "(Not) Kowalska, Kowalski": the one for the other; a lone name for the one most like it."""
        names = _names(text, language)
        known = str(value).split()
        if self.parts != "full" or not 1 <= len(names) <= 2:
            return self._part(names) if 1 <= len(names) <= _WORDS_OF_A_NAME else None
        replaced = next((i for i, old in enumerate(known) if fold(old) == fold(names[0])), None)
        if len(names) == 2 and replaced is None:
            return self._part(names)
        if replaced is None:
            replaced = max(range(len(known)), key=lambda i: (fuzz.ratio(fold(known[i]), fold(names[0])), i))
        return " ".join([*known[:replaced], _capital(names[-1]), *known[replaced + 1 :]])

    def join(self, first: Any, second: Any, now: datetime) -> str | None:
        """First name in one answer, surname in the next."""
        whole = self.accept(f"{first} {second}", now)
        return None if isinstance(whole, Rejected) else whole


def _capital(name: str) -> str:
    return "-".join(part[:1].upper() + part[1:] for part in name.split("-"))


def _names(text: str, language: str) -> list[str]:
    """The names in a text; one that is spelled behind it is written as it is spelled. None where there are numbers."""
    spelling = Spelling(text, language, digits=False)
    names: list[str] = []
    spelled = ""
    hyphen = False
    for piece in [*spelling.pieces, None]:
        words = spelling.words[piece.start : piece.end] if piece else []
        if piece and piece.characters and not (not piece.sure and _is_word(words, spelled, language)):
            spelled += piece.characters
            continue
        if piece and words[0] in AROUND[language] and spelled:
            continue
        if piece and words[0] in ("-", ".") and spelled:
            continue
        names = _with_spelled(names, spelled)
        spelled = ""
        if not words or words[0] in _AROUND[language]:
            continue
        if words[0] in ("-", "myślnik", "kreska", "hyphen", "dash"):
            hyphen = bool(names)
        elif any(word.isdigit() for word in words):
            return []
        elif words[0].isalpha():
            names = [*names[:-1], f"{names[-1]}-{words[0]}"] if hyphen and names else [*names, words[0]]
            hyphen = False
    return names


def _is_word(words: list[str], spelled: str, language: str) -> bool:
    """Whether a single letter ("i", "a", "z") stands as a word: nothing was spelled before it."""
    return not spelled and words[0] in {"pl": ("i", "a", "z", "w", "o", "u"), "en": ("a", "i")}[language]


def _with_spelled(names: list[str], spelled: str) -> list[str]:
    """With what was spelled in place of the name that it spells; a single letter only said how a name begins."""
    if len(spelled) < 2 or any(fold(name).startswith(fold(spelled)) for name in names):
        return names
    alike = next((i for i, name in enumerate(names) if fuzz.ratio(fold(name), fold(spelled)) >= _SAME), None)
    return [*names, spelled] if alike is None else [*names[:alike], spelled, *names[alike + 1 :]]
