"""An application over an empty data folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from voicebot.access import Access
from voicebot.api.app import make_app
from voicebot.api.parts import ApiParts
from voicebot.api.testing import parts_over
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
def parts(access: Access, hub: Hub, tmp_path: Path) -> Iterator[ApiParts]:
    parts = parts_over(tmp_path / "data", access, hub, pages=tmp_path / "pages")
    yield parts
    parts.records.close()


@pytest.fixture
def app(parts: ApiParts) -> FastAPI:
    return make_app(parts)
