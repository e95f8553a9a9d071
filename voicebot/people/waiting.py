"""What a caller hears and may do until an agent comes: music, now and then an honest word on the wait, two keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from telephony.music import HoldMusic
from telephony.room import Room
from tts.text import spoken
from voicebot.announce import announce
from voicebot.parts import Voice
from voicebot.people import texts

FIRST_WORD_S = 8.0  # of music, for those who are answered at once
_DUCKED_DB = -26.0
_MUSIC_DB = -12.0


class Choice(StrEnum):
    """What a caller may do instead of waiting; by key in `KEYS`."""

    CALLBACK = "callback"
    BOT = "bot"


KEYS = {"1": Choice.CALLBACK, "2": Choice.BOT}


@dataclass(frozen=True)
class Place:
    """Where a caller stands: 1 is next. `wait_s` None: it cannot be told."""

    position: int
    wait_s: float | None


class Waiting:
    """One caller's wait. `place` is asked whenever it is told."""

    def __init__(
        self, room: Room, voice: Voice, language: str, every_s: float, place: Callable[[], Place | None]
    ) -> None:
        self._room = room
        self._voice = voice
        self._language = language
        self._every_s = every_s
        self._place = place
        self._choice: asyncio.Future[Choice] = asyncio.get_running_loop().create_future()

    def key(self, key: str) -> None:
        """A key of the caller's phone. Others than those that are offered do nothing."""
        if key in KEYS and not self._choice.done():
            self._choice.set_result(KEYS[key])

    async def run(self) -> Choice:
        """Until the caller chooses. Cancelled when an agent comes; the music fades out either way."""
        music = HoldMusic(self._room.sample_rate)
        self._room.set_music(music, _MUSIC_DB)
        telling = asyncio.create_task(self._tell(music), name="tell the wait")
        try:
            either: set[asyncio.Future[Any]] = {telling, self._choice}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not self._choice.done():
                telling.result()
            return await self._choice
        finally:
            telling.cancel()
            await asyncio.wait({telling})
            self._room.set_music(None)

    async def _tell(self, music: HoldMusic) -> None:
        await asyncio.sleep(min(FIRST_WORD_S, self._every_s))
        while True:
            place = self._place()
            if place is not None:
                words = (*texts.position(place.position, self._language), *texts.wait(place.wait_s, self._language))
                self._room.set_music(music, _DUCKED_DB)
                for text in (words, texts.fixed("choices", self._language)):
                    await announce(self._room, self._voice, spoken(text, self._language), self._language)
                self._room.set_music(music, _MUSIC_DB)
            await asyncio.sleep(self._every_s)
