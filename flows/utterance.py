"""One utterance against one open question: its words, the phrases among them, the flow that it is like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flows.commands import (
    Affirm,
    AskKnowledge,
    Cancel,
    Command,
    Deny,
    Goodbye,
    NoMatch,
    Repeat,
    SetSlot,
    Slower,
    StartFlow,
    StartOver,
    Understood,
    Wait,
)
from flows.intents import Guess, IntentClassifier
from flows.knowledge import Knowledge
from flows.numbers import find_numbers
from flows.phrasebook import PhraseSet, understood_phrases
from flows.slots import Rejected
from flows.state import TurnContext
from flows.two_wishes import two_wishes

SOURCE = "embedded"
SURE = 0.7  # of a flow, that it counts for more than a phrase that also stands in the sentence
LEFT_OVER = 2  # words beside a phrase that do not change what it means
_REPAIRS: tuple[tuple[str, Command], ...] = (
    ("goodbye", Goodbye()),
    ("cancel", Cancel()),
    ("start_over", StartOver()),
    ("slower", Slower()),
    ("repeat", Repeat()),
    ("wait", Wait()),
)


def understood(commands: Sequence[Command], confidence: float, reason: str) -> Understood:
    """The commands that an utterance means."""
    return Understood(tuple(commands), SOURCE, round(confidence, 3), reason)


def not_understood(reason: str) -> Understood:
    """It means nothing to the bot."""
    return Understood((NoMatch(),), SOURCE, 0.0, reason)


@dataclass(frozen=True)
class Utterance:
    """What was said, as `text` and as folded `words`, in a context."""

    text: str
    words: list[str]
    context: TurnContext
    classifier: IntentClassifier
    knowledge: Knowledge

    @property
    def phrases(self) -> dict[str, PhraseSet]:
        """What callers say in every conversation, by meaning."""
        return understood_phrases(self.context.language)

    @cached_property
    def core(self) -> list[str]:
        """The words without those that only fill."""
        return self.core_of(self.words)

    def core_of(self, words: Sequence[str]) -> list[str]:
        """The same, of some of the words."""
        return self.phrases["filler"].without(words)

    def occurs(self, meaning: str) -> bool:
        """Whether such a phrase stands anywhere in it."""
        return self.phrases[meaning].occurs(self.words)

    def begins(self, meaning: str) -> bool:
        """Whether it begins with such a phrase, fillers aside or not."""
        return any(self.phrases[meaning].starts(words) for words in (self.words, self.core))

    def rest(self, meaning: str) -> list[str] | None:
        """What follows such a phrase that it begins with, fillers aside or not."""
        return self.phrases[meaning].after(self.words) or self.phrases[meaning].after(self.core)

    def means(self, meaning: str, left_over: int = LEFT_OVER) -> bool:
        """Whether it is such a phrase and hardly anything else."""
        left = self.phrases[meaning].without(self.words)
        return len(left) < len(self.words) and len(self.core_of(left)) <= left_over

    def repair(self, left_over: int = LEFT_OVER) -> Understood | None:
        """What every conversation knows: "once more", "stop", "goodbye"."""
        for meaning, command in _REPAIRS:
            if self.means(meaning, left_over):
                return understood([command], 0.85, f"a phrase for {meaning}")
        return None

    def yes_or_no(self, left_over: int = LEFT_OVER) -> Understood | None:
        """A plain yes or no; "I don't know" is neither."""
        if self.begins("unsure"):
            return None
        for meaning, command in (("deny", Deny()), ("affirm", Affirm())):
            rest = self.rest(meaning)
            if rest is not None and len(self.core_of(self.phrases["thanks"].without(rest))) <= left_over:
                return understood([command], 0.9, f"a phrase for {meaning}")
        return None

    def quoted(self) -> Understood | None:
        """The passage of the bot's knowledge that answers it."""
        answer = self.knowledge.answer(self.text, self.context.language)
        if answer is None:
            return None
        return understood([AskKnowledge((answer.source,))], answer.score, f"{answer.source} answers it")

    @cached_property
    def guess(self) -> Guess:
        """The intent, greetings and a leading yes or no aside."""
        words = self.core
        numbers = find_numbers(words, self.context.language)
        if sum(number.end - number.start for number in numbers) == len(words):
            return Guess(None, 0.0)  # a number alone is about no flow, or about the one that asks for such a value
        for meaning in ("affirm", "deny"):
            rest = self.phrases[meaning].after(words) if self.context.question == "more" else None
            words = self.core_of(rest) if rest else words
        return self.classifier.guess(" ".join(words))

    def start(self) -> Understood | None:
        """The flow that it is like as a whole, or the two wishes in it, with the values that it gives."""
        guesses = two_wishes(self.words, self.phrases, self.classifier.guess) or [self.guess]
        flows = [each.flow for each in guesses if each.flow is not None]
        if not flows:
            return None
        whole = self.guess if self.guess.flow is not None else min(guesses, key=lambda each: each.confidence)
        commands: list[Command] = [StartFlow(flow) for flow in flows]
        commands += [SetSlot(name, value) for name, value in self.values(flows[0]).items()]
        return understood(commands, whole.confidence, f"like the examples of {' and '.join(flows)}")

    def values(self, flow: str) -> dict[str, Any]:
        """Values of a flow's slots that it gives without having been asked."""
        option = next((option for option in self.context.flows if option.name == flow), None)
        slots = option.slots if option else {}
        found: dict[str, Any] = {}
        for name, slot in slots.items():
            value = slot.parse(self.text, self.context.language, self.context.now, asked=False)
            if value is not None and not isinstance(slot.accept(value, self.context.now), Rejected):
                found[name] = value
        return found
