"""One live call: what is said and decided in it, and what supervisors do in it."""

from __future__ import annotations

from fastapi import APIRouter

from voicebot.access import Who
from voicebot.api.auth import Agent, Supervisor
from voicebot.api.call_view import decision_view, latency_view
from voicebot.api.errors import NotAllowed
from voicebot.api.parts import Floor, Parts
from voicebot.api.shapes import calls as shapes
from voicebot.api.summary_view import collected_view, summary_view, turn_view
from voicebot.decisions import explain, latencies
from voicebot.people.supervision import Listen
from voicebot.records import transcribe
from voicebot.records.privacy import redact_events

router = APIRouter(prefix="/api", tags=["live"])


@router.get("/live/{call}")
async def get_live_call(call: str, who: Agent, floor: Floor) -> shapes.LiveCall:
    """The call so far. Agents see the one that they serve, without who listens."""
    if not (who.may("supervisor") or floor.agents.desk.serves(who.login, call)):
        raise NotAllowed("This is not your call.", "A supervisor may look at all calls.")
    live = floor.calls.get(call)
    events = redact_events(live.context.events)
    summary = live.summary()
    listens = floor.supervision.of_call(call) if who.may("supervisor") else []
    return shapes.LiveCall(
        row=floor.feed.row(call),
        transcript=[turn_view(turn) for turn in transcribe(events).turns],
        slots=collected_view(summary.collected),
        decisions=[decision_view(decided) for decided in explain(events, who.language)],
        latencies=[latency_view(timed) for timed in latencies(events)],
        summary=summary_view(summary),
        listeners=[_listener(listen) for listen in listens],
        refused_recording=summary.refused_recording,
    )


@router.post("/live/{call}/listen")
async def listen(call: str, offer: shapes.ListenOffer, who: Supervisor, floor: Floor) -> shapes.ListenAnswer:
    """Join the call with the browser's audio. Nobody in it notices who only listens; the audit log does."""
    listen_id, sdp = await floor.supervision.begin(who, call, offer.sdp, offer.mode)
    return shapes.ListenAnswer(id=listen_id, sdp=sdp)


@router.patch("/listens/{listen}", status_code=204)
async def change_listen(listen: str, change: shapes.ListenChange, who: Supervisor, floor: Floor) -> None:
    """Listen only, whisper to the agent, or talk to both."""
    await floor.supervision.change(who, listen, change.mode)


@router.delete("/listens/{listen}", status_code=204)
async def end_listen(listen: str, who: Supervisor, floor: Floor) -> None:
    """Leave the call."""
    await floor.supervision.end(who, listen)


@router.post("/live/{call}/take-over", status_code=204)
async def take_over(call: str, who: Supervisor, floor: Floor) -> None:
    """Talk with the caller in the place of bot or agent; the supervisor listens to the call already."""
    await floor.supervision.take_over(who, call)


@router.post("/live/{call}/back-to-bot", status_code=204)
async def back_to_bot(call: str, change: shapes.BackToBot, who: Supervisor, parts: Parts, floor: Floor) -> None:
    """Give the caller back to the bot, at a flow or with whatever they want next."""
    await _audit(who, parts, "sent_to_bot", call)
    floor.calls.get(call).back_to_bot(change.flow)


@router.post("/live/{call}/end", status_code=204)
async def end_live_call(call: str, who: Supervisor, parts: Parts, floor: Floor) -> None:
    """Hang up."""
    live = floor.calls.get(call)
    await _audit(who, parts, "ended_call", call)
    live.end()


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
