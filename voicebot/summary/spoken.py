"""A summary for the ear of an agent whose phone rings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from voicebot.redaction import redact
from voicebot.summary.model import Summary
from voicebot.summary.texts import REASONS, TEXTS, known, sentence

Span = str | dict[str, Any]

BRIEFING_S = 12.0
TOLD_BRIEFING_S = 18.0  # with a language model's sentences; agents have 20 seconds to decide where nothing else is set

# Measured on the offline voice at its ordinary rate; other voices are a little faster.
_SPOKEN_SIGNS_PER_S = 12.5
_SPOKEN_DIGITS_PER_S = 2.4


def briefing(summary: Summary, language: str) -> list[Span]:
    """What an agent hears before taking the call, about 12 seconds at most; for `tts.text.spoken`.

    Where it would take longer, the caller's number (the agent's telephone shows it), then the topic, the mood, and the
    collected values are left out, in this order. A language model's sentences stand for the topic and the reason, and
    may take 6 seconds more; where they do not fit into that, nothing of them is spoken.
    """
    if summary.told:
        parts = _parts(summary, language, [], [sentence(summary.told)], TOLD_BRIEFING_S)
        if spoken_seconds(parts) <= TOLD_BRIEFING_S:
            return [span for part in parts for span in part]
    why: list[Span] = [f"{TEXTS[known(language)]['spoken_why']} {sentence(summary.why)}"] if summary.why else []
    short = REASONS[known(language)].get(summary.reason, ("", sentence(summary.why_stopped)))[1]
    reason: list[Span] = [short] if summary.reason and short else []
    return [span for part in _parts(summary, language, why, reason, BRIEFING_S) for span in part]


def _parts(summary: Summary, language: str, why: list[Span], reason: list[Span], longest_s: float) -> list[list[Span]]:
    """A briefing, what can be spared left out until it is no longer than that where it can be."""
    texts = TEXTS[known(language)]
    number: list[Span] = [{"kind": "phone", "value": _national(summary.who, language)}, "."] if summary.who else []
    mood: list[Span] = [] if summary.mood == "neutral" else [f"{texts['spoken_mood']} {texts[summary.mood]}."]
    shown = [item for item in summary.collected if not item.masked]
    collected: list[list[Span]] = [
        [item.label[:1].upper() + item.label[1:], _value_span(item.value), "."] for item in shown[:2]
    ]

    def parts() -> list[list[Span]]:
        caller: list[Span] = [texts["spoken_caller"], *number] if number else [texts["spoken_anyone"]]
        return [caller, why, *collected, reason, mood, [texts["spoken_keys"]]]

    for spare in (number, why, mood, *reversed(collected)):
        if spoken_seconds(parts()) <= longest_s:
            break
        spare.clear()
    return parts()


def spoken_seconds(parts: Iterable[Iterable[Span]]) -> float:
    """A rough length of speech: letters and digits at the pace of an ordinary voice."""
    letters = digits = 0
    for span in (span for part in parts for span in part):
        text = span if isinstance(span, str) else str(span["value"])
        count = sum(sign.isdigit() for sign in text)
        digits += count
        letters += len(text) - count
    return letters / _SPOKEN_SIGNS_PER_S + digits / _SPOKEN_DIGITS_PER_S


def _value_span(value: Any) -> Span:
    text = redact(str(value))
    return {"kind": "digits", "value": text} if text.isdigit() else text


def _national(number: str, language: str) -> str:
    """A Polish number without its prefix, for Polish ears: it is shorter, and how they know it."""
    return re.sub(r"^(?:\+|00)?48(?=\d{9}$)", "", number) if known(language) == "pl" else number
