"""Splitting text into sentences, and long sentences into clauses.

Sentences do not end at abbreviations, initials, decimals and ordinals; clauses end where a speaker may draw breath.
"""

from __future__ import annotations

import re

MAX_SENTENCE = 300
"""Characters; a longer sentence is broken at a comma or a space, so that its first audio does not wait for the rest."""

FIRST_CLAUSE = 40
"""Characters; the first piece of a text is no longer where a joint allows it: a voice that computes gives it early."""

CLAUSE = 140
"""Characters; later pieces are computed while the earlier ones are heard."""

ABBREVIATIONS = frozenset(
    "al. art. dr. gen. godz. hab. im. inż. kpt. lek. lic. mec. m.in. mgr. min. mjr. np. nr. ob. os. pkt. pl. pok. por. "
    "pow. prof. przyp. red. rys. sek. str. św. tel. tj. tys. tzn. tzw. ul. ust. wew. woj. zob. "
    "approx. apt. ave. cf. dept. e.g. etc. ext. fig. i.e. jr. mr. mrs. ms. no. rd. sr. st. vs.".split()
)
"""Written with a full stop that does not end the sentence. `itd.` and `itp.` are left out: they often do end it."""

_BREAK = re.compile(r"""(?<=[.!?…])["'”»)\]]*\s+(?=\S)""")
_SHORTEST = 10  # characters: a word alone sounds torn off
# After a comma or the like; or before a conjunction, where no comma stands.
_PAUSES = re.compile(r"(?<=[,;:–]) +")
_CONJUNCTIONS = re.compile(
    r" +(?=(?:oraz|albo|lub|ale|więc|ponieważ|żeby|aby|jeśli|gdy|który|która|które|którzy|and|or|but|because|so|which|"
    r"that|if|when|i) )"
)
_WORD_BEFORE = re.compile(r"[^\s(\"„«]+$")
_INITIAL = re.compile(r"[^\W\d_]\.")


def sentences(text: str) -> list[str]:
    """The sentences of `text`, stripped, none empty, none longer than MAX_SENTENCE unless it is one word."""
    found: list[str] = []
    for line in text.splitlines():
        start = 0
        for gap in _BREAK.finditer(line):
            if _ends_sentence(line[start : gap.start()], line[gap.end() :]):
                found.append(line[start : gap.end()].strip())
                start = gap.end()
        found.append(line[start:].strip())
    return [piece for sentence in found if sentence for piece in _bounded(sentence)]


def _ends_sentence(before: str, after: str) -> bool:
    if before[-1] in "!?":
        return True
    if after[0].islower():  # 3. maja; a pause for thought; an abbreviation that is not in the list
        return False
    word = _WORD_BEFORE.search(before)
    last = word[0].lower() if word else ""
    return last not in ABBREVIATIONS and not _INITIAL.fullmatch(last)


def _bounded(sentence: str) -> list[str]:
    pieces = []
    while len(sentence) > MAX_SENTENCE:
        head = sentence[:MAX_SENTENCE]
        cut = max(head.rfind(", "), head.rfind("; "), head.rfind(": "))
        cut = cut + 1 if cut > MAX_SENTENCE // 3 else head.rfind(" ")
        if cut <= 0:
            cut = next((at for at in range(MAX_SENTENCE, len(sentence)) if sentence[at] == " "), len(sentence))
        pieces.append(sentence[:cut].strip())
        sentence = sentence[cut:].strip()
    return [*pieces, sentence] if sentence else pieces


def clauses(text: str) -> list[str]:
    """The sentences of `text`, long ones cut at natural joints; joined by spaces they are the sentences again.

    The first piece is sought within FIRST_CLAUSE characters. A later one is computed while the one before it is heard,
    so it may be three times as long as that, up to CLAUSE. What has no joint stays.
    """
    pieces: list[str] = []
    for sentence in sentences(text):
        rest = sentence
        while len(rest) > (limit := min(CLAUSE, max(FIRST_CLAUSE, 3 * len(pieces[-1])) if pieces else FIRST_CLAUSE)):
            cut = _joint(rest, limit)
            if cut is None:
                break
            pieces.append(rest[:cut].strip())
            rest = rest[cut:].strip()
        pieces.append(rest)
    return pieces


def _joint(sentence: str, limit: int) -> int | None:
    """Where to cut: the last joint within `limit`, else the first one behind it. Commas come before conjunctions."""
    later: list[int] = []
    for joints in (_PAUSES, _CONJUNCTIONS):
        places = [
            found.start() for found in joints.finditer(sentence)
            if _SHORTEST <= found.start() <= len(sentence) - _SHORTEST
        ]  # fmt: skip
        within = [place for place in places if place <= limit]
        if within:
            return within[-1]
        later += places
    return min(later, default=None)
