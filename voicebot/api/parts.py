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
from voicebot.config import Config
from voicebot.hub import Hub
from voicebot.records import CallRecords

PAGES = Path(voicebot.__file__).parent / "pages"


@dataclass(frozen=True)
class ApiParts:
    """`bots`: those that answer now. `health`: what /health reports. `pages`: the folder of the built console.

    `url`: where people find it.
    """

    config: Config
    access: Access
    hub: Hub
    records: CallRecords
    bots: Callable[[], Sequence[Bot]]
    health: Callable[[], Mapping[str, object]]
    pages: Path = PAGES
    url: str = ""

    @property
    def calls(self) -> Path:
        """Holds a folder for each call."""
        return self.config.data / "calls"


def _parts(request: Request) -> ApiParts:
    parts = request.app.state.parts
    assert isinstance(parts, ApiParts)
    return parts


Parts = Annotated[ApiParts, Depends(_parts)]
