"""SpeechClient against a server that breaks in chosen ways."""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.unit.tts.support import chunks_of
from tts.audio import sentence_pause
from tts.client import SpeechClient
from tts.errors import SpeechBusy, SpeechUnavailable, UnknownVoice, VoiceMissing
from tts.synthesizer import SpeechRequest

REQUEST = SpeechRequest("Raz dwa. Trzy cztery.", "pl", "espeak:pl", 8000)
Answer = Callable[[asyncio.StreamWriter, str], Awaitable[None]]


def audio(text: str) -> bytes:
    return text.encode("utf-16-le")


async def whole(writer: asyncio.StreamWriter, text: str) -> None:
    body = audio(text)
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))


async def half(writer: asyncio.StreamWriter, text: str) -> None:
    body = audio(text)[:6]
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body))
    await writer.drain()
    writer.close()


def streamed(pieces: int, of: int = 4, *, broken: bool = False) -> Answer:
    """The first `pieces` of `of`, each cut in the middle of a sample on the wire."""

    async def answer(writer: asyncio.StreamWriter, text: str) -> None:
        body = audio(text)
        size = -(-len(body) // of)
        writer.write(b"HTTP/1.1 200 OK\r\nx-rendering: streamed\r\ntransfer-encoding: chunked\r\n\r\n")
        for at in range(pieces):
            for piece in (body[at * size : at * size + 1], body[at * size + 1 : (at + 1) * size]):
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                await writer.drain()
        if broken:
            writer.close()
        else:
            writer.write(b"0\r\n\r\n")

    return answer


async def nothing(writer: asyncio.StreamWriter, text: str) -> None:
    writer.close()


def refusal(status: int, code: str) -> Answer:
    async def answer(writer: asyncio.StreamWriter, text: str) -> None:
        body = json.dumps({"code": code, "message": "No.", "remedy": "Do."}).encode()
        writer.write(b"HTTP/1.1 %d X\r\ncontent-length: %d\r\n\r\n%s" % (status, len(body), body))

    return answer


@contextlib.asynccontextmanager
async def served(*answers: Answer) -> AsyncIterator[tuple[SpeechClient, list[str]]]:
    """A client and the sentences that reached the server, which gives the answers in turn."""
    asked: list[str] = []
    left = list(answers)
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(asyncio.create_task(serve(reader, writer)))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.split("content-length:")[1].split()[0])
                text = json.loads(await reader.readexactly(length))["text"]
                asked.append(text)
                await left.pop(0)(writer, text)
                await writer.drain()
        writer.close()
        await writer.wait_closed()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.sock"
        server = await asyncio.start_unix_server(accept, path)
        client = SpeechClient(path, sentence_timeout_s=20, replacement_timeout_s=5)
        try:
            yield client, asked
        finally:
            await client.close()
            server.close()
            if connections:
                await asyncio.wait(connections, timeout=10)
            await server.wait_closed()


@pytest.mark.parametrize("broken", [half, nothing])
async def test_a_sentence_lost_on_the_way_is_asked_for_once_more_and_heard_once(broken: Answer) -> None:
    async with served(whole, broken, whole) as (client, asked):
        first, second = await chunks_of(client, REQUEST)
    assert first == audio("Raz dwa.")
    assert second.lstrip(b"\0") == audio("Trzy cztery.")
    assert asked == ["Raz dwa.", "Trzy cztery.", "Trzy cztery."]


async def test_a_sentence_that_comes_in_chunks_is_handed_on_as_it_comes() -> None:
    go = asyncio.Event()

    async def first_half(writer: asyncio.StreamWriter, text: str) -> None:
        body = audio(text)
        writer.write(b"HTTP/1.1 200 OK\r\nx-rendering: streamed\r\ntransfer-encoding: chunked\r\n\r\n")
        writer.write(b"8\r\n%s\r\n" % body[:8])
        await writer.drain()
        await go.wait()
        writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body) - 8, body[8:]))

    async with served(first_half, whole) as (client, _):
        chunks = client.synthesize(REQUEST)
        async with asyncio.timeout(20):
            assert await anext(chunks) == audio("Raz dwa.")[:8]
        go.set()
        assert await anext(chunks) == audio("Raz dwa.")[8:]
        await chunks.aclose()  # type: ignore[attr-defined]


@pytest.mark.parametrize("pieces", [0, 1, 3, 4])
async def test_a_stream_that_breaks_off_goes_on_behind_what_was_heard(pieces: int) -> None:
    broken = streamed(pieces, broken=True)
    async with served(broken, streamed(4), streamed(4)) as (client, asked):
        heard = await chunks_of(client, REQUEST)
    assert all(len(chunk) % 2 == 0 for chunk in heard)
    assert b"".join(heard) == audio("Raz dwa.") + sentence_pause(8000) + audio("Trzy cztery.")
    assert asked == ["Raz dwa.", "Raz dwa.", "Trzy cztery."]


async def test_a_stream_that_goes_on_as_another_voice_is_given_up() -> None:
    async with served(streamed(1, broken=True), whole) as (client, _):
        with pytest.raises(SpeechUnavailable, match="changed in mid-sentence"):
            await chunks_of(client, REQUEST)


async def test_a_stream_that_has_begun_waits_for_a_place() -> None:
    busy = refusal(503, "speech_busy")
    async with served(streamed(1, broken=True), busy, streamed(4), streamed(4)) as (client, _):
        assert b"".join(await chunks_of(client, REQUEST)).startswith(audio("Raz dwa."))


async def test_a_sentence_lost_twice_is_given_up() -> None:
    async with served(*[half] * 100) as (client, asked):
        with pytest.raises(SpeechUnavailable, match="twice"):
            await chunks_of(client, REQUEST)
    assert set(asked) == {"Raz dwa."}


async def test_connections_that_a_dying_process_still_takes_do_not_count() -> None:
    async with served(nothing, nothing, half, whole, whole) as (client, _):
        assert (await chunks_of(client, REQUEST))[0] == audio("Raz dwa.")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (404, "unknown_voice", UnknownVoice),
        (404, "voice_missing", VoiceMissing),
        (503, "speech_busy", SpeechBusy),
        (500, "speech_unavailable", SpeechUnavailable),
        (400, "bad_request", SpeechUnavailable),
    ],
)
async def test_errors_arrive_as_what_they_were(status: int, code: str, error: type[Exception]) -> None:
    async with served(refusal(status, code)) as (client, asked):
        with pytest.raises(error) as caught:
            await chunks_of(client, REQUEST)
    assert type(caught.value) is error
    assert str(caught.value) == "No. Do."
    assert len(asked) == 1


async def test_a_text_that_has_begun_waits_for_a_place() -> None:
    busy = refusal(503, "speech_busy")
    async with served(whole, busy, busy, whole) as (client, asked):
        assert len(await chunks_of(client, REQUEST)) == 2
    assert len(asked) == 4


async def test_an_answer_that_is_no_answer() -> None:
    async def page(writer: asyncio.StreamWriter, text: str) -> None:
        writer.write(b"HTTP/1.1 502 Bad\r\ncontent-length: 4\r\n\r\noops")

    async with served(page) as (client, _):
        with pytest.raises(SpeechUnavailable, match="502"):
            await chunks_of(client, REQUEST)


async def test_no_process_at_all(tmp_path: Path) -> None:
    client = SpeechClient(tmp_path / "none.sock", replacement_timeout_s=0.1)
    with pytest.raises(SpeechUnavailable, match=r"none\.sock"):
        await chunks_of(client, REQUEST)
    await client.close()
