"""A call's summary and its parts, as the pages are given them."""

from __future__ import annotations

from collections.abc import Iterable

from voicebot.api.shapes import call_parts as shapes
from voicebot.records.past_calls import EarlierCall
from voicebot.records.transcript import Turn
from voicebot.summary import Collected, Summary

MASK = "•••"


def summary_view(summary: Summary) -> shapes.Summary:
    """What must not be seen is not in it."""
    return shapes.Summary(
        call_id=summary.call_id,
        language=summary.language,
        who=summary.who,
        why=summary.why,
        collected=collected_view(summary.collected),
        tried=list(summary.tried),
        reason=summary.reason,
        why_stopped=summary.why_stopped,
        mood=summary.mood,
        mood_words=list(summary.mood_words),
        next_step=summary.next_step,
        told=summary.told,
        last_turns=[turn_view(turn) for turn in summary.last_turns],
    )


def collected_view(values: Iterable[Collected]) -> list[shapes.Collected]:
    return [
        shapes.Collected(
            name=item.name,
            label=item.label,
            value=MASK if item.masked else str(item.value),
            certainty=item.certainty,
            masked=item.masked,
        )
        for item in values
    ]


def turn_view(turn: Turn) -> shapes.Turn:
    return shapes.Turn.model_validate(turn, from_attributes=True)


def earlier_view(call: EarlierCall) -> shapes.EarlierCall:
    return shapes.EarlierCall.model_validate(call, from_attributes=True)
