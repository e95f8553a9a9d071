"""Messages that callers left: the list, the sound, and who has heard them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime
from starlette.responses import FileResponse

from voicebot.access import Who
from voicebot.api.auth import Agent
from voicebot.api.calls import WAV
from voicebot.api.errors import NotAllowed
from voicebot.api.parts import ApiParts, Parts
from voicebot.api.seen_queues import seen_queues
from voicebot.api.shapes.calls import Voicemail
from voicebot.records.voicemails import Voicemail as Message

VoicemailId = Annotated[str, Path(max_length=100)]

router = APIRouter(prefix="/api/voicemails", tags=["voicemails"])


@router.get("")
async def list_voicemails(
    who: Agent,
    parts: Parts,
    before: Annotated[AwareDatetime | None, Query(description="Those that were left earlier.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[Voicemail]:
    """Messages, the newest first. Agents see those of their queues."""
    seen = await seen_queues(who, parts.access)
    found = await asyncio.to_thread(parts.voicemails.list, queues=seen.names, before=before, limit=limit)
    return [_view(message) for message in found]


@router.post("/{voicemail}/heard")
async def mark_heard(voicemail: VoicemailId, who: Agent, parts: Parts) -> Voicemail:
    """Somebody has heard it; who was first stays."""
    await _allowed(voicemail, who, parts)
    message = await asyncio.to_thread(parts.voicemails.mark_heard, voicemail, who.login, datetime.now(UTC))
    return _view(message)


@router.get(
    "/{voicemail}/audio",
    response_class=FileResponse,
    responses={
        200: {"content": {WAV: {"schema": {"type": "string", "format": "binary"}}}},
        206: {"description": "The part that `Range` asks for."},
        416: {"description": "`Range` asks for what is not there."},
    },
)
async def play_voicemail(voicemail: VoicemailId, who: Agent, parts: Parts) -> FileResponse:
    """The message, a WAV file, or a part of it by `Range`. That it was played goes to the audit log."""
    message = await _allowed(voicemail, who, parts)
    path = await asyncio.to_thread(parts.voicemails.audio, voicemail)
    await parts.access.audit(who.author, "played", message.call_id, voicemail=voicemail)
    return FileResponse(path, media_type=WAV)


async def _allowed(voicemail: str, who: Who, parts: ApiParts) -> Message:
    """Raises VoicemailNotFound, NotAllowed."""
    message = await asyncio.to_thread(parts.voicemails.get, voicemail)
    if message.queue not in await seen_queues(who, parts.access):
        raise NotAllowed("This message is for a queue that you do not serve.", "Ask somebody of that queue.")
    return message


def _view(message: Message) -> Voicemail:
    return Voicemail.model_validate(message, from_attributes=True)
