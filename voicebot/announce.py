"""Announcements into a room, outside any conversation: to callers who wait, to agents."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from telephony.player import PlaybackFinished, PlayerEvent
from telephony.room import Room
from tts.errors import TtsError
from tts.text import spoken
from voicebot.parts import Voice

Span = str | Mapping[str, Any]

log = logging.getLogger(__name__)


async def announce(room: Room, voice: Voice, words: Sequence[Span], language: str, deadline_s: float = 30.0) -> bool:
    """Speak into `room` and return when it has been heard; False when it could not be spoken (logged, never raised)."""
    return await play(room, voice.say(spoken(words, language), language, room.sample_rate), deadline_s)


async def play(room: Room, sound: AsyncIterator[bytes], deadline_s: float = 30.0) -> bool:
    """The same of any sound, 16-bit mono at the room's rate."""
    finished = asyncio.Event()

    def on_event(event: PlayerEvent) -> None:
        if isinstance(event, PlaybackFinished):
            finished.set()

    player = room.add_player(on_event)
    try:
        async with asyncio.timeout(deadline_s):
            async with contextlib.aclosing(sound) as chunks:  # type: ignore[type-var]
                async for pcm in chunks:
                    player.play("announcement", pcm)
            player.end("announcement")
            await finished.wait()
            return True
    except (TtsError, TimeoutError) as error:
        log.error("an announcement could not be spoken: %s", error or "it took too long")
        return False
    finally:
        player.stop()
