"""Which alerts there were in which calls. An index has them, so that other events are not read for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, literal_column, select

from voicebot.records.models import CallRow, EventRow

_RAISED = EventRow.event == literal_column(
    "'alert_raised'"
)  # as the index has it: SQLite does not see it in a parameter
_KIND = EventRow.data["kind"].as_string()


def had_alert(kind: str) -> ColumnElement[bool]:
    """Of a `CallRow`: an alert of that kind was raised in the call; of any kind where it is empty."""
    raised = select(EventRow.id).where(EventRow.call_id == CallRow.id, _RAISED)
    return (raised.where(_KIND == kind) if kind else raised).exists()


def alerts_of(call_ids: Collection[str]) -> Select[tuple[str, str]]:
    """Call and kind, in the order in which they were raised."""
    return (
        select(EventRow.call_id, _KIND.label("kind"))
        .where(EventRow.call_id.in_(call_ids), _RAISED)
        .order_by(EventRow.id)
    )


def by_call(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """The kinds of each call, each once."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        found.setdefault(row["call_id"], {})[row["kind"]] = None
    return {call_id: tuple(kinds) for call_id, kinds in found.items()}
