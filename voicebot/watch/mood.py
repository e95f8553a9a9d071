"""The caller's mood, from the words alone, with the words that show it.

How a voice sounds is never judged. Regulation (EU) 2024/1689 (the AI Act) calls a system that infers emotions from
biometric data, such as the voice, an emotion recognition system (Article 3(39), with 3(34)); it forbids them at the
workplace (Article 5(1)(f)), where the agents of a call centre are, and holds them for high-risk elsewhere (Annex III,
point 1(c)), with a duty to tell the persons concerned (Article 50(3)). What somebody says is no biometric data. For the
same reason nothing is inferred from the words of agents, though the Act would not forbid it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from voicebot.redaction import fold

MOST_WORDS = 5  # that are shown
CALM_AFTER = 3
"""A caller is calm again after so many sentences in a row whose words show no mood."""

# Stems, of folded words: the beginnings of what angry and impatient callers say.
_MOODS = {
    "angry": re.compile(
        r"\b(?:kurw|choler|do diabla|skandal|zlodziej|oszu[sk]|kpin|zenad|mam (?:tego )?dos[cy]|wsciek|zdenerwowan"
        r"|beznadziej|idiot|bezczeln|do sadu|rzecznik"
        r"|ridiculous|outrag|scandal|furious|angry|damn|fuck|bullshit|useless|fed up|sick of|thie(?:f|ves)|scam|cheat"
        r"|lawyer|unacceptable)"
    ),
    "impatient": re.compile(
        r"\b(?:ile (?:jeszcze|mozna)|szybciej|pospiesz|nie mam czasu|spiesz|po raz kolejny|kolejny raz|ktorys raz"
        r"|znowu to|(?:juz|przeciez) (?:mowil|podawal|powiedzial)|mowie przeciez|dlugo czeka"
        r"|hurry|how (?:much )?longer|no time|faster|again and again|already (?:told|said|gave)|just told"
        r"|keep (?:asking|repeating)|been waiting)"
    ),
}
_REST_OF_WORD = re.compile(r"\w*")


@dataclass(frozen=True)
class Mood:
    """`name` is angry, impatient or neutral; `words` are those that show it, as the caller said them."""

    name: str = "neutral"
    words: tuple[str, ...] = ()


def mood_of(sentences: Iterable[str]) -> Mood:
    """Of all that a caller has said: one angry word is enough, else one impatient one."""
    said = list(sentences)
    for name, stems in _MOODS.items():
        if words := list(dict.fromkeys(word for sentence in said for word in _evidence(stems, sentence))):
            return Mood(name, tuple(words[:MOST_WORDS]))
    return Mood()


class MoodWatch:
    """The mood of a caller who goes on speaking. It stays until `CALM_AFTER`; anger comes over impatience."""

    def __init__(self) -> None:
        self.mood = Mood()
        self._calm = 0  # sentences, since one that showed a mood

    def hear(self, sentence: str) -> Mood | None:
        """The new mood, when the sentence changes it."""
        heard = mood_of([sentence])
        self._calm = self._calm + 1 if heard == Mood() else 0
        calmed = self._calm >= CALM_AFTER and self.mood != heard
        if not calmed and _order(heard) <= _order(self.mood):
            return None
        self.mood = heard
        return heard


def _order(mood: Mood) -> int:
    return ("neutral", "impatient", "angry").index(mood.name)


def _evidence(stems: re.Pattern[str], sentence: str) -> Iterable[str]:
    """The whole words that the stems begin, in the caller's spelling."""
    folded = fold(sentence)
    shown = sentence if len(sentence) == len(folded) else folded  # decomposed accents take signs of their own
    for match in stems.finditer(folded):
        rest = _REST_OF_WORD.match(folded, match.end())
        assert rest is not None
        yield shown[match.start() : rest.end()].lower()
