"""What the callers of the latency benchmark say: conversations of several kinds of turns, the same at every run.

No sentence has a pause in it. Whether a pause ends a turn is what `benchmarks.turns` measures; here it would only cost
turns, and the stock bot, which takes every comma for an end, many more of them than ours.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Any, Literal

from voicebot.caller.script import Listen, Say, Script

Language = Literal["pl", "en"]
NUMBERS: dict[Language, str] = {"pl": "100", "en": "200"}
SILENCE_MS = 900  # a bot that was silent for so long has said what it had to say
ANSWER_S = 25.0  # a caller who heard no whole answer by then hangs up
ENGLISH_EVERY = 4  # one call of so many

_SAYINGS: dict[Language, dict[str, tuple[str, ...]]] = {
    "pl": {
        "intent": (
            "Dzień dobry chcę sprawdzić status mojego zamówienia.",
            "Gdzie jest moja paczka?",
            "Kiedy dotrze moje zamówienie?",
            "Dzwonię w sprawie zamówienia.",
        ),
        "digits": (
            "jeden dwa trzy cztery pięć sześć",
            "dwa trzy cztery pięć sześć siedem",
            "cztery pięć sześć siedem osiem dziewięć",
        ),
        "yes": ("tak zgadza się", "tak", "zgadza się"),
        "no": ("nie",),
        "more": ("tak",),
        "enough": ("nie dziękuję",),
        "goodbye": ("do widzenia",),
    },
    "en": {
        "intent": ("Hello I want to check the status of my order.", "Where is my order?", "Where is my parcel?"),
        "digits": (
            "one two three four five six",
            "two three four five six seven",
            "four five six seven eight nine",
        ),
        "yes": ("yes that's right", "yes"),
        "no": ("no",),
        "more": ("yes",),
        "enough": ("no thank you",),
        "goodbye": ("goodbye",),
    },
}
_COURSES = (
    ("intent", "digits", "yes", "enough"),
    ("intent", "digits", "no", "digits", "yes", "goodbye"),
    ("intent", "digits", "yes", "more", "intent", "digits", "yes", "enough"),
)
KINDS = tuple(_SAYINGS["pl"])
CALLER_VOICES: dict[Language, tuple[str, ...]] = {
    "pl": ("espeak:pl+m6", "espeak:pl+f4", "espeak:pl+robert"),
    "en": ("espeak:en-us+m6", "espeak:en-us+robert"),
}


@dataclass(frozen=True)
class Line:
    """One turn of the caller. The right answer is the one to `meant`, where the shop's own understanding needs help."""

    kind: str
    text: str
    meant: str = ""


@dataclass(frozen=True)
class Talk:
    """One call."""

    name: str
    language: Language
    voice: str
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, data: dict[str, Any]) -> Talk:
        """From `dataclasses.asdict`."""
        return cls(**{**data, "lines": tuple(Line(**line) for line in data["lines"])})

    def script(self) -> Script:
        """For the simulated caller: listen, say, and at the end listen to the farewell."""
        listen = Listen(silence_ms=SILENCE_MS, deadline_s=ANSWER_S)
        steps = [step for line in self.lines for step in (listen, Say(text=line.text))]
        dial = NUMBERS[self.language]
        return Script(
            script=self.name,
            language=self.language,
            voice=self.voice,
            dial=dial,
            steps=(*steps, listen),
            deadline_s=300,
        )


def talks(turns: int, callers: int, seed: int) -> list[Talk]:
    """Calls that hold at least `turns` turns, and one more for each caller: ends of a block count for nothing."""
    rng = random.Random(seed)
    made: list[Talk] = []
    for number in itertools.count():
        if sum(len(talk.lines) for talk in made[callers:]) >= turns:
            return made
        language: Language = "en" if number % ENGLISH_EVERY == ENGLISH_EVERY - 1 else "pl"
        sayings = _SAYINGS[language]
        course = _COURSES[number % len(_COURSES)]
        lines = tuple(Line(kind, rng.choice(sayings[kind])) for kind in course)
        made.append(Talk(f"talk_{number}", language, rng.choice(CALLER_VOICES[language]), lines))
    raise AssertionError("unreachable")
