"""Checks that every kind of file needs: texts in all languages, names that exist, queues that are known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from jinja2 import TemplateError

from flows.errors import TemplateFailed
from flows.source import Report, Source, closest, likely
from flows.steps.base import Path
from flows.templates import FILTERS, VALUE_FILTERS, variables
from flows.texts import ANY_LANGUAGE

BUILT_IN = frozenset({"caller", "dialled", "language", "today", "now", "open", "next_opening", "heard_all", "verified"})
LANGUAGE_NAMES = {"pl": "Polish", "en": "English"}
# What a template that is not right may raise.
MALFORMED = (TemplateError, TemplateFailed, RecursionError, ValueError, TypeError, SyntaxError)
LONGEST_S = 12.0  # of one text: nobody remembers more by ear
_TEMPLATE = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)


@dataclass(frozen=True)
class Speaking:
    """The languages of a bot, and how many seconds a text takes to say in one; None: not known, or never said."""

    languages: Sequence[str]
    seconds: Callable[[str, str], float] | None = None

    def takes_s(self, written: str, language: str) -> float:
        """About how long it takes to say, without what is filled in; 0 when that is not known."""
        known = self.seconds is not None and language in self.languages
        return self.seconds(_TEMPLATE.sub("", written), language) if self.seconds and known else 0.0


def check_queue(queue: str, source: Source, place: Path, known: frozenset[str] | None, report: Report) -> None:
    """A queue of people exists, as far as they are known."""
    if known is not None and queue not in known:
        remedy = closest(queue, known) or "No queue is known at all: name it under `queues` in voicebot.yaml."
        report.add(source, place, f"There is no queue `{queue}`.", remedy, at_value=True)


def check_text(
    text: Mapping[str, str],
    speaking: Speaking,
    known: frozenset[str],
    source: Source,
    place: Path,
    report: Report,
) -> None:
    """A text has every language of the bot, in each only variables that exist, and is short enough for the ear."""
    languages = speaking.languages
    if ANY_LANGUAGE in text and len(languages) > 1:
        spoken = " and ".join(LANGUAGE_NAMES[language] for language in languages)
        example = "{" + ", ".join(f"{language}: ..." for language in languages) + "}"
        report.add(source, place, f"This text is given once, but the bot speaks {spoken}.", f"Write {example}.")
    for language in languages:
        if language not in text and ANY_LANGUAGE not in text:
            report.add(source, place, f"The {LANGUAGE_NAMES[language]} text is missing.", f"Add `{language}:`.")
    for language, written in text.items():
        where = (*place, language) if language else place
        if language and language not in languages:
            message = f"The bot does not speak `{language}`."
            report.add(source, where, message, closest(language, languages))
        check_expression(written, variables, known, source, where, report)
        seconds = max(
            (speaking.takes_s(written, spoken) for spoken in ([language] if language else languages)), default=0
        )
        if seconds > LONGEST_S:
            message = f"This text takes about {seconds:.0f} s to say: more than {LONGEST_S:.0f} s is forgotten."
            report.add(source, where, message, "Make it shorter, or two steps of it.", at_value=True)


def check_expression(
    written: str,
    names_in: Callable[[str], frozenset[str]],
    known: frozenset[str],
    source: Source,
    place: Path,
    report: Report,
) -> None:
    """A template or condition is well formed and uses only known names."""
    try:
        used = names_in(written)
    except TemplateError as error:
        unknown = re.match(r"No filter named '(\w+)'", str(error.message))
        message = f"The template is not right: {str(error.message or error).rstrip('.')}."
        remedy = "A value is written as `{{ name }}` or `{{ name | filter }}`."
        if unknown:
            message, remedy = f"There is no filter `{unknown[1]}`.", closest(unknown[1], FILTERS | VALUE_FILTERS)
        report.add(source, place, message, remedy, at_value=True)
        return
    except TemplateFailed as error:
        report.add(source, place, error.message, error.remedy, at_value=True)
        return
    except MALFORMED as error:
        report.add(source, place, f"The template is not right: {error}.", "Write it more simply.", at_value=True)
        return
    for name in sorted(used - known - BUILT_IN):
        if isinstance(known, Partial) and likely(name, known) is None:
            continue
        report.add(source, place, f"Nothing is called `{name}` here.", closest(name, known | BUILT_IN), at_value=True)


class Partial(frozenset[str]):
    """Names of a flow of which a part could not be read."""
