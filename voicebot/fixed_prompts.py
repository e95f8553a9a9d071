"""What is said word for word in every call, spoken before the first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from tts.errors import UnknownVoice
from tts.store import PromptStore
from tts.synthesizer import SpeechRequest
from tts.text import spoken
from voicebot.config import BotSource, Config
from voicebot.parts import RunningBot
from voicebot.people import texts

log = logging.getLogger(__name__)

PROMPT_RATES = (8000, 16000)


async def make_prompts(prompts: PromptStore, config: Config, source: BotSource, bot: RunningBot) -> None:
    """Those of a bot, in the languages of its numbers. Raises UnknownVoice: without a voice nobody is served."""
    report = await prompts.fill(fixed_prompts(bot, languages_of(config, source)))
    log.info("prompts: %d kept, %d made in %.1f s", report.kept, report.made, report.seconds)
    for _, error in report.failed:
        if isinstance(error, UnknownVoice):
            raise error
    if report.failed:
        log.error("%d prompts could not be made: %s", len(report.failed), report.failed[0][1])


def languages_of(config: Config, source: BotSource) -> tuple[str, ...]:
    """Of the numbers that a bot answers."""
    return tuple(dict.fromkeys(entry.language for entry in config.numbers if entry.source == source))


def fixed_prompts(
    bot: RunningBot, languages: Sequence[str], voice: Callable[[str], str] = lambda language: ""
) -> list[SpeechRequest]:
    """Every text without variables in these languages, as it is played or spoken; `voice`: another than the bot's.

    Those that callers hear while they wait for people are among them.
    """
    prompts = []
    for language in languages:
        spans = [*bot.bot.fixed_texts(language), *texts.ready(language)]
        for text in dict.fromkeys(spoken(each, language) for each in spans):
            for rate in PROMPT_RATES:
                recorded = bot.recordings.request(text, language, rate)
                if recorded is None:
                    prompts.append(bot.speech(text, language, rate, voice(language)))
                elif not voice(language):
                    prompts.append(recorded)
    return prompts
