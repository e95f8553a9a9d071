"""What words say about the turn itself: that more is coming, or that the speaker merely listens. Pure.

Recognisers write hesitations down now and then and leave them out more often. So a voice that goes on after the last
word that was recognised counts as one, too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from asr.recogniser import Word

VOICED_AFTER_S = 0.45  # more than a word's end is misplaced by

# What means "go on", not an interruption, unless it answers the open question.
BACK_CHANNEL = {
    "pl": frozenset(
        {"mhm", "aha", "yhm", "hm", "uhm", "no", "okej", "no tak", "tak", "tak tak", "dobrze", "dobrze dobrze", "jasne"}
        | {"rozumiem", "aha aha", "no no", "mhm mhm", "w porządku"}
    ),
    "en": frozenset(
        {"mhm", "uh huh", "aha", "hm", "mm", "yes", "yeah", "yes yes", "yeah yeah", "right", "okay", "sure", "i see"}
        | {"all right", "alright"}
    ),
}
# An utterance that ends so goes on.
HESITATION = {
    "pl": re.compile(
        r"\b(y+|e+|h?m{2,}|no|no więc|więc|znaczy|to znaczy|jakby|wie pani?|proszę pana|proszę pani|niech pomyślę"
        r"|(już |zaraz |niech )?(sprawdz(ę|am)|zobacz(ę|my)|szukam|poszukam)|już|zaraz|moment(cik)?|chwil(k|eczk)ę)$"
    ),
    "en": re.compile(
        r"\b(u+h*m*|e+r+m*|h?m{2,}|well|so|i mean|you know|like|let me (see|check|think|look)|hold on|one moment"
        r"|just a (moment|second|minute)|one second)$"
    ),
}
# Words that cannot be the last of a sentence: what they belong to is still to come.
LEADING = {
    "pl": frozenset(
        "a albo ale ani aż bez bo by chociaż czy czyli dla do gdy gdzie i jaki jaka jakie jeśli jeżeli jednak ku "
        "którego która które który lecz lub między moja moje mojego mojej moją mój na nad nasz nasza nasze numer nr "
        "niż o od oraz około po pod ponieważ poza przed przez przy to u w we według z za ze że żeby".split()
    ),
    "en": frozenset(
        "a an and at because but by for from her his if in into is it's my number of on or our than that the their "
        "then to was were what when where which with your".split()
    ),
}


def unfinished(text: str, language: str) -> str | None:
    """Why the caller, having said this, is not done; None when nothing shows it. text: lower-case spoken words."""
    words = text.split()
    if not words:
        return None
    hesitation = HESITATION.get(language)
    if hesitation is not None and hesitation.search(text):
        return "hesitation"
    return "grammar" if len(words) > 1 and words[-1] in LEADING.get(language, frozenset()) else None


def voiced_after(words: Sequence[Word], voiced_end_s: float) -> bool:
    """Did the voice go on after the last word that was recognised? Both in seconds from the start of the audio."""
    return bool(words) and voiced_end_s - words[-1].end_s > VOICED_AFTER_S


def listens(text: str, language: str) -> bool:
    """Whether it is a mere sound of attention."""
    return text in BACK_CHANNEL.get(language, frozenset())
