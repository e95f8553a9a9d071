"""Understanding without an LLM: repair phrases, typed slot parsers by the open question, intent by examples."""

from __future__ import annotations

from typing import Any

from flows.commands import (
    Abuse,
    Affirm,
    AskHuman,
    AskKnowledge,
    AskMachine,
    Cancel,
    Command,
    CorrectSlot,
    Deny,
    Emergency,
    Goodbye,
    NoMatch,
    NoneGiven,
    RefuseRecording,
    Repeat,
    SetSlot,
    Slower,
    SpeakLanguage,
    StartFlow,
    StartOver,
    Understood,
    Wait,
    command_name,
)
from flows.intents import Guess, IntentClassifier
from flows.knowledge import Knowledge
from flows.languages import spoken_language
from flows.model import Bot
from flows.numbers import find_numbers
from flows.phrasebook import PhraseSet, other_sentences, understood_phrases
from flows.slots import Rejected, TextSlot, YesNoSlot
from flows.state import TurnContext
from flows.texts import list_in_language
from flows.two_wishes import two_wishes
from flows.words import tokens

SOURCE = "embedded"
_ANY_WORDS = ("free", "spelled")
_SURE = 0.7  # of a flow, that it counts for more than a phrase that also stands in the sentence
_CERTAIN = 0.9  # the same, where hardly anything but the phrase was said
_QUESTION = 4  # words of a question that can be told from a scrap of one
_AROUND = 4  # words around a number that do not change what it means, "the number is ..."
_SHORTEST = 3  # digits of a number that starts a flow by itself
_MENTION = 3  # words of a sentence in which a person is not mentioned in passing
_LEFT_OVER = 2  # words beside a repair phrase that do not change what it means
_REPAIRS: tuple[tuple[str, Command], ...] = (
    ("goodbye", Goodbye()),
    ("cancel", Cancel()),
    ("start_over", StartOver()),
    ("slower", Slower()),
    ("repeat", Repeat()),
    ("wait", Wait()),
)
_BEGINNINGS: tuple[tuple[str, Command], ...] = (("slower", Slower()), ("repeat", Repeat()), ("wait", Wait()))


class EmbeddedUnderstanding:
    """Learns a bot's examples on construction. Stateless afterwards: one serves all calls."""

    def __init__(self, bot: Bot) -> None:
        self._classifiers = {
            language: IntentClassifier(
                {name: list_in_language(dict(flow.examples), language) for name, flow in bot.flows.items()},
                [*other_sentences(language), *bot.not_served.get(language, ())],
                language,
            )
            for language in bot.languages
        }
        self._knowledge = bot.knowledge
        words = dict(bot.emergency.words) if bot.emergency else {}
        self._emergency = {
            language: PhraseSet(list_in_language(words, language), exact=True) for language in bot.languages
        }
        for language in bot.languages:  # the first caller does not wait for what is read once
            understood_phrases(language)
            spoken_language("-", language)

    async def understand(self, text: str, context: TurnContext) -> Understood:
        """What was meant; a coroutine because the interface is one, it waits for nothing."""
        return self.read(text, context)

    def read(self, text: str, context: TurnContext) -> Understood:
        """What was meant, at once."""
        language = context.language
        refuses = understood_phrases(language)["refuse_recording"].occurs(text)
        refusal = (RefuseRecording(),) if refuses else ()
        if any(words.occurs(text) for words in self._emergency.values()):
            return Understood((*refusal, Emergency()), SOURCE, 0.95, "a word for an emergency")
        # Names, addresses and codes are of any language, and so are the words of a spelling.
        asked = context.slots[context.slot] if context.question == "slot" else None
        foreign_words = asked is None or asked.expectation(language).kind not in _ANY_WORDS
        other = spoken_language(text, language, by_words=foreign_words)
        if other is not None:
            return Understood((*refusal, SpeakLanguage(other)), SOURCE, 0.9, f"the caller speaks, or wants, {other}")
        return _Reading(text, context, self._classifiers[language], self._knowledge).understood()


class _Reading:
    """One utterance against one context."""

    def __init__(self, text: str, context: TurnContext, classifier: IntentClassifier, knowledge: Knowledge) -> None:
        self._text = text
        self._context = context
        self._classifier = classifier
        self._knowledge = knowledge
        self._words = tokens(text)
        self._phrases = understood_phrases(context.language)
        self._guessed: Guess | None = None

    def understood(self) -> Understood:
        context = self._context
        if not self._words:
            return self._no("nothing was said")
        first: list[Command] = []
        if self._phrases["refuse_recording"].occurs(self._words):
            first.append(RefuseRecording())
            self._words = self._phrases["refuse_recording"].without(self._words)
            self._text = " ".join(self._words)
            if len(self._core(self._words)) <= _LEFT_OVER:
                return self._yes(first, 0.95, "the caller does not want to be recorded")
        if self._asks_about_the_bot():
            return self._yes([*first, AskMachine()], 0.9, "the caller asks whether this is a machine")
        if self._wants_human():
            return self._yes([*first, AskHuman()], 0.95, "the caller wants a person")
        swearing = self._phrases["abuse_exact"]
        swears = swearing.occurs(self._words)
        if swears:
            self._words, self._guessed = swearing.without(self._words), None
        found = self._in_question() if context.question in ("slot", "confirm") else self._open()
        if swears and (not self._core(self._words) or found.commands == (NoMatch(),)):
            return self._yes([*first, Abuse()], 0.9, "the caller swears, and says nothing else")
        if first:
            return self._yes([*first, *(c for c in found.commands if not isinstance(c, NoMatch))], 0.9, found.reason)
        return found

    # Parts of speech that any conversation has.

    def _wants_human(self) -> bool:
        """Who mentions a person in passing, and clearly wants something that a flow does, gets the flow."""
        left = self._phrases["handoff_not"].without(self._words)
        if self._phrases["handoff"].occurs(left):
            return True
        brief = len(self._core(left)) <= _MENTION
        if self._phrases["handoff_person_exact"].occurs(left):
            return brief or self._guess().confidence < _SURE
        return brief and self._phrases["handoff_anybody_exact"].occurs(left)

    def _asks_about_the_bot(self) -> bool:
        """ "Am I talking to a machine? I want a person" is a wish for a person."""
        asked = self._phrases["ask_machine_exact"]
        if not asked.occurs(self._words):
            return False
        left = self._phrases["handoff_not"].without(asked.without(self._words))
        return not any(self._phrases[wish].occurs(left) for wish in ("handoff", "handoff_person_exact"))

    def _core(self, words: list[str]) -> list[str]:
        return self._phrases["filler"].without(words)

    def _is(self, meaning: str, left_over: int = _LEFT_OVER) -> bool:
        """Whether the utterance is such a phrase and hardly anything else."""
        phrases: PhraseSet = self._phrases[meaning]
        return phrases.occurs(self._words) and len(self._core(phrases.without(self._words))) <= left_over

    def _repair(self, left_over: int = _LEFT_OVER) -> Understood | None:
        for meaning, command in _REPAIRS:
            if self._is(meaning, left_over):
                return self._yes([command], 0.85, f"a phrase for {meaning}")
        return None

    # The open question is "what can I do" or "anything else".

    def _open(self) -> Understood:
        found = self._repair(left_over=0) or self._answer_to_more(left_over=0)
        if found is not None:
            return found
        guess = self._guess()
        found = self._repair() or self._answer_to_more()
        if found is not None and (guess.confidence > _CERTAIN or not self._possible(found)):
            found = self._start(guess) or found
        found = found or self._take_leave(guess) or self._start(guess) or self._by_value() or self._beginning()
        return found or self._known(guess) or self._no(guess.reason)

    def _known(self, guess: Guess) -> Understood | None:
        """A question that the bot's knowledge answers, or one that it should answer and does not."""
        if "ask_knowledge" not in self._context.commands:
            return None
        words = self._core(self._words)
        asks = self._phrases["question"].after(words) is not None and len(words) >= _QUESTION
        return self._quoted() or (self._yes([AskKnowledge()], 0.5, f"a question; {guess.reason}") if asks else None)

    def _beginning(self) -> Understood | None:
        """ "One moment, I have to find my glasses": what follows means nothing to a flow."""
        for meaning, command in _BEGINNINGS:
            if self._phrases[meaning].starts(self._core(self._words)):  # "hello" alone asks who is there
                return self._yes([command], 0.6, f"it begins with a phrase for {meaning}")
        return None

    def _take_leave(self, guess: Guess) -> Understood | None:
        """Whoever ends with a goodbye, and does not clearly want something, leaves."""
        leaves = self._phrases["goodbye"].ends(self._words) and guess.confidence < _SURE
        return self._yes([Goodbye()], 0.7, "a goodbye at the end") if leaves else None

    def _possible(self, understood: Understood) -> bool:
        return all(command_name(command) in self._context.commands for command in understood.commands)

    def _answer_to_more(self, left_over: int = _LEFT_OVER) -> Understood | None:
        """Yes or no to "anything else?", or to a person who was offered."""
        more = self._context.question == "more"
        if not more and "affirm" not in self._context.commands:
            return None
        answer = self._yes_or_no(left_over)
        if more and answer is None and self._is("thanks", left_over):
            return self._yes([Goodbye()], 0.8, "thanks at the end")
        return answer

    def _guess(self) -> Guess:
        """The intent, greetings and a leading yes or no aside."""
        if self._guessed is None:
            self._guessed = self._guess_anew()
        return self._guessed

    def _guess_anew(self) -> Guess:
        words = self._core(self._words)
        numbers = find_numbers(words, self._context.language)
        if sum(number.end - number.start for number in numbers) == len(words):
            return Guess(None, 0.0)  # a number alone is about no flow, or about the one that asks for such a value
        for meaning in ("affirm", "deny"):
            rest = self._phrases[meaning].after(words) if self._context.question == "more" else None
            words = self._core(rest) if rest else words
        return self._classifier.guess(" ".join(words))

    def _start(self, guess: Guess) -> Understood | None:
        """What the sentence as a whole is about, or the two wishes in it."""
        guesses = two_wishes(self._words, self._phrases, self._classifier.guess) or [guess]
        flows = [each.flow for each in guesses if each.flow is not None]
        if not flows:
            return None
        confidence = guess.confidence if guess.flow is not None else min(each.confidence for each in guesses)
        commands: list[Command] = [StartFlow(flow) for flow in flows]
        commands += [SetSlot(name, value) for name, value in self._values(flows[0]).items()]
        return self._yes(commands, confidence, f"like the examples of {' and '.join(flows)}")

    def _values(self, flow: str) -> dict[str, Any]:
        """Slot values that the utterance gives without having been asked."""
        context = self._context
        option = next((option for option in context.flows if option.name == flow), None)
        slots = option.slots if option else {}
        found: dict[str, Any] = {}
        for name, slot in slots.items():
            value = slot.parse(self._text, context.language, context.now, asked=False)
            if value is not None and not isinstance(slot.accept(value, context.now), Rejected):
                found[name] = value
        return found

    def _dictated(self, flow: str) -> dict[str, Any]:
        """Numbers and codes among the values that the utterance gives; one digit may be any word's slip."""
        return {
            name: value
            for name, value in self._values(flow).items()
            if isinstance(value, str) and len(value) >= _SHORTEST
        }

    def _by_value(self) -> Understood | None:
        """Hardly anything but a number was said, such as an order number, and only one flow asks for such a one."""
        covered = sum(number.end - number.start for number in find_numbers(self._words, self._context.language))
        if not covered or len(self._words) - covered > _AROUND:
            return None
        found = {option.name: values for option in self._context.flows if (values := self._dictated(option.name))}
        if len(found) != 1:
            return None
        ((flow, values),) = found.items()
        commands: list[Command] = [StartFlow(flow), *(SetSlot(name, value) for name, value in values.items())]
        return self._yes(commands, 0.6, f"only {flow} asks for such a value")

    def _yes_or_no(self, left_over: int = _LEFT_OVER) -> Understood | None:
        """A plain yes or no; "I don't know" is neither."""
        if self._unsure():
            return None
        words = self._words
        for meaning, command in (("deny", Deny()), ("affirm", Affirm())):
            rest = self._phrases[meaning].after(words) or self._phrases[meaning].after(self._core(words))
            if rest is not None and len(self._core(self._phrases["thanks"].without(rest))) <= left_over:
                return self._yes([command], 0.9, f"a phrase for {meaning}")
        return None

    def _unsure(self) -> bool:
        return any(self._phrases["unsure"].after(words) is not None for words in (self._words, self._core(self._words)))

    # The open question is about a slot.

    def _in_question(self) -> Understood:
        answer = self._none() or self._answer()
        if answer is None and self._context.question == "slot" and "deny" in self._context.commands:
            answer = self._yes_or_no()
        if answer is not None:
            return answer
        found = self._repair() or self._correction_of_another() or self._something_else()
        return found or self._free_text() or self._asked_back() or self._no("no answer to the question")

    def _something_else(self) -> Understood | None:
        guess = self._guess()
        if guess.flow is None or guess.flow == self._context.flow or guess.confidence <= _SURE:
            return None
        return self._start(guess)

    def _asked_back(self) -> Understood | None:
        """A question of the caller's own, in the midst of a flow, that the bot's knowledge answers."""
        asks = "ask_knowledge" in self._context.commands and self._phrases["question"].occurs(self._words)
        return self._quoted() if asks else None

    def _quoted(self) -> Understood | None:
        """The passage that answers it."""
        answer = self._knowledge.answer(self._text, self._context.language)
        if answer is None:
            return None
        return self._yes([AskKnowledge((answer.source,))], answer.score, f"{answer.source} answers it")

    def _none(self) -> Understood | None:
        """ "I don't have it", where a slot may be left empty. A "no" is an answer to a question of yes or no."""
        context = self._context
        if context.question != "slot" or "none_given" not in context.commands:
            return None
        slot = context.slots[context.slot]
        if not slot.optional or isinstance(slot, YesNoSlot):
            return None
        if find_numbers(self._phrases["none"].without(self._words), context.language):
            return None  # "I don't have it here, but I think it is one two three"
        if not self._is("none"):
            return None
        return self._yes([NoneGiven(context.slot)], 0.9, f"there is no {context.slot}")

    def _answer(self) -> Understood | None:
        context = self._context
        slot = context.slots[context.slot]
        if context.question == "confirm":
            return self._answer_to_read_back()
        if self._is_free_text():
            return None  # only when it is nothing else
        value = slot.parse(self._text, context.language, context.now, asked=True)
        if value is None:
            return None
        refused = isinstance(slot.accept(value, context.now), Rejected)
        if refused and (repaired := self._repair()) is not None:
            return repaired  # "one moment" holds a number, too
        if refused and (other := self._correction_of_another()) is not None:
            return other  # "no, 123456": too long for the postal code, but right for the order number given before
        return self._yes([SetSlot(context.slot, value)], 0.6 if refused else 0.9, f"a value for {context.slot}")

    def _is_free_text(self) -> bool:
        return isinstance(self._context.slots[self._context.slot], TextSlot)

    def _answer_to_read_back(self) -> Understood | None:
        """Yes, no, or "no, not six, seven": the new value may come with the denial, or without one."""
        context = self._context
        slot = context.slots[context.slot]
        current = context.values.get(context.slot)
        rest = self._after_denial()
        if rest is not None:
            amended = slot.amend(current, " ".join(rest), context.language, context.now) if rest else None
            if amended is not None and amended != current:
                return self._yes([Deny(), CorrectSlot(context.slot, amended)], 0.9, "a new value in the denial")
            if not rest or amended is not None or len(self._core(rest)) <= _LEFT_OVER:
                return self._yes([Deny()], 0.9, "a phrase for deny")
            return None
        value = slot.parse(self._text, context.language, context.now, asked=True)
        agreed = self._phrases["affirm"].after(self._words) is not None
        if value is not None and value != current and not self._is_free_text():
            return None if agreed else self._yes([CorrectSlot(context.slot, value)], 0.8, "another value")
        if agreed or (value is not None and value == current):
            return self._yes([Affirm()], 0.9, "a phrase for affirm")
        return None

    def _after_denial(self) -> list[str] | None:
        """What follows a "no", freed of "not", "but" and the like; None when there is no "no"."""
        rest = self._phrases["deny"].after(self._words) or self._phrases["deny"].after(self._core(self._words))
        starts = self._phrases["deny"].starts(self._words) or self._phrases["deny"].starts(self._core(self._words))
        if (rest is None and not starts) or self._unsure():
            return None
        return self._phrases["not"].without(self._phrases["deny"].without(rest or []))

    def _correction_of_another(self) -> Understood | None:
        """ "No, the order number is ...", while something else is being asked."""
        context = self._context
        if self._after_denial() is None:
            return None
        for name, value in context.values.items():
            slot = context.slots.get(name)
            if slot is None or name == context.slot:
                continue
            new = slot.parse(self._text, context.language, context.now, asked=False)
            if new is not None and new != value and not isinstance(slot.accept(new, context.now), Rejected):
                return self._yes([CorrectSlot(name, new)], 0.75, f"a new value for {name}")
        return None

    def _free_text(self) -> Understood | None:
        if self._context.question == "slot" and self._is_free_text():
            return self._yes([SetSlot(self._context.slot, self._text)], 0.7, "the caller's own words")
        return None

    def _yes(self, commands: list[Command], confidence: float, reason: str) -> Understood:
        return Understood(tuple(commands), SOURCE, round(confidence, 3), reason)

    def _no(self, reason: str) -> Understood:
        return Understood((NoMatch(),), SOURCE, 0.0, reason)
