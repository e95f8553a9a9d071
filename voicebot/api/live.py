"""One live call: what is said and decided in it, and what supervisors do in it."""

from __future__ import annotations

from fastapi import APIRouter

from voicebot.access import Who
from voicebot.api.auth import Agent, Supervisor
from voicebot.api.errors import NotAllowed
from voicebot.api.parts import Floor, Parts, People
from voicebot.api.shapes import calls as shapes
from voicebot.people.supervision import Listen

router = APIRouter(prefix="/api", tags=["live"])


@router.get("/live/{call}")
async def get_live_call(call: str, who: Agent, floor: Floor) -> shapes.LiveCall:
    """The call so far. Agents see the one that they serve, without who listens."""
    if not (who.may("supervisor") or floor.desk.serves(who.login, call)):
        raise NotAllowed("This is not your call.", "A supervisor may look at all calls.")
    so_far = await floor.calls.so_far(call, who.language)
    listens = floor.people.supervision.of_call(call) if floor.people is not None and who.may("supervisor") else []
    listeners = [_listener(listen) for listen in listens]
    return shapes.LiveCall(row=floor.feed.row(call), listeners=listeners, **dict(so_far))


@router.post("/live/{call}/listen")
async def listen(call: str, offer: shapes.ListenOffer, who: Supervisor, people: People) -> shapes.ListenAnswer:
    """Join the call with the browser's audio. Nobody in it notices who only listens; the audit log does."""
    listen_id, sdp = await people.supervision.begin(who, call, offer.sdp, offer.mode)
    return shapes.ListenAnswer(id=listen_id, sdp=sdp)


@router.patch("/listens/{listen}", status_code=204)
async def change_listen(listen: str, change: shapes.ListenChange, who: Supervisor, people: People) -> None:
    """Listen only, whisper to the agent, or talk to both."""
    await people.supervision.change(who, listen, change.mode)


@router.delete("/listens/{listen}", status_code=204)
async def end_listen(listen: str, who: Supervisor, people: People) -> None:
    """Leave the call."""
    await people.supervision.end(who, listen)


@router.post("/live/{call}/take-over", status_code=204)
async def take_over(call: str, who: Supervisor, people: People) -> None:
    """Talk with the caller in the place of bot or agent; the supervisor listens to the call already."""
    await people.supervision.take_over(who, call)


@router.post("/live/{call}/back-to-bot", status_code=204)
async def back_to_bot(call: str, change: shapes.BackToBot, who: Supervisor, parts: Parts, floor: Floor) -> None:
    """Give the caller back to the bot, at a flow or with whatever they want next."""
    await _audit(who, parts, "sent_to_bot", call)
    await floor.calls.back_to_bot(call, change.flow)


@router.post("/live/{call}/end", status_code=204)
async def end_live_call(call: str, who: Supervisor, parts: Parts, floor: Floor) -> None:
    """Hang up."""
    floor.calls.check(call)
    await _audit(who, parts, "ended_call", call)
    await floor.calls.end(call)


async def _audit(who: Who, parts: Parts, what: str, call: str) -> None:
    await parts.access.audit(who.author, what, call)


def _listener(listen: Listen) -> shapes.Listener:
    return shapes.Listener(
        id=listen.id,
        login=listen.who.login,
        name=listen.who.name,
        mode="barge" if listen.mode == "taken_over" else listen.mode,
        since=listen.since,
    )
