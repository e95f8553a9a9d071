"""What carriers and PBXs do in a call, and what the stack makes of it: the rows of docs/reference/sip.md."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from telephony.baresip import BaresipEndpoint
from telephony.baresip_leg import BaresipLeg
from telephony.errors import DialFailed
from telephony.leg import EndCause, Held, LegState, Registration
from telephony.sip_names import first_dialled
from tests.contract.telephony.debian_phone import DebianPhone
from tests.contract.telephony.far_end import SETTINGS
from tests.contract.telephony.listening import Doorbell, all_events, ended, hear, until
from tests.contract.telephony.rtp import pitch_of, rtp_peer, tone
from tests.contract.telephony.sipp import Scenario, Sipp
from tests.contract.telephony.torture import TORTURES, filled

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
async def endpoint(nothing_left: None) -> AsyncIterator[BaresipEndpoint]:
    endpoint = BaresipEndpoint(dataclasses.replace(SETTINGS, rtp_timeout_s=10))
    await endpoint.start()
    yield endpoint
    await endpoint.stop()


def _port(endpoint: BaresipEndpoint) -> int:
    return int(endpoint.sip_uri.rpartition(":")[2])


def _caller(scenario: Scenario, folder: Path, endpoint: BaresipEndpoint) -> Sipp:
    return Sipp(scenario, folder, target=_port(endpoint))


async def test_a_caller_who_leaves_the_offer_to_us(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = Scenario(media.port).invite(offer=False).expect(100, optional=True).expect(180, optional=True)
        scenario.expect(200).ack(answer=True).receive("BYE").reply("200 OK")
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            talking = asyncio.create_task(media.say(tone(440, 0.8)))
            assert pitch_of(await hear(leg, 3200), 8000) == pytest.approx(440, abs=10)
            await talking
            await leg.hang_up()
            await caller.finished()


async def test_an_update_holds_the_call_and_takes_it_back(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = Scenario(media.port).talk().update(direction="sendonly").update(direction="sendrecv").bye()
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            events = await all_events(leg)
            assert [event for event in events if isinstance(event, Held)] == [Held(True), Held(False)]
            await caller.finished()


async def test_a_caller_with_session_timers_refreshes_them_alone(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    """RFC 4028: who answers without timers leaves the refresh to the caller, by UPDATE or re-INVITE."""
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        timer = ("Supported: timer", "Session-Expires: 90", "Min-SE: 90")
        scenario = Scenario(media.port, headers=timer).talk().update().reinvite().bye()
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            assert (await ended(leg)).cause is EndCause.REMOTE_HANGUP
            await caller.finished()


async def test_a_caller_who_demands_session_timers_is_refused(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    demanded = ("Require: timer", "Supported: timer", "Session-Expires: 90")
    async with _caller(Scenario(headers=demanded).refused(420), tmp_path, endpoint) as caller:
        await caller.finished()
        assert "\nUnsupported: timer" in caller.messages()
    assert bell.legs.empty()


async def test_a_phone_that_demands_session_timers_is_not_reached(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    scenario = Scenario().receive("INVITE").reply("421 Extension Required").receive("ACK")
    async with Sipp(scenario, tmp_path) as phone:
        await phone.listening()
        with pytest.raises(DialFailed, match="421"):
            await endpoint.dial(phone.uri, timeout_s=5)
        await phone.finished()


async def test_a_diverted_call_tells_what_was_dialled_at_first(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    diverted = (
        "Diversion: <sip:600100200@127.0.0.1>;reason=no-answer, <sip:221112233@127.0.0.1>;reason=unconditional",
    )
    async with _caller(Scenario(headers=diverted).refused(486), tmp_path, endpoint) as caller:
        leg = await bell.ring()
        assert first_dialled(leg.headers) == "221112233"
        await leg.reject()
        await caller.finished()


async def test_no_caller_is_asked_for_a_password(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    """The stack has no digest towards callers: whoever reaches it is heard."""
    bell = Doorbell(endpoint)
    async with _caller(Scenario().refused(486), tmp_path, endpoint) as caller:
        leg = await bell.ring()
        await leg.reject()
        await caller.finished()
        assert "WWW-Authenticate" not in caller.messages()
        assert "Proxy-Authenticate" not in caller.messages()


async def test_a_cancel_that_crosses_the_answer(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    """RFC 3261, 9.2: it changes nothing, for the call is up; the caller says BYE."""
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = Scenario(media.port).invite().expect(100, optional=True).expect(180, optional=True).expect(200)
        scenario.cancel_late().ack().bye()
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            assert (await ended(leg)).cause is EndCause.REMOTE_HANGUP
            await caller.finished()
    assert endpoint.legs == ()


async def test_early_media_of_a_phone_that_rings(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    """183 with a session description: it counts as ringing, and the answer is awaited."""
    async with rtp_peer() as media:
        scenario = Scenario(media.port).receive("INVITE").reply("183 Session Progress", media=True).pause(300)
        scenario.reply("200 OK", media=True).receive("ACK").receive("BYE").reply("200 OK")
        async with Sipp(scenario, tmp_path) as phone:
            await phone.listening()
            leg = await endpoint.dial(phone.uri)
            talking = asyncio.create_task(media.say(tone(440, 0.8)))
            assert pitch_of(await hear(leg, 3200), 8000) == pytest.approx(440, abs=10)
            await talking
            await leg.hang_up()
            await phone.finished()


# Registration


async def test_a_registration_is_refreshed_and_its_loss_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The PBX grants two seconds, twice, and then does not know the line any more."""
    scenario = Scenario().register(2).register(2).receive("REGISTER").reply("403 Forbidden").register(0)
    async with Sipp(scenario, tmp_path) as pbx:
        await pbx.listening()
        line = BaresipEndpoint(dataclasses.replace(SETTINGS, registrar=f"127.0.0.1:{pbx.port}", password="secret"))
        await line.start()
        try:
            registrar = f"127.0.0.1:{pbx.port}"
            assert line.registration == Registration(registrar, registered=True)
            await until(lambda: line.registration == Registration(registrar, registered=False, detail="403 Forbidden"))
            assert f"registration at {registrar} failed: 403 Forbidden" in caplog.text
        finally:
            await line.stop()
        await pbx.finished()
        assert pbx.messages().count("\nREGISTER ") == 4, "two refreshes, and it takes the registration back"


async def test_without_a_registrar_there_is_no_registration(endpoint: BaresipEndpoint) -> None:
    assert endpoint.registration is None


# Who is taken notice of


@pytest.fixture
async def among_peers(nothing_left: None) -> AsyncIterator[BaresipEndpoint]:
    endpoint = BaresipEndpoint(dataclasses.replace(SETTINGS, peers=(IPv4Network("127.0.0.8/29"),)))
    await endpoint.start()
    yield endpoint
    await endpoint.stop()


async def test_strangers_get_no_answer_at_all(among_peers: BaresipEndpoint, tmp_path: Path) -> None:
    """To a scanner there is no telephone here."""
    bell = Doorbell(among_peers)
    scenario = Scenario().refused(486)
    async with Sipp(scenario, tmp_path, target=_port(among_peers), address="127.0.0.9") as trunk:
        leg = await bell.ring()
        assert leg.headers["Via"].startswith("SIP/2.0/UDP 127.0.0.9:")
        await leg.reject()
        await trunk.finished()
    async with Sipp(scenario, tmp_path, target=_port(among_peers)) as stranger:
        await asyncio.sleep(1.5)
        assert stranger.messages().count("\nINVITE ") >= 2, "it asks again"
        assert "SIP/2.0 " not in stranger.messages().replace("SIP/2.0/UDP", "").replace(" SIP/2.0\n", "")
    assert bell.legs.empty()


async def test_strangers_cannot_connect(among_peers: BaresipEndpoint) -> None:
    async with asyncio.timeout(5):
        _, peer = await asyncio.open_connection("127.0.0.1", _port(among_peers), local_addr=("127.0.0.10", 0))
        peer.close()
        await peer.wait_closed()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await asyncio.open_connection("127.0.0.1", _port(among_peers))


# Sound


async def test_encrypted_sound_with_another_phone(nothing_left: None, tmp_path: Path) -> None:
    endpoint = BaresipEndpoint(dataclasses.replace(SETTINGS, rtp_timeout_s=10, srtp=True))
    await endpoint.start()
    bell = Doorbell(endpoint)
    try:
        async with DebianPhone(tmp_path, tone(440, 20), encryption="srtp-mand") as phone:
            await phone.command("dial", endpoint.sip_uri.replace("bot@", "48221234567@"))
            leg = await bell.ring()
            await leg.answer()
            assert pitch_of(await hear(leg, 8000), 8000) == pytest.approx(440, abs=5)
            await leg.hang_up()
    finally:
        await endpoint.stop()


async def test_a_caller_without_encryption_is_refused_where_it_is_demanded(nothing_left: None, tmp_path: Path) -> None:
    endpoint = BaresipEndpoint(dataclasses.replace(SETTINGS, srtp=True))
    await endpoint.start()
    try:
        async with _caller(Scenario().refused(488), tmp_path, endpoint) as caller:
            await caller.finished()
    finally:
        await endpoint.stop()


async def test_sound_from_another_address_than_agreed(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    """We do not latch: our sound goes where the offer said. What somebody else sends to our port is heard, though."""
    bell = Doorbell(endpoint)
    async with rtp_peer() as media, rtp_peer() as intruder:
        async with _caller(Scenario(media.port).talk().receive("BYE").reply("200 OK"), tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            await until(lambda: bool(media.received))
            assert media.far_end is not None
            intruder.datagram_received(b"", media.far_end)
            intruder.received.clear()
            talking = asyncio.create_task(intruder.say(tone(900, 0.8)))
            heard = await hear(leg, 3200)
            await talking
            assert intruder.received == []
            assert pitch_of(heard, 8000) == pytest.approx(900, abs=10)
            await leg.hang_up()
            await caller.finished()


# Both at once


async def test_a_re_invite_that_meets_ours_is_refused(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    """Glare (RFC 3261, 14.2): 491, and both go on with what they had."""
    bell = Doorbell(endpoint)
    async with rtp_peer() as media:
        scenario = Scenario(media.port).talk().receive("INVITE").reinvite(refused=491)
        scenario.receive("ACK", optional=True).receive("BYE").reply("200 OK")
        async with _caller(scenario, tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            assert isinstance(leg, BaresipLeg)
            await leg._call.hold()
            await until(lambda: "SIP/2.0 491" in caller.messages())
            assert leg.state is LegState.UP
            await leg.hang_up()
            await caller.finished()


# What no telephone sends


async def test_torture_leaves_a_live_call_untouched(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with rtp_peer() as media, rtp_peer() as torturer:
        async with _caller(Scenario(media.port).talk().receive("BYE").reply("200 OK"), tmp_path, endpoint) as caller:
            leg = await bell.ring()
            await leg.answer()
            host = f"127.0.0.1:{_port(endpoint)}"
            for serial, message in enumerate(TORTURES.values()):
                ready = filled(message, host, f"127.0.0.1:{torturer.port}", serial)
                torturer.send_to(ready, ("127.0.0.1", _port(endpoint)))
                await asyncio.sleep(0.02)
            talking = asyncio.create_task(media.say(tone(440, 0.8)))
            assert pitch_of(await hear(leg, 3200), 8000) == pytest.approx(440, abs=10)
            await talking
            await leg.hang_up()
            await caller.finished()
    await asyncio.gather(*(other.hang_up() for other in endpoint.legs))
    again = Doorbell(endpoint)
    async with _caller(Scenario().refused(486), tmp_path, endpoint) as caller:
        await (await again.ring()).reject()
        await caller.finished()
