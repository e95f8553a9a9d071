"""Tells the decisions of a call, live or past, in the language of whoever reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

from voicebot.decisions.texts import SENTENCES, WORDS
from voicebot.events import (
    CallEvent,
    Decision,
    Fault,
    HandoffStarted,
    LanguageModelAsked,
    RecordingStopped,
    RoutingDecided,
    StoodIn,
    SystemCalled,
    TurnTimed,
    event_name,
    to_json,
)

_TOLD = (SystemCalled, HandoffStarted, RoutingDecided, LanguageModelAsked, StoodIn, RecordingStopped, Fault)
_AS_IS = frozenset({"text", "message", "error", "missed", "value", "rule", "title", "service", "sources"})
_STAMP = ("event", "call_id", "at", "offset_s")


@dataclass(frozen=True)
class Decided:
    """`why` is a plain sentence; `data` is what the record holds, `certainty` 0..1 where it tells one."""

    at_s: float
    kind: str
    why: str
    certainty: float | None
    data: Mapping[str, Any]


def explain(events: Iterable[CallEvent], language: str) -> list[Decided]:
    """What was decided in a call, in the order of its events, which are redacted already."""
    return [_decided(event, language) for event in events if isinstance(event, (Decision, *_TOLD))]


def latencies(events: Iterable[CallEvent]) -> list[TurnTimed]:
    """How long each turn took."""
    return [event for event in events if isinstance(event, TurnTimed)]


def _decided(event: CallEvent, language: str) -> Decided:
    if isinstance(event, Decision):
        kind, data = event.kind, dict(event.data)
    else:
        told = to_json(event)
        kind, data = event_name(event), {name: value for name, value in told.items() if name not in _STAMP}
    certainty = data.get("confidence")
    return Decided(
        event.offset_s,
        kind,
        _sentence(kind, data, language),
        _share(certainty) if certainty is not None else None,
        data,
    )


def _sentence(kind: str, data: Mapping[str, Any], language: str) -> str:
    """A kind that has no sentence, or whose values were not kept, is told by its name."""
    sentences = SENTENCES.get(language, SENTENCES["en"])
    sentence = next((sentences[key] for key in _keys(kind, data) if key in sentences), "")
    wanted = [name for _, name, _, _ in Formatter().parse(sentence) if name]
    if not sentence or any(name not in data for name in wanted):
        return _plain(kind)
    words = WORDS.get(language, WORDS["en"])
    return sentence.format_map({name: _told(data[name], {} if name in _AS_IS else words) for name in wanted})


def _keys(kind: str, data: Mapping[str, Any]) -> Sequence[str]:
    """Names of the sentence, the most special first: "turn_taking end_of_turn", "routing_decided no rule"."""
    special = {
        "turn_taking": data.get("move"),
        "routing_decided": "" if data.get("rule") else "no rule",
        "understood": "" if data.get("commands") else "nothing",
        "flow_started": "" if data.get("title") else "no title",
        "knowledge": "reworded" if data.get("reworded") else "",
        "language": "" if data.get("spoken") else "unknown",
    }
    return (f"{kind} {special.get(kind)}", kind)


def _told(value: Any, words: Mapping[str, str]) -> str:
    """In these words; without any, as it is."""
    if isinstance(value, bool) or value is None:
        return words.get(str(value), "" if value is None else str(value))
    if isinstance(value, list | tuple):
        return ", ".join(_told(one, words) for one in value)
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return (words.get(text) or _with_gap(text, words) or _plain(text)) if words else text


def _with_gap(text: str, words: Mapping[str, str]) -> str:
    """By the words that have a gap where the text has something of its own; empty when none fit."""
    for known, told in words.items():
        before, gap, after = known.partition("{}")
        if gap and text.startswith(before) and text.endswith(after) and len(text) > len(before) + len(after):
            return told.replace("{}", _told(text[len(before) : len(text) - len(after)], words))
    return ""


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _share(value: Any) -> float | None:
    return min(1.0, max(0.0, float(value))) if isinstance(value, int | float) else None
