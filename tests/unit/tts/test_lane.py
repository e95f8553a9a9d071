"""Who is served next on the threads of a kind of voice."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from tts.lane import URGENT_S, Lane, Playback

FAR = 1000.0


class Served:
    """A lane of one thread that is busy until `go`; notes the order of what is served behind that."""

    def __init__(self) -> None:
        self.lane = Lane("test", 1)
        self.order: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._go = threading.Event()

    async def ask(self, name: str, dry_at: float | None = None) -> asyncio.Task[None]:
        task = asyncio.create_task(self.lane.run(lambda: self.order.append(name), dry_at))
        self.tasks.append(task)
        await asyncio.sleep(0)
        return task

    async def busy(self) -> None:
        self.tasks.append(asyncio.create_task(self.lane.run(self._wait)))
        await asyncio.sleep(0)

    def _wait(self) -> None:
        self._go.wait(30)

    async def served(self) -> list[str]:
        self._go.set()
        async with asyncio.timeout(30):
            await asyncio.gather(*self.tasks, return_exceptions=True)
        self.lane.close()
        return self.order


async def test_newcomers_come_in_their_order_before_those_who_have_enough_to_hear() -> None:
    served = Served()
    await served.busy()
    now = time.monotonic()
    await served.ask("well supplied", now + 2 * FAR)
    await served.ask("supplied", now + FAR)
    await served.ask("first")
    await served.ask("second")
    assert await served.served() == ["first", "second", "supplied", "well supplied"]


async def test_who_would_hear_a_gap_comes_first() -> None:
    served = Served()
    await served.busy()
    now = time.monotonic()
    await served.ask("newcomer")
    await served.ask("nearly dry", now + URGENT_S / 2)
    await served.ask("dry", now - 1)
    assert await served.served() == ["dry", "nearly dry", "newcomer"]


async def test_what_is_given_up_while_it_waits_is_not_done() -> None:
    served = Served()
    await served.busy()
    given_up = await served.ask("given up")
    await served.ask("wanted")
    assert served.lane.waiting() == 3
    given_up.cancel()
    await asyncio.wait([given_up])
    assert served.lane.waiting() == 2
    assert await served.served() == ["wanted"]
    assert served.lane.waiting() == 0
    assert served.lane.oldest_at() is None


async def test_what_is_given_up_under_way_keeps_its_thread_until_it_ends() -> None:
    served = Served()
    await served.busy()
    served.tasks[0].cancel()
    await asyncio.wait(served.tasks)
    assert served.lane.waiting() == 1
    await served.ask("next")
    assert served.lane.waiting() == 2
    assert await served.served() == ["next"]


async def test_two_threads_work_at_once() -> None:
    lane = Lane("test", 2)
    meeting = threading.Barrier(2)
    async with asyncio.timeout(30):
        assert sorted(await asyncio.gather(*(lane.run(lambda: meeting.wait(30)) for _ in range(2)))) == [0, 1]
    lane.close()


async def test_an_error_is_the_callers_and_the_thread_goes_on() -> None:
    lane = Lane("test", 1)
    with pytest.raises(ZeroDivisionError):
        await lane.run(lambda: 1 // 0)
    assert await lane.run(lambda: 7) == 7
    lane.close()


def test_playback_counts_on_from_what_is_still_to_be_heard() -> None:
    assert Playback().dry_at is None
    playback = Playback()
    playback.heard(FAR)
    playback.heard(FAR)
    assert playback.ahead_s() == pytest.approx(2 * FAR, abs=60)
    assert Playback(ahead_s=FAR).ahead_s() == pytest.approx(FAR, abs=60)
    starved = Playback()
    starved.dry_at = time.monotonic() - FAR
    starved.heard(FAR)
    assert starved.ahead_s() == pytest.approx(FAR, abs=60)
