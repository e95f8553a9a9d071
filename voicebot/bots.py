"""The bots that a configuration names, loaded and checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import flows
from flows import Bot, FlowProblems, Known, Problem
from tts import pronunciation
from tts.errors import PronunciationMistakes
from tts.pronunciation import Pronunciations
from tts.text import spoken
from voicebot.config import BotSource, Config, NumberSettings
from voicebot.errors import ConfigError
from voicebot.recordings import Recordings, load_recordings
from voicebot.versions import VersionStore

PRONUNCIATION_FILE = "pronunciation.yaml"
UNPACKED = "published"  # under the data folder


@dataclass(frozen=True)
class LoadedBot:
    """All of a bot's folder that a call needs. `version`: 0 for a folder, else that of the published bot."""

    bot: Bot
    pronunciations: Pronunciations = field(default_factory=Pronunciations)
    recordings: Recordings = field(default_factory=Recordings)
    version: int = 0


# Characters of spoken words that a voice says in a second: the offline voice, median over the starters' sentences.
_SPOKEN_PER_S = {"pl": 14.7, "en": 18.5}


def spoken_seconds(text: str, language: str) -> float:
    """About how long a text takes to say."""
    return len(spoken([text], language)) / _SPOKEN_PER_S[language]


def load_bot(folder: Path, known: Known = Known()) -> Bot:  # noqa: B008 (frozen)
    """The bot in `folder`. Raises FlowProblems, with paths that can be opened from where the command was typed."""
    return load_folder(folder, known).bot


def load_folder(folder: Path, known: Known = Known(), *, shown: str = "", version: int = 0) -> LoadedBot:  # noqa: B008
    """The bot in `folder` with all that belongs to it. Raises FlowProblems with the mistakes of all files, which are
    named as in `shown`, or as in `folder`.
    """
    problems: list[Problem] = []
    pronunciations, recordings = Pronunciations(), Recordings()
    bot = None
    try:
        pronunciations = load_pronunciations(folder)
    except FlowProblems as error:
        problems += error.problems
    try:
        bot = flows.load_bot(folder, known=replace(known, spoken_s=spoken_seconds))
        recordings = load_recordings(folder, bot)
    except FlowProblems as error:
        problems = [*(replace(p, file=str(folder / p.file)) for p in error.problems), *problems]
    if bot is None or problems:
        prefix = str(folder)
        raise FlowProblems([replace(p, file=(shown or prefix) + p.file.removeprefix(prefix)) for p in problems])
    return LoadedBot(bot, pronunciations, recordings, version)


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


def load_source(source: BotSource, config: Config, *, version: int | None = None) -> LoadedBot:
    """The bot of a number: of a folder, or the version of a published bot that answers (or the one that is named).

    Raises FlowProblems; for a published bot VersionNotFound, VersionDamaged, CannotPack, RecordsUnavailable. Raises
    ConfigError when a number is to be answered in a language that the bot, or no voice, speaks.
    """
    known = Known(queues=frozenset(config.queues))
    if isinstance(source, Path):
        loaded = load_folder(source, known)
    else:
        store = VersionStore(config.data)
        try:
            number = store.current(source) if version is None else version
            folder = store.package(source, number).unpack(config.data / UNPACKED)
        finally:
            store.close()
        loaded = load_folder(folder, known, shown=f"{source}, version {number}: ", version=number)
    entries = [entry for entry in config.numbers if entry.source == source]
    if mistakes := [mistake for entry in entries for mistake in _mute(config, entry, loaded.bot)]:
        raise ConfigError("\n".join(mistakes))
    return loaded


def sources(config: Config) -> Sequence[BotSource]:
    """Every bot that a number names, once."""
    return tuple(dict.fromkeys(entry.source for entry in config.numbers))


def load_bots(config: Config) -> dict[BotSource, LoadedBot]:
    """Every bot that a number names. Raises FlowProblems with the mistakes of all, and what else `load_source` does."""
    bots: dict[BotSource, LoadedBot] = {}
    problems: list[Problem] = []
    mute: list[str] = []
    for source in sources(config):
        try:
            bots[source] = load_source(source, config)
        except FlowProblems as error:
            problems += error.problems
        except ConfigError as error:
            mute.append(error.message)
    if problems:
        raise FlowProblems(problems)
    if mute:
        raise ConfigError("\n".join(mute))
    return bots


def _mute(config: Config, entry: NumberSettings, bot: Bot) -> Iterator[str]:
    """Why the number cannot be answered in its language."""
    number, language = f"The number {entry.number}", entry.language
    if language not in bot.languages:
        known = ", ".join(bot.languages)
        yield f"{number} is set to {language}, but the bot {bot.name} speaks {known}. Change numbers.language."
    if language not in config.speech.voices:
        yield f"{number} is set to {language}, but no voice speaks it. Add {language} to speech.voices."
