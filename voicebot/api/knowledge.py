"""What the bots know, for agents who look for an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Query

from flows import Bot
from flows.knowledge import Match
from voicebot.api.auth import Agent
from voicebot.api.errors import UnknownBot
from voicebot.api.parts import Parts
from voicebot.api.shapes.base import Language
from voicebot.api.shapes.calls import Passage

MOST_PASSAGES = 5

router = APIRouter(prefix="/api/knowledge", tags=["knowledge"])


@router.get("")
async def search_knowledge(
    who: Agent,
    parts: Parts,
    q: Annotated[str, Query(min_length=1, max_length=500, description="A question, or some words of it.")],
    language: Annotated[Language | None, Query(description="That of the knowledge; else that of the user.")] = None,
    bot: Annotated[str, Query(max_length=100, description="Of this bot alone.")] = "",
) -> list[Passage]:
    """Passages that may answer the question, the best first; none when the knowledge does not know."""
    bots = [each for each in parts.bots() if bot in ("", each.name)]
    if bot and not bots:
        raise UnknownBot("No number is answered by a bot of that name.", "Leave `bot` out to ask all of them.")
    return [_shown(match) for match in _best(bots, q, language or who.language)]


def _best(bots: Sequence[Bot], question: str, language: str) -> list[Match]:
    found = sorted(_matches(bots, question, language), key=lambda match: -match.score)
    return list({match.passage.text: match for match in reversed(found)}.values())[::-1][:MOST_PASSAGES]


def _matches(bots: Sequence[Bot], question: str, language: str) -> Iterator[Match]:
    for bot in bots:
        yield from bot.knowledge.search(question, language)


def _shown(match: Match) -> Passage:
    passage = match.passage
    title = " – ".join(passage.headings)
    return Passage(title=title, text=passage.text, source=passage.source, score=round(match.score, 3))
