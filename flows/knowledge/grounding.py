"""Whether an answer that something else worded says only what the passages say that it cites.

The check compares words and figures; it does not understand. In doubt it refuses, since the passage's own sentence is
spoken then. What it can not see: two facts of a passage that changed places ("the courier costs twelve, the locker
fifteen"), a condition that was left out ("only on weekdays"), a negation elsewhere than right before the word that it
negates, and a wrong "yes" to a question that it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from flows.day_words import MONTHS, WEEKDAYS
from flows.knowledge.figures import LINK, UNIT_OF, Figure, figures
from flows.knowledge.lemmas import lemma, telling, words
from flows.knowledge.passages import Passage, sentences
from flows.knowledge.stop_words import STOP_WORDS
from flows.phrasebook import PhraseSet
from flows.words import fold

MOST_WORDS = 40
_KNOWN_SHARE = 0.5
_QUANTITIES = {
    "pl": "pół połowa połowę połowy półtora półtorej kwadrans tuzin dwukrotnie podwójnie dwukrotność",
    "en": "half quarter dozen couple double twice triple thrice",
}
_COMMITMENTS = {
    "pl": "gwarantuj*,zagwarantuj*,obiecuj*,obieca*,przyrzek*,zapewni*,zobowiazuj*,na pewno,z pewnoscia,"
    "bez watpienia,masz moje slowo,na sto procent",
    "en": "guarantee*,promise*,definitely,certainly,for sure,without doubt,without fail,assure*,"
    "you have my word,commit*",
}
_NEGATIONS = {
    "pl": "nie nigdy bez brak braku zaden zadna zadne zadnej zadnego zadnych nikt nic nigdzie",
    "en": "not no never without cannot cant dont doesnt didnt isnt arent wasnt wont wouldnt none nothing nobody unable",
}
_REACH = 4  # words between a negation and what it negates, at most
_NEGATING_PREFIXES = {"pl": ("nie", "bez"), "en": ("un", "non")}
_POLITE = frozenset("pan pana panu panem pani pania panstwo panstwa panstwu panstwem i".split())
_CLAUSE = re.compile(r"[,;.:!?…()]+")
_FOREIGN_LETTER = re.compile(r"[^\W\d_A-Za-z\u00aa-\u024f]")


@dataclass(frozen=True)
class Grounded:
    """The answer may be spoken."""

    answer: str


@dataclass(frozen=True)
class Refused:
    """Why the answer may not be spoken, in plain words for logs and tests, which may hold words of the answer.

    `check`: the name of the check that it did not stand; nothing of the answer is in it.
    """

    reason: str
    check: str


@dataclass(frozen=True)
class _Said:
    """A text, and what the checks compare of it."""

    text: str
    language: str

    @cached_property
    def words(self) -> list[str]:
        return [fold(word) for word in words(self.text)]

    @cached_property
    def stems(self) -> frozenset[str]:
        return frozenset(lemma(word, self.language) for word in words(self.text))

    @cached_property
    def figures(self) -> list[Figure]:
        return figures(self.text, self.language)

    @cached_property
    def links(self) -> frozenset[str]:
        return frozenset(link.casefold() for link in LINK.findall(self.text))


def _has_words(said: _Said, source: _Said) -> str:
    return "" if said.words else "It has no words."


def _keeps_the_language(said: _Said, source: _Said) -> str:
    if letter := _FOREIGN_LETTER.search(said.text):
        return f"It is written in other letters (`{letter[0]}`)."
    counts = {language: sum(word in listed for word in said.words) for language, listed in STOP_WORDS.items()}
    if any(count > counts[said.language] for count in counts.values()):
        return f"It is not in the language of the call ({said.language})."
    return ""


def _promises_nothing(said: _Said, source: _Said) -> str:
    for phrase in _COMMITMENTS[said.language].split(","):
        pattern = PhraseSet([phrase], exact=True)
        if pattern.occurs(said.words) and not pattern.occurs(source.words):
            return f"It promises (`{phrase}`), and no cited passage does."
    return ""


def _has_the_figures(said: _Said, source: _Said) -> str:
    for figure in said.figures:
        if not figure.stands_in(source.figures):
            return f"It says `{figure.said}`, which no cited passage says."
    quantities = {lemma(word, said.language) for word in words(_QUANTITIES[said.language])}
    if more := (said.stems & quantities) - source.stems:
        return f"It says how much with `{min(more)}`, which no cited passage says."
    for link in said.links - source.links:
        return f"It names `{link}`, which no cited passage names."
    return ""


def _has_the_days(said: _Said, source: _Said) -> str:
    for forms in (*MONTHS[said.language], *WEEKDAYS[said.language]):
        if (named := {*said.words} & {*forms}) and not {*source.words} & {*forms}:
            return f"It names `{min(named)}`, which no cited passage names."
    return ""


def _has_the_names(said: _Said, source: _Said) -> str:
    """A word that begins a sentence may be a name, too; unless it is a small word, the passages must know it."""
    small = STOP_WORDS[said.language] | _POLITE
    for sentence in sentences(said.text):
        for word in re.findall(r"[^\W\d_]+", LINK.sub(" ", sentence)):
            if word == word.lower() or fold(word) in small:
                continue
            if lemma(word.lower(), said.language) not in source.stems:
                return f"It has the name `{word}`, or what may be one, and no cited passage has."
    return ""


def _keeps_the_negations(said: _Said, source: _Said) -> str:
    """What an answer negates has to be negated somewhere; what it does not, in the sentences nearest to its own."""
    shared = said.stems | source.stems
    whole = _polarity(source, shared)
    parts = [_Said(sentence, source.language) for sentence in sentences(source.text)]
    for sentence in (_Said(sentence, said.language) for sentence in sentences(said.text)):
        own = _polarity(sentence, shared)
        if added := own.negated - whole.negated:
            return f"It negates `{min(added)}`, and no cited passage does."
        if own.bare and not whole.negated:
            return "It says no, and the cited passages negate nothing."
        alike = [len(part.stems & sentence.stems) for part in parts]
        near = [_polarity(part, shared) for part, count in zip(parts, alike, strict=True) if count == max(alike)]
        for other in (whole, *near):
            if lost := (own.plain & other.negated) - other.plain:
                return f"It does not negate `{min(lost)}`, and the cited passages do."
    return ""


@dataclass
class _Polarity:
    """The stems that a text negates, those it does not, and whether a negation stands alone ("No, ...")."""

    negated: set[str] = field(default_factory=set)
    plain: set[str] = field(default_factory=set)
    bare: bool = False


def _polarity(text: _Said, known: frozenset[str]) -> _Polarity:
    """A negation is for the next telling word of its clause. "Bezpłatny" negates "płatny" where `known` has that."""
    negations, small = _NEGATIONS[text.language].split(), STOP_WORDS[text.language]
    found = _Polarity()
    for clause in _CLAUSE.split(text.text):
        reach = 0
        clause_words = words(clause)
        for word in clause_words:
            folded, stem = fold(word), lemma(word, text.language)
            inner = _without_prefix(word, text.language)
            if folded in negations:
                reach = _REACH
            elif inner in known:
                found.negated.add(inner)
            elif folded in small:
                reach = max(reach - 1, 0)
            elif reach:
                found.negated.add(stem)
                reach = 0
            else:
                found.plain.add(stem)
        found.bare = found.bare or (len(clause_words) == 1 and fold(clause_words[0]) in negations)
    return found


def _without_prefix(word: str, language: str) -> str:
    for prefix in _NEGATING_PREFIXES[language]:
        if word.startswith(prefix) and len(word) > len(prefix) + 3:
            return lemma(word.removeprefix(prefix), language)
    return ""


def _is_about_the_same(said: _Said, source: _Said, known_share: float) -> str:
    stems = {stem for _, stem in telling(said.text, said.language) if not stem.isdigit()}
    about = stems - UNIT_OF[said.language].keys()  # units were compared with their figures
    foreign = sorted(about - source.stems)
    if len(foreign) > len(about) * (1 - known_share):
        return f"Too much of it is not in the cited passages ({', '.join(foreign)})."
    return ""


_CHECKS = {
    "words": _has_words,
    "language": _keeps_the_language,
    "promise": _promises_nothing,
    "figure": _has_the_figures,
    "day": _has_the_days,
    "name": _has_the_names,
    "negation": _keeps_the_negations,
}


def ground(answer: str, cited: Sequence[Passage], language: str) -> Grounded | Refused:
    """The answer if it rests on the passages, or why it does not. `language` is the call's, "pl" or "en"."""
    source = ". ".join(" ".join((*passage.headings, ".", passage.text)) for passage in cited)
    return ground_in(source, answer, language, most_words=MOST_WORDS, known_share=_KNOWN_SHARE)


def ground_in(source: str, answer: str, language: str, *, most_words: int, known_share: float) -> Grounded | Refused:
    """As `ground`, with any text as what the answer has to rest on.

    `known_share`, 0 to 1: of the words that say what the answer is about, how many have to be in the source.
    """
    count = len(answer.split())
    if count > most_words:
        return Refused(f"It has {count} words, and at most {most_words} are spoken.", "length")
    said, known = _Said(answer, language), _Said(source, language)
    for name, check in _CHECKS.items():
        if reason := check(said, known):
            return Refused(reason, name)
    if reason := _is_about_the_same(said, known, known_share):
        return Refused(reason, "subject")
    return Grounded(answer)
