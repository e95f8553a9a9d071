"""The bots that a configuration names, loaded and checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import flows
from flows import Bot, FlowProblems, Known, Problem
from tts import pronunciation
from tts.errors import PronunciationMistakes
from tts.pronunciation import Pronunciations
from voicebot.config import Config, NumberSettings
from voicebot.errors import ConfigError

PRONUNCIATION_FILE = "pronunciation.yaml"


def load_bot(folder: Path, known: Known = Known()) -> Bot:  # noqa: B008 (frozen)
    """The bot in `folder`. Raises FlowProblems, with paths that can be opened from where the command was typed."""
    problems: list[Problem] = []
    try:
        load_pronunciations(folder)
    except FlowProblems as error:
        problems += error.problems
    try:
        bot = flows.load_bot(folder, known=known)
    except FlowProblems as error:
        problems = [*(replace(p, file=str(folder / p.file)) for p in error.problems), *problems]
    if problems:
        raise FlowProblems(problems)
    return bot


def load_pronunciations(folder: Path) -> Pronunciations:
    """How the voices shall say the words of the bot in `folder`; an empty list without a file. Raises FlowProblems."""
    path = folder / PRONUNCIATION_FILE
    if not path.is_file():
        return Pronunciations()
    try:
        return pronunciation.load(path)
    except PronunciationMistakes as error:
        told = [Problem(str(path), one.line, 1, one.message, error.remedy) for one in error.mistakes]
    except OSError as error:
        told = [Problem(str(path), 0, 0, f"The file cannot be read: {error.strerror}.", "Look at its permissions.")]
    raise FlowProblems(told)


def load_bots(config: Config) -> dict[Path, Bot]:
    """Every bot that a number names, by folder. Raises FlowProblems with the mistakes of all of them.

    Raises ConfigError when a number is to be answered in a language that its bot, or no voice, speaks.
    """
    known = Known(queues=frozenset(config.queues))
    bots: dict[Path, Bot] = {}
    problems: list[Problem] = []
    for folder in dict.fromkeys(entry.bot for entry in config.numbers):
        try:
            bots[folder] = load_bot(folder, known)
        except FlowProblems as error:
            problems += error.problems
    if problems:
        raise FlowProblems(problems)
    if mistakes := [mistake for entry in config.numbers for mistake in _mute(config, entry, bots[entry.bot])]:
        raise ConfigError("\n".join(mistakes))
    return bots


def _mute(config: Config, entry: NumberSettings, bot: Bot) -> Iterator[str]:
    """Why the number cannot be answered in its language."""
    number, language = f"The number {entry.number}", entry.language
    if language not in bot.languages:
        known = ", ".join(bot.languages)
        yield f"{number} is set to {language}, but the bot {bot.name} speaks {known}. Change numbers.language."
    if language not in config.speech.voices:
        yield f"{number} is set to {language}, but no voice speaks it. Add {language} to speech.voices."
