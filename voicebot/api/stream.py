"""Server-sent events: one stream for each page, with what this user may see of the topics that the page asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from voicebot.access import Role, Who
from voicebot.api.auth import SignedIn
from voicebot.api.errors import NotAllowed, UnknownTopic
from voicebot.api.parts import ApiParts, Parts
from voicebot.hub import Message

HEARTBEAT_S = 15.0
RETRY_MS = 2000

TOPICS: dict[str, Role] = {"agent": "agent", "board": "agent", "call": "agent", "alerts": "supervisor"}
"""Which role may ask for a topic. `call` goes on with a colon and the call's id. What of it each reader is told is
decided where it is published."""

router = APIRouter(prefix="/api", tags=["stream"])


@router.get(
    "/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def stream(
    topics: Annotated[str, Query(min_length=1, max_length=500, description="As agent,board,call:ID,alerts.")],
    who: SignedIn,
    parts: Parts,
) -> StreamingResponse:
    """What happens, as it happens. `bye`: the session ended, sign in again. `resync`: events were lost, load anew."""
    asked = [topic for topic in topics.split(",") if topic]
    for topic in asked:
        _check(topic, who)
    parts.hub.check_room(who)
    lines = _lines(who, asked, parts)
    return StreamingResponse(lines, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _check(topic: str, who: Who) -> None:
    kind, colon, name = topic.partition(":")
    if kind not in TOPICS or bool(colon) != (kind == "call") or bool(colon) != bool(name):
        raise UnknownTopic("There is no such topic.", f"Ask for some of {', '.join(TOPICS)}; a call as call:ID.")
    if not who.may(TOPICS[kind]):
        raise NotAllowed(f"The topic {kind} needs the role {TOPICS[kind]}.", "An administrator can give you the role.")


async def _lines(who: Who, topics: list[str], parts: ApiParts) -> AsyncIterator[str]:
    reader = parts.hub.open(who, topics)
    call_off = parts.access.on_revoked(who, lambda: reader.end(Message("bye", "{}")))
    try:
        yield f"retry: {RETRY_MS}\n\n"
        while not reader.over:
            message = await reader.next(HEARTBEAT_S)
            if message is not None:
                yield f"event: {message.event}\ndata: {message.data}\n\n"
            elif not reader.over:
                yield ": still here\n\n"
    finally:
        call_off()
        reader.end()
