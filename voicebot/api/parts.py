"""What the API stands on. A room whose router needs something adds a field here and takes it by `Parts`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

import voicebot
from voicebot.access import Access
from voicebot.hub import Hub

PAGES = Path(voicebot.__file__).parent / "pages"


@dataclass(frozen=True)
class ApiParts:
    """`health`: what /health reports. `pages`: the folder of the built console. `url`: where people find it."""

    access: Access
    hub: Hub
    health: Callable[[], Mapping[str, object]]
    pages: Path = PAGES
    url: str = ""


def _parts(request: Request) -> ApiParts:
    parts = request.app.state.parts
    assert isinstance(parts, ApiParts)
    return parts


Parts = Annotated[ApiParts, Depends(_parts)]
