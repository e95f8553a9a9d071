"""What the callers of the floor benchmark say; 8 kHz."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from voicebot.caller.sounds import line, speech_process

RATE = 8000
MARK_EVERY_S = 2.0
_MARK_S = 0.2
_MARK_HZ = 1000.0
_MARK_LEVEL = 10_000
_ANSWER = "rano"
_ANSWER_EVERY_S = 16.0  # a text and its question take 14
_VOICE = "espeak:pl+m6"

Samples = np.ndarray[Any, np.dtype[np.int16]]


def nothing(seconds: float) -> Samples:
    """A quiet line."""
    return np.random.default_rng(3).normal(0, 8, int(seconds * RATE)).astype(np.int16)


async def answers() -> Samples:
    """A word now and then, as somebody says it who is asked. Raises TtsError, ProcessFailed."""
    async with speech_process(Path("voices")) as voice:
        word = np.frombuffer(await line(voice, _ANSWER, "pl", _VOICE), "<i2")
    sound = nothing(_ANSWER_EVERY_S)
    sound[-len(word) :] = word
    return sound


def marks() -> Samples:
    """A burst of tone every two seconds, which begins with a packet of 20 ms."""
    sound = nothing(MARK_EVERY_S)
    length = int(_MARK_S * RATE)
    start = RATE
    sound[start : start + length] = _MARK_LEVEL * np.sin(2 * np.pi * _MARK_HZ * np.arange(length) / RATE)
    return sound
