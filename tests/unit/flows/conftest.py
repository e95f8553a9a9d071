from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows import Bot, EmbeddedUnderstanding, Engine, load_bot
from flows.testing import Conversation, FakeSystemClient

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SHOP = Path(__file__).parents[3] / "flows" / "examples" / "shop"
ORDERS = {
    "123456": {"status": "on_its_way", "status_pl": "w drodze", "status_en": "is on its way", "delivery": "2026-11-25"},
    "123457": {"status": "packing", "status_pl": "w trakcie pakowania", "status_en": "is being packed"},
    "500500": "failed",
}


@pytest.fixture(scope="session")
def shop() -> Bot:
    return load_bot(SHOP)


@pytest.fixture(scope="session")
def understanding(shop: Bot) -> EmbeddedUnderstanding:
    return EmbeddedUnderstanding(shop)


@pytest.fixture
def systems() -> FakeSystemClient:
    return FakeSystemClient({"shop.order": {"by": "number", "answers": ORDERS}})


@pytest.fixture
def conversation(shop: Bot, understanding: EmbeddedUnderstanding, systems: FakeSystemClient) -> Conversation:
    return Conversation(Engine(shop), understanding, systems, clock=lambda: NOW)
