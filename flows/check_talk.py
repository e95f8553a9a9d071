"""Checks of what is said, and of how flows lead into each other: too long, claimed twice, secret, or without an end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows import phrasebook
from flows.model import BotFile, Flow
from flows.source import Report, Source
from flows.steps.sub_flow import SubFlowStep
from flows.texts import list_in_language
from flows.words import tokens

LONGEST_S = 12.0  # of one text: nobody remembers more by ear
Place = tuple[str | int, ...]
SpokenSeconds = Callable[[str, str], float]
LocatedTexts = Iterator[tuple[Source, Place, Mapping[str, str]]]

_TEMPLATE = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)
_LANGUAGES = {"pl": "Polish", "en": "English"}
# What a caller says in every conversation; an example that is nothing else would never reach its flow.
_CLAIMED = {"handoff": "a wish for a person", "goodbye": "a goodbye", "cancel": "leaving a flow", "repeat": "repeating"}
_SECRETS = (
    (re.compile(r"://[^/\s:@{}$]+:[^/\s@{}$]+@"), "a password in an address"),
    (re.compile(r"[?&](token|key|apikey|api_key|secret|password)=[^&\s{}$]{6,}", re.I), "a key in an address"),
    (
        re.compile(r"\b(sk-[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|xox[abp]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16})\b"),
        "a key",
    ),
    (re.compile(r"\b(Bearer|Basic) [A-Za-z0-9+/_.=-]{16,}"), "a key"),
)


@dataclass(frozen=True)
class Read:
    """A flow and the file it was read from."""

    flow: Flow
    source: Source


def check_lengths(texts: LocatedTexts, languages: Sequence[str], spoken_s: SpokenSeconds, report: Report) -> None:
    """No text is longer than people can listen to; what is filled in is not counted."""
    for source, place, text in texts:
        for language, written in text.items():
            for spoken in [language] if language else languages:
                seconds = spoken_s(_TEMPLATE.sub("", written), spoken)
                if seconds > LONGEST_S:
                    message = f"This text takes about {seconds:.0f} s to say: more than {LONGEST_S:.0f} s is forgotten."
                    where = (*place, language) if language else place
                    report.add(source, where, message, "Make it shorter, or two steps of it.", at_value=True)
                    break


def texts_of(bot: BotFile, source: Source) -> LocatedTexts:
    """The texts of bot.yaml."""
    for part in ("machine", "recording", "ask"):
        yield source, ("greeting", part), getattr(bot.greeting, part)
    yield source, ("closing",), bot.closing
    for name, wordings in bot.phrases.items():
        for index, text in enumerate(wordings):
            yield source, ("phrases", name, index) if len(wordings) > 1 else ("phrases", name), text
    for index, announcement in enumerate(bot.announcements):
        yield source, ("announcements", index, "text"), announcement.text


def texts_of_flow(read: Read, chosen: Mapping[str, Place]) -> LocatedTexts:
    """The texts of a flow file; `chosen`: where the slots of `choose` steps stand."""
    for name, slot in read.flow.slots.items():
        place = chosen.get(name, ("slots", name))
        yield read.source, (*place, "ask"), slot.ask
    for path, step in zip(read.flow.paths, read.flow.steps, strict=True):
        for inside, text in step.uses().texts:
            yield read.source, (*path, *inside), text


def check_examples(flows: list[Read], languages: Sequence[str], report: Report) -> None:
    """Every example leads to one flow only."""
    for language in languages:
        claimed: dict[tuple[str, ...], str] = {}
        phrases = phrasebook.understood_phrases(language)
        for read in flows:
            for index, example in enumerate(list_in_language(dict(read.flow.examples), language)):
                place = ("examples", language, index) if language in read.flow.examples else ("examples", index)
                words = tuple(tokens(re.sub(r"\{[^}]*\}", "", example)))
                owner = claimed.setdefault(words, read.flow.name)
                if owner != read.flow.name:
                    message = f"The flow `{owner}` has the same example ({_LANGUAGES[language]})."
                    report.add(read.source, place, message, "Keep it in one of them.", at_value=True)
                for meaning, what in _CLAIMED.items():
                    if words and phrases[meaning].occurs(words) and not phrases[meaning].without(words):
                        message = f"This is always understood as {what}, whatever flow it is an example of."
                        report.add(read.source, place, message, "Remove it.", at_value=True)


def check_secrets(sources: list[Source], report: Report) -> None:
    """No key or password stands in a file."""
    for source in sources:
        for place, text in _strings(source.data, ()):
            found = next((what for pattern, what in _SECRETS if pattern.search(text)), None)
            if found is not None:
                message = f"Here stands {found}, for everybody to read who sees this file."
                remedy = (
                    "Name it with `secret:` in systems.yaml and put it into the environment or a file; then change it."
                )
                report.add(source, place, message, remedy, at_value=True)


def _strings(data: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(data, str):
        yield place, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _strings(value, (*place, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _strings(value, (*place, index))


def check_recursion(flows: list[Read], report: Report) -> None:
    """No flow is a sub flow of itself, by whatever way."""
    begun = {
        read.flow.name: {step.sub_flow for step in read.flow.steps if isinstance(step, SubFlowStep)} for read in flows
    }
    for read in flows:
        for path, step in zip(read.flow.paths, read.flow.steps, strict=True):
            if isinstance(step, SubFlowStep) and read.flow.name in _reached(step.sub_flow, begun):
                message = f"`{step.sub_flow}` leads back into `{read.flow.name}`, which would never end."
                report.add(read.source, (*path, "sub_flow"), message, "Use `go_to`, or end one of them.", at_value=True)


def _reached(start: str, leads: Mapping[str, set[str]]) -> set[str]:
    seen, open_ = {start}, [start]
    while open_:
        for following in leads.get(open_.pop(), set()) - seen:
            seen.add(following)
            open_.append(following)
    return seen
