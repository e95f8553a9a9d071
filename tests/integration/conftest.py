"""The example shop at the beginning of a call, for tests that ask a language model what a caller means."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows import Bot, CallStarted, EmbeddedUnderstanding, Engine, TurnContext, load_bot

SHOP = Path(__file__).parents[2] / "flows" / "examples" / "shop"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def shop() -> Bot:
    return load_bot(SHOP)


@pytest.fixture(scope="session")
def ours(shop: Bot) -> EmbeddedUnderstanding:
    return EmbeddedUnderstanding(shop)


@pytest.fixture(scope="session")
def context(shop: Bot) -> TurnContext:
    engine = Engine(shop)
    return engine.context(engine.start(CallStarted("c", language="pl"), NOW).state)
