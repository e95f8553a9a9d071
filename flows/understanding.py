"""Understanding without an LLM: repair phrases, typed slot parsers by the open question, intent by examples."""

from __future__ import annotations

from dataclasses import replace

from flows import open_question, slot_question
from flows.commands import (
    Abuse,
    AskHuman,
    AskMachine,
    Emergency,
    NoMatch,
    RefuseRecording,
    SpeakLanguage,
    StartFlow,
    Understood,
)
from flows.intents import IntentClassifier
from flows.languages import spoken_language
from flows.model import Bot
from flows.phrasebook import PhraseSet, other_sentences, understood_phrases
from flows.state import TurnContext
from flows.texts import list_in_language
from flows.utterance import LEFT_OVER, SURE, Utterance, not_understood, understood
from flows.words import tokens

_ANY_WORDS = ("free", "spelled")
_MENTION = 3  # words of a sentence in which a person is not mentioned in passing


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
        said = Utterance(text, tokens(text), context, self._classifiers[language], self._knowledge)
        refusal = [RefuseRecording()] if said.occurs("refuse_recording") else []
        if any(words.occurs(said.words) for words in self._emergency.values()):
            return understood([*refusal, Emergency()], 0.95, "a word for an emergency")
        # Names, addresses and codes are of any language, and so are the words of a spelling.
        asked = context.slots[context.slot] if context.question == "slot" else None
        foreign_words = asked is None or asked.expectation(language).kind not in _ANY_WORDS
        other = spoken_language(text, language, by_words=foreign_words)
        if other is not None:
            return understood([*refusal, SpeakLanguage(other)], 0.9, f"the caller speaks, or wants, {other}")
        return _without_recording(said) if refusal else _read(said)


def _without_recording(said: Utterance) -> Understood:
    """The caller does not want to be recorded, and may want something besides."""
    words = said.phrases["refuse_recording"].without(said.words)
    left = replace(said, words=words, text=" ".join(words))
    if len(left.core) <= LEFT_OVER:
        return understood([RefuseRecording()], 0.95, "the caller does not want to be recorded")
    found = _read(left)
    others = [command for command in found.commands if not isinstance(command, NoMatch)]
    return understood([RefuseRecording(), *others], max(found.confidence, 0.9), found.reason)


def _read(said: Utterance) -> Understood:
    if not said.words:
        return not_understood("nothing was said")
    if _asks_about_the_bot(said):
        return understood([AskMachine()], 0.9, "the caller asks whether this is a machine")
    if _wants_human(said):
        return understood([AskHuman()], 0.95, "the caller wants a person")
    if not said.occurs("abuse_exact"):
        return _answer(said)
    left = replace(said, words=said.phrases["abuse_exact"].without(said.words))
    found = _answer(left)
    if not left.core or found.commands == (NoMatch(),) or _like_scraps(said, left, found):
        return understood([Abuse()], 0.9, "the caller swears, and says nothing else")
    return found


def _answer(said: Utterance) -> Understood:
    about_slot = said.context.question in ("slot", "confirm")
    return slot_question.read(said) if about_slot else open_question.read(said)


def _like_scraps(said: Utterance, left: Utterance, found: Understood) -> bool:
    """Whether it was taken for a flow because of what swearing leaves ("you ..."), which may be like any example."""
    return found.commands[:1] == (StartFlow(left.guess.flow or ""),) and said.guess.flow is None


def _asks_about_the_bot(said: Utterance) -> bool:
    """ "Am I talking to a machine? I want a person" is a wish for a person."""
    asked = said.phrases["ask_machine_exact"]
    if not asked.occurs(said.words):
        return False
    left = said.phrases["handoff_not"].without(asked.without(said.words))
    return not any(said.phrases[wish].occurs(left) for wish in ("handoff", "handoff_person_exact"))


def _wants_human(said: Utterance) -> bool:
    """Who mentions a person in passing, and clearly wants something that a flow does, gets the flow."""
    left = said.phrases["handoff_not"].without(said.words)
    if said.phrases["handoff"].occurs(left):
        return True
    brief = len(said.core_of(left)) <= _MENTION
    if said.phrases["handoff_person_exact"].occurs(left):
        return brief or said.guess.confidence < SURE
    return brief and said.phrases["handoff_anybody_exact"].occurs(left)
