"""Answers that are wrong, slow or missing, and changes of which nobody knows: never made twice by a retry."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from flows import Bot, CallSystem, SettingMissing, SystemClient, load_bot

from .test_systems import BASE, READ, Answer, reply, serving

SHAPE = "answer: {place: text, day: date?, price: amount?, paid: yes_no?, count: integer?}"


def bot(url: str, folder: Path, *, system: str = "", order: str = "", more: str = "", cancel: str = "") -> Bot:
    for name in ("bot.yaml", "order.yaml"):
        (folder / name).write_text((BASE / name).read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "systems.yaml").write_text(
        f"systems:\n  shop:\n    url: {url}\n    timeout_s: 0.5\n{system}    operations:\n"
        f'      order: {{path: "/orders/{{number}}"{order}}}\n'
        f'      cancel: {{method: POST, path: "/orders/{{number}}/cancel"{cancel}}}\n{more}',
        encoding="utf-8",
    )
    return load_bot(folder)


def raw(head: str, body: bytes) -> Answer:
    def write(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)

    return write


def json_text(body: str, *, charset: str = "utf-8") -> Answer:
    return raw(f"200 OK\r\nContent-Type: application/json; charset={charset}", body.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (json_text('{"day": "2026-11-25"}'), "the answer has no `place`"),
        (json_text('{"place": null}'), "the answer has no `place`"),
        (json_text('{"place": 7}'), "`place` of the answer is not of the type text"),
        (json_text('{"place": "x", "day": "tomorrow"}'), "`day` of the answer is not of the type date"),
        (json_text('{"place": "x", "price": "12,5 zł"}'), "`price` of the answer is not of the type amount"),
        (json_text('{"place": "x", "paid": 1}'), "`paid` of the answer is not of the type yes_no"),
        (json_text('{"place": "x", "count": true}'), "`count` of the answer is not of the type integer"),
        (json_text("[1]"), "the answer is not an object with fields"),
        (json_text(""), "the answer is empty"),
        (json_text('{"place": NaN}'), "the answer is not JSON"),
        (json_text('{"place": 1e999}'), "the answer is not JSON"),
        (json_text('{"place": "\\ud83d"}'), "the answer is not JSON"),
        (json_text("[" * 50_000), "the answer is not JSON"),
        (json_text("9" * 5_000), "the answer is not JSON"),
        (raw("200 OK", b'{"place": "\xb3\xf3d\xbc"}'), "the answer is not in the character set that it says"),
        (json_text("{}", charset="klingon"), "the answer is not in the character set that it says"),
        (raw("200 OK", b'"' + b"x" * 300_000), "the answer is too large"),
        (raw("200 OK\r\nContent-Encoding: gzip", b"\x1f\x8b"), "the answer is compressed, which was not asked for"),
        (raw("302 Found\r\nLocation: http://127.0.0.1:1/", b""), "the answer points elsewhere (302)"),
    ],
)  # fmt: skip
async def test_an_answer_that_is_wrong_has_failed_and_the_note_says_why(
    answer: Answer, error: str, tmp_path: Path
) -> None:
    async with serving(answer) as server:
        client = SystemClient(bot(server.url, tmp_path, order=f", {SHAPE}"), environment={})
        result = await client.call(READ)
        await client.close()
    assert (result.outcome, result.data) == ("failed", {"error": error})
    assert len(server.requests) == 1, "what is wrong for certain is not asked again"


async def test_fields_that_are_not_named_are_dropped(tmp_path: Path) -> None:
    answer = '{"place": "here", "day": "2026-11-25T10:00", "price": "12,50", "pesel": "44051401458", "paid": null}'
    async with serving(json_text(answer)) as server:
        client = SystemClient(bot(server.url, tmp_path, order=f", {SHAPE}"), environment={})
        result = await client.call(READ)
        await client.close()
    assert result.data == {"place": "here", "day": "2026-11-25T10:00", "price": "12,50"}


async def test_other_character_sets_are_read_when_the_answer_names_them(tmp_path: Path) -> None:
    head = "200 OK\r\nContent-Type: application/json; charset=iso-8859-2"
    async with serving(raw(head, '{"place": "łódź"}'.encode("iso-8859-2"))) as server:
        client = SystemClient(bot(server.url, tmp_path), environment={})
        assert (await client.call(READ)).data == {"place": "łódź"}
        await client.close()


@pytest.mark.parametrize("value", ["", " ", "..", ".", None])
async def test_an_argument_that_would_lead_elsewhere_is_not_sent(value: str | None, tmp_path: Path) -> None:
    async with serving(reply(200)) as server:
        client = SystemClient(bot(server.url, tmp_path), environment={})
        assert (await client.call(CallSystem("c", "shop.order", {"number": value}))).outcome == "failed"
        await client.close()
    assert server.requests == []


@pytest.mark.parametrize(
    ("auth", "value", "header"),
    [
        ("", "abc", "authorization: bearer abc"),
        ("    auth: bearer\n", "abc", "authorization: bearer abc"),
        ("    auth: basic\n", "me:ż", f"authorization: basic {base64.b64encode('me:ż'.encode()).decode().lower()}"),
        ("    auth: {header: X-Api-Key}\n", "abc", "x-api-key: abc"),
    ],
)
async def test_ways_to_send_the_secret(auth: str, value: str, header: str, tmp_path: Path) -> None:
    async with serving(reply(200)) as server:
        about = bot(server.url, tmp_path, system=f"    secret: TOKEN\n{auth}")
        client = SystemClient(about, environment={"TOKEN": value})
        await client.call(READ)
        await client.close()
    assert header in server.requests[0].lower()


@pytest.mark.parametrize(
    ("auth", "value", "told"),
    [("    auth: basic\n", "abc", "no colon"), ("", "a\nb", "can not be sent"), ("", "ż", "can not be sent")],
)
def test_a_secret_that_can_not_be_sent_is_told_at_the_start(auth: str, value: str, told: str, tmp_path: Path) -> None:
    about = bot("http://127.0.0.1:1", tmp_path, system=f"    secret: TOKEN\n{auth}")
    with pytest.raises(SettingMissing, match=told):
        SystemClient(about, environment={"TOKEN": value})


async def test_the_breaker_is_set_and_lets_one_question_try_again(tmp_path: Path) -> None:
    now = [0.0]
    async with serving(reply(500)) as server:
        about = bot(server.url, tmp_path, system="    breaker: {failures: 2, pause_s: 5}\n")
        client = SystemClient(about, environment={}, clock=lambda: now[0])
        for _ in range(4):
            await client.call(READ)
        assert len(server.requests) == 2
        now[0] = 5.5
        await asyncio.gather(*(client.call(READ) for _ in range(4)))
        assert len(server.requests) == 3
        await client.close()


async def test_a_question_that_is_refused_says_nothing_against_the_system(tmp_path: Path) -> None:
    async with serving(reply(400)) as server:
        client = SystemClient(bot(server.url, tmp_path), environment={})
        for _ in range(5):
            await client.call(READ)
        await client.close()
    assert len(server.requests) == 5


# Changes of which nobody knows


@dataclass
class Books:
    """A system that books. It keeps to the Idempotency-Key, and misbehaves as `acts` says, one for each change."""

    acts: list[str]
    check: str = "works"
    booked: list[str] = field(default_factory=list)
    checks: int = 0
    url: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    running: set[asyncio.Task[None]] = field(default_factory=set)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.running.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next((int(x.split(":")[1]) for x in head.lower().splitlines() if x.startswith("content-len")), 0)
            await reader.readexactly(length)
            if head.startswith("GET"):
                self.checks += 1
                await self._checked(head, writer)
            else:
                await self._change(head, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _checked(self, head: str, writer: asyncio.StreamWriter) -> None:
        key = head.split()[1].rpartition("/")[2].partition("?")[0]
        if self.check == "broken":
            reply(500)(writer)
        elif key in self.booked:
            reply(200, json.dumps({"id": key}))(writer)
        else:
            reply(404)(writer)

    async def _change(self, head: str, writer: asyncio.StreamWriter) -> None:
        key = next(x.split(":")[1].strip() for x in head.splitlines() if x.lower().startswith("idempotency-key"))
        act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
        does = not act.startswith("not ")
        if does and key not in self.booked:
            self.booked.append(key)
        match act.removeprefix("not "):
            case "answers":
                reply(200, json.dumps({"id": key}))(writer)
            case "hangs":
                await self.over.wait()
            case "resets":
                writer.transport.abort()
            case "breaks off":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            case "drips":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not self.over.is_set():
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            case "fails":
                reply(500)(writer)
            case "mumbles":
                reply(200, "<html>")(writer)
            case "refuses":
                reply(409)(writer)


@asynccontextmanager
async def booking(*acts: str, check: str = "works") -> AsyncIterator[Books]:
    books = Books(list(acts), check)
    listener = await asyncio.start_server(books.handle, "127.0.0.1", 0)
    books.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield books
    finally:
        books.over.set()
        listener.close()
        if books.running:
            await asyncio.wait(books.running, timeout=5)
        await listener.wait_closed()


BOOK = CallSystem("call-7", "shop.cancel", {"number": "12"})
CHECK = '      done: {path: "/done/{request}"}\n'


async def book(books: Books, folder: Path, *, check: bool = True) -> tuple[str, object, float]:
    checked = {"more": CHECK, "cancel": ", check: done"} if check else {}
    client = SystemClient(bot(books.url, folder, **checked), environment={})
    started = asyncio.get_running_loop().time()
    result = await client.call(BOOK)
    took_s = asyncio.get_running_loop().time() - started
    await client.close()
    return result.outcome, result.data, took_s


MISHAPS = ["hangs", "resets", "breaks off", "drips", "fails", "mumbles"]


@pytest.mark.parametrize("mishap", MISHAPS)
async def test_what_was_done_is_found_and_not_done_again(mishap: str, tmp_path: Path) -> None:
    async with booking(mishap, "answers") as books:
        outcome, data, _ = await book(books, tmp_path)
    assert (outcome, data) == ("ok", {"id": "call-7"})
    assert (books.booked, books.acts, books.checks) == (["call-7"], ["answers"], 1)


@pytest.mark.parametrize("mishap", MISHAPS)
async def test_what_was_not_done_is_sent_once_more(mishap: str, tmp_path: Path) -> None:
    async with booking(f"not {mishap}", "answers") as books:
        outcome, data, _ = await book(books, tmp_path)
    assert (outcome, data) == ("ok", {"id": "call-7"})
    assert books.booked == ["call-7"]


@pytest.mark.parametrize("mishap", MISHAPS)
async def test_without_a_check_nobody_knows_and_nothing_is_sent_again(mishap: str, tmp_path: Path) -> None:
    async with booking(mishap, "answers") as books:
        assert (await book(books, tmp_path, check=False))[0] == "unknown"
    assert (books.booked, books.acts) == (["call-7"], ["answers"])


async def test_a_check_that_fails_leaves_it_unknown(tmp_path: Path) -> None:
    async with booking("not hangs", "answers", check="broken") as books:
        assert (await book(books, tmp_path))[0] == "unknown"
    assert books.acts == ["answers"]


@pytest.mark.parametrize("second", ["hangs", "not hangs", "not refuses", "fails"])
async def test_a_second_mishap_leaves_it_unknown_within_the_bound(second: str, tmp_path: Path) -> None:
    async with booking("not hangs", second) as books:
        outcome, _, took_s = await book(books, tmp_path)
    assert outcome == "unknown"
    assert len(books.booked) <= 1
    assert took_s < 3 * 0.5 + 1, "the deadline twice and that of the check, and some for a busy machine"
