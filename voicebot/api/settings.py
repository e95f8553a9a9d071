"""What of the configuration the pages of agents and supervisors need."""

from __future__ import annotations

from fastapi import APIRouter

from flows import Bot
from voicebot.api.auth import SignedIn
from voicebot.api.parts import Parts
from voicebot.api.shapes.desk import FloorSettings, FlowInfo, QueueInfo
from voicebot.config import Config

router = APIRouter(prefix="/api/settings", tags=["settings"])


@router.get("")
async def get_settings(who: SignedIn, parts: Parts) -> FloorSettings:
    """Queues, what agents choose from, and the flows that a call may go back to."""
    config = parts.config
    return FloorSettings(
        queues=[
            QueueInfo(
                name=name,
                wrap_up_codes=list(queue.wrap_up_codes),
                wrap_up_s=queue.wrap_up_s,
                service_level_s=queue.service_level_s,
            )
            for name, queue in config.queues.items()
        ],
        break_reasons=list(config.people.break_reasons),
        flows=[flow for bot in parts.bots() for flow in _flows(bot)],
        skills=_skills(config),
        service_number=config.people.service_number,
        line_back_s=config.people.line_back_s,
    )


def _flows(bot: Bot) -> list[FlowInfo]:
    return [
        FlowInfo(bot=bot.name, name=flow.name, title=dict(flow.offer or {}))
        for flow in bot.flows.values()
        if flow.entry
    ]


def _skills(config: Config) -> list[str]:
    """Every one that is named anywhere, so that users are given no other by a slip of the pen."""
    named = {skill for rule in config.routing for skill in rule.skills}
    for queue in config.queues.values():
        named |= {*queue.skills, *queue.preferred_skills, *(skill for agent in queue.agents for skill in agent.skills)}
    return sorted(named)
