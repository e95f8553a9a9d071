"""Access over an empty data folder, with a clock that the test sets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from voicebot.access import Access, Author, NewUser, User

PASSWORD = "zielony rower pije herbatę"
ADDRESS = "192.0.2.1"
BY = Author("boss", "192.0.2.9")


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def access(tmp_path: Path, clock: Clock) -> AsyncIterator[Access]:
    access = Access(tmp_path, clock)
    access.start()
    yield access
    await access.close()


@pytest.fixture
async def ola(access: Access) -> User:
    return await access.add_user(NewUser("ola", "Ola", PASSWORD, ["supervisor"]), BY)
