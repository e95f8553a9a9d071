"""Checks of what bot.yaml says of special occasions."""

from __future__ import annotations

from collections.abc import Collection

from flows.check_names import LANGUAGE_NAMES, Speaking, check_queue, check_text
from flows.model import BotFile, Known, same_number
from flows.source import Report, Source, closest
from flows.texts import list_in_language


def check_occasions(
    bot: BotFile, source: Source, flows: Collection[str], speaking: Speaking, known: Known, report: Report
) -> None:
    """Announcements, entry points and emergency words."""
    for index, announcement in enumerate(bot.announcements):
        place = ("announcements", index)
        check_text(announcement.text, speaking, frozenset(), source, (*place, "text"), report)
        for at, name in enumerate(announcement.entry_points):
            if name not in bot.entry_points:
                message, remedy = f"There is no entry point `{name}`.", closest(name, bot.entry_points)
                report.add(source, (*place, "entry_points", at), message, remedy)
    seen: dict[str, str] = {}
    for name, entry in bot.entry_points.items():
        entry_place = ("entry_points", name)
        if entry.language is not None and entry.language not in bot.languages:
            message, remedy = f"The bot does not speak `{entry.language}`.", closest(entry.language, bot.languages)
            report.add(source, (*entry_place, "language"), message, remedy, at_value=True)
        if entry.ask is not None:
            check_text(entry.ask, speaking, frozenset(), source, (*entry_place, "ask"), report)
        if entry.start is not None and entry.start not in flows:
            message, remedy = f"There is no flow `{entry.start}`.", closest(entry.start, flows)
            report.add(source, (*entry_place, "start"), message, remedy, at_value=True)
        if entry.queue is not None:
            check_queue(entry.queue, source, (*entry_place, "queue"), known.queues, report)
        for number in entry.numbers:
            first = next((other for written, other in seen.items() if same_number(written, number)), None)
            if first is not None:
                message = f"The number {number} is also in the entry point `{first}`."
                report.add(source, (*entry_place, "numbers"), message, "Keep it in one of them.")
            seen.setdefault(number, name)
    if bot.emergency is not None:
        check_text(bot.emergency.say, speaking, frozenset(), source, ("emergency", "say"), report)
        for language in bot.languages:
            if not list_in_language(bot.emergency.words, language):
                message = f"There are no {LANGUAGE_NAMES[language]} words for an emergency."
                report.add(source, ("emergency", "words"), message, f"Add `{language}:`.")
        if bot.emergency.queue is not None:
            check_queue(bot.emergency.queue, source, ("emergency", "queue"), known.queues, report)
