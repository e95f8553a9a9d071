"""Whose turn it is: order, bounds, deadlines, cancelling. The model is a fake that waits to be let go."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from asr.engine import Engine
from asr.errors import AsrError, RecogniserBusy, RecogniserTimeout, RecogniserUnavailable, RequestRefused
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
            raise RuntimeError("a broken tensor")
        if request.language == "zz":
            raise RuntimeError("CUDA failed with error out of memory")
        return transcript(request.call_id, request)

    def transcribe_batch(self, requests: Sequence[RecognitionRequest]) -> list[Transcript | AsrError]:
        """One `let_go` for a batch. Fails on "yy", and lacks memory for more than two."""
        self.order.append("+".join(request.call_id for request in requests))
        self.entered.release()
        assert self._gate.acquire(timeout=20)
        if len(requests) > 2:
            raise MemoryError("std::bad_alloc")
        if any(request.language == "yy" for request in requests):
            raise RuntimeError("a broken tensor")
        return [transcript(request.call_id, request) for request in requests]

    def batch_key(self, request: RecognitionRequest) -> int | None:
        """Long ones alone."""
        return None if request.seconds > 1 else 1

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


def ask(
    call: str, *, final: bool = True, deadline_s: float = 20.0, language: str = "pl", background: bool = False
) -> RecognitionRequest:
    return RecognitionRequest(bytes(1600), 8000, language, call, final, deadline_s, background=background)


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
    model.let_go(4)
    with pytest.raises(RequestRefused):
        await engine.transcribe(ask("a", language="xx"))
    with pytest.raises(RecogniserUnavailable, match="a broken tensor"):
        await engine.transcribe(ask("b", language="yy"))
    with pytest.raises(RecogniserBusy, match="not enough memory"):
        await engine.transcribe(ask("d", language="zz"))
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


async def test_a_partial_is_refused_while_a_final_waits(engine: Engine, model: GatedModel) -> None:
    tasks = [await occupied(engine, model), await queued(engine, ask("final"))]
    with pytest.raises(RecogniserBusy):
        await engine.transcribe(ask("partial", final=False))
    assert engine.shed == 1
    model.let_go(2)
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("final", [True, False])
async def test_a_waiting_partial_gives_way_to_what_comes_after_it_in_its_call(
    engine: Engine, model: GatedModel, final: bool
) -> None:
    first = await occupied(engine, model)
    outdated = await queued(engine, ask("call", final=False))
    other = await queued(engine, ask("other", final=False))
    newer = await queued(engine, ask("call", final=final))
    with pytest.raises(RecogniserBusy):
        await outdated
    model.let_go(3)
    await asyncio.gather(first, other, newer)
    assert model.order == (["first", "call", "other"] if final else ["first", "other", "call"])


async def test_the_background_comes_after_everything_else(engine: Engine, model: GatedModel) -> None:
    tasks = [await occupied(engine, model)]
    for call, final, background in (("talk", True, True), ("partial", False, False), ("final", True, False)):
        tasks.append(await queued(engine, ask(call, final=final, background=background)))
    model.let_go(4)
    await asyncio.gather(*tasks)
    assert model.order == ["first", "final", "partial", "talk"]


@pytest.mark.parametrize("final", [True, False])
async def test_the_background_gives_its_place_away_first(engine: Engine, model: GatedModel, final: bool) -> None:
    tasks = [await occupied(engine, model), await queued(engine, ask("partial", final=False))]
    talks = [await queued(engine, ask(f"talk {n}", background=True)) for n in range(2)]
    tasks.append(await queued(engine, ask("newcomer", final=final)))
    with pytest.raises(RecogniserBusy):
        await talks[1]
    with pytest.raises(RecogniserBusy):
        await engine.transcribe(ask("another talk", background=True))
    assert engine.shed == 2
    model.let_go(4)
    await asyncio.gather(*tasks, talks[0])
    assert model.order[-1] == "talk 0"


async def test_partials_of_the_background_get_what_nobody_else_wants(
    engine: Engine, model: GatedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asr.engine.REST", 100.0)
    behind = ask("talk", final=False, background=True)
    tasks = [await occupied(engine, model), await queued(engine, ask("other talk", background=True))]
    with pytest.raises(RecogniserBusy):
        await engine.transcribe(behind)
    model.let_go(3)
    await asyncio.gather(*tasks)
    assert (await engine.transcribe(behind)).text == "talk"
    with pytest.raises(RecogniserBusy):  # it rests
        await engine.transcribe(behind)
    model.let_go()
    assert (await engine.transcribe(ask("partial", final=False))).text == "partial"


@pytest.fixture
async def batching(model: GatedModel) -> AsyncIterator[Engine]:
    engine = Engine(model, queue_limit=10, batch_limit=4)
    engine.start()
    yield engine
    model.let_go(100)
    await engine.close()


async def test_what_waits_is_decoded_together(batching: Engine, model: GatedModel) -> None:
    tasks = [await occupied(batching, model)]
    for call, final, size in (("p", False, 1), ("a", True, 1), ("long", True, 30), ("b", True, 1)):
        request = RecognitionRequest(bytes(1600 * size), 8000, "pl", call, final, 20.0)
        tasks.append(await queued(batching, request))
    model.let_go(4)
    texts = [answer.text for answer in await asyncio.gather(*tasks)]
    assert model.order == ["first", "a+b", "long", "p"]  # long speech alone, partials after all finals
    assert texts == ["first", "p", "a", "long", "b"]
    assert (batching.batches, batching.decoded) == (1, 5)


async def test_the_background_is_decoded_alone(batching: Engine, model: GatedModel) -> None:
    tasks = [await occupied(batching, model)]
    tasks += [await queued(batching, ask(call, background=True)) for call in "ab"]
    model.let_go(3)
    await asyncio.gather(*tasks)
    assert model.order == ["first", "a", "b"]


async def test_memory_that_runs_out_makes_batches_smaller(batching: Engine, model: GatedModel) -> None:
    tasks = [await occupied(batching, model)] + [await queued(batching, ask(call)) for call in "abcd"]
    model.let_go(4)
    assert [answer.text for answer in await asyncio.gather(*tasks)] == ["first", *"abcd"]
    assert model.order == ["first", "a+b+c+d", "a+b", "c+d"]
    assert batching.batch_limit == 2


async def test_one_request_does_not_spoil_the_batch(batching: Engine, model: GatedModel) -> None:
    tasks = [await occupied(batching, model)]
    tasks += [await queued(batching, ask(call, language="yy" if call == "b" else "pl")) for call in "ab"]
    model.let_go(4)
    _, a, b = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(a, Transcript)
    assert isinstance(b, RecogniserUnavailable)
    assert model.order == ["first", "a+b", "a", "b"]
    assert batching.batch_limit == 4


async def test_a_decode_that_hangs_is_noticed(model: GatedModel) -> None:
    engine = Engine(model, stuck_s=0.0)
    engine.start()
    assert not engine.stuck
    task = await occupied(engine, model)
    async with asyncio.timeout(10):
        while not engine.stuck:
            await asyncio.sleep(0.02)
    model.let_go()
    await task
    assert not engine.stuck
    assert await engine.close()


async def test_closing_does_not_wait_for_a_decode_that_hangs(
    model: GatedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asr.engine.CLOSE_S", 0.05)
    engine = Engine(model)
    engine.start()
    task = await occupied(engine, model)
    assert not await engine.close()
    with pytest.raises(RecogniserUnavailable):
        await task
    model.let_go()
