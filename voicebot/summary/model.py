"""A summary as a value, and as lines for reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from voicebot.records.transcript import Transcript, Turn, turn_lines
from voicebot.summary.texts import TEXTS, known

MASKED = "[hidden]"
LAST_TURNS = 6
UNSURE = 0.6  # a certainty below it is told


@dataclass(frozen=True)
class Collected:
    """A value that the caller gave. `label` is what people call it.

    `certainty` 0..1: 1 where the caller confirmed it or pressed it on the keys, else how sure the recogniser and the
    understanding were; None where the record does not tell. `masked`: nobody who reads the summary is to see the value.
    """

    name: str
    label: str
    value: Any
    certainty: float | None = None
    masked: bool = False

    @property
    def unsure(self) -> bool:
        return self.certainty is not None and self.certainty < UNSURE


@dataclass(frozen=True)
class Summary:
    """`who`: the caller's number, empty when withheld. `why` may be empty: the caller did not say.

    `reason` is the stable word of the handoff, empty when there was none; `why_stopped` says it in a sentence.
    `mood` is `angry`, `impatient` or `neutral`, from `mood_words` of the caller's. `next_step` says in plain sentences
    what the agent should do. `told`: the call in a language model's words, checked; empty without.
    `refused_recording`: this must not be written down.
    """

    call_id: str
    language: str
    who: str
    why: str
    collected: tuple[Collected, ...]
    tried: tuple[str, ...]
    reason: str
    why_stopped: str
    mood: str
    mood_words: tuple[str, ...]
    next_step: str
    outcome: str
    told: str
    transcript: Transcript = field(repr=False)
    refused_recording: bool = False

    @property
    def last_turns(self) -> tuple[Turn, ...]:
        return self.transcript.turns[-LAST_TURNS:]

    def as_json(self) -> dict[str, Any]:
        """Everything but the whole transcript, which has a file of its own."""
        data = dict(vars(self))
        del data["transcript"], data["refused_recording"]
        data["collected"] = [dict(vars(value)) for value in self.collected]
        data["last_turns"] = [dict(vars(turn)) for turn in self.last_turns]
        return data

    def as_text(self) -> str:
        return as_text(self, self.language)


def as_text(summary: Summary, language: str) -> str:
    """Plain lines for an agent."""
    texts = TEXTS[known(language)]
    collected = "; ".join(
        f"{item.label}: {item.value}" + (f" ({texts['unsure']})" if item.unsure else "") for item in summary.collected
    )
    words = f" ({', '.join(summary.mood_words)})" if summary.mood_words else ""
    lines = [
        f"{texts['who']}: {summary.who or texts['withheld']}",
        f"{texts['why']}: {summary.why or texts['unknown']}",
        f"{texts['collected']}: {collected or texts['nothing']}",
        f"{texts['tried']}: {'; '.join(summary.tried) or texts['nothing']}",
        f"{texts['stopped']}: {summary.why_stopped}",
        f"{texts['mood']}: {texts[summary.mood]}{words}",
        f"{texts['next']}: {summary.next_step}",
        *([f"{texts['told']}: {summary.told}"] if summary.told else []),
    ]
    if summary.last_turns:
        lines += [f"{texts['last']}:", *(f"  {line}" for line in turn_lines(summary.last_turns, language))]
    return "\n".join(lines) + "\n"
