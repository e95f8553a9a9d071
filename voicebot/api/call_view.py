"""A past call as the pages are given it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from voicebot.api.shapes.base import Mood
from voicebot.api.shapes.call_parts import Collected, Summary, Turn
from voicebot.api.shapes.calls import Decision, PastAlert, PastCall, PastCallLine, SoundQuality, TurnLatency
from voicebot.api.summary_view import earlier_view
from voicebot.decisions import Decided, explain, latencies
from voicebot.events import REFUSED, AlertAcknowledged, AlertRaised, CallEvent, LineMeasured, TurnTimed
from voicebot.records import CallFolder, CallRecord, transcribe
from voicebot.records import EarlierCall as Earlier

log = logging.getLogger(__name__)


def has_recording(record: CallRecord, calls: Path) -> bool:
    """Whether there is one to play: it is whole only when the call has ended."""
    return bool(record.outcome) and record.recording != REFUSED and CallFolder(calls / record.id).recording.is_file()


def line_view(record: CallRecord, calls: Path) -> PastCallLine:
    """`calls`: the folder of all calls' folders."""
    return PastCallLine(
        id=record.id,
        caller=record.caller,
        dialled=record.dialled,
        bot=record.bot,
        language=record.language,
        started_at=record.started_at,
        duration_s=record.duration_s,
        outcome=record.outcome,
        queue=record.queue,
        handoff_reason=record.handoff_reason,
        agent=record.agent_name or record.agent,
        mood=_mood(record.mood),
        why=record.why,
        recorded=has_recording(record, calls),
        alerts=list(record.alerts),
    )


def call_view(record: CallRecord, earlier: tuple[Earlier, ...], calls: Path, language: str) -> PastCall:
    """A call with its events; decisions are told in that language. Raises OSError when its files cannot be read."""
    line = line_view(record, calls)
    summary = summary_view(CallFolder(calls / record.id).read_summary())
    return PastCall(
        line=line,
        sound=sound_view(record.events),
        transcript=[Turn.model_validate(turn, from_attributes=True) for turn in transcribe(record.events).turns],
        slots=summary.collected if summary is not None else [],
        alerts=alerts_view(record.events),
        decisions=[decision_view(decided) for decided in explain(record.events, language)],
        latencies=[latency_view(timed) for timed in latencies(record.events)],
        summary=summary,
        notes=record.notes,
        wrap_up_code=record.wrap_up_code,
        earlier=[earlier_view(call) for call in earlier],
        recording="refused" if record.recording == REFUSED else "kept" if line.recorded else "none",
    )


def sound_view(events: Sequence[CallEvent]) -> SoundQuality | None:
    measured = next((event for event in events if isinstance(event, LineMeasured)), None)
    return None if measured is None else SoundQuality.model_validate(measured, from_attributes=True)


def alerts_view(events: Sequence[CallEvent]) -> list[PastAlert]:
    seen_to = {event.alert: event.who for event in events if isinstance(event, AlertAcknowledged)}
    return [
        PastAlert(at_s=event.offset_s, kind=event.kind, text=event.text, acknowledged_by=seen_to.get(event.alert, ""))
        for event in events
        if isinstance(event, AlertRaised)
    ]


def decision_view(decided: Decided) -> Decision:
    return Decision(
        at_s=decided.at_s, kind=decided.kind, why=decided.why, certainty=decided.certainty, data=dict(decided.data)
    )


def latency_view(timed: TurnTimed) -> TurnLatency:
    return TurnLatency(at_s=timed.offset_s, stages=dict(timed.stages), total_ms=round(timed.total_ms, 1))


def summary_view(kept: Mapping[str, Any] | None) -> Summary | None:
    """The summary of `summary.json`, which an earlier release may have written; None when it cannot be read."""
    if kept is None:
        return None
    try:
        told = {"mood_words": [], "next_step": "", "told": ""} | dict(kept)
        collected = [Collected.model_validate({**item, "value": str(item["value"])}) for item in told["collected"]]
        return Summary.model_validate({**told, "collected": collected, "mood": _mood(told["mood"])})
    except (ValidationError, KeyError, TypeError) as error:
        log.error("the summary of a past call cannot be read: %s", error)
        return None


def _mood(name: Any) -> Mood:
    return next((mood for mood in get_args(Mood) if mood == name), "neutral")
