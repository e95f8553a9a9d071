"""Lists of words that a voice says wrong, and how it should say them. Applied to text that `tts.text` has normalised.

A list is a YAML file, one entry a word or phrase:

    - word: InPost             # as it is written; matched after normalisation, whole words only
      say: impost              # a respelling, or ...
    - word: Xiaomi
      phonemes: ʃaˈɔmi         # ... phonemes (IPA), which only Piper voices take
      voice: "piper:"          # only voices whose name begins so; needed with phonemes
      language: pl             # only this language; all when left out
      case: true               # capitals must agree
      inside: true             # within longer words too
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from tts.errors import PronunciationMistake, PronunciationMistakes
from tts.text import spoken

BUILT_IN = Path(__file__).with_name("pronunciation.yaml")
PHONEMES = ("\ue000", "\ue001")
"""Around phonemes in a text. Private characters: `tts.text` takes them out of any text that comes from elsewhere."""

_KEYS: Mapping[str, type] = {
    "word": str, "say": str, "phonemes": str, "voice": str, "language": str, "case": bool, "inside": bool,
}  # fmt: skip
_LANGUAGES = ("pl", "en")
_NO_PHONEMES = re.compile(r"[\[\]\n.!?\ue000\ue001]")


@dataclass(frozen=True)
class Pronunciation:
    """One entry. `said` is what stands in the text instead: a respelling, or phonemes between PHONEMES."""

    word: str
    said: str
    language: str | None = None
    voice: str = ""
    case: bool = False
    inside: bool = False

    def fits(self, language: str, voice: str) -> bool:
        return voice.startswith(self.voice) and self.language in (None, language.partition("-")[0].lower())


class Pronunciations:
    """A list, ready to be applied. Immutable; may be shared."""

    def __init__(self, entries: Sequence[Pronunciation] = ()) -> None:
        self.entries = tuple(entries)
        self._compiled: dict[tuple[Pronunciation, ...], tuple[re.Pattern[str], list[Pronunciation]]] = {}

    def apply(self, text: str, language: str, voice: str) -> str:
        """`text` (spoken words) as `voice` should be given it. One pass: what an entry puts in is not read again."""
        fitting = tuple(entry for entry in self.entries if entry.fits(language, voice))
        if not fitting:
            return text
        if fitting not in self._compiled:
            self._compiled[fitting] = _compile(fitting, language)
        pattern, entries = self._compiled[fitting]

        def said(found: re.Match[str]) -> str:
            return _as_written(entries[(found.lastindex or 1) - 1].said, found[0])

        return pattern.sub(said, text)


@cache
def built_in() -> Pronunciations:
    """What is known of the voices themselves; the speech process applies it."""
    return load(BUILT_IN)


def load(path: Path) -> Pronunciations:
    """The list in a file. Raises PronunciationMistakes with every mistake in it; OSError when it cannot be read."""
    try:
        listed = YAML().load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError, ValueError) as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        told = str(error.problem) if isinstance(error, MarkedYAMLError) else str(error)
        mistake = PronunciationMistake(1 if mark is None else mark.line + 1, f"This is no YAML: {told}.")
        raise PronunciationMistakes(path, (mistake,)) from error
    if listed is None:
        return Pronunciations()
    if not isinstance(listed, list):
        raise PronunciationMistakes(
            path, (PronunciationMistake(1, "The file is not a list of entries (- word: ...)."),)
        )
    mistakes: list[PronunciationMistake] = []
    entries: list[Pronunciation] = []
    lines: dict[tuple[str, str | None, str], int] = {}
    for at, given in enumerate(listed):
        line = listed.lc.item(at)[0] + 1  # type: ignore[attr-defined]
        found = _mistakes(given, line)
        mistakes += found
        if found:
            continue
        entry = _entry(given)
        key = (entry.word if entry.case else entry.word.lower(), entry.language, entry.voice)
        if key in lines:
            mistakes.append(PronunciationMistake(line, f"{entry.word!r} was already told in line {lines[key]}."))
        lines.setdefault(key, line)
        entries.append(entry)
    if mistakes:
        raise PronunciationMistakes(path, tuple(mistakes))
    return Pronunciations(entries)


def _mistakes(given: Any, line: int) -> list[PronunciationMistake]:
    if not isinstance(given, Mapping):
        return [PronunciationMistake(line, "An entry is written as `word:` and `say:`.")]
    found = []

    def tell(key: str, message: str) -> None:
        at = given.lc.data.get(key, (line - 1,))[0] + 1 if hasattr(given, "lc") else line
        found.append(PronunciationMistake(at, message))

    for key, value in given.items():
        if key not in _KEYS:
            tell(key, f"{key!r} is no key of an entry; the keys are {', '.join(_KEYS)}.")
        elif not isinstance(value, _KEYS[key]):
            kind = "true or false" if _KEYS[key] is bool else "a text (in quotes, if it looks like something else)"
            tell(key, f"{key} must be {kind}.")
        elif isinstance(value, str) and not value.strip():
            tell(key, f"{key} is empty.")
    if "word" not in given:
        tell("", "word is missing.")
    if ("say" in given) == ("phonemes" in given):
        tell("say", "Give either say or phonemes.")
    if "phonemes" in given and not str(given.get("voice", "")).startswith("piper:"):
        tell("phonemes", 'phonemes need voice: "piper:", no other voice takes them.')
    if "phonemes" in given and _NO_PHONEMES.search(str(given["phonemes"])):
        tell("phonemes", "phonemes hold no brackets, full stops, question marks or line breaks.")
    if isinstance(given.get("voice"), str) and ":" not in given["voice"]:
        tell("voice", 'voice is the beginning of a voice\'s name, such as "piper:" or "espeak:pl".')
    if isinstance(given.get("language"), str) and given["language"] not in _LANGUAGES:
        tell("language", f"language is one of {', '.join(_LANGUAGES)}.")
    return found


def _entry(given: Mapping[str, Any]) -> Pronunciation:
    if "phonemes" in given:
        # A space that no one takes for the end of a word or clause; Piper knows only decomposed characters.
        phonemes = unicodedata.normalize("NFD", given["phonemes"].strip()).replace(" ", "\u00a0")
        said = f"{PHONEMES[0]}{phonemes}{PHONEMES[1]}"
    else:
        said = given["say"].strip()
    return Pronunciation(
        given["word"].strip(),
        said,
        given.get("language"),
        given.get("voice", ""),
        given.get("case", False),
        given.get("inside", False),
    )


def _compile(entries: Sequence[Pronunciation], language: str) -> tuple[re.Pattern[str], list[Pronunciation]]:
    """One pattern, a group for each entry, longer words first."""
    ordered = sorted(entries, key=lambda entry: len(entry.word), reverse=True)
    parts = []
    for entry in ordered:
        word = entry.word if entry.inside else spoken([entry.word], language) or entry.word
        written = r"\s+".join(re.escape(part) for part in word.split())
        whole = written if entry.inside else rf"(?<!\w){written}(?!\w)"
        parts.append(rf"({whole if entry.case else f'(?i:{whole})'})")
    return re.compile("|".join(parts)), ordered


def _as_written(said: str, written: str) -> str:
    """With the capitals of what it stands for, by which the ends of sentences are told."""
    if said.startswith(PHONEMES[0]):
        return said
    if len(written) > 1 and written.isupper():
        return said.upper()
    return said[0].upper() + said[1:] if written[0].isupper() else said
