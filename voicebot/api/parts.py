"""What the API stands on. A room whose router needs something adds a field here and takes it by `Parts`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

import voicebot
from flows import Bot
from voicebot.access import Access
from voicebot.api.agents import Agents
from voicebot.api.desk_view import DeskView
from voicebot.api.feed import Feed
from voicebot.api.live_view import CallsAtHand
from voicebot.config import Config
from voicebot.errors import NotPossible
from voicebot.hub import Hub
from voicebot.people.supervision import Supervision
from voicebot.records import CallRecords
from voicebot.records.voicemails import Voicemails

PAGES = Path(voicebot.__file__).parent / "pages"


@dataclass(frozen=True)
class PeopleParts:
    """Agents at their desks, and supervisors in calls."""

    agents: Agents
    supervision: Supervision


@dataclass(frozen=True)
class FloorParts:
    """What is live: who waits and who serves, calls, and what the pages are told of it.

    `people`: None where the calls are in processes that bring nobody to them.
    """

    desk: DeskView
    calls: CallsAtHand
    feed: Feed
    people: PeopleParts | None


@dataclass(frozen=True)
class ApiParts:
    """`bots`: those that answer now. `health`: what /health reports. `pages`: the folder of the built console.

    `url`: where people find it. `floor`: None where no calls are answered.
    """

    config: Config
    access: Access
    hub: Hub
    records: CallRecords
    voicemails: Voicemails
    bots: Callable[[], Sequence[Bot]]
    health: Callable[[], Mapping[str, object]]
    pages: Path = PAGES
    url: str = ""
    floor: FloorParts | None = None

    @property
    def calls(self) -> Path:
        """Holds a folder for each call."""
        return self.config.data / "calls"


def _parts(request: Request) -> ApiParts:
    parts = request.app.state.parts
    assert isinstance(parts, ApiParts)
    return parts


Parts = Annotated[ApiParts, Depends(_parts)]


def _floor(parts: Parts) -> FloorParts:
    """Raises NotPossible."""
    if parts.floor is None:
        raise NotPossible("No calls are answered here.", "Ask a server that runs `voicebot serve`.")
    return parts.floor


Floor = Annotated[FloorParts, Depends(_floor)]


def _people(floor: Floor) -> PeopleParts:
    """Raises NotPossible."""
    if floor.people is None:
        raise NotPossible("With several workers nobody is brought into a call.", "Serve with one worker for that.")
    return floor.people


People = Annotated[PeopleParts, Depends(_people)]
