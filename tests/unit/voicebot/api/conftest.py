"""An application over an empty data folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from voicebot.access import Access
from voicebot.api.app import make_app
from voicebot.api.parts import ApiParts
from voicebot.hub import Hub


@pytest.fixture
async def access(tmp_path: Path) -> AsyncIterator[Access]:
    access = Access(tmp_path / "data")
    access.start()
    yield access
    await access.close()


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def app(access: Access, hub: Hub, tmp_path: Path) -> FastAPI:
    return make_app(ApiParts(access, hub, lambda: {"status": "ok", "calls": 0}, tmp_path / "pages"))
