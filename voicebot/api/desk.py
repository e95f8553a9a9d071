"""What agents do at their desk in the browser."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from voicebot.access import Who
from voicebot.api.auth import Agent
from voicebot.api.parts import People
from voicebot.api.shapes import desk as shapes
from voicebot.errors import NotPossible
from voicebot.people.talk import Target

router = APIRouter(prefix="/api", tags=["desk"])


@router.get("/agent")
async def get_agent(who: Agent, people: People) -> shapes.AgentView:
    """Everything that the agent's desk shows."""
    return await people.agents.view(who.login)


@router.put("/agent/state")
async def set_agent_state(change: shapes.AgentStateChange, who: Agent, people: People) -> shapes.AgentView:
    """Take calls, have a break, or go. In a talk it holds from its end."""
    match change.state:
        case "available":
            await people.agents.set_available(who.login)
        case "break":
            await people.agents.set_on_break(who.login, change.reason)
        case "offline":
            await people.agents.set_offline(who.login)
    return await people.agents.view(who.login)


@router.put("/agent/reach")
async def set_agent_reach(reach: shapes.Reach, who: Agent, people: People) -> shapes.AgentView:
    """Where the agent takes calls: in the browser, or at the desk phone that an administrator has entered."""
    await people.agents.set_reach(who.login, reach.by)
    return await people.agents.view(who.login)


@router.post("/agent/line")
async def connect_line(offer: shapes.LineOffer, who: Agent, people: People) -> shapes.LineAnswer:
    """Connect the browser's audio, for as long as the session lasts; a talk that lost its line goes on."""
    connected = await people.agents.connect_line(who, offer.sdp, offer.instead_of)
    return shapes.LineAnswer(id=connected.id, sdp=connected.answer_sdp)


@router.delete("/agent/line", status_code=204)
async def disconnect_line(
    who: Agent, people: People, line: Annotated[str, Query(max_length=64, description="This one alone.")] = ""
) -> None:
    """Take the audio line down. The agent takes no calls in the browser until it is connected again."""
    await people.agents.disconnect_line(who.login, line)


@router.post("/offers/{entry}/accept")
async def accept_offer(entry: str, who: Agent, people: People) -> shapes.AgentView:
    """Take what is offered. Refused when it is not offered to this agent any more."""
    await people.agents.desk.accept(who.login, entry)
    return await people.agents.view(who.login)


@router.post("/offers/{entry}/decline")
async def decline_offer(entry: str, who: Agent, people: People) -> shapes.AgentView:
    """Let somebody else have it."""
    await people.agents.desk.decline(who.login, entry)
    return await people.agents.view(who.login)


@router.post("/agent/call/hold")
async def hold_call(change: shapes.OnOff, who: Agent, people: People) -> shapes.AgentView:
    """The caller hears music, or the agent again."""
    people.agents.desk.talk_of(who.login).hold(change.on)
    return await people.agents.view(who.login)


@router.post("/agent/call/mute")
async def mute_call(change: shapes.OnOff, who: Agent, people: People) -> shapes.AgentView:
    """The caller does not hear the agent, or hears them again."""
    people.agents.desk.talk_of(who.login).mute(change.on)
    return await people.agents.view(who.login)


@router.post("/agent/call/digits", status_code=204)
async def send_digits(digits: shapes.Digits, who: Agent, people: People) -> None:
    """Keys for whoever is consulted by telephone, else for the caller's side."""
    await people.agents.desk.talk_of(who.login).send_digits(digits.keys)


@router.post("/agent/call/end")
async def end_call(who: Agent, people: People) -> shapes.AgentView:
    """Hang up, or stop being asked by a colleague."""
    await people.agents.desk.end(who.login)
    return await people.agents.view(who.login)


@router.post("/agent/call/transfer")
async def transfer_call(to: shapes.Target, who: Agent, people: People) -> shapes.AgentView:
    """Give the caller away without asking first."""
    people.agents.desk.talk_of(who.login).give(_checked(to, who, people))
    return await people.agents.view(who.login)


@router.post("/agent/call/consult")
async def consult(to: shapes.Target, who: Agent, people: People) -> shapes.AgentView:
    """Ask somebody while the caller hears music."""
    target = _checked(to, who, people)
    if target.kind == "flow":
        raise NotPossible("The bot cannot be asked.", "Give it the caller, by a transfer.")
    people.agents.desk.talk_of(who.login).ask(target)
    return await people.agents.view(who.login)


@router.post("/agent/call/consult/complete")
async def complete_consult(who: Agent, people: People) -> shapes.AgentView:
    """Leave the caller with whom was asked."""
    people.agents.desk.talk_of(who.login).complete()
    return await people.agents.view(who.login)


@router.post("/agent/call/consult/cancel")
async def cancel_consult(who: Agent, people: People) -> shapes.AgentView:
    """Back to the caller."""
    await people.agents.desk.talk_of(who.login).back_to_caller()
    return await people.agents.view(who.login)


@router.put("/agent/call/notes", status_code=204)
async def set_call_notes(change: shapes.NotesChange, who: Agent, people: People) -> None:
    """Keep what the agent has written so far."""
    people.agents.desk.take_notes(who.login, change.notes)


@router.post("/agent/wrap-up")
async def wrap_up(done: shapes.WrapUpDone, who: Agent, people: People) -> shapes.AgentView:
    """The call is written up: its code and notes are kept, and the agent is free."""
    await people.agents.desk.wrap_up(who.login, done.code, done.notes)
    return await people.agents.view(who.login)


def _checked(to: shapes.Target, who: Who, people: People) -> Target:
    return people.agents.checked_target(who.login, Target(to.kind, to.name))
