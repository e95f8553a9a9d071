"""The client against a real HTTP server on a free port, in the same process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flows import Bot, CallSystem, SettingMissing, SystemClient, load_bot
from flows.systems import resolve, secret

BASE = Path(__file__).parents[2] / "data" / "flows" / "base"
Answer = Callable[[asyncio.StreamWriter], None]


def reply(status: int, body: str = "{}") -> Answer:
    def write(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write((head + body).encode())

    return write


def break_off(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")


@dataclass
class Server:
    """Answers one after the other, the last again and again; None never answers."""

    answers: list[Answer | None]
    requests: list[str] = field(default_factory=list)
    url: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    handlers: set[asyncio.Task[None]] = field(default_factory=set)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.handlers.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.requests.append(head)
            self.asked.set()
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if answer is None:
                await self.done.wait()
            else:
                answer(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])


@asynccontextmanager
async def serving(*answers: Answer | None) -> AsyncIterator[Server]:
    server = Server(list(answers))
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        server.done.set()
        if server.handlers:
            await asyncio.wait(server.handlers, timeout=5)
        listener.close()
        await listener.wait_closed()


def bot(url: str, folder: Path, *, secret_name: str = "", timeout_s: float = 5.0) -> Bot:
    for name in ("bot.yaml", "order.yaml"):
        (folder / name).write_text((BASE / name).read_text(encoding="utf-8"), encoding="utf-8")
    text = (BASE / "systems.yaml").read_text(encoding="utf-8").replace("http://127.0.0.1:1", url)
    more = f"    timeout_s: {timeout_s}\n" + (f"    secret: {secret_name}\n" if secret_name else "")
    (folder / "systems.yaml").write_text(text.replace("    operations:", more + "    operations:"), encoding="utf-8")
    return load_bot(folder)


READ = CallSystem("c1-1", "shop.order", {"number": "1/2", "detail": "all"})
CHANGE = CallSystem("c1-2", "shop.cancel", {"number": "12", "why": "late"})


async def ask(server: Server, action: CallSystem, folder: Path, **settings: float) -> tuple[str, object]:
    client = SystemClient(bot(server.url, folder, **settings), environment={})  # type: ignore[arg-type]
    try:
        result = await client.call(action)
    finally:
        await client.close()
    assert result.id == action.id
    return result.outcome, result.data


async def test_arguments_go_into_the_path_and_the_query(tmp_path: Path) -> None:
    async with serving(reply(200, '{"place": "here"}')) as server:
        assert await ask(server, READ, tmp_path) == ("ok", {"place": "here"})
    assert server.requests[0].startswith("GET /orders/1%2F2?detail=all HTTP/1.1")
    assert "idempotency-key" not in server.requests[0].lower()


async def test_a_change_carries_an_idempotency_key(tmp_path: Path) -> None:
    async with serving(reply(200, "")) as server:
        assert await ask(server, CHANGE, tmp_path) == ("ok", {})
    assert server.requests[0].startswith("POST /orders/12/cancel HTTP/1.1")
    assert "idempotency-key: c1-2" in server.requests[0].lower()


@pytest.mark.parametrize(
    ("answers", "action", "outcome", "asked"),
    [
        ([reply(404)], READ, "not_found", 1),
        ([reply(200, "<html>")], READ, "failed", 1),
        ([reply(400)], READ, "failed", 1),
        ([reply(500)], READ, "failed", 1),
        ([reply(503), reply(200)], READ, "ok", 2),
        ([reply(503)], READ, "failed", 2),
        ([break_off, reply(200)], READ, "ok", 2),
        ([break_off], CHANGE, "unknown", 1),
        ([reply(503)], CHANGE, "unknown", 1),
        ([reply(409)], CHANGE, "failed", 1),
        ([reply(404)], CHANGE, "not_found", 1),
    ],
)
async def test_outcomes_and_retries(
    answers: list[Answer | None], action: CallSystem, outcome: str, asked: int, tmp_path: Path
) -> None:
    async with serving(*answers) as server:
        assert (await ask(server, action, tmp_path))[0] == outcome
    assert len(server.requests) == asked


@pytest.mark.parametrize(("action", "outcome"), [(READ, "failed"), (CHANGE, "unknown")])
async def test_the_deadline_covers_all_attempts(action: CallSystem, outcome: str, tmp_path: Path) -> None:
    async with serving(None) as server:
        assert await ask(server, action, tmp_path, timeout_s=0.2) == (outcome, {"error": "no answer in time"})
    assert len(server.requests) == 1


async def test_a_change_that_never_reached_the_system_has_failed_for_certain(tmp_path: Path) -> None:
    async with serving(reply(200)) as server:
        url = server.url
    client = SystemClient(bot(url, tmp_path), environment={})
    try:
        assert (await client.call(CHANGE)).outcome == "failed"
    finally:
        await client.close()


async def test_a_system_that_keeps_failing_is_left_alone_for_a_while(tmp_path: Path) -> None:
    now = [0.0]
    async with serving(reply(500)) as server:
        client = SystemClient(bot(server.url, tmp_path), environment={}, clock=lambda: now[0])
        try:
            for _ in range(5):
                assert (await client.call(READ)).outcome == "failed"
            assert len(server.requests) == 3
            server.answers[:] = [reply(200)]
            now[0] = 30.0
            assert (await client.call(READ)).outcome == "ok"
        finally:
            await client.close()


async def test_cancelling_a_call_is_not_swallowed(tmp_path: Path) -> None:
    async with serving(None) as server:
        client = SystemClient(bot(server.url, tmp_path), environment={})
        task = asyncio.create_task(client.call(READ))
        await asyncio.wait_for(server.asked.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.close()


async def test_the_secret_is_sent_and_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-file\n")
    (tmp_path / "bot").mkdir()
    for environment, token in (({"TOKEN": "plain"}, "plain"), ({"TOKEN_FILE": str(file)}, "from-file")):
        async with serving(reply(200)) as server:
            client = SystemClient(bot(server.url, tmp_path / "bot", secret_name="TOKEN"), environment=environment)
            await client.call(READ)
            await client.close()
            assert f"authorization: bearer {token}" in server.requests[0].lower()


def test_settings_from_the_environment() -> None:
    assert resolve("${SHOP_URL:-http://a}/x", {}) == "http://a/x"
    assert resolve("${SHOP_URL:-http://a}", {"SHOP_URL": "http://b"}) == "http://b"
    with pytest.raises(SettingMissing, match="SHOP_URL is not set"):
        resolve("${SHOP_URL}", {})
    with pytest.raises(SettingMissing, match="TOKEN is not set"):
        secret("TOKEN", {})
    with pytest.raises(SettingMissing, match="can not be read"):
        secret("TOKEN", {"TOKEN_FILE": "/nowhere/at/all"})
