"""Past calls: the list, one call with all that is known of it, its recording."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime
from starlette.responses import FileResponse

from voicebot.access import Who
from voicebot.api.auth import Reviewer, SignedIn
from voicebot.api.call_view import call_view, has_recording, line_view
from voicebot.api.errors import NotAllowed
from voicebot.api.parts import ApiParts, Parts
from voicebot.api.shapes.calls import PastCall, PastCalls
from voicebot.errors import RecordingNotFound
from voicebot.events import REFUSED
from voicebot.records import CallFolder, CallRecord
from voicebot.watch.alerts import Kind

WAV = "audio/wav"

CallId = Annotated[str, Path(max_length=100)]
Outcome = Literal["contained", "handed_off", "callback_promised", "abandoned", "failed", "lost"]

router = APIRouter(prefix="/api/calls", tags=["past calls"])


@router.get("")
async def list_past_calls(
    who: Reviewer,
    parts: Parts,
    before: Annotated[AwareDatetime | None, Query(description="`more` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    outcome: Outcome | None = None,
    caller: Annotated[str, Query(max_length=40, description="The caller's number or a part of it.")] = "",
    text: Annotated[str, Query(max_length=200, description="Words, or parts of words, all said in the call.")] = "",
    alert: Annotated[Kind | Literal["any"] | None, Query(description="Raised in the call.")] = None,
) -> PastCalls:
    """Calls, the newest first, those that go on among them. Accents and case do not count in what is looked for."""
    number = "".join(sign for sign in caller if sign not in " -()")
    kind = "" if alert == "any" else alert
    wanted: dict[str, Any] = {"before": before, "outcome": outcome, "caller": number, "text": text, "alert": kind}
    return await asyncio.to_thread(_page, parts, limit, wanted)


def _page(parts: ApiParts, limit: int, wanted: Mapping[str, Any]) -> PastCalls:
    found = parts.records.list(limit=limit + 1, **wanted)
    shown = found[:limit]
    more = shown[-1].started_at if len(found) > limit else None
    return PastCalls(calls=[line_view(record, parts.calls) for record in shown], more=more)


@router.get("/{call_id}")
async def get_past_call(call_id: CallId, who: SignedIn, parts: Parts) -> PastCall:
    """All that is known of a call. Agents may read calls that they served. That it was read goes to the audit log."""
    record = await asyncio.to_thread(parts.records.get, call_id)
    _check(who, record)
    await parts.access.audit(who.author, "read_call", call_id)
    shown = record if _may_review(who) else record.for_agents()
    return await asyncio.to_thread(_view, parts, shown, who.language)


def _may_review(who: Who) -> bool:
    return who.may("supervisor") or who.may("operator")


def _check(who: Who, record: CallRecord) -> None:
    if not (_may_review(who) or record.was_served_by(who.login)):
        raise NotAllowed(
            "Agents may read the calls that they served, and this is none of yours.", "Ask a supervisor to look at it."
        )


def _view(parts: ApiParts, record: CallRecord, language: str) -> PastCall:
    earlier = parts.records.earlier_calls(record.caller, record.started_at)
    return call_view(record, earlier, parts.calls, language)


@router.get(
    "/{call_id}/recording",
    response_class=FileResponse,
    responses={
        200: {"content": {WAV: {"schema": {"type": "string", "format": "binary"}}}},
        206: {"description": "The part that `Range` asks for."},
        416: {"description": "`Range` asks for what is not there."},
    },
)
async def play_recording(call_id: CallId, who: Reviewer, parts: Parts) -> FileResponse:
    """The recording, a stereo WAV file, or a part of it by `Range`. That it was played goes to the audit log."""
    record = await asyncio.to_thread(parts.records.get, call_id)
    if not await asyncio.to_thread(has_recording, record, parts.calls):
        raise RecordingNotFound(_why_none(record), "The transcript tells what was said, unless the caller refused.")
    await parts.access.audit(who.author, "played", call_id)
    return FileResponse(CallFolder(parts.calls / record.id).recording, media_type=WAV)


def _why_none(record: CallRecord) -> str:
    if record.recording == REFUSED:
        return "The caller did not want to be recorded."
    if not record.outcome:
        return "The call goes on; its recording can be played when it has ended."
    return "There is no recording of this call."
