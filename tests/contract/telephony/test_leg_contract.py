"""What every adapter of `Endpoint` and `Leg` must do: in memory, and over SIP with sipp at the other end."""

from __future__ import annotations

import asyncio
import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from telephony.errors import DialFailed, EndpointStartError, LegGone
from telephony.leg import Answered, EndCause, Ended, Endpoint, Held, LegState, Ringing
from tests.contract.telephony.far_end import SETTINGS, FarEnd, Party
from tests.contract.telephony.listening import DEADLINE_S, Doorbell, all_events, digits, ended, hear, speak, until
from tests.contract.telephony.rtp import pitch_of, tone

pytestmark = pytest.mark.usefixtures("nothing_left")


async def test_an_inbound_call_to_any_number_tells_who_and_where(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint, number="48221234567", caller="48600100200", then="hang_up") as party:
        leg = await bell.ring()
        assert (leg.direction, leg.state) == ("inbound", LegState.RINGING)
        assert (leg.dialled, leg.remote_number) == ("48221234567", "48600100200")
        assert leg.remote.startswith("sip:48600100200@127.0.0.1")
        assert "48221234567" in leg.headers["To"]
        assert endpoint.legs == (leg,)
        await leg.answer()
        assert leg.state is LegState.UP
        assert leg.sample_rate == 8000
        assert await all_events(leg) == [Answered(), Ended(EndCause.REMOTE_HANGUP, _any_detail(leg))]
        assert leg.state is LegState.ENDED
        assert endpoint.legs == ()
        await party.finished()


def _frames(samples: NDArray[np.int16]) -> list[NDArray[np.int16]]:
    return [samples[at : at + 160] for at in range(0, samples.size - 159, 160)]


async def _hears(party: Party, hz: float) -> bool:
    return pitch_of((await party.heard())[-3200:], 8000) == pytest.approx(hz, abs=20)


async def _hears_keys(party: Party, keys: str) -> bool:
    return await party.keys_heard() == keys


def _any_detail(leg: object) -> str:
    return leg.life.ended.detail  # type: ignore[attr-defined, no-any-return]


async def test_a_caller_who_gives_up_before_the_answer(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint, then="cancel") as party:
        leg = await bell.ring()
        assert (await ended(leg)).cause is EndCause.CANCELLED
        with pytest.raises(LegGone):
            await leg.answer()
        await party.finished()
    assert endpoint.legs == ()


async def test_a_rejected_caller_hears_busy(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.refused_caller(endpoint) as party:
        leg = await bell.ring()
        await leg.reject()
        assert (await ended(leg)).cause is EndCause.LOCAL_HANGUP
        await party.finished()


async def test_hanging_up_a_ringing_call_refuses_it(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.refused_caller(endpoint) as party:
        leg = await bell.ring()
        await leg.hang_up()
        assert (await ended(leg)).cause is EndCause.LOCAL_HANGUP
        await party.finished()


async def test_a_call_that_nobody_takes_is_refused(far_end: FarEnd, endpoint: Endpoint) -> None:
    async with far_end.refused_caller(endpoint) as party:
        await party.finished()


async def test_a_callback_that_raises_refuses_the_call(
    far_end: FarEnd, endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(leg: object) -> None:
        raise RuntimeError("no worker")

    endpoint.on_incoming(fail)
    async with far_end.refused_caller(endpoint) as party:
        await party.finished()
    assert "no worker" in caplog.text
    assert endpoint.legs == ()


async def test_hanging_up_ends_the_call_at_both_ends(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint) as party:
        leg = await bell.ring()
        await leg.answer()
        await leg.hang_up()
        assert (await ended(leg)).cause is EndCause.LOCAL_HANGUP
        await party.finished()


async def test_nothing_is_done_by_a_leg_that_has_ended(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint) as party:
        leg = await bell.ring()
        await leg.answer()
        await leg.hang_up()
        await leg.hang_up()
        await leg.reject()
        leg.flush()
        assert leg.read(160) == b""
        assert leg.write(b"\0" * 320) == 0
        with pytest.raises(LegGone):
            await leg.send_digits("1")
        with pytest.raises(LegGone):
            await leg.answer()
        with pytest.raises(LegGone):
            await leg.transfer("sip:9@127.0.0.1")
        assert [type(event) for event in await all_events(leg)] == [Answered, Ended]
        assert await all_events(leg) == [], "the stream of events has ended"
        assert leg.media_stats().codec
        await party.finished()


async def test_nothing_is_heard_before_the_answer(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint) as party:
        leg = await bell.ring()
        assert leg.read(160) == b""
        assert leg.write(b"\0" * 320) == 0
        leg.flush()
        with pytest.raises(LegGone):
            await leg.send_digits("1")
        await leg.answer()
        await leg.hang_up()
        await party.finished()


async def test_speech_goes_both_ways(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint) as party:
        leg = await bell.ring()
        await leg.answer()
        talking = asyncio.create_task(party.say(tone(440, 1.0)))
        received = await hear(leg, 6400)
        assert pitch_of(received, leg.sample_rate) == pytest.approx(440, abs=5)
        await speak(leg, tone(1000, 1.0, leg.sample_rate))
        await until(lambda: _hears(party, 1000))
        await talking
        await leg.hang_up()
        await party.finished()


async def test_a_read_gives_no_more_than_was_asked_for(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint) as party:
        leg = await bell.ring()
        await leg.answer()
        await party.say(tone(440, 0.5))
        await hear(leg, 160)
        assert len(leg.read(7)) <= 14
        assert leg.read(0) == b""
        await leg.hang_up()
        await party.finished()


async def test_a_flush_drops_what_is_not_on_the_wire(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint) as party:
        leg = await bell.ring()
        await leg.answer()
        await speak(leg, tone(1000, 0.02, leg.sample_rate))  # the stack's sending side is there
        assert leg.write(tone(440, 1.5, leg.sample_rate).tobytes()) == leg.sample_rate * 3 // 2
        leg.flush()
        await speak(leg, tone(2000, 0.4, leg.sample_rate))
        await asyncio.sleep(0.6)
        heard = np.frombuffer(await party.heard(), "<i2")
        old, new = (sum(abs(pitch_of(f.tobytes() * 8, 8000) - hz) < 30 for f in _frames(heard)) for hz in (440, 2000))
        assert old <= 8, "1.5 s were queued"
        assert new >= 18, "what is written after a flush is heard, from its first syllable"
        await leg.hang_up()
        await party.finished()


async def test_more_than_two_seconds_are_not_queued(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint) as party:
        leg = await bell.ring()
        await leg.answer()
        await speak(leg, tone(1000, 0.02, leg.sample_rate))
        assert 1.0 <= leg.write(bytes(2 * 5 * leg.sample_rate)) / leg.sample_rate < 3.0
        await leg.hang_up()
        await party.finished()


async def test_digits_in(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint) as party:
        leg = await bell.ring()
        await leg.answer()
        await party.press("159*#0")
        assert await digits(leg, 6) == "159*#0"
        await leg.hang_up()
        assert [type(event) for event in await all_events(leg)] == [Ended], "each key is told once"
        await party.finished()


async def test_digits_out(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint) as party:
        leg = await bell.ring()
        await leg.answer()
        await leg.send_digits("12#")
        with pytest.raises(ValueError, match="DTMF"):
            await leg.send_digits("12x")
        await until(lambda: _hears_keys(party, "12#"))
        await leg.hang_up()
        await party.finished()


async def test_hold_and_back(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint, then="hold") as party:
        leg = await bell.ring()
        await leg.answer()
        holds = []
        async with asyncio.timeout(DEADLINE_S):
            async for event in leg.events():
                holds += [event] if isinstance(event, Held) else []
                if len(holds) == 2:
                    break
        assert holds == [Held(True), Held(False)]
        talking = asyncio.create_task(party.say(tone(440, 1.0)))
        assert pitch_of(await hear(leg, 4000), leg.sample_rate) == pytest.approx(440, abs=10), "audio works after it"
        await talking
        await leg.hang_up()
        await party.finished()


async def test_a_peer_whose_audio_stops_is_given_up(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint, then="fall_silent") as party:
        leg = await bell.ring()
        await leg.answer()
        assert (await ended(leg)).cause is EndCause.MEDIA_TIMEOUT
        await party.finished()
    assert endpoint.legs == ()


async def test_more_calls_than_fit_are_told_busy(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint) as first, far_end.caller(endpoint) as second:
        legs = [await bell.ring(), await bell.ring()]
        for leg in legs:
            await leg.answer()
        async with far_end.refused_caller(endpoint) as third:
            await third.finished()
        assert bell.legs.empty(), "the third call never reached the application"
        for leg in legs:
            await leg.hang_up()
        await first.finished()
        await second.finished()
    async with far_end.caller(endpoint) as fourth:
        leg = await bell.ring()
        await leg.answer()
        await leg.hang_up()
        await fourth.finished()


async def test_dialling_a_phone_that_answers(far_end: FarEnd, endpoint: Endpoint) -> None:
    async with far_end.phone("answer") as phone:
        leg = await endpoint.dial(phone.uri, caller="48600100200", headers={"X-Tenant": "shop"})
        assert (leg.direction, leg.state) == ("outbound", LegState.UP)
        assert endpoint.legs == (leg,)
        talking = asyncio.create_task(phone.say(tone(440, 1.0)))
        assert pitch_of(await hear(leg, 4000), leg.sample_rate) == pytest.approx(440, abs=10)
        await talking
        await phone.press("1")
        assert await digits(leg, 1) == "1"
        await leg.hang_up()
        assert (await ended(leg)).cause is EndCause.LOCAL_HANGUP
        await phone.finished()
    assert endpoint.legs == ()


async def test_ringing_is_told_before_the_answer(far_end: FarEnd, endpoint: Endpoint) -> None:
    async with far_end.phone("answer") as phone:
        leg = await endpoint.dial(phone.uri)
        await leg.hang_up()
        assert [type(event) for event in await all_events(leg)] == [Ringing, Answered, Ended]
        await phone.finished()


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        ("busy", EndCause.BUSY),
        ("decline", EndCause.DECLINED),
        ("unavailable", EndCause.NO_ANSWER),
        ("not_found", EndCause.UNREACHABLE),
    ],
)
async def test_a_dial_that_fails_says_why(far_end: FarEnd, endpoint: Endpoint, behaviour: str, cause: EndCause) -> None:
    async with far_end.phone(behaviour) as phone:  # type: ignore[arg-type]
        with pytest.raises(DialFailed) as failed:
            await endpoint.dial(phone.uri)
        assert failed.value.cause == cause
        await phone.finished()
    assert endpoint.legs == ()


async def test_patience_with_a_phone_that_only_rings_ends(far_end: FarEnd, endpoint: Endpoint) -> None:
    async with far_end.phone("ring") as phone:
        with pytest.raises(DialFailed) as failed:
            await endpoint.dial(phone.uri, timeout_s=0.5)
        assert failed.value.cause == EndCause.NO_ANSWER
        await phone.finished()
    assert endpoint.legs == ()


async def test_a_cancelled_dial_stops_the_ringing(far_end: FarEnd, endpoint: Endpoint) -> None:
    async with far_end.phone("ring") as phone:
        dialling = asyncio.create_task(endpoint.dial(phone.uri))
        await until(lambda: bool(endpoint.legs))
        await phone.ringing()
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling
        await phone.finished()
    await until(lambda: not endpoint.legs)


async def test_nonsense_cannot_be_dialled(endpoint: Endpoint) -> None:
    for uri in ("sip:a@127.0.0.1\r\nX-Evil: 1", ""):
        with pytest.raises(DialFailed) as failed:
            await endpoint.dial(uri, timeout_s=2)
        assert failed.value.cause == EndCause.UNREACHABLE


async def test_stop_ends_every_call_and_can_be_repeated(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint) as party:
        leg = await bell.ring()
        await leg.answer()
        async with asyncio.timeout(DEADLINE_S):
            await endpoint.stop()
        await party.finished()
        assert (await ended(leg)).cause is EndCause.LOCAL_HANGUP
        await endpoint.stop()
        assert endpoint.legs == ()
        with pytest.raises(DialFailed):
            await endpoint.dial(party.uri)


async def test_a_stopped_endpoint_can_start_again(far_end: FarEnd, endpoint: Endpoint) -> None:
    await endpoint.stop()
    await endpoint.start()
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint) as party:
        leg = await bell.ring()
        await leg.answer()
        await leg.hang_up()
        await party.finished()


async def test_a_taken_port_is_told_with_a_remedy(far_end: FarEnd, endpoint: Endpoint) -> None:
    port = int(endpoint.sip_uri.rpartition(":")[2])
    second = far_end.endpoint(dataclasses.replace(SETTINGS, sip_port=port))
    with pytest.raises(EndpointStartError) as failed:
        await second.start()
    assert str(port) in failed.value.message
    assert "sip_port" in failed.value.remedy
    await second.stop()


async def test_two_consumers_of_events_at_once_are_a_mistake(far_end: FarEnd, endpoint: Endpoint) -> None:
    bell = Doorbell(endpoint)
    async with far_end.caller(endpoint) as party:
        leg = await bell.ring()
        first = asyncio.create_task(anext(leg.events()))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="consumer"):
            await anext(leg.events())
        await leg.answer()
        assert await first == Answered()
        await leg.hang_up()
        await party.finished()
