"""What every view of an agent begins with."""

from __future__ import annotations

from typing import Any

from voicebot.api.desk_view import DeskView
from voicebot.queueing.model import Agent


def at_desk(desk: DeskView, agent: Agent) -> dict[str, Any]:
    """The fields of `shapes.base.AtDesk`."""
    return {
        "login": agent.login,
        "name": agent.profile.name,
        "state": agent.state.value,
        "reason": agent.reason,
        "since": agent.since,
        "reach": "phone" if agent.profile.by_phone else "browser",
        "line": desk.lines.state(agent.login).value,
        "queues": sorted(agent.profile.queues),
    }
