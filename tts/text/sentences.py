"""Splitting text into sentences, without breaking at abbreviations, initials, decimals and ordinals."""

from __future__ import annotations

import re

MAX_SENTENCE = 300
"""Characters; a longer sentence is broken at a comma or a space, so that its first audio does not wait for the rest."""

ABBREVIATIONS = frozenset(
    "al. art. dr. gen. godz. hab. im. inż. kpt. lek. lic. mec. m.in. mgr. min. mjr. np. nr. ob. os. pkt. pl. pok. por. "
    "pow. prof. przyp. red. rys. sek. str. św. tel. tj. tys. tzn. tzw. ul. ust. wew. woj. zob. "
    "approx. apt. ave. cf. dept. e.g. etc. ext. fig. i.e. jr. mr. mrs. ms. no. rd. sr. st. vs.".split()
)
"""Written with a full stop that does not end the sentence. `itd.` and `itp.` are left out: they often do end it."""

_BREAK = re.compile(r"""(?<=[.!?…])["'”»)\]]*\s+(?=\S)""")
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
