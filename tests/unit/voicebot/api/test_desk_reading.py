"""What agents read beside a call: the bots' knowledge, and the settings of the floor."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI

import flows
from flows import Bot, load_bot
from voicebot.access import Access
from voicebot.api.app import make_app
from voicebot.api.parts import ApiParts
from voicebot.api.testing import signed_in
from voicebot.config import Config

SHOP = Path(flows.__file__).parent / "starters" / "shop"


@pytest.fixture(scope="module")
def shop() -> Bot:
    return load_bot(SHOP)


@pytest.fixture
def app(parts: ApiParts, shop: Bot) -> FastAPI:
    settings = {
        "data": parts.config.data,
        "numbers": [{"number": "100", "bot": SHOP, "language": "pl"}],
        "queues": {
            "service": {"skills": ["returns"], "wrap_up_codes": ["solved"], "service_level_s": 15},
            "complaints": {"agents": [{"name": "Jan", "uri": "sip:jan@pbx", "skills": ["law"]}]},
        },
        "routing": [{"when": {"mood": "angry"}, "skills": ["calm"]}],
        "people": {"service_number": "80", "break_reasons": ["lunch"], "line_back_s": 20},
    }
    return make_app(replace(parts, config=Config.model_validate(settings), bots=lambda: (shop,)))


async def test_an_agent_is_shown_what_the_knowledge_says(app: FastAPI, access: Access) -> None:
    async with signed_in(app, access, "agent") as client:
        found = (await client.get("/api/knowledge", params={"q": "ile dni mam na zwrot"})).json()
        assert found
        assert "zwro" in found[0]["text"].lower()
        assert found[0]["source"].startswith("knowledge/pl/zwroty.md:")
        assert found[0]["title"]
        assert [one["score"] for one in found] == sorted((one["score"] for one in found), reverse=True)
        english = (
            await client.get("/api/knowledge", params={"q": "how much does a return cost", "language": "en"})
        ).json()
        assert english[0]["source"].startswith("knowledge/en/")
        assert (await client.get("/api/knowledge", params={"q": "qwertyuiop"})).json() == []


async def test_a_bot_is_asked_alone_and_must_be_there(app: FastAPI, access: Access, shop: Bot) -> None:
    async with signed_in(app, access, "agent") as client:
        asked = {"q": "ile dni mam na zwrot"}
        assert (await client.get("/api/knowledge", params=asked | {"bot": shop.name})).json()
        answer = await client.get("/api/knowledge", params=asked | {"bot": "nobody"})
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_bot")
        assert (await client.get("/api/knowledge", params={"q": ""})).status_code == 422


async def test_operators_edit_knowledge_but_are_no_agents(app: FastAPI, access: Access) -> None:
    async with signed_in(app, access, "operator") as client:
        assert (await client.get("/api/knowledge", params={"q": "zwrot"})).status_code == 403


async def test_bots_that_know_the_same_say_it_once(parts: ApiParts, access: Access, shop: Bot, tmp_path: Path) -> None:
    shutil.copytree(SHOP, tmp_path / "again")
    bots = (shop, load_bot(tmp_path / "again"))
    async with signed_in(make_app(replace(parts, bots=lambda: bots)), access, "agent") as client:
        texts = [one["text"] for one in (await client.get("/api/knowledge", params={"q": "ile dni na zwrot"})).json()]
        assert texts
        assert len(texts) == len(set(texts))


async def test_the_floor_is_described(app: FastAPI, access: Access, shop: Bot) -> None:
    async with signed_in(app, access, "agent") as client:
        told = (await client.get("/api/settings")).json()
    first = told["queues"][0]
    assert (first["name"], first["wrap_up_codes"], first["service_level_s"]) == ("service", ["solved"], 15)
    assert told["skills"] == ["calm", "law", "returns"]
    assert (told["service_number"], told["break_reasons"], told["line_back_s"]) == ("80", ["lunch"], 20)
    offered = {flow["name"]: flow["title"] for flow in told["flows"] if flow["bot"] == shop.name}
    assert offered.keys() == {flow.name for flow in shop.flows.values() if flow.entry}
    assert set(offered["order_status"]) == {"pl", "en"}
