"""What is said past the pipeline, whatever that waits for: stored phrases, which nobody has to make first."""

from __future__ import annotations

import asyncio
import logging

from tts.errors import TtsError
from voicebot.parts import RunningBot, Voice
from voicebot.speaker import Speaker

log = logging.getLogger(__name__)

_MADE_WITHIN_S = 1.5

ONE_MOMENT = "one_moment"
NOT_HEARD = "not_heard"


class Interjections:
    """The bot's phrases for trouble, in one stretch of talk."""

    def __init__(self, bot: RunningBot, voice: Voice, speaker: Speaker, sample_rate: int) -> None:
        self._phrases = bot.bot.phrases
        self._voice = voice
        self._speaker = speaker
        self._rate = sample_rate

    async def say(self, phrase: str, language: str) -> None:
        """Where it is not stored and not made soon, nothing is said: nothing quicker could be."""
        text = self._phrases[language][phrase][0]
        saying = self._speaker.announce(text, f"phrases/{phrase}", interruptible=True)
        try:
            async with asyncio.timeout(_MADE_WITHIN_S):
                async for pcm in self._voice.say(text, language, self._rate):
                    self._speaker.feed(saying, pcm)
        except (TtsError, TimeoutError) as error:
            log.warning("%s could not be said: %s", phrase, error or "the voice is slow, too")
        finally:
            self._speaker.end(saying)


def is_interjection(step: str) -> bool:
    """It answers nothing, and nothing is missed when it is cut off."""
    return step in (f"phrases/{ONE_MOMENT}", f"phrases/{NOT_HEARD}")
