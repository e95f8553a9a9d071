"""Sound through the real rtpengine: SRTP on the outside, a caller behind a translating router, a real phone and bot."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from telephony.baresip import BaresipEndpoint
from telephony.leg import EndpointSettings
from tests.contract.telephony.debian_phone import DebianPhone
from tests.contract.telephony.listening import Doorbell, hear, speak, until
from tests.contract.telephony.rtp import pitch_of, tone
from tests.integration.edge.bots import bot, media
from tests.integration.edge.namespaces import nat, socket_in
from tests.integration.edge.peer import sdp, tls_peer, udp_peer
from tests.integration.edge.servers import certificate, running

PASSWORD = "tajne"
PHONES = {"realm": "voice.example", "users": [{"name": "anna", "password": {"env": "ANNA"}}]}


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANNA", PASSWORD)


class SecurePhone(DebianPhone):
    """By TLS, with SRTP or not at all, and with a password."""

    def __init__(self, folder: Path, certified: str) -> None:
        super().__init__(folder, tone(500, 20.0))  # it hangs up at the end of its file
        with (self.folder / "config").open("a") as config:
            config.write(f"module srtp.so\nsip_cafile {certified}\nsip_transports udp,tcp,tls\n")
        account = f"<sip:anna@127.0.0.1;transport=tls>;auth_user=anna;auth_pass={PASSWORD};regint=0"
        (self.folder / "accounts").write_text(f"{account};mediaenc=srtp-mand;audio_codecs=pcma\n")


async def test_a_phone_by_tls_and_srtp_talks_with_a_bot_that_knows_neither(tmp_path: Path) -> None:
    certified = certificate(tmp_path)
    endpoint = BaresipEndpoint(EndpointSettings("127.0.0.1", 0, (23000, 23999), max_calls=4))
    await endpoint.start()
    try:
        doorbell = Doorbell(endpoint)
        _, _, port = endpoint.sip_uri.rpartition(":")
        target = {"address": "127.0.0.1", "port": int(port)}
        async with running(tmp_path, bots=[target], phones=PHONES, world=certified) as edge:
            await edge.until_state(f"sip:127.0.0.1:{port}", "AP")  # it answers OPTIONS
            async with SecurePhone(tmp_path, certified["tls_certificate"]) as phone:
                await phone.command("dial", f"sip:+48221234567@127.0.0.1:{edge.tls[1]};transport=tls")
                leg = await doorbell.ring()
                await leg.answer()
                await hear(leg, 8000)
                heard, _ = await asyncio.gather(hear(leg, 8000), speak(leg, tone(700, 3.0)))
                assert pitch_of(heard, 8000) == pytest.approx(500, abs=15)
                assert leg.dialled == "+48221234567"
                await leg.hang_up()
                await asyncio.sleep(0.5)
                sound, rate = phone.heard()
            assert pitch_of(sound[2 * rate : 4 * rate], rate) == pytest.approx(700, abs=15)
            await edge.until_load(f"sip:127.0.0.1:{port}", 0)
    finally:
        await endpoint.stop()


async def test_a_caller_behind_a_translating_router_hears_and_is_heard(tmp_path: Path) -> None:
    with nat() as net:
        async with bot(namespace=net.world) as answering:
            world = {"address": net.world_address}
            async with running(tmp_path, net.world, bots=[answering.target], phones=PHONES, world=world) as edge:
                ear = media(500, socket_in(net.home, net.home_address))
                sock = socket_in(net.home, net.home_address)
                async with ear as sound, udp_peer("anna", edge.world, sock=sock) as phone:
                    call = await phone.call(sdp(net.home_address, sound.port), PASSWORD)
                    assert call.answer is not None
                    assert f"received={net.public_address}" in call.answer["via"]
                    sound.target = call.answer.media
                    assert sound.target[0] == net.world_address
                    await asyncio.sleep(3.0)
                    assert answering.media is not None
                    assert sound.pitch() == pytest.approx(700, abs=15)
                    assert answering.media.pitch() == pytest.approx(500, abs=15)
                    # The router changes ports, and what the bot sends within the call finds the way back.
                    answering.send_back("BYE", answering.first_invite)
                    assert (await answering.response()).status == 200
                assert [request.method for request in phone.requests][-1] == "BYE"


async def test_a_call_with_srtp_keeps_it_when_the_bot_offers_anew(tmp_path: Path) -> None:
    certified = certificate(tmp_path)
    crypto = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
    async with bot() as answering:
        async with running(tmp_path, bots=[answering.target], phones=PHONES, world=certified) as edge:
            async with tls_peer("anna", edge.tls, certified["tls_certificate"], "127.0.0.3") as phone:
                call = await phone.call(sdp("127.0.0.3", 9, crypto, profile="RTP/SAVP"), PASSWORD)
                assert call.answer is not None
                assert " RTP/SAVP " in call.answer.body
                assert " RTP/AVP " in answering.first_invite.body
                answering.send_back("INVITE", answering.first_invite, sdp("127.0.0.1", 9))
                await until(lambda: len(phone.requests) > 0)
                again = phone.requests[0]
                assert (again.method, " RTP/SAVP " in again.body, "a=crypto:" in again.body) == ("INVITE", True, True)


async def test_a_call_that_never_began_is_refused_by_the_bot(tmp_path: Path) -> None:
    endpoint = BaresipEndpoint(EndpointSettings("127.0.0.1", 0, (23000, 23999), max_calls=4))
    await endpoint.start()
    try:
        _, _, port = endpoint.sip_uri.rpartition(":")
        target = {"address": "127.0.0.1", "port": int(port)}
        async with running(tmp_path, bots=[target], phones=PHONES) as edge:
            async with udp_peer("1001", edge.world, address="127.0.0.4") as stranger:
                route = (f"<sip:{edge.world[0]}:{edge.world[1]};lr>",)
                forged = replace(
                    stranger.begin(), to="<sip:a@b>;tag=1", target=f"sip:bot@127.0.0.1:{port}", route=route
                )
                stranger.send("INVITE", forged, sdp("127.0.0.4", 9))
                assert (await stranger.response()).status == 481
            assert endpoint.legs == ()
    finally:
        await endpoint.stop()
