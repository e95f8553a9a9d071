"""Strangers at the real Kamailio and rtpengine: the rows of the attack table that the edge stops."""

from __future__ import annotations

import asyncio
import contextlib
import math
import ssl
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.telephony.listening import until
from tests.integration.edge.bots import Bot, bot, media
from tests.integration.edge.namespaces import socket_in
from tests.integration.edge.peer import Dialog, Message, SipPeer, established, sdp, tls_peer, udp_peer
from tests.integration.edge.servers import Edge, certificate, running
from tests.support import require_program

TRUNK, PHONE, STRANGER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
PASSWORD = "tajne hasło"
PHONES = {"realm": "voice.example", "users": [{"name": "anna", "password": {"env": "ANNA"}}]}


@dataclass
class Site:
    """An edge with one bot."""

    edge: Edge
    bot: Bot


@pytest.fixture
async def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    """With phones and a trunk; a parameter changes the section."""
    monkeypatch.setenv("ANNA", PASSWORD)
    changed: dict[str, Any] = getattr(request, "param", {})
    settings = {"phones": PHONES, "trunks": [{"name": "carrier", "addresses": [TRUNK]}], **changed}
    settings = {key: value for key, value in settings.items() if value is not None}
    async with bot() as answering, running(tmp_path, bots=[answering.target], **settings) as edge:
        yield Site(edge, answering)


async def challenged(peer: SipPeer) -> tuple[Dialog, Message]:
    """A call that was asked for its password, as it goes on."""
    dialog = peer.begin()
    challenge = await peer.invite(dialog, sdp(peer.address[0], 9))
    assert challenge.status == 407
    return replace(dialog, cseq=2), challenge


async def hears_nothing(peer: SipPeer) -> None:
    with pytest.raises(TimeoutError):
        await peer.response(timeout_s=1.0)


@pytest.mark.parametrize("at", [{"phones": None}], indirect=True)
async def test_an_unknown_address_is_refused_where_nobody_signs_in(at: Site) -> None:
    async with udp_peer("1001", at.edge.world, address=STRANGER) as stranger:
        assert (await stranger.invite(stranger.begin(), sdp(STRANGER, 9))).status == 403
        stranger.send("REGISTER", stranger.begin())
        assert (await stranger.response()).status == 403
        stranger.send("OPTIONS", stranger.begin())
        await hears_nothing(stranger)
    assert at.bot.calls == 0


async def test_a_phone_calls_with_its_password_and_not_without(at: Site) -> None:
    body = sdp(PHONE, 9)
    async with udp_peer("anna", at.edge.world, address=PHONE) as phone:
        dialog, challenge = await challenged(phone)
        assert at.bot.calls == 0
        wrong = await phone.invite(dialog, body, [phone.credentials(challenge, "INVITE", dialog, "zgadywane")])
        assert wrong.status == 403
        assert at.bot.calls == 0
        call = await phone.call(body, PASSWORD)
        assert (await phone.hang_up(call)).status == 200
    assert "authorization" not in " ".join(name for name, _ in at.bot.requests[-1].headers)


async def test_a_password_that_was_overheard_is_worth_nothing(at: Site) -> None:
    body = sdp(PHONE, 9)
    async with udp_peer("anna", at.edge.world, address=PHONE) as phone:
        dialog, challenge = await challenged(phone)
        overheard = phone.credentials(challenge, "INVITE", dialog, PASSWORD)
        assert (await phone.invite(dialog, body, [overheard])).status == 200
    async with udp_peer("anna", at.edge.world, address=STRANGER) as thief:
        replayed = await thief.invite(thief.begin(), body, [overheard])
    assert (replayed.status, at.bot.calls) == (407, 1)


async def test_a_phone_may_not_call_by_the_name_of_another(at: Site) -> None:
    async with udp_peer("anna", at.edge.world, address=PHONE) as phone:
        dialog, challenge = await challenged(phone)
        proof = phone.credentials(challenge, "INVITE", dialog, PASSWORD)
        phone.user = "prezes"
        assert (await phone.invite(dialog, sdp(PHONE, 9), [proof])).status == 403
    assert at.bot.calls == 0


@pytest.mark.parametrize("at", [{"limits": {"failed_logins": 3}}], indirect=True)
async def test_who_guesses_passwords_is_not_listened_to_any_more(at: Site) -> None:
    async with udp_peer("ola", at.edge.world, address=STRANGER) as stranger:
        for _ in range(2):
            dialog, challenge = await challenged(stranger)
            guess = stranger.credentials(challenge, "INVITE", dialog, "1234")
            assert (await stranger.invite(dialog, "", [guess])).status == 403
        dialog, challenge = await challenged(stranger)
        stranger.send("INVITE", dialog, "", [stranger.credentials(challenge, "INVITE", dialog, "1234")])
        await hears_nothing(stranger)
        stranger.send("INVITE", stranger.begin())
        await hears_nothing(stranger)
    async with udp_peer("anna", at.edge.world, address=PHONE) as phone:
        await phone.call(sdp(PHONE, 9), PASSWORD)


async def test_a_scanner_hears_nothing_and_is_banned_but_a_trunk_never_is(at: Site) -> None:
    for method in ("OPTIONS", "INVITE"):
        async with udp_peer("100", at.edge.world, address=STRANGER) as scanner:
            scanner.agent = "Friendly-Scanner" if method == "OPTIONS" else "an honest phone"
            scanner.send(method, scanner.begin())
            await hears_nothing(scanner)
    assert STRANGER in at.edge.rpc("htable.dump", "banned")
    async with udp_peer("+48601000001", at.edge.world, address=TRUNK) as forged:
        forged.agent = "friendly-scanner"
        await forged.call(sdp(TRUNK, 9))


@pytest.mark.parametrize("at", [{"limits": {"calls_per_s": 5}}], indirect=True)
async def test_more_calls_than_the_bots_can_set_up_are_told_to_come_again(at: Site) -> None:
    async with udp_peer("+48601000001", at.edge.world, address=TRUNK) as caller:
        begin = time.monotonic()
        for _ in range(60):
            caller.send("INVITE", caller.begin(), sdp(TRUNK, 9))
        answers = [await caller.response() for _ in range(60)]
        seconds = math.ceil(time.monotonic() - begin) + 1  # that the burst may touch
    refused = [answer for answer in answers if answer.status == 503]
    assert 0 < len(answers) - len(refused) <= min(5 * seconds, 20)
    assert {answer["retry-after"] for answer in refused} == {"10"}
    assert at.bot.calls == len(answers) - len(refused)


async def test_a_flood_is_cut_and_a_live_call_goes_on(at: Site, tmp_path: Path) -> None:
    sipp = require_program("sipp", package="sip-tester")
    async with media(500) as ear, udp_peer("anna", at.edge.world, address=PHONE) as phone:
        call = await phone.call(sdp("127.0.0.1", ear.port), PASSWORD)
        assert call.answer is not None
        ear.target = call.answer.media
        target = f"{at.edge.world[0]}:{at.edge.world[1]}"
        argv = ["-sn", "uac", "-i", STRANGER, "-p", str(_free(STRANGER)), "-r", "500", "-m", "2500", "-nr", "-nostdin"]
        argv += ["-trace_stat", "-stf", str(tmp_path / "flood.csv"), "-timeout", "8s", "-recv_timeout", "500", target]
        flood = await asyncio.create_subprocess_exec(
            sipp, *argv, cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(30):
            await flood.wait()
        assert STRANGER in at.edge.rpc("htable.dump", "banned")
        assert f"banned {STRANGER}" in at.edge.log()
        heard = len(ear.heard)
        await until(lambda: len(ear.heard) > heard + 60)
        assert ear.pitch() == pytest.approx(700, abs=15)
        assert at.bot.media is not None
        assert at.bot.media.pitch() == pytest.approx(500, abs=15)
        assert (await phone.hang_up(call)).status == 200
        await phone.call(sdp(PHONE, 9), PASSWORD)
    assert at.bot.calls == 2


def _free(address: str) -> int:
    with socket_in("", address) as probe:
        port: int = probe.getsockname()[1]
        return port


async def test_a_huge_session_description_is_refused_unread(at: Site) -> None:
    lines = [f"a=candidate:{number} 1 UDP 1 192.0.2.1 9 typ host" for number in range(400)]
    async with udp_peer("+48601000001", at.edge.world, address=TRUNK) as caller:
        assert (await caller.invite(caller.begin(), sdp(TRUNK, 9, *lines))).status == 513
        await caller.call(sdp(TRUNK, 9))
    assert at.bot.calls == 1


async def test_garbage_does_no_harm(at: Site) -> None:
    async with udp_peer("+48601000001", at.edge.world, address=TRUNK) as caller:
        for noise in (
            b"\0" * 200,
            b"INVITE sip: SIP/2.0\r\n\r\n",
            b"INVITE a b c d\r\nVia: x\r\n\r\n",
            b"{{{%%%\r\n" * 50,
        ):
            caller.send_bytes(noise)
        caller.send("INVITE", caller.begin(), "v=0\r\nm=audio -1 RTP/AVP\r\n")
        await caller.call(sdp(TRUNK, 9))


async def test_a_made_up_route_leads_nowhere_and_nobody_has_the_edge_call_for_them(at: Site) -> None:
    async with (
        udp_peer("premium", at.edge.world, address=STRANGER) as premium,
        udp_peer("1001", at.edge.world, address=STRANGER) as stranger,
        udp_peer("+48601000001", at.edge.world, address=TRUNK) as caller,
    ):
        edge = f"<sip:{at.edge.world[0]}:{at.edge.world[1]};lr>"
        for route in ((edge,), (edge, f"<{premium.uri};lr>")):
            forged = replace(stranger.begin(), to="<sip:a@b>;tag=1", target=premium.uri, route=route)
            stranger.send("INVITE", forged, sdp(STRANGER, 9))
            assert (await stranger.response()).status == 403
        call = await caller.call(sdp(TRUNK, 9))
        caller.send("REFER", replace(call, cseq=2), extra=[f"Refer-To: <{premium.uri}>"])
        assert (await caller.response()).status == 403
        preloaded = replace(caller.begin(), route=(f"<{premium.uri};lr>",))
        assert (await caller.invite(preloaded, sdp(TRUNK, 9))).status == 200
        assert premium.requests == []
    assert "REFER" not in [request.method for request in at.bot.requests]


@pytest.mark.parametrize("when", ["first", "later"])
async def test_sound_from_another_address_does_not_get_into_a_call(at: Site, when: str) -> None:
    async with (
        media(500) as ear,
        media(900, socket_in("", STRANGER)) as intruder,
        udp_peer("+48601000001", at.edge.world, address=TRUNK) as caller,
    ):
        dialog = caller.begin()
        caller.send("INVITE", dialog, sdp("127.0.0.1", ear.port))
        answer = await caller.response()
        first, second = (intruder, ear) if when == "first" else (ear, intruder)
        first.target = answer.media
        await asyncio.sleep(0.5 if when == "first" else 4.0)
        second.target = answer.media
        caller.acknowledge(established(dialog, answer), answer)
        await asyncio.sleep(4.5)
        assert at.bot.media is not None
        assert at.bot.media.pitch() == pytest.approx(500, abs=15)
        assert ear.pitch() == pytest.approx(700, abs=15)
        heard = len(intruder.heard)
        await asyncio.sleep(0.5)
        assert len(intruder.heard) == heard


@pytest.fixture
def certified(tmp_path: Path) -> dict[str, str]:
    return certificate(tmp_path)


async def test_who_connects_and_does_not_talk_is_cut_off_and_others_are_served(
    tmp_path: Path, certified: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANNA", PASSWORD)
    async with bot() as answering:
        async with running(tmp_path, bots=[answering.target], phones=PHONES, world=certified) as edge:
            context = ssl.create_default_context(cafile=certified["tls_certificate"])
            context.check_hostname = False
            silent = [await asyncio.open_connection(*edge.tls, local_addr=(STRANGER, 0)) for _ in range(200)]
            half = await asyncio.open_connection(*edge.tls, local_addr=(STRANGER, 0))
            half[1].write(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
            idle = await asyncio.open_connection(*edge.tls, ssl=context, local_addr=(STRANGER, 0))
            async with tls_peer("anna", edge.tls, certified["tls_certificate"], PHONE) as phone:
                await phone.call(sdp(PHONE, 9), PASSWORD)
            async with asyncio.timeout(40):
                for reader, writer in (*silent, half, idle):
                    with contextlib.suppress(ConnectionError):
                        assert await reader.read() == b""
                    writer.close()
