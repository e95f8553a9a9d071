"""What a caller hears and may do until an agent comes: music, now and then an honest word on the wait, two keys."""

from __future__ import annotations

import asyncio
import contextlib
from enum import StrEnum

from telephony.music import HoldMusic
from telephony.room import Room
from voicebot.announce import announce
from voicebot.parts import Voice
from voicebot.people import texts

_WORDS_AHEAD = 2  # more is old news before it is heard, and is left out
_DUCKED_DB = -26.0
_MUSIC_DB = -12.0


class Choice(StrEnum):
    """What a caller may do instead of waiting; by key in `KEYS`."""

    CALLBACK = "callback"
    BOT = "bot"


KEYS = {"1": Choice.CALLBACK, "2": Choice.BOT}


class Waiting:
    """One caller's wait. When it is told how long it will take is the queue's business."""

    def __init__(self, room: Room, voice: Voice, language: str) -> None:
        self._room = room
        self._voice = voice
        self._language = language
        self._words: asyncio.Queue[tuple[texts.Spans, ...]] = asyncio.Queue(_WORDS_AHEAD)

    def tell_place(self, position: int, wait_s: float | None) -> None:
        """Say how the caller stands (1: next; None: it cannot be told how long), and what they may do instead."""
        place = (*texts.position(position, self._language), *texts.wait(wait_s, self._language))
        self.tell(place, texts.fixed("choices", self._language))

    def tell(self, *words: texts.Spans) -> None:
        """Say something over the music."""
        with contextlib.suppress(asyncio.QueueFull):
            self._words.put_nowait(words)

    async def run(self) -> None:
        """Play until cancelled; the music fades out then."""
        music = HoldMusic(self._room.sample_rate)
        self._room.set_music(music, _MUSIC_DB)
        try:
            while True:
                words = await self._words.get()
                self._room.set_music(music, _DUCKED_DB)
                for text in words:
                    await announce(self._room, self._voice, text, self._language)
                self._room.set_music(music, _MUSIC_DB)
        finally:
            self._room.set_music(None)
