"""Two wishes in one sentence: "where is my parcel and how late are you open".

An "and" joins two wishes less often than it goes on with one ("my skin peels and somebody should see it"). So how sure
the halves have to be depends on what stands between them and on how they begin.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from flows.intents import Guess
from flows.phrasebook import PhraseSet

_SHORTEST = 2  # words of a half
_MOST = 4  # places that are looked at, those in the middle first
_LIKELY = 0.5  # how sure both must be behind "and also", or where both ask for something
_REQUEST = 0.95  # where only the second does, so that the first may be its reason
_PLAIN = 0.92  # where neither does


def two_wishes(words: Sequence[str], phrases: Mapping[str, PhraseSet], guess: Callable[[str], Guess]) -> list[Guess]:
    """The flows of a sentence that is about two things, in their order; else none. `words` are folded."""
    best = 0.0
    found: list[Guess] = []
    for first, second, further in _halves(words, phrases):
        needed = max(best, _needed(first, second, phrases, further))
        one = guess(" ".join(first))
        if one.flow is None or one.confidence <= needed:
            continue
        other = guess(" ".join(second))
        if other.flow is not None and other.flow != one.flow and other.confidence > needed:
            best, found = min(one.confidence, other.confidence), [one, other]
    return found


def _halves(words: Sequence[str], phrases: Mapping[str, PhraseSet]) -> list[tuple[list[str], list[str], bool]]:
    """Both sides of each joint, fillers aside, and whether the joint says that something further comes."""
    found = []
    for at in sorted(range(len(words)), key=lambda at: abs(2 * at - len(words))):
        further = phrases["further_exact"].after(words[at:])
        if further and phrases["and_exact"].starts(further):
            continue  # "... also, and ...": the joint is the "and"
        rest = further or phrases["and_exact"].after(words[at:])
        if rest:
            first, second = (phrases["filler"].without(half) for half in (words[:at], rest))
            if min(len(first), len(second)) >= _SHORTEST:
                found.append((first, second, further is not None))
    return found[:_MOST]


def _needed(first: Sequence[str], second: Sequence[str], phrases: Mapping[str, PhraseSet], further: bool) -> float:
    asks = [phrases["question"], phrases["request"]]
    requested = any(each.starts(second) for each in asks)
    if further or (requested and any(each.occurs(first) for each in asks)):
        return _LIKELY
    return _REQUEST if requested else _PLAIN
