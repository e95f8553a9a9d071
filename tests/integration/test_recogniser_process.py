"""The recogniser process: started, asked, killed in the middle, replaced, ended, and refusing to start."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asr.client import DYING_S, LOAD_FEWEST, RecogniserClient
from asr.errors import RecogniserBusy, RecogniserTimeout, RecogniserUnavailable, RequestRefused
from asr.recogniser import RecognitionRequest
from tests.unit.asr import recogniser_process
from tests.unit.asr.speech import say, silence, telephone


def spoken(text: str = "konsultant", *, final: bool = True, deadline_s: float = 60.0) -> RecognitionRequest:
    return RecognitionRequest(telephone(text), 8000, "pl", "call", final, deadline_s)


def lecture(minutes: float = 3.0) -> RecognitionRequest:
    """Speech that takes seconds to decode, in many pieces."""
    sentence = np.concatenate([say("gdzie jest moja paczka"), silence(0.5)])
    repeats = int(minutes * 60 * 8000 / len(sentence))
    return RecognitionRequest(np.tile(sentence, repeats).tobytes(), 8000, "pl", "lecture", True, 60.0)


@pytest.fixture(scope="module")
def shared_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """For the tests that leave the process as it was."""
    socket = tmp_path_factory.mktemp("shared") / "asr.sock"
    with recogniser_process.shared("--queue", "2", socket=socket):
        yield socket


@pytest.fixture
async def client(shared_socket: Path) -> AsyncIterator[RecogniserClient]:
    client = RecogniserClient(shared_socket)
    await until_health(client, decoding=False, queue_depth=0)
    yield client
    await client.close()


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "run" / "asr.sock"


@pytest.fixture
async def process(socket: Path) -> AsyncIterator[Process]:
    """For the tests that end it."""
    async with recogniser_process.running(socket=socket) as process:
        yield process


@pytest.fixture
async def patient(process: Process, socket: Path) -> AsyncIterator[RecogniserClient]:
    client = RecogniserClient(socket, replace_wait_s=60.0)
    yield client
    await client.close()


def present(socket: Path) -> bool:
    return socket.is_socket()


def permissions(socket: Path) -> int:
    return stat.S_IMODE(socket.stat().st_mode)


async def until_health(client: RecogniserClient, **wanted: object) -> None:
    """Waits until `/health` says all of that."""
    async with asyncio.timeout(30):
        while True:
            health = await client.health()
            if all(getattr(health, key) == value for key, value in wanted.items()):
                return
            await asyncio.sleep(0.02)


async def test_health_tells_what_runs(client: RecogniserClient, shared_socket: Path) -> None:
    health = await client.health()
    assert (health.model, health.device, health.beam) == ("demo", "cpu", 5)
    assert (health.queue_depth, health.decoding) == (0, False)
    assert 30 < health.memory_mib < 1000
    assert health.status == "ok"
    assert health.batch_limit in (1, 2, 4, 8)
    assert health.batch_trials_ms["1"] > 0
    assert stat.S_IMODE(os.stat(shared_socket).st_mode) == 0o600


async def test_killed_in_the_middle_and_replaced_the_request_is_answered(
    patient: RecogniserClient, process: Process, socket: Path
) -> None:
    running = asyncio.create_task(patient.transcribe(lecture(0.4)))
    await until_health(patient, decoding=True)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    async with recogniser_process.running(socket=socket):
        heard = await running
        assert heard.text.count("paczka") > 5
        assert (await patient.health()).decoded == 1


async def test_killed_twice_the_request_fails(patient: RecogniserClient, process: Process, socket: Path) -> None:
    running = asyncio.create_task(patient.transcribe(lecture()))
    await until_health(patient, decoding=True)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    first_death = time.monotonic()
    async with recogniser_process.running(socket=socket) as second:
        await until_health(patient, decoding=True)
        await asyncio.sleep(first_death + DYING_S + 0.2 - time.monotonic())  # sooner, it would be the same death
        os.kill(second.pid, signal.SIGKILL)
        with pytest.raises(RecogniserUnavailable, match="twice"):
            await running


async def test_not_replaced_it_is_unavailable(process: Process, socket: Path) -> None:
    client = RecogniserClient(socket, replace_wait_s=0.3)
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    with pytest.raises(RecogniserUnavailable, match="No recogniser answers"):
        await client.transcribe(spoken())
    with pytest.raises(RecogniserUnavailable):
        await client.health()
    with pytest.raises(RecogniserTimeout):
        await client.transcribe(spoken(deadline_s=0.1))
    await client.close()


async def test_a_cancelled_request_in_the_queue_is_never_decoded(client: RecogniserClient) -> None:
    before = (await client.health()).decoded
    first = asyncio.create_task(client.transcribe(lecture(0.5)))
    await until_health(client, decoding=True)
    waiting = asyncio.create_task(client.transcribe(spoken()))
    await until_health(client, queue_depth=1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await until_health(client, queue_depth=0)
    assert not first.done()
    await first
    assert (await client.health()).decoded == before + 1


async def test_a_cancelled_request_stops_being_decoded(client: RecogniserClient) -> None:
    before = (await client.health()).decoded
    running = asyncio.create_task(client.transcribe(lecture(5)))
    await until_health(client, decoding=True)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (await client.transcribe(spoken())).text == "konsultant"
    assert (await client.health()).decoded == before + 1


async def test_a_full_queue_refuses_and_finals_push_partials_out(client: RecogniserClient) -> None:
    first = asyncio.create_task(client.transcribe(lecture()))
    await until_health(client, decoding=True)
    partials = []
    for depth in (1, 2):
        partials.append(asyncio.create_task(client.transcribe(replace(spoken(final=False), call_id=f"{depth}"))))
        await until_health(client, queue_depth=depth)
    with pytest.raises(RecogniserBusy):
        await client.transcribe(spoken(final=False))
    final = await client.transcribe(spoken())
    assert final.text == "konsultant"
    assert first.done()
    results = await asyncio.gather(*partials, return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["Transcript", "RecogniserBusy"]


async def test_a_talk_that_is_written_down_waits_behind_every_caller(client: RecogniserClient) -> None:
    first = asyncio.create_task(client.transcribe(lecture()))
    await until_health(client, decoding=True)
    answered: list[str] = []

    async def ask(request: RecognitionRequest) -> None:
        await client.transcribe(request)
        answered.append(request.call_id)

    talk = asyncio.create_task(ask(replace(spoken(), call_id="talk", background=True)))
    await until_health(client, queue_depth=1)
    await asyncio.gather(first, talk, ask(replace(spoken(), call_id="caller")))
    assert answered == ["caller", "talk"]


async def test_the_deadline_holds_in_the_queue(client: RecogniserClient) -> None:
    first = asyncio.create_task(client.transcribe(lecture()))
    await until_health(client, decoding=True)
    with pytest.raises(RecogniserTimeout):
        await client.transcribe(spoken(deadline_s=0.2))
    await first


async def test_an_unknown_language_is_refused(client: RecogniserClient) -> None:
    request = RecognitionRequest(telephone("konsultant"), 8000, "de", "call")
    with pytest.raises(RequestRefused, match="de"):
        await client.transcribe(request)


async def test_sigterm_ends_it_and_removes_the_socket(process: Process, socket: Path) -> None:
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 20) == 0
    assert not present(socket)


async def test_a_stale_socket_is_replaced(process: Process, socket: Path) -> None:
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    assert present(socket)
    async with recogniser_process.running(socket=socket):
        client = RecogniserClient(socket)
        assert (await client.transcribe(spoken())).text == "konsultant"
        await client.close()


async def failing(*arguments: str, socket: Path) -> str:
    process = await recogniser_process.start(*arguments, socket=socket)
    _, log = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert b"Traceback" not in log
    return log.decode()


async def test_a_socket_in_use_is_left_alone(process: Process, socket: Path) -> None:
    assert "Another recogniser answers" in await failing(socket=socket)
    client = RecogniserClient(socket)
    assert (await client.health()).pid == process.pid
    await client.close()


async def test_wrong_models_and_devices_are_explained(socket: Path, tmp_path: Path) -> None:
    assert "There is no model named 'gigantic'" in await failing("--model", "gigantic", socket=socket)
    nowhere = str(tmp_path / "nowhere")
    assert "does not exist" in await failing("--model", nowhere, socket=socket)
    assert "auto, cpu or cuda" in await failing("--device", "tpu", socket=socket)


async def test_it_ends_with_its_parent(socket: Path) -> None:
    child_of = "import subprocess, sys; c = subprocess.Popen(sys.argv[1:]); print(c.pid, flush=True); c.wait()"
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", child_of, *recogniser_process.command(socket=socket)),
        cwd=recogniser_process.REPOSITORY,
        stdout=PIPE,
        stderr=DEVNULL,
    )
    try:
        assert parent.stdout is not None
        child = int(await parent.stdout.readline())
        client = RecogniserClient(socket, replace_wait_s=60)
        await client.transcribe(spoken())
        await client.close()
    finally:
        parent.kill()
        await parent.communicate()
    await asyncio.to_thread(until_gone, child)
    assert not present(socket)


def until_gone(pid: int) -> None:
    """Gone, or a zombie that nobody has collected."""
    deadline = time.monotonic() + 20
    while True:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        assert time.monotonic() < deadline, "the process outlived its parent"
        time.sleep(0.05)


async def test_it_tells_how_long_final_requests_take(client: RecogniserClient) -> None:
    assert client.load().p95_s == 0.0, "of few requests there is no percentile"
    for _ in range(LOAD_FEWEST):
        await client.transcribe(spoken())
        await client.transcribe(spoken(final=False))
    assert 0.0 < client.load().p95_s < 60.0
    asked = asyncio.create_task(client.transcribe(spoken()))
    await asyncio.sleep(0)
    assert client.load().waiting == 1
    asked.cancel()
    await asyncio.wait({asked})
    assert client.load().waiting == 0
