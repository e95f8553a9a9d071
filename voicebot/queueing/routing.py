"""To whom a caller goes, and how urgently: the rules of `routing`, in order. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voicebot.people_settings import RuleSettings, WhenSettings
from voicebot.phone_numbers import as_kept
from voicebot.redaction import fold

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Facts:
    """What is known of a call. `reason` and `queue` are those of the handoff, empty before it.

    `said`: the caller's utterances so far. `interruptions`: of the bot, in the call; `no_match`: in a row, now.
    `caller`: the number, empty when withheld. `slots`: values collected so far.
    """

    reason: str = ""
    mood: str = "neutral"
    bot: str = ""
    language: str = ""
    flow: str = ""
    queue: str = ""
    interruptions: int = 0
    no_match: int = 0
    said: Sequence[str] = ()
    caller: str = ""
    slots: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Routed:
    """`queue`: that of the handoff where no rule names one. `urgency` None: that of the queue.

    `skills`: required beside those of the queue. `rule`: the index of the rule that fits, None when none does.
    """

    queue: str
    urgency: int | None = None
    skills: frozenset[str] = frozenset()
    rule: int | None = None


class Routing:
    """The rules of one configuration."""

    def __init__(self, rules: Sequence[RuleSettings]) -> None:
        self._rules = tuple((rule, _stems(rule.when.says)) for rule in rules)

    def route(self, facts: Facts) -> Routed:
        """Of a call that is handed over: the first rule that fits decides."""
        return self._first(facts, hand_over=False) or Routed(facts.queue)

    def hand_over(self, facts: Facts) -> Routed | None:
        """Whether the bot has to give the call away now, and to whom: the first rule that says so and fits."""
        return self._first(facts, hand_over=True)

    def _first(self, facts: Facts, *, hand_over: bool) -> Routed | None:
        for index, (rule, stems) in enumerate(self._rules):
            if (rule.hand_over or not hand_over) and _fits(rule.when, stems, facts):
                return Routed(rule.queue or facts.queue, rule.priority, frozenset(rule.skills), index)
        return None


def _fits(when: WhenSettings, stems: Sequence[Sequence[str]], facts: Facts) -> bool:
    for name in ("reason", "mood", "bot", "language", "flow", "queue"):
        wanted = getattr(when, name)
        if wanted is not None and getattr(facts, name) not in wanted:
            return False
    if when.interruptions is not None and facts.interruptions < when.interruptions:
        return False
    if when.no_match is not None and facts.no_match < when.no_match:
        return False
    if when.says is not None and not says(stems, facts.said):
        return False
    if when.caller is not None and not _begins(facts.caller, when.caller):
        return False
    return all(_equal(facts.slots.get(name), value) for name, value in (when.slots or {}).items())


def _stems(phrases: Sequence[str] | None) -> tuple[tuple[str, ...], ...]:
    return tuple(_folded(phrase) for phrase in phrases or ())


def _folded(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(fold(text)))


def says(stems: Sequence[Sequence[str]], said: Sequence[str]) -> bool:
    """Whether words that begin so, one after the other, stand in one of the utterances; accents do not count."""
    for text in said:
        words = _folded(text)
        for phrase in stems:
            for start in range(len(words) - len(phrase) + 1):
                if all(word.startswith(stem) for word, stem in zip(words[start:], phrase, strict=False)):
                    return True
    return False


def _begins(caller: str, prefixes: Sequence[str]) -> bool:
    """In whatever form the network writes it."""
    return bool(caller) and any(number.startswith(tuple(prefixes)) for number in (caller, as_kept(caller)))


def _equal(value: object, wanted: object) -> bool:
    return value is not None and (value == wanted or str(value).casefold() == str(wanted).casefold())
