"""An event as a row of its table, and back."""

from __future__ import annotations

from typing import Any

from voicebot.events import CallEvent, event_name, from_json, to_json


def event_row(number: int, event: CallEvent) -> dict[str, Any]:
    """`number`: its place among the events of its process."""
    data = to_json(event)
    for name in ("event", "call_id", "at", "offset_s"):
        del data[name]
    return {
        "call_id": event.call_id,
        "number": number,
        "at": event.at,
        "offset_s": event.offset_s,
        "event": event_name(event),
        "data": data,
    }


def event_of(row: Any) -> CallEvent:
    return from_json(
        {
            **row["data"],
            "event": row["event"],
            "call_id": row["call_id"],
            "at": row["at"].isoformat(),
            "offset_s": row["offset_s"],
        }
    )
