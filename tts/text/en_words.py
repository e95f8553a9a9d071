"""English: abbreviations, acronyms, Roman numerals and signs in plain text, after numbers have been read."""

from __future__ import annotations

import re
from re import Match

from tts.text import en, signs, values

_ABBREVIATIONS = {
    "e.g.": "for example", "i.e.": "that is", "etc.": "and so on", "mr.": "Mister", "mr": "Mister", "mrs.": "Missus",
    "mrs": "Missus", "ms.": "Miz", "dr.": "Doctor", "dr": "Doctor", "prof.": "Professor", "tel.": "telephone",
    "ext.": "extension", "approx.": "approximately", "vs.": "versus", "vs": "versus", "apt.": "apartment",
    "dept.": "department", "min.": "minimum", "max.": "maximum", "ave.": "avenue", "rd.": "road", "blvd.": "boulevard",
    "ltd.": "limited", "ltd": "limited", "inc.": "incorporated", "co.": "company", "est.": "established",
    "mon.": "Monday", "tue.": "Tuesday", "wed.": "Wednesday", "thu.": "Thursday", "fri.": "Friday", "sq.": "square",
    "incl.": "including", "excl.": "excluding", "qty": "quantity", "ref.": "reference", "a.m.": "in the morning",
    "w/o": "without", "p.s.": "pee ess", "jr.": "Junior", "sr.": "Senior",
}  # fmt: skip
_SENTENCE_ENDERS = frozenset({"etc.", "ltd.", "inc.", "co.", "jr.", "sr.", "a.m."})
# "no." and "st." also end sentences ("the answer is no."): only with a number or a name behind.
_NUMBER_WORDS = r"zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty"

# Read as words, or by letters although they hold a vowel. Without a vowel: always by letters.
_WORDS = {
    "OK": "okay",
    "PIN": "pin",
    "SIM": "sim",
    "VIP": "vee eye pee",
    "PESEL": "pesel",
    "NIP": "nip",
    "BLIK": "blik",
}
_SPELLED = frozenset(
    "UK EU USA US VAT ID IT AI API ATM FAQ URL USB ISO UPS ETA AGM CEO CFO GPA IOU ING PKO PZU".split()
)
_ACRONYM = re.compile(r"(?<![\w&-])([A-Z]{2,5})(s)?(?![\w&-])")
_VOWEL = re.compile("[AEIOUY]")

_ROMAN = re.compile(r"(?:([^\W\d_]+)\s+)?(?<![\w-])([IVX]+)(?![\w'-])(?=(?:\s+([^\W\d_]+))?)")
_NUMBERED = frozenset("chapter part volume war act phase stage level type section class grade article".split())
_CENTURY = frozenset("century dynasty floor quarter congress".split())
_MONARCHS = frozenset(
    "Elizabeth Charles George Edward Henry James Richard William John Paul Pius Benedict Francis Louis Catherine "
    "Nicholas Alexander Philip Frederick Sigismund Casimir Mary".split()
)

_SIGNS = {
    "%": " percent ", "&": " and ", "€": " euros ", "$": " dollars ", "£": " pounds ", "№": " number ", "+": " plus ",
    "=": " equals ", "@": " at ", "#": " hash ", "*": " star ", "°": " degrees ", "§": " section ", "~": " about ",
    "<": " less than ", ">": " more than ", "×": " times ", "±": " plus or minus ", "÷": " divided by ",
    "≈": " about ", "−": " minus ",
}  # fmt: skip


def read_words(text: str) -> str:
    """`text`, whose numbers are words by now, without abbreviations, acronyms, Roman numerals and signs."""
    text = _ROMAN.sub(_roman, text)
    text = _NUMBER_ABBREVIATION.sub("number", text)
    text = _STREET.sub("street", text)
    text = _ABBREVIATION.sub(_abbreviation, text)
    text = _ACRONYM.sub(_acronym, text)
    return signs.without_signs(text, _SIGNS)


def _abbreviation(found: Match[str]) -> str:
    written = found[1].lower()
    rest = found.string[found.end() :].lstrip()
    words = _ABBREVIATIONS[written]
    # A full stop that ended the abbreviation and the sentence is still needed by the voice.
    return f"{words}." if written in _SENTENCE_ENDERS and (not rest or rest[0].isupper()) else words


def _acronym(found: Match[str]) -> str:
    written, plural = found[1], found[2] or ""
    if written in _WORDS:
        return _WORDS[written] + plural
    if _VOWEL.search(written) and written not in _SPELLED:
        return found[0]
    return en.spelled(written) + plural


def _roman(found: Match[str]) -> str:
    """Elizabeth II, World War II, chapter IV, the XXI century; what nothing explains is left alone."""
    before, numeral, after = found[1] or "", found[2], (found[3] or "").lower()
    number = values.roman(numeral)
    lead = found[0][: found.start(2) - found.start()]
    if number is None:
        return found[0]
    if before in _MONARCHS and numeral != "I":
        return f"{lead}the {en.ordinal(number)}"
    if after in _CENTURY:
        return f"{lead}{en.ordinal(number)}"
    return f"{lead}{en.cardinal(number)}" if before.lower() in _NUMBERED else found[0]


_ABBREVIATION = re.compile(
    rf"(?<![\w.])({'|'.join(re.escape(word) for word in sorted(_ABBREVIATIONS, key=len, reverse=True))})(?!\w)", re.I
)
_NUMBER_ABBREVIATION = re.compile(rf"\bno\.(?=\s*(?:{_NUMBER_WORDS})\b)", re.I)
_STREET = re.compile(r"(?<=[a-z] )St\.")
