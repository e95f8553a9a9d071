"""The live board and its alerts."""

from __future__ import annotations

from fastapi import APIRouter

from voicebot.api.auth import Agent, Supervisor
from voicebot.api.parts import Floor
from voicebot.api.shapes.board import Alert, Board

router = APIRouter(prefix="/api", tags=["board"])


@router.get("/board")
async def get_board(who: Agent, floor: Floor) -> Board:
    """All live calls, agents, queues and alerts; agents are shown queues and colleagues. Changes come by the stream."""
    return floor.feed.board(who)


@router.get("/alerts")
async def list_alerts(who: Supervisor, floor: Floor) -> list[Alert]:
    """The newest first."""
    return floor.feed.board(who).alerts


@router.post("/alerts/{alert}/acknowledge", status_code=204)
async def acknowledge_alert(alert: str, who: Supervisor, floor: Floor) -> None:
    """Somebody has seen to it."""
    floor.feed.acknowledge(alert, who)
