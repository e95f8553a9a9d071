"""The media thread: its clock, what a stall does, and what it survives."""

from __future__ import annotations

import asyncio
import sys
import threading
import time

import pytest

from telephony.leg import LegState
from telephony.media import MediaThread, TickClock
from tests.unit.telephony.media_rig import Rig, ScriptedLeg, level, ramp, tone, values

FRAME = 160


def test_one_tick_is_due_every_20_ms() -> None:
    clock = TickClock(10.0)
    assert [clock.due(at) for at in (9.999, 10.0, 10.001, 10.019, 10.0201, 10.041)] == [0, 1, 0, 0, 1, 1]


def test_late_ticks_are_made_up_to_what_the_wire_can_take() -> None:
    clock = TickClock(0.0)
    assert clock.due(0.045) == 3
    assert clock.skipped == 0
    assert clock.due(0.360) == 3
    assert clock.skipped == 13
    assert clock.due(0.379) == 0, "the deadlines stay on their grid"
    assert clock.due(0.3801) == 1


def test_lateness_of_the_last_seconds() -> None:
    clock = TickClock(0.0)
    assert clock.late_p95_ms(10) == 0.0
    for tick in range(4000):  # more than are kept
        clock.due(tick * 0.02 + (0.015 if tick < 3800 else 0.001))
    assert clock.late_p95_ms(4) == pytest.approx(1.0, abs=0.05)
    assert clock.late_p95_ms(10) == pytest.approx(15.0, abs=0.05)


def test_every_tick_of_a_stall_is_late() -> None:
    clock = TickClock(0.0)
    for second in range(10):
        for tick in range(45):
            clock.due(second + tick * 0.02)
        clock.due(second + 0.999)  # a tenth of the time nothing moves
    assert clock.late_p95_ms(10) > 50


def test_lateness_tells_percentiles_and_calm() -> None:
    clock = TickClock(0.0)
    assert not clock.calm
    for tick in range(600):
        clock.due(tick * 0.02 + 0.001)
    assert clock.calm
    clock.due(600 * 0.02 + 0.015)
    assert not clock.calm
    stats = clock.stats()
    assert stats.p50_ms == pytest.approx(1.0, abs=0.01)
    assert stats.max_ms == pytest.approx(15.0, abs=0.01)


def test_lead_stays_within_60_ms_through_stalls_and_shrinks_when_calm() -> None:
    rig = Rig()
    leg = rig.leg()
    rig.room_with(leg)
    rig.run(50)
    assert leg.deepest_ms == 40
    for stall_s in (0.033, 0.061, 0.300, 1.5, 0.047):
        rig.stall(stall_s)
        rig.run(20)
    assert leg.deepest_ms <= 60
    rig.run(700)
    leg.deepest_ms = 0.0
    rig.run(50)
    assert leg.deepest_ms <= 50, "the room is silent and the clock calm: the lead goes back"


def test_a_stall_delays_speech_but_loses_none_of_it() -> None:
    rig = Rig()
    leg = rig.leg()
    room = rig.room_with(leg)
    player = room.add_player(rig.events.append)
    speech = ramp(20 * FRAME)
    player.play("one", speech)
    player.end("one")
    rig.run(8)
    rig.stall(0.300)
    rig.run(20)
    sent = values(bytes(leg.wire))
    assert (sent[sent != 0] == values(speech)).all()
    assert rig.lateness.ticks_skipped > 0


@pytest.mark.parametrize("how", ["read", "write"])
def test_a_leg_that_raises_is_detached_and_the_others_go_on(how: str, caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    bad, good, other = rig.leg(name="bad"), rig.leg(name="good"), rig.leg(name="other")
    rig.room_with(bad, good)
    rig.room_with(other)
    rig.run(2)
    if how == "read":
        bad.incoming.append(OSError("broken"))
    else:
        bad.write_error = OSError("broken")
    rig.run(10)
    assert "bad" in caplog.text
    assert len(good.wire) >= 10 * 2 * FRAME
    assert len(other.wire) >= 10 * 2 * FRAME
    written = len(bad.wire) + len(bad.buffered)
    rig.run(5)
    assert len(bad.wire) + len(bad.buffered) == written


def test_a_failing_command_or_room_leaves_the_rest_alone(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    leg = rig.leg()
    rig.room_with(leg)
    broken = rig.room_with(rig.leg(name="victim"))

    class BadMusic:
        def read(self, n_samples: int) -> bytes:
            raise ValueError("no more tape")

    broken.set_music(BadMusic())
    rig.submit(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    rig.run(10)
    assert "a command to the media thread failed" in caplog.text
    assert caplog.text.count("a room failed and is closed") == 1
    leg.settle()
    assert len(leg.wire) >= 9 * 2 * FRAME


def test_a_leg_that_is_not_up_yet_is_waited_for() -> None:
    rig = Rig()
    leg = rig.leg()
    leg.up = LegState.RINGING
    room = rig.room_with(leg)
    player = room.add_player(rig.events.append)
    player.play("hello", level(FRAME, 5))
    player.end("hello")
    rig.run(10)
    assert not leg.wire
    assert not leg.buffered
    assert not rig.events
    leg.up = LegState.UP
    rig.run(10)
    assert values(bytes(leg.wire)).max() == 5


async def test_the_wire_does_not_wait_for_the_event_loop() -> None:
    interval_s = sys.getswitchinterval()
    media = MediaThread(asyncio.get_running_loop())
    media.start()
    media.start()
    assert sys.getswitchinterval() <= 0.001, "a computing thread gives the GIL away soon"
    try:
        leg = ScriptedLeg(time.monotonic)
        ticking = asyncio.Event()
        loop = asyncio.get_running_loop()
        media.open_room(8000).join(leg).tap(lambda *_: loop.call_soon_threadsafe(ticking.set))
        await asyncio.wait_for(ticking.wait(), 5)
        before = len(leg.wire)
        time.sleep(0.5)  # noqa: ASYNC251 - the stall is the test
        leg_got = (len(leg.wire) - before) / 2 / 8000
        assert leg_got > 0.3
    finally:
        media.stop()
        media.stop()
    assert not any(thread.name == "media" for thread in threading.enumerate())
    assert sys.getswitchinterval() == interval_s
    assert media.lateness.max_ms > 0


def test_events_for_a_closed_loop_are_dropped() -> None:
    loop = asyncio.new_event_loop()
    rig = Rig(loop)
    leg = rig.leg()
    room = rig.room_with(leg)
    player = room.add_player(rig.events.append)
    loop.close()
    player.play("late", tone(0.1))
    player.end("late")
    rig.run(20)
    assert len(leg.wire) > 10 * 2 * FRAME
    assert not player.busy


def test_stopping_one_that_never_started_is_harmless() -> None:
    media = Rig()
    media.stop()
    media.submit(lambda: pytest.fail("runs no more"))
    media.tick(media.time)
