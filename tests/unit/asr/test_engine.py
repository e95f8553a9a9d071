"""Whose turn it is: order, bounds, deadlines, cancelling. The model is a fake that waits to be let go."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from asr.engine import Engine
from asr.errors import RecogniserBusy, RecogniserTimeout, RecogniserUnavailable, RequestRefused
from asr.recogniser import RecognitionRequest, Transcript
from asr.testing import transcript


class GatedModel:
    """Decodes one request for every `let_go`; keeps the order in which they came to it."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.entered = threading.Semaphore(0)
        self._gate = threading.Semaphore(0)
        self.abandoned: list[str] = []

    def transcribe(self, request: RecognitionRequest, is_abandoned: Callable[[], bool]) -> Transcript:
        self.order.append(request.call_id)
        self.entered.release()
        assert self._gate.acquire(timeout=20)
        if is_abandoned():
            self.abandoned.append(request.call_id)
        if request.language == "xx":
            raise RequestRefused("No such language.")
        if request.language == "yy":
            raise RuntimeError("out of memory")
        return transcript(request.call_id, request)

    def let_go(self, times: int = 1) -> None:
        self._gate.release(times)


@pytest.fixture
async def model() -> GatedModel:
    return GatedModel()


@pytest.fixture
async def engine(model: GatedModel) -> AsyncIterator[Engine]:
    engine = Engine(model, queue_limit=3)
    engine.start()
    yield engine
    model.let_go(100)
    await engine.close()


def ask(call: str, *, final: bool = True, deadline_s: float = 20.0, language: str = "pl") -> RecognitionRequest:
    return RecognitionRequest(bytes(1600), 8000, language, call, final, deadline_s)


async def occupied(engine: Engine, model: GatedModel) -> asyncio.Task[Transcript]:
    """The model is decoding something."""
    task = asyncio.create_task(engine.transcribe(ask("first")))
    assert await asyncio.to_thread(model.entered.acquire, timeout=10)
    return task


async def queued(engine: Engine, request: RecognitionRequest) -> asyncio.Task[Transcript]:
    task = asyncio.create_task(engine.transcribe(request))
    await asyncio.sleep(0)
    return task


async def test_finals_come_before_partials_and_the_oldest_first(engine: Engine, model: GatedModel) -> None:
    tasks = [await occupied(engine, model)]
    for call, final in (("partial", False), ("final 1", True), ("final 2", True)):
        tasks.append(await queued(engine, ask(call, final=final)))
    model.let_go(4)
    texts = [answer.text for answer in await asyncio.gather(*tasks)]
    assert model.order == ["first", "final 1", "final 2", "partial"]
    assert texts == ["first", "partial", "final 1", "final 2"]


async def test_a_full_queue_refuses(engine: Engine, model: GatedModel) -> None:
    tasks = [await occupied(engine, model)] + [await queued(engine, ask(f"{n}")) for n in range(3)]
    with pytest.raises(RecogniserBusy):
        await engine.transcribe(ask("one more"))
    assert engine.depth == 3
    model.let_go(4)
    await asyncio.gather(*tasks)


async def test_a_final_takes_the_place_of_the_newest_partial(engine: Engine, model: GatedModel) -> None:
    tasks = [await occupied(engine, model)]
    partials = [await queued(engine, ask(f"partial {n}", final=False)) for n in range(3)]
    tasks.append(await queued(engine, ask("final")))
    with pytest.raises(RecogniserBusy):
        await partials[2]
    with pytest.raises(RecogniserBusy):
        await engine.transcribe(ask("another partial", final=False))
    model.let_go(4)
    await asyncio.gather(*tasks, *partials[:2])
    assert model.order == ["first", "final", "partial 0", "partial 1"]


async def test_a_deadline_in_the_queue(engine: Engine, model: GatedModel) -> None:
    first = await occupied(engine, model)
    with pytest.raises(RecogniserTimeout):
        await engine.transcribe(ask("late", deadline_s=0.05))
    assert engine.depth == 0
    model.let_go(2)
    await first
    await engine.transcribe(ask("next"))
    assert model.order == ["first", "next"]


async def test_a_deadline_while_decoding_lets_the_next_one_through(engine: Engine, model: GatedModel) -> None:
    with pytest.raises(RecogniserTimeout):
        await engine.transcribe(ask("slow", deadline_s=0.05))
    model.let_go(2)
    assert (await engine.transcribe(ask("next"))).text == "next"
    assert model.abandoned == ["slow"]


async def test_a_cancelled_request_is_never_decoded(engine: Engine, model: GatedModel) -> None:
    first = await occupied(engine, model)
    cancelled = await queued(engine, ask("cancelled"))
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    model.let_go(2)
    await first
    await engine.transcribe(ask("next"))
    assert model.order == ["first", "next"]


async def test_faults_belong_to_their_request(engine: Engine, model: GatedModel) -> None:
    model.let_go(3)
    with pytest.raises(RequestRefused):
        await engine.transcribe(ask("a", language="xx"))
    with pytest.raises(RecogniserUnavailable, match="out of memory"):
        await engine.transcribe(ask("b", language="yy"))
    assert (await engine.transcribe(ask("c"))).text == "c"


async def test_closing_ends_what_waits(engine: Engine, model: GatedModel) -> None:
    first = await occupied(engine, model)
    waiting = await queued(engine, ask("waiting"))
    closing = asyncio.create_task(engine.close())
    for task in (first, waiting):
        with pytest.raises(RecogniserUnavailable):
            await task
    model.let_go()
    await closing
    await engine.close()
    with pytest.raises(RecogniserUnavailable):
        await engine.transcribe(ask("too late"))
