"""Those who are to be called back: the list, taking one, and saying how it ended."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Literal

from fastapi import APIRouter

from voicebot.access import Who
from voicebot.api.auth import Agent
from voicebot.api.call_view import summary_view
from voicebot.api.errors import NotAllowed
from voicebot.api.parts import ApiParts, Floor, FloorParts, Parts, People
from voicebot.api.seen_queues import SeenQueues, seen_queues
from voicebot.api.shapes import desk as shapes
from voicebot.api.shapes.call_parts import Summary
from voicebot.errors import NotPossible
from voicebot.queueing.model import Entry, EntryState, Kind
from voicebot.queueing.offers import GAVE_UP, REACHED
from voicebot.records import CallFolder
from voicebot.records.past_calls import DoneCallback

log = logging.getLogger(__name__)

SHOWN_FOR = timedelta(days=1)
"""Callbacks that are done stay on the list for so long."""

MOST_SUMMARIES = 200  # are read from the disk for one list

State = Literal["waiting", "offered", "calling", "reached", "gave_up"]
_STATES: dict[EntryState, State] = {
    EntryState.WAITING: "waiting",
    EntryState.OFFERED: "offered",
    EntryState.ACCEPTED: "calling",
    EntryState.TALKING: "reached",
}

router = APIRouter(prefix="/api/callbacks", tags=["callbacks"])


@router.get("")
async def list_callbacks(who: Agent, parts: Parts, floor: Floor) -> list[shapes.Callback]:
    """Promised callbacks in their order, and those done within a day. Agents see those of their queues."""
    seen = await seen_queues(who, parts.access)
    promised = [entry for entry in floor.desk.entries if entry.kind is Kind.CALLBACK and entry.queue in seen]
    promised.sort(key=lambda entry: (entry.entered_at, entry.number))
    return await asyncio.to_thread(_listed, parts, promised, seen)


@router.post("/{callback}/take", status_code=204)
async def take_callback(callback: str, who: Agent, parts: Parts, floor: Floor, people: People) -> None:
    """Call this one now: it is rung while the agent hears it, or shown to be rung by hand."""
    await _checked(callback, who, parts, floor)
    await people.agents.take_callback(who.login, callback)


@router.post("/{callback}/done", status_code=204)
async def close_callback(callback: str, done: shapes.CallbackDone, who: Agent, parts: Parts, floor: Floor) -> None:
    """Say how it ended: reached, or given up."""
    await _checked(callback, who, parts, floor)
    await floor.desk.close_callback(callback, done.outcome, done.notes)


async def _checked(callback: str, who: Who, parts: ApiParts, floor: FloorParts) -> None:
    """Raises NotPossible, NotAllowed."""
    entry = floor.desk.entry(callback)
    if entry is None or entry.kind is not Kind.CALLBACK:
        raise NotPossible("This callback is done already.", "Load the list again.")
    if entry.queue not in await seen_queues(who, parts.access):
        raise NotAllowed("This callback is of a queue that you do not serve.", "Somebody of that queue can take it.")


def _listed(parts: ApiParts, promised: list[Entry], seen: SeenQueues) -> list[shapes.Callback]:
    done = [one for one in parts.records.done_callbacks(datetime.now(UTC) - SHOWN_FOR) if one.queue in seen]
    shown = [_promised(entry) for entry in promised]
    shown += [_done(one) for one in done]
    read = [one.model_copy(update={"summary": _summary(parts, one.call_id)}) for one in shown[:MOST_SUMMARIES]]
    return [*read, *shown[MOST_SUMMARIES:]]


def _promised(entry: Entry) -> shapes.Callback:
    return shapes.Callback(
        id=entry.id,
        number=entry.caller,
        queue=entry.queue,
        reason=entry.reason,
        promised_at=entry.queued_at,
        tries=entry.tries,
        next_at=entry.next_at,
        state=_STATES.get(entry.state) or _ended(entry.outcome),
        agent=entry.agent,
        call_id=entry.call_id,
    )


def _done(one: DoneCallback) -> shapes.Callback:
    return shapes.Callback(
        id=one.entry,
        number=one.number,
        queue=one.queue,
        reason=one.reason,
        promised_at=one.promised_at,
        tries=one.tries,
        next_at=None,
        state=_ended(one.outcome),
        agent=one.agent,
        call_id=one.call_id,
    )


def _ended(outcome: str) -> State:
    """Whoever was talked with was reached, however that ended."""
    return GAVE_UP if outcome == GAVE_UP else REACHED  # type: ignore[return-value]


def _summary(parts: ApiParts, call_id: str) -> Summary | None:
    try:
        return summary_view(CallFolder(parts.calls / call_id).read_summary())
    except (OSError, json.JSONDecodeError) as error:
        log.warning("the summary of %s cannot be read: %s", call_id, error)
        return None
