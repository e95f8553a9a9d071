"""What words say about the turn itself: that more is coming, or that the speaker merely listens. Pure.

Recognisers write hesitations down now and then and leave them out more often. So a voice that goes on after the last
word that was recognised counts as one, too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

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
        "niż o od oraz około po pod ponieważ poza przed przez przy sprawie temat to u w we według z za ze że "
        "żeby".split()
    ),
    "en": frozenset(
        "a about an and at because but by for from her his if in into is it's my number of on or our regarding than "
        "that the their then to was were what when where which with your".split()
    ),
}
# Words that want an object. They end a request hardly ever, but may well end an answer ("tak, mogę").
TRANSITIVE = {
    "pl": frozenset(
        "anulować chcemy chcę chciałabym chciałbym chcielibyśmy dostać dowiedzieć kupić mi mogę mogłabym mógłbym muszę "
        "odebrać otrzymać podać połączyć potrzebuję prosiłabym prosiłbym przedłużyć przełożyć przesłać rozmawiać "
        "rozwiązać sprawdzić uzyskać wysłać zamówić zapytać zarejestrować zarezerwować zgłosić złożyć zmienić zwrócić "
        "życzę".split()
    ),
    "en": frozenset(
        "ask book buy change check extend file get have i'd i'm like make need place request send want would".split()
    ),
}
SEEN_OFTEN = 2


def unfinished(text: str, language: str, *, request: bool = False) -> str | None:
    """Why the caller, having said this, is not done; None when nothing shows it.

    text: lower-case spoken words. request: it is no answer to a question of the bot's but says what the caller wants.
    """
    words = text.split()
    if not words:
        return None
    hesitation = HESITATION.get(language)
    if hesitation is not None and hesitation.search(text):
        return "hesitation"
    open_ended = LEADING.get(language, frozenset()) | (
        TRANSITIVE.get(language, frozenset()) if request else frozenset()
    )
    return "grammar" if len(words) > 1 and words[-1] in open_ended else None


def never_last(sentences: Iterable[str]) -> frozenset[str]:
    """Words that stand in these sentences again and again and end none of them: after them something is to come."""
    inner, last = Counter[str](), set[str]()
    for sentence in sentences:
        *before, end = sentence.split() or [""]
        inner.update(set(before))
        last.add(end)
    return frozenset(word for word, times in inner.items() if times >= SEEN_OFTEN and word not in last)


def voiced_after(words: Sequence[Word], voiced_end_s: float) -> bool:
    """Did the voice go on after the last word that was recognised? Both in seconds from the start of the audio."""
    return bool(words) and voiced_end_s - words[-1].end_s > VOICED_AFTER_S


def listens(text: str, language: str) -> bool:
    """Whether it is a mere sound of attention."""
    return text in BACK_CHANNEL.get(language, frozenset())
