"""The names of letters, as they are spelled on the telephone."""

from __future__ import annotations

_POLISH = {
    "a": "a", "ą": "ą|a z ogonkiem|a ogonek", "b": "be", "c": "ce", "ć": "ć|cie|ce z kreską|ce kreska", "d": "de",
    "e": "e", "ę": "ę|e z ogonkiem|e ogonek", "f": "ef", "g": "gie|ge", "h": "ha|samo ha|ha samo", "i": "i", "j": "jot",
    "k": "ka", "l": "el", "ł": "eł|el z kreską|el przekreślone", "m": "em", "n": "en", "ń": "eń|en z kreską|en kreska",
    "o": "o", "ó": "ó|o z kreską|o kreskowane|u zamknięte|o kreska", "p": "pe", "q": "ku", "r": "er", "s": "es",
    "ś": "eś|ś|es z kreską|es kreska", "t": "te", "u": "u|u otwarte|u zwykłe", "v": "fał|fau|ve|wu pojedyncze|v|vi",
    "w": "wu|podwójne v|podwójne fau|podwójne wu", "x": "iks", "y": "igrek|ipsylon|y", "z": "zet", "sz": "esz",
    "ź": "ziet|ź|zet z kreską|zet kreska", "ż": "żet|ż|zet z kropką|zet kropka", "ch": "ce ha", "cz": "ce zet",
    "rz": "er zet",
}  # fmt: skip
_ENGLISH = {
    "a": "ay|alpha|alfa", "b": "bee|bravo", "c": "cee|see|sea|charlie", "d": "dee|delta", "e": "ee|echo",
    "f": "ef|eff|foxtrot", "g": "gee|golf", "h": "aitch|haitch|hotel", "i": "eye|india", "j": "jay|juliet|juliett",
    "k": "kay|kilo", "l": "el|ell|lima|el with stroke", "m": "em|mike", "n": "en|november", "o": "oh|oscar",
    "p": "pee|papa", "q": "queue|cue|quebec", "r": "ar|romeo", "s": "ess|es|sierra", "t": "tee|tango",
    "u": "you|uniform", "v": "vee|victor", "w": "double u|double you|whiskey|whisky", "x": "ex|x ray|xray",
    "y": "why|wye|yankee", "z": "zed|zee|zulu",
}  # fmt: skip


def _names(letters: dict[str, str]) -> dict[tuple[str, ...], str]:
    named = {tuple(name.split()): letter for letter, names in letters.items() for name in names.split("|")}
    return named | {(letter,): letter for letter in letters if len(letter) == 1}


LETTER_NAMES: dict[str, dict[tuple[str, ...], str]] = {"pl": _names(_POLISH), "en": _names(_ENGLISH)}
LONGEST_NAME = 3  # words of a letter's name

# Names of letters that are words and names themselves: only among other letters are they letters.
ALSO_WORDS: dict[str, frozenset[str]] = {
    "pl": frozenset("te ku on er de ha".split()),
    "en": frozenset(
        "alpha alfa bravo charlie delta echo golf hotel india juliet juliett kilo lima mike november oscar papa quebec "
        "romeo sierra tango uniform victor whiskey whisky yankee zulu see sea bee eye you why oh es en em ex".split()
    ),
}

# "M jak Maria", "B for Bravo".
AS_IN: dict[str, tuple[tuple[str, ...], ...]] = {
    "pl": (("jak",), ("od",), ("niczym",)),
    "en": (("as", "in"), ("for",), ("like",), ("is", "for"), ("in",)),
}
DOUBLED: dict[str, dict[str, int]] = {
    "pl": {"podwójne": 2, "podwójny": 2, "podwójna": 2, "dwa": 2, "potrójne": 3},
    "en": {"double": 2, "triple": 3},
}
# Said beside letters without meaning anything: "duże A", "kreska", "potem".
AROUND: dict[str, frozenset[str]] = {
    "pl": frozenset(
        "duże wielkie małe duża wielka mała mały litera literka literą potem dalej następnie no yyy eee".split()
    ),
    "en": frozenset("capital big small letter then next uh um er".split()),
}
