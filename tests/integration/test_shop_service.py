"""The example shop as a process, asked by the real client."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from flows import (
    Bot,
    CallSystem,
    EmbeddedUnderstanding,
    Engine,
    Handoff,
    HangUp,
    SystemClient,
    load_bot,
)
from flows.model import System
from flows.testing import Conversation
from tests.support import free_port

SHOP = Path(__file__).parents[2] / "flows" / "examples" / "shop"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    port = free_port(socket.SOCK_STREAM)
    process = subprocess.Popen([sys.executable, "-m", "flows.examples.shop_service", "--port", str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_ready(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/health", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    pytest.fail("the shop did not start")


def bot_with_timeout(timeout_s: float) -> Bot:
    bot = load_bot(SHOP)
    system = bot.systems["shop"]
    hurried = System(url=system.url, timeout_s=timeout_s, operations=system.operations)
    return replace(bot, systems={"shop": hurried})


@pytest.mark.parametrize(
    ("number", "outcome"), [("123456", "ok"), ("999999", "not_found"), ("500500", "failed"), ("600600", "failed")]
)
async def test_every_answer_of_the_shop_is_an_outcome(address: str, number: str, outcome: str) -> None:
    client = SystemClient(bot_with_timeout(1.0), environment={"SHOP_URL": address})
    try:
        result = await client.call(CallSystem("c-1", "shop.order", {"number": number}))
    finally:
        await client.close()
    assert (result.id, result.outcome) == ("c-1", outcome)
    if outcome == "ok":
        assert date.fromisoformat(result.data["delivery"]) >= date.today() + timedelta(days=1)


@pytest.mark.parametrize(
    ("language", "said", "answer"),
    [
        ("pl", ["gdzie jest paczka", "jeden dwa trzy cztery pięć sześć", "tak"], "Zamówienie 123456 jest w drodze."),
        ("en", ["where is my order three four five six seven eight", "yes"],
         "Order 345678 is waiting for you at the parcel locker."),
    ],
)  # fmt: skip
async def test_an_order_is_served(address: str, language: str, said: list[str], answer: str) -> None:
    bot = load_bot(SHOP)
    client = SystemClient(bot, environment={"SHOP_URL": address})
    conversation = Conversation(Engine(bot), EmbeddedUnderstanding(bot), client)
    try:
        await conversation.start(language=language)
        for text in said:
            heard = await conversation.say(text)
        assert heard[0] == answer
        await conversation.say({"pl": "nie dziękuję", "en": "no thank you"}[language])
        assert conversation.actions[-1] == HangUp("contained")
    finally:
        await client.close()


async def test_a_dead_shop_leads_to_a_person() -> None:
    bot = load_bot(SHOP)
    client = SystemClient(bot, environment={"SHOP_URL": f"http://127.0.0.1:{free_port(socket.SOCK_STREAM)}"})
    conversation = Conversation(Engine(bot), EmbeddedUnderstanding(bot), client)
    try:
        await conversation.start(language="pl")
        await conversation.say("paczka 123456")
        heard = await conversation.say("tak")
    finally:
        await client.close()
    assert heard == ["Nasz system teraz nie odpowiada. Łączę z konsultantem."]
    assert isinstance(conversation.actions[-1], Handoff)
