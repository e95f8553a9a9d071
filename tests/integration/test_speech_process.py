"""The speech process as others meet it: killed, replaced, frozen, overloaded, ended with its parent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from benchmarks.speech_voice import TINY, write_voice
from tests.unit.tts.support import (
    PATIENCE_S,
    chunks_of,
    client_of,
    end_process,
    health,
    patient_client,
    speech_process,
    start_process,
    until_health,
)
from tts.client import SpeechClient
from tts.errors import SpeechBusy, SpeechUnavailable
from tts.synthesizer import SpeechRequest
from tts.testing import write_piper_voice
from tts.text import clauses

TEXT = "Zdanie pierwsze jest takie. Drugie zdanie jest inne, dłuższe od pierwszego. Trzecie kończy."
QUICK = SpeechRequest(TEXT, "pl", "piper:pl_PL-ton-x_low", 8000)
SLOW = SpeechRequest(TEXT, "pl", "piper:pl_PL-wolny-x_low", 8000)


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("voices")
    write_piper_voice(folder, "pl_PL-ton-x_low")
    write_piper_voice(folder, "pl_PL-wolny-x_low", rounds=150)  # about a second per sentence
    write_voice(folder, "pl_PL-potok-x_low", TINY)  # in chunks
    return folder


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:  # a short path: Unix sockets have 107 bytes
        yield Path(folder) / "speech.sock"


@contextlib.asynccontextmanager
async def running(
    path: Path, voices: Path, *options: str
) -> AsyncIterator[tuple[subprocess.Popen[bytes], SpeechClient]]:
    with speech_process(path, voices, *options) as process:
        async with client_of(path) as client:
            yield process, client


async def test_killed_in_mid_sentence_and_replaced_nothing_is_missing_or_twice(path: Path, voices: Path) -> None:
    async with running(path, voices) as (process, client):
        whole = await chunks_of(client, SLOW)
        assert len(whole) == 3
        speaking = asyncio.create_task(chunks_of(client, SLOW))
        await until_health(path, lambda told: told["waiting"]["piper"] > 0)
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait, PATIENCE_S)
        with speech_process(path, voices):
            async with asyncio.timeout(PATIENCE_S):
                assert await speaking == whole


async def test_a_long_sentence_comes_by_clauses_and_survives_a_kill_between_them(path: Path, voices: Path) -> None:
    long = "Państwa zamówienie zostało wysłane wczoraj, a kurier dostarczy je jutro przed południem pod adres domu."
    request = SpeechRequest(long, "pl", QUICK.voice, 8000)
    async with running(path, voices) as (process, client):
        whole = await chunks_of(client, request)
        assert len(whole) == len(clauses(long)) == 2
        assert len(whole[0]) < len(whole[1])
        assert len(await chunks_of(client, SpeechRequest(long, "pl", "espeak:pl", 8000))) == 1
        pieces = client.synthesize(request)
        heard = [await anext(pieces)]
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait, PATIENCE_S)
        with speech_process(path, voices):
            async with asyncio.timeout(PATIENCE_S):
                assert heard + await _rest(pieces) == whole


async def test_killed_in_the_middle_of_a_streamed_sentence_it_goes_on_at_the_sample(path: Path, voices: Path) -> None:
    # 20 s at 48 kHz do not fit into the socket: the process is killed before it has sent all of the sentence.
    request = SpeechRequest("Bezprzecinkowe " * 19 + "zdanie.", "pl", "piper:pl_PL-potok-x_low", 48000)
    async with running(path, voices) as (process, client):
        whole = b"".join(await chunks_of(client, request))
        assert len(whole) > 1_500_000
        pieces = client.synthesize(request)
        heard = await anext(pieces)
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait, PATIENCE_S)
        with speech_process(path, voices) as second:
            async with asyncio.timeout(PATIENCE_S):
                heard += await anext(pieces)
                while len(heard) < 400_000:
                    heard += await anext(pieces)
                second.send_signal(signal.SIGKILL)
                await asyncio.to_thread(second.wait, PATIENCE_S)
                with speech_process(path, voices):
                    heard += b"".join(await _rest(pieces))
    assert heard == whole


async def test_a_stream_comes_while_its_rest_is_computed_and_ends_with_its_caller(path: Path, voices: Path) -> None:
    request = SpeechRequest("Bezprzecinkowe " * 19 + "zdanie.", "pl", "piper:pl_PL-potok-x_low", 48000)
    async with running(path, voices) as (_, client):
        chunks = await chunks_of(client, replace(request, sample_rate=8000))
        assert len(chunks) > 5
        assert 0.25 < len(chunks[0]) / 2 / 8000 < 0.4
        pieces = client.synthesize(request)
        await anext(pieces)
        await pieces.aclose()  # type: ignore[attr-defined]
        await until_health(path, lambda told: told["waiting"]["piper"] == 0)


async def test_killed_between_two_sentences_and_replaced(path: Path, voices: Path) -> None:
    request = SpeechRequest(TEXT, "pl", "espeak:pl", 8000)
    async with running(path, voices) as (process, client):
        whole = await chunks_of(client, request)
        chunks = client.synthesize(request)
        first = await anext(chunks)
        process.send_signal(signal.SIGSTOP)
        rest = asyncio.create_task(_rest(chunks))
        await asyncio.sleep(0)  # the second sentence goes to a process that will never answer it
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait, PATIENCE_S)
        with speech_process(path, voices):
            async with asyncio.timeout(PATIENCE_S):
                heard = [first, *await rest]
    # espeak-ng varies by a few samples from one time to the next
    assert [len(chunk) for chunk in heard] == pytest.approx([len(chunk) for chunk in whole], rel=0.03)


async def _rest(chunks: AsyncIterator[bytes]) -> list[bytes]:
    return [chunk async for chunk in chunks]


async def test_killed_and_not_replaced_is_told_in_time(path: Path, voices: Path) -> None:
    with speech_process(path, voices) as process:
        async with client_of(path):
            pass
        client = SpeechClient(path, replacement_timeout_s=0.2)
        end_process(process)
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(SpeechUnavailable, match="away"):
                await chunks_of(client, QUICK)
        await client.close()


async def test_a_frozen_process_does_not_hold_a_call(path: Path, voices: Path) -> None:
    async with running(path, voices) as (process, _):
        client = SpeechClient(path, sentence_timeout_s=0.3)
        process.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(SpeechUnavailable, match=r"no answer within 0\.3 s"):
                await chunks_of(client, QUICK)
        await client.close()


async def test_a_short_text_does_not_wait_for_the_whole_of_a_long_one(path: Path, voices: Path) -> None:
    async with running(path, voices) as (_, client):
        order: list[str] = []

        async def speak(name: str, text: str) -> None:
            async for _ in client.synthesize(SpeechRequest(text, "pl", SLOW.voice, 8000)):
                order.append(name)

        long = asyncio.create_task(speak("long", TEXT))
        await until_health(path, lambda told: told["waiting"]["piper"] > 0)
        await speak("short", "Jedno.")
        await long
        assert order.index("short") < 2
        assert order.count("long") == 3


async def test_what_the_caller_gave_up_is_not_synthesised(path: Path, voices: Path) -> None:
    async with running(path, voices) as (_, client):
        transport = httpx.AsyncHTTPTransport(uds=str(path))
        async with httpx.AsyncClient(transport=transport, timeout=PATIENCE_S) as raw:
            body = {"text": TEXT * 20, "language": "pl", "voice": SLOW.voice, "sample_rate": 8000}
            asking = asyncio.create_task(raw.post("http://speech/synthesize", json=body))
            await until_health(path, lambda told: told["waiting"]["piper"] > 0)
            asking.cancel()
            await asyncio.wait([asking])
        await until_health(path, lambda told: told["waiting"]["piper"] == 0)
        # had the twenty texts gone on, they would stand before this one
        async with asyncio.timeout(PATIENCE_S / 2):
            assert await chunks_of(client, QUICK)


async def test_a_full_queue_refuses_a_new_text_but_lets_a_begun_one_end(path: Path, voices: Path) -> None:
    async with running(path, voices, "--queue-limit", "1") as (_, client):
        begun = client.synthesize(SLOW)
        heard = [await anext(begun)]
        other = asyncio.create_task(chunks_of(client, SpeechRequest("Jedno.", "pl", SLOW.voice, 8000)))
        await until_health(path, lambda told: told["waiting"]["piper"] > 0)
        with pytest.raises(SpeechBusy):
            await chunks_of(client, QUICK)
        heard += await _rest(begun)
        assert len(heard) == 3
        assert len(await other) == 1


async def test_the_raw_answer_streams_all_sentences(path: Path, voices: Path) -> None:
    async with running(path, voices) as (_, client):
        transport = httpx.AsyncHTTPTransport(uds=str(path))
        body = {"text": TEXT, "language": "pl", "voice": QUICK.voice, "sample_rate": 8000}
        async with httpx.AsyncClient(transport=transport, timeout=PATIENCE_S) as raw:
            answer = await raw.post("http://speech/synthesize", json=body)
            refusals = [
                (await raw.post("http://speech/synthesize", json={**body, **wrong})).status_code
                for wrong in (
                    {"voice": "espeak:xx"},
                    {"sample_rate": 1},
                    {"sample_rate": "fast"},
                    {"txt": ""},
                    {"text": 1},
                )
            ]
            garbage = await raw.post("http://speech/synthesize", content=b"{")
        assert answer.headers["content-type"] == "audio/L16;rate=8000"
        assert answer.content == b"".join(await chunks_of(client, QUICK))
        assert refusals == [404, 400, 400, 400, 400]
        assert garbage.status_code == 400
        assert garbage.json()["code"] == "bad_request"


async def test_sigterm_ends_it_cleanly(path: Path, voices: Path) -> None:
    async with running(path, voices) as (process, client):
        assert await chunks_of(client, QUICK)
        process.terminate()
        assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0
        assert path.name not in os.listdir(path.parent)


async def test_the_socket_is_ours_alone_and_a_stale_one_is_replaced(path: Path, voices: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(path))
    async with running(path, voices):
        assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
        second = start_process(path, voices)
        _, complaint = await asyncio.to_thread(second.communicate, timeout=PATIENCE_S)
        assert second.returncode == 1
        assert b"another process serves it" in complaint
        assert (await health(path))["status"] == "ok"


def test_a_file_in_the_way_is_not_deleted(path: Path, voices: Path) -> None:
    path.write_text("precious")
    process = start_process(path, voices)
    _, complaint = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert b"not a socket" in complaint
    assert path.read_text() == "precious"


async def test_it_ends_with_the_process_that_started_it(path: Path, voices: Path) -> None:
    """The parent is killed, so that it cannot do anything about its child."""
    starter = textwrap.dedent("""
        import subprocess, sys
        options = ["--socket", sys.argv[1], "--voices-dir", sys.argv[2]]
        child = subprocess.Popen([sys.executable, "-m", "tts.process", *options])
        print(child.pid, flush=True)
        child.wait()
    """)
    argv = [sys.executable, "-c", starter, os.fspath(path), os.fspath(voices)]
    parent = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert parent.stdout is not None
        child = os.pidfd_open(int(await parent.stdout.readline()))
        async with client_of(path):
            pass
        parent.kill()
        ended, _, _ = await asyncio.to_thread(select.select, [child], [], [], PATIENCE_S)
        os.close(child)
        assert ended
    finally:
        if parent.returncode is None:
            parent.kill()
        await parent.wait()
    assert path.name not in os.listdir(path.parent)


async def test_a_client_started_first_waits_for_the_process(path: Path, voices: Path) -> None:
    client = patient_client(path)
    asking = asyncio.create_task(chunks_of(client, QUICK))
    await asyncio.sleep(0)
    with speech_process(path, voices):
        async with asyncio.timeout(PATIENCE_S):
            assert len(await asking) == 3
    await client.close()
