"""The event stream over a real server: what each page is told, and that it ends when it has to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from voicebot import hub as hub_module
from voicebot.access import Access, Author, NewUser, Who
from voicebot.api import stream as stream_module
from voicebot.api.server import HttpServer
from voicebot.api.testing import PASSWORD, sign_in
from voicebot.hub import Hub
from voicebot.people_settings import HttpSettings

BY = Author("test")
SOON_S = 20.0

Open = Callable[[str, str], AbstractAsyncContextManager[AsyncIterator[str]]]


@pytest.fixture
async def server(app: FastAPI, hub: Hub) -> AsyncIterator[HttpServer]:
    server = HttpServer(HttpSettings(port=0), app, hub)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(server: HttpServer, access: Access) -> AsyncIterator[httpx.AsyncClient]:
    """Signed in as ola, a supervisor."""
    await access.add_user(NewUser("ola", "Ola", PASSWORD, ["supervisor"]), BY)
    async with httpx.AsyncClient(base_url=server.url, timeout=SOON_S) as client:
        await sign_in(client, "ola")
        yield client


@asynccontextmanager
async def opened(client: httpx.AsyncClient, topics: str) -> AsyncIterator[AsyncIterator[str]]:
    """The lines of a stream that is surely being told already."""
    async with client.stream("GET", "/api/stream", params={"topics": topics}) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.aiter_lines()
        assert await anext(lines) == "retry: 2000"
        yield lines


async def events(lines: AsyncIterator[str], count: int = 1_000_000) -> list[tuple[str, str]]:
    """So many events, or those until the stream ends."""
    found: list[tuple[str, str]] = []
    name = ""
    async with asyncio.timeout(SOON_S):
        async for line in lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.append((name, line.removeprefix("data: ")))
                if len(found) == count:
                    break
    return found


def everybody(who: Who) -> bool:
    return True


async def test_a_page_is_told_what_it_asked_for_and_may_see(client: httpx.AsyncClient, hub: Hub) -> None:
    async with opened(client, "board,call:1") as lines:
        hub.publish("board", "board", {"n": 1}, everybody)
        hub.publish("board", "board", {"n": 2}, lambda who: who.login == "jan")
        hub.publish("alerts", "alert", {"n": 3}, everybody)
        hub.publish("call:2", "call", {"n": 4}, everybody)
        hub.publish("call:1", "call", {"n": 5, "text": "<b>żółw\n"}, lambda who: who.may("supervisor"))
        assert await events(lines, 2) == [("board", '{"n": 1}'), ("call", '{"n": 5, "text": "<b>żółw\\n"}')]


async def test_signing_out_everywhere_ends_the_stream_at_once(
    client: httpx.AsyncClient, hub: Hub, access: Access
) -> None:
    async with opened(client, "board") as lines:
        began = time.monotonic()
        await access.sign_out_everywhere("ola", BY)
        hub.publish("board", "board", {"late": True}, everybody)
        assert await events(lines) == [("bye", "{}")]
        assert time.monotonic() - began < 0.5
    assert not hub.is_read("board")
    assert (await client.get("/api/session")).status_code == 401


@pytest.mark.parametrize("changes", [{"roles": ["agent"]}, {"disabled": True}, {"password": "trzy białe konie w polu"}])
async def test_whoever_may_less_is_told_nothing_more(
    client: httpx.AsyncClient, access: Access, changes: dict[str, object]
) -> None:
    async with opened(client, "alerts") as lines:
        await access.change_user("ola", changes, BY)
        assert await events(lines) == [("bye", "{}")]


async def test_a_change_by_another_process_ends_the_stream_too(
    client: httpx.AsyncClient, access: Access, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    other = Access(request.getfixturevalue("tmp_path") / "data")
    async with opened(client, "board") as lines:
        await other.change_user("ola", {"disabled": True}, BY)
        await other.close()
        assert await events(lines) == [("bye", "{}")]


async def test_a_revoked_token_ends_its_stream(server: HttpServer, client: httpx.AsyncClient, access: Access) -> None:
    token, secret = await access.issue_token("wallboard", ["agent"], None, Author("ola"))
    async with httpx.AsyncClient(
        base_url=server.url, headers={"Authorization": f"Bearer {secret}"}, timeout=SOON_S
    ) as program:
        assert (await program.get("/api/stream", params={"topics": "alerts"})).status_code == 403
        async with opened(program, "board") as lines:
            await access.revoke_token(token.id, BY)
            assert await events(lines) == [("bye", "{}")]


async def test_a_reader_that_is_too_slow_loads_anew(client: httpx.AsyncClient, hub: Hub) -> None:
    async with opened(client, "board") as lines:
        for number in range(hub_module.READER_QUEUE + 10):
            hub.publish("board", "board", {"n": number}, everybody)
        told = await events(lines, 10)
        assert told[0] == ("resync", "{}")
        assert told[-1] == ("board", f'{{"n": {hub_module.READER_QUEUE + 9}}}')


async def test_silence_is_filled_so_that_a_dead_connection_shows(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "HEARTBEAT_S", 0.05)
    async with opened(client, "board") as lines, asyncio.timeout(SOON_S):
        while not (await anext(lines)).startswith(":"):
            pass


async def test_a_page_that_is_closed_is_forgotten(client: httpx.AsyncClient, hub: Hub) -> None:
    async with opened(client, "board"):
        assert hub.is_read("board")
    async with asyncio.timeout(SOON_S):
        while hub.is_read("board"):
            await asyncio.sleep(0.01)


async def test_one_user_opens_only_so_many(
    client: httpx.AsyncClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "STREAMS_OF_ONE", 1)
    async with opened(client, "board"):
        answer = await client.get("/api/stream", params={"topics": "board"})
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_streams")


async def test_stopping_the_server_ends_streams_without_signing_out(
    client: httpx.AsyncClient, server: HttpServer
) -> None:
    async with opened(client, "board") as lines:
        began = time.monotonic()
        stopping = asyncio.create_task(server.stop(), name="stop")
        assert await events(lines) == []
        await client.aclose()
        await stopping
        assert time.monotonic() - began < 2.0
