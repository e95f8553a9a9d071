"""Each trap of the pinned baresip-python, made to happen on the wire. Every test here fails without its handling."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from telephony.baresip import BaresipEndpoint
from telephony.errors import DialFailed, EndpointStartError, LegGone
from telephony.leg import Answered, Digit, EndCause, EndpointSettings, LegState
from tests.contract.telephony.far_end import SETTINGS
from tests.contract.telephony.listening import DEADLINE_S, Doorbell, all_events, digits, ended, hear, speak, until
from tests.contract.telephony.rtp import (
    alaw,
    digit_packets,
    pitch_of,
    rtp_peer,
    speech_packets,
    tone,
    write_pcap,
)
from tests.contract.telephony.sipp import PCAP_PORT, STREAM_PORT, Scenario, Sipp
from tests.support import free_port

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
async def endpoint(nothing_left: None) -> AsyncIterator[BaresipEndpoint]:
    endpoint = BaresipEndpoint(SETTINGS, ack_timeout_s=1.0)
    await endpoint.start()
    yield endpoint
    await endpoint.stop()


@pytest.fixture
async def wideband(nothing_left: None) -> AsyncIterator[BaresipEndpoint]:
    endpoint = BaresipEndpoint(dataclasses.replace(SETTINGS, codecs=("pcma", "opus"), rtp_timeout_s=10))
    await endpoint.start()
    yield endpoint
    await endpoint.stop()


def _port(endpoint: BaresipEndpoint) -> int:
    return int(endpoint.sip_uri.rpartition(":")[2])


def _caller(scenario: Scenario, folder: Path, endpoint: BaresipEndpoint, timers: bool = True) -> Sipp:
    return Sipp(scenario, folder, target=_port(endpoint), timers=timers)


def _answering(media_port: int, *, pause_ms: int = 0) -> Scenario:
    scenario = Scenario(media_port).receive("INVITE")
    if pause_ms:
        scenario.reply("180 Ringing").pause(pause_ms)
    return scenario.reply("200 OK", media=True).receive("ACK").receive("BYE").reply("200 OK")


async def _stall(stop: asyncio.Event) -> None:
    """The event loop of a busy worker: 4 ms of work at every turn."""
    while not stop.is_set():
        time.sleep(0.004)  # noqa: ASYNC251
        await asyncio.sleep(0)


async def test_answers_that_come_before_dial_returns_are_not_lost(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    stop = asyncio.Event()
    stalling = asyncio.create_task(_stall(stop))
    async with rtp_peer() as media:
        for _ in range(5):
            async with Sipp(_answering(media.port), tmp_path) as phone:
                await phone.listening()
                leg = await endpoint.dial(phone.uri, timeout_s=5)
                await leg.hang_up()
                await phone.finished()
    stop.set()
    await stalling


async def test_refusals_that_come_before_dial_returns_are_not_lost(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    stop = asyncio.Event()
    stalling = asyncio.create_task(_stall(stop))
    for _ in range(5):
        async with Sipp(Scenario().receive("INVITE").reply("486 Busy Here").receive("ACK"), tmp_path) as phone:
            await phone.listening()
            with pytest.raises(DialFailed) as failed:
                await endpoint.dial(phone.uri, timeout_s=5)
            assert failed.value.cause == EndCause.BUSY
    stop.set()
    await stalling
    assert endpoint.legs == ()


async def test_a_call_answered_early_can_be_transferred(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    """The stack's own call object has to know that the call is up, or it refuses every later request."""
    stop = asyncio.Event()
    stalling = asyncio.create_task(_stall(stop))
    async with rtp_peer() as media:
        scenario = Scenario(media.port).receive("INVITE").reply("200 OK", media=True).receive("ACK")
        scenario.receive("REFER").reply("202 Accepted").receive("BYE").reply("200 OK")
        async with Sipp(scenario, tmp_path) as phone:
            await phone.listening()
            leg = await endpoint.dial(phone.uri, timeout_s=5)
            stop.set()
            await stalling
            with pytest.raises(Exception, match="no transfer outcome"):
                await leg.transfer("sip:900@127.0.0.1", timeout_s=0.5)
            await leg.hang_up()
            await phone.finished()
            assert "Refer-To: sip:900@127.0.0.1" in phone.messages()


async def test_a_retransmitted_invite_makes_one_leg(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = Scenario(media.port).invite().expect(100, optional=True).expect(180)
        scenario.retransmit_invite().retransmit_invite().expect(200).ack().pause(200).bye()
        async with _caller(scenario, tmp_path, endpoint, timers=False) as caller:
            leg = await bell.ring()
            await until(lambda: caller.messages().count("SIP/2.0 180") == 3)
            await leg.answer()
            assert (await ended(leg)).cause is EndCause.REMOTE_HANGUP
            await caller.finished()
    assert bell.legs.empty()


async def test_a_call_that_never_gets_its_ack_gives_its_place_back(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        deaf = Scenario(media.port).invite().expect(100, optional=True).expect(180).expect(200).pause(15000)
        async with _caller(deaf, tmp_path, endpoint), _caller(deaf, tmp_path, endpoint):
            legs = [await bell.ring(), await bell.ring()]
            answers = await asyncio.gather(*(leg.answer() for leg in legs), return_exceptions=True)
            assert all(isinstance(answer, LegGone) for answer in answers)
            assert [(await ended(leg)).cause for leg in legs] == [EndCause.FAILED] * 2
            assert endpoint.legs == ()
            good = Scenario(media.port).talk().receive("BYE").reply("200 OK")
            async with _caller(good, tmp_path, endpoint) as caller:
                leg = await bell.ring()
                await leg.answer()
                await leg.hang_up()
                await caller.finished()


async def test_the_lost_ack_is_noticed_when_nobody_waits_for_the_answer(
    endpoint: BaresipEndpoint, tmp_path: Path
) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        deaf = Scenario(media.port).invite().expect(100, optional=True).expect(180).expect(200).pause(15000)
        async with _caller(deaf, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            answering = asyncio.create_task(leg.answer())
            await until(lambda: "SIP/2.0 200" in caller.messages())
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
            assert (await ended(leg)).cause is EndCause.FAILED


async def test_a_peer_that_sends_nothing_in_pauses_is_heard_again(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = Scenario(media.port).talk().receive("BYE").reply("200 OK")
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            await media.say(tone(440, 0.5))
            await hear(leg, 3200)
            leg.read(80000)
            media.pause(50)
            await asyncio.sleep(1.0)
            assert len(leg.read(80000)) < 2 * 1600, "a pause is no audio, not silence made up"
            assert leg.state is LegState.UP
            talking = asyncio.create_task(media.say(tone(900, 0.6)))
            assert pitch_of(await hear(leg, 3200), 8000) == pytest.approx(900, abs=10)
            await talking
            await leg.hang_up()
            await caller.finished()


async def test_digits_by_info(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = Scenario(media.port).talk().info_digit("5").info_digit("#").pause(200).bye()
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            events = await all_events(leg)
            assert events[:-1] == [Answered(), Digit("5"), Digit("#")]
            await caller.finished()


async def test_no_offer_of_ours_asks_for_video(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        async with Sipp(_answering(media.port), tmp_path) as phone:
            await phone.listening()
            leg = await endpoint.dial(phone.uri)
            await leg.hang_up()
            await phone.finished()
            assert "m=audio" in phone.messages()
            assert "m=video" not in phone.messages()
        scenario = Scenario(media.port).talk().pause(700).receive("BYE").reply("200 OK")
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            await asyncio.sleep(1.0)
            await leg.hang_up()
            await caller.finished()
            assert "m=video" not in caller.messages()
            assert caller.messages().count("\nINVITE ") == 1, "no re-INVITE that nobody asked for"


async def test_media_stays_in_its_ports(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    async with rtp_peer() as media, Sipp(_answering(media.port), tmp_path) as phone:
        await phone.listening()
        leg = await endpoint.dial(phone.uri)
        await until(lambda: bool(media.received))
        await leg.hang_up()
        await phone.finished()
        line = next(line for line in phone.messages().splitlines() if line.startswith("m=audio"))
        low, high = SETTINGS.rtp_ports
        assert low <= int(line.split()[1]) <= high


async def test_caller_and_headers_of_a_dial_are_on_the_wire(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    async with rtp_peer() as media, Sipp(_answering(media.port), tmp_path) as phone:
        await phone.listening()
        leg = await endpoint.dial(phone.uri, caller="48221234567", headers={"X-Tenant": "shop"})
        await leg.hang_up()
        await phone.finished()
        assert "\nP-Asserted-Identity: <sip:48221234567@127.0.0.1>" in phone.messages()
        assert "X-Tenant: shop" in phone.messages()


async def test_a_withheld_number_is_empty(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        private = ("Privacy: id", "P-Asserted-Identity: <sip:48600100200@127.0.0.1>")
        scenario = Scenario(media.port, caller="anonymous", host="anonymous.invalid", headers=private).refused(486)
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            assert leg.remote_number == ""
            await leg.reject()
            await caller.finished()


async def test_an_asserted_identity_is_the_caller(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        headers = ("P-Asserted-Identity: <tel:+48600100200>", "User-to-User: 3132;encoding=hex")
        async with _caller(Scenario(media.port, headers=headers).refused(486), tmp_path, endpoint) as caller:
            leg = await bell.ring()
            assert leg.remote_number == "+48600100200"
            assert leg.headers["User-to-User"] == "3132;encoding=hex"
            await leg.reject()
            await caller.finished()


@pytest.mark.parametrize(("first", "then"), [("pcma", "opus"), ("opus", "pcma")])
async def test_a_codec_that_changes_in_mid_call_does_not_break_audio(
    wideband: BaresipEndpoint, tmp_path: Path, first: str, then: str
) -> None:
    bell = Doorbell(wideband)
    async with rtp_peer() as media:
        scenario = Scenario(media.port, codec=first).talk().pause(700).reinvite(codec=then)
        async with _caller(scenario.receive("BYE").reply("200 OK"), tmp_path, wideband) as caller:
            leg = await bell.ring()
            await leg.answer()
            rate = leg.sample_rate
            assert rate == (8000 if first == "pcma" else 16000)
            # Both directions are in use when the streams are replaced.
            await speak(leg, tone(1000, 0.2, rate))
            leg.read(8000)
            await until(lambda: caller.messages().count("\nACK ") == 2)
            media.received.clear()
            await speak(leg, tone(1000, 1.5, rate))
            assert leg.sample_rate == rate, "the room that the leg is in keeps its rate"
            payload_type = 8 if then == "pcma" else 107
            # Speech, and not the few bytes of coded silence.
            await until(lambda: sum(p[1] & 0x7F == payload_type and len(p) > 40 for _, p in media.received) > 40)
            if then == "pcma":
                assert pitch_of(media.heard()[-4800:], 8000) == pytest.approx(1000, abs=20)
                talking = asyncio.create_task(media.say(tone(440, 1.0)))
                assert pitch_of(await hear(leg, rate // 2), rate) == pytest.approx(440, abs=10)
                await talking
            await leg.hang_up()
            await caller.finished()


async def test_a_caller_that_demands_reliable_ringing(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    """RFC 3262: without 100rel such a caller is told 420 Bad Extension."""
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = Scenario(media.port, headers=("Require: 100rel", "Supported: 100rel")).invite()
        scenario.expect(100, optional=True).expect_reliable(180).prack().expect(200).ack().bye()
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await until(lambda: "\nPRACK " in caller.messages())
            await leg.answer()
            assert (await ended(leg)).cause is EndCause.REMOTE_HANGUP
            await caller.finished()


async def test_an_answer_before_reliable_ringing_was_acknowledged(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    """The stack refuses to answer until the PRACK has come (EAGAIN); a bot answers at once."""
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = Scenario(media.port, headers=("Require: 100rel", "Supported: 100rel")).invite()
        scenario.expect(100, optional=True).expect_reliable(180).pause(300).prack().expect(200).ack().bye()
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            assert (await ended(leg)).cause is EndCause.REMOTE_HANGUP
            assert "\nPRACK " in caller.messages()
            await caller.finished()


async def test_speech_that_sipp_streams(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    file = tmp_path / "speech.al"
    file.write_bytes(alaw(tone(440, 1.0)))
    bell = Doorbell(endpoint)
    scenario = Scenario(STREAM_PORT).talk().stream(file).pause(1200).bye()
    async with _caller(scenario, tmp_path, endpoint) as caller:
        leg = await bell.ring()
        await leg.answer()
        assert pitch_of(await hear(leg, 4800), 8000) == pytest.approx(440, abs=5)
        await caller.finished()


@pytest.mark.skipif(os.geteuid() != 0, reason="sipp sends captures through raw sockets: needs root")
async def test_speech_and_digits_from_a_capture(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    speech = speech_packets(tone(440, 0.6))
    keys = digit_packets("42", len(speech), len(speech) * 160)
    capture = write_pcap(tmp_path / "call.pcap", [*speech, *keys])
    bell = Doorbell(endpoint)
    async with _caller(Scenario(PCAP_PORT).talk().play_pcap(capture).pause(1600).bye(), tmp_path, endpoint) as caller:
        leg = await bell.ring()
        await leg.answer()
        assert pitch_of(await hear(leg, 4000), 8000) == pytest.approx(440, abs=5)
        assert await digits(leg, 2) == "42"
        await caller.finished()


async def test_a_transfer_asked_for_by_the_peer_is_refused(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    """Whoever may tell us where to call could have us dial a premium-rate number."""
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = Scenario(media.port).talk().refer("sip:premium@127.0.0.1:9").expect(202)
        scenario.receive("NOTIFY").reply("200 OK").receive("NOTIFY").reply("200 OK").bye()
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            await all_events(leg)
            await caller.finished()
            assert "SIP/2.0 603" in caller.messages()
    assert endpoint.legs == ()


def _line(pbx: Sipp) -> BaresipEndpoint:
    return BaresipEndpoint(dataclasses.replace(SETTINGS, registrar=f"127.0.0.1:{pbx.port}", password="secret"))


async def test_a_line_registers_at_a_pbx_and_takes_it_back(tmp_path: Path) -> None:
    scenario = Scenario().receive("REGISTER").reply("200 OK").receive("REGISTER").reply("200 OK")
    async with Sipp(scenario, tmp_path) as pbx:
        await pbx.listening()
        line = _line(pbx)
        await line.start()
        await line.stop()
        await pbx.finished()
        assert "expires=0" in pbx.messages().lower().replace(": ", "=")


async def test_a_pbx_that_refuses_the_line(tmp_path: Path) -> None:
    async with Sipp(Scenario().receive("REGISTER").reply("403 Forbidden"), tmp_path) as pbx:
        await pbx.listening()
        with pytest.raises(EndpointStartError) as failed:
            await _line(pbx).start()
        assert "registrar" in failed.value.remedy
        assert "secret" not in str(failed.value)


async def test_one_endpoint_at_a_time_in_a_process(endpoint: BaresipEndpoint) -> None:
    second = BaresipEndpoint(SETTINGS)
    with pytest.raises(EndpointStartError, match="one endpoint"):
        await second.start()
    await second.stop()
    with pytest.raises(DialFailed):
        await second.dial(endpoint.sip_uri)


async def test_a_port_next_to_ours_may_be_taken() -> None:
    """Unasked, the stack binds sip_port + 1 for TLS."""
    port = free_port(socket.SOCK_STREAM)
    with socket.socket() as neighbour:
        neighbour.bind(("127.0.0.1", port + 1))
        neighbour.listen()
        endpoint = BaresipEndpoint(dataclasses.replace(SETTINGS, sip_port=port))
        await endpoint.start()
        await endpoint.stop()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"address": "192.0.2.77"}, "own addresses"),
        ({"address": "no address"}, "numeric"),
        ({"codecs": ("g729",)}, "pcma"),
        ({"codecs": ()}, "pcma"),
        ({"rtp_ports": (30000, 20000)}, "rtp_ports"),
        ({"rtp_ports": (30000, 30003), "max_calls": 10}, "widen rtp_ports"),
        ({"user": "b o t"}, "settings"),
        ({"expose_headers": ("X Y",)}, "Correct"),
    ],
)
async def test_settings_that_cannot_work_are_told_with_a_remedy(settings: dict[str, object], words: str) -> None:
    endpoint = BaresipEndpoint(dataclasses.replace(SETTINGS, **settings))  # type: ignore[arg-type]
    with pytest.raises(EndpointStartError) as failed:
        await endpoint.start()
    assert words in failed.value.remedy
    await endpoint.stop()


_DEATH = """
import asyncio, sys, time
from baresip._events import set_sink
from baresip.runtime import lib, ffi
from telephony.baresip import BaresipEndpoint
from telephony.errors import EndpointDead, EndpointStartError
from telephony.leg import EndpointSettings

async def main():
    settings = EndpointSettings("127.0.0.1", 0, rtp_ports=(27000, 27099), max_calls=2)
    endpoint = BaresipEndpoint(settings, health_interval_s=0.1)
    await endpoint.start()
    legs, told = asyncio.Queue(), asyncio.Queue()
    endpoint.on_incoming(legs.put_nowait)
    endpoint.on_dead(lambda reason: told.put_nowait((reason, endpoint.legs)))
    print(endpoint.sip_uri.rpartition(":")[2], flush=True)
    leg = await legs.get()
    await leg.answer()
    if sys.argv[1] == "ends":
        assert lib.bp_cmd(lib.BP_CMD_STOP, 0, ffi.NULL) == 0   # and nobody has asked for it
    else:
        endpoint._runtime._command_timeout = 0.2
        set_sink(lambda *event: time.sleep(3))
    events = [event async for event in leg.events()]
    assert str(events[-1].cause) == "endpoint_dead", events
    reason, legs_then = await asyncio.wait_for(told.get(), 5)
    assert legs_then == (), "legs have ended before the endpoint is reported dead"
    assert leg.read(160) == b"" and leg.write(bytes(320)) == 0
    await leg.hang_up()
    try:
        await endpoint.dial("sip:a@127.0.0.1")
    except EndpointDead as error:
        print(error.remedy)
    await endpoint.stop()
    try:
        await BaresipEndpoint(endpoint.settings).start()
    except EndpointStartError as error:
        print(error.remedy)

asyncio.run(main())
print("done", flush=True)
"""


@pytest.mark.parametrize("how", ["ends", "hangs"])
async def test_a_dead_sip_thread_ends_every_leg_and_is_told(tmp_path: Path, how: str) -> None:
    """In a process of its own: after such a death the stack never starts again in that process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", _DEATH, how, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(2 * DEADLINE_S), rtp_peer() as media:
            port = int(await process.stdout.readline())
            async with Sipp(Scenario(media.port).talk().pause(5000), tmp_path, target=port):
                output, errors = await process.communicate()
        assert output.decode().splitlines()[-1:] == ["done"], errors.decode()
        assert "new process" in output.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_set_up_and_audio_delay_are_short(
    endpoint: BaresipEndpoint, tmp_path: Path, record_property: pytest.RecordProperty
) -> None:
    """Measured for the report; the limits only say that nothing waits for a timer."""
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = Scenario(media.port).talk().receive("BYE").reply("200 OK")
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            begin = time.monotonic()
            await leg.answer()
            record_property("answer_ms", round(1000 * (time.monotonic() - begin), 1))
            assert time.monotonic() - begin < 1.0
            talking = asyncio.create_task(media.say(tone(440, 1.0)))
            sizes = []
            for _ in range(100):
                sizes.append(len(leg.read(8000)) // 2)
                await asyncio.sleep(0.005)
            assert {size for size in sizes if size} <= {160, 320, 480, 640, 800, 960}, "whole packets"
            assert np.count_nonzero(sizes) > 10
            await talking
            await leg.hang_up()
            await caller.finished()


def test_settings_do_not_show_the_password() -> None:
    assert "secret" not in repr(EndpointSettings("127.0.0.1", password="secret"))
