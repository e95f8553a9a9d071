"""What is said in the capacity benchmark, by both bots and by their callers; 8 kHz.

Every twelve seconds the caller answers with one word, on which the bot says the next text and asks again.
"""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.floor_hearing import ANSWER
from benchmarks.floor_sounds import nothing
from benchmarks.latency_dialog import Answer
from voicebot.caller.sounds import line, speech_process

NUMBER = "100"
TURN_EVERY_S = 12.0
VOICE = "espeak:pl"
_CALLERS_VOICE = "espeak:pl+m6"

GREETING = ("Dzień dobry, tu automat.", "Rozmowa jest nagrywana.")
TEXTS = (
    "Paczka jest gotowa i czeka na kuriera w naszym magazynie.",
    "Druga paczka jest większa i pojedzie osobnym samochodem.",
    "Trzecia przesyłka zawiera szkło, więc kierowca wniesie ją sam.",
)
QUESTION = "Kurier ma przyjechać rano, czy wieczorem?"

Samples = np.ndarray[Any, np.dtype[np.int16]]


async def answers() -> Samples:
    """What a caller sends, again and again. Raises TtsError, ProcessFailed."""
    async with speech_process(Path("voices")) as voice:
        word = np.frombuffer(await line(voice, ANSWER, "pl", _CALLERS_VOICE), "<i2")
    sound = nothing(TURN_EVERY_S)
    sound[-len(word) :] = word
    return sound


def write_bot(folder: Path) -> None:
    """The files of our bot (JSON is YAML)."""
    folder.mkdir(parents=True)
    machine, recording = GREETING
    bot = {
        "bot": "capacity",
        "languages": ["pl"],
        "greeting": {"machine": machine, "recording": recording, "ask": "W czym mogę pomóc?"},
        "closing": "Do widzenia.",
        "queue": "service",
        "limits": {"turns_per_flow": 1000, "turns_per_call": 1000},
        "entry_points": {"first": {"numbers": [NUMBER], "start": "part_0"}},
    }
    _write(folder / "bot.yaml", bot)
    answer = {"type": "choice", "options": {"morning": ["rano"], "evening": ["wieczorem"]}, "ask": QUESTION}
    for index, text in enumerate(TEXTS):
        flow: dict[str, Any] = {
            "flow": f"part_{index}",
            "description": "One of the texts.",
            "examples": [f"opowiedz część {'abc'[index]}", f"czytaj rozdział {'abc'[index]}"],
            "slots": {"answer": answer},
            "steps": [{"say": text}, {"collect": "answer"}, {"go_to": f"part_{(index + 1) % len(TEXTS)}"}],
        }
        if index == 0:
            flow["offer"] = "posłuchać"
        _write(folder / f"part_{index}.yaml", flow)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")


class RoundDialog:
    """The same for a bot that is not ours."""

    def __init__(self) -> None:
        self._texts = cycle(TEXTS)

    async def begin(self) -> Answer:
        return Answer((*GREETING, *self._next()))

    async def heard(self, _text: str) -> Answer:
        return Answer(self._next())

    async def silent(self) -> Answer:
        return Answer((QUESTION,))

    def _next(self) -> tuple[str, ...]:
        return (next(self._texts), QUESTION)
