"""Words that a company wants to hear of, whatever their ending: "adwokat" is found in "adwokatem"."""

from __future__ import annotations

from collections.abc import Iterable

from flows.knowledge.lemmas import lemma
from flows.words import fold, tokens

_SHORTEST_STEM = 4  # letters: a shorter word is not taken for the beginning of others


class Keywords:
    """Words or phrases, each as one piece. Case and Polish letters do not matter."""

    def __init__(self, keywords: Iterable[str]) -> None:
        self._phrases = {keyword: tokens(keyword) for keyword in keywords if tokens(keyword)}

    def found(self, text: str, language: str) -> tuple[str, ...]:
        """The keywords that stand in the text, as they are configured, in their order."""
        said = tokens(text)
        return tuple(
            keyword
            for keyword, phrase in self._phrases.items()
            if any(
                all(_same(said[at + place], word, language) for place, word in enumerate(phrase))
                for at in range(len(said) - len(phrase) + 1)
            )
        )


def _same(said: str, keyword: str, language: str) -> bool:
    if len(keyword) >= _SHORTEST_STEM and said.startswith(keyword):
        return True
    language = language if language in ("pl", "en") else "en"
    return said == keyword or lemma(said, language) == lemma(fold(keyword), language)
