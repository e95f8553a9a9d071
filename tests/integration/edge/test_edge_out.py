"""Calls out and registrations by the real Kamailio: at trunks, from trunk to trunk, and to phones that signed in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.contract.telephony.listening import until
from tests.integration.edge.bots import Bot, bot
from tests.integration.edge.namespaces import socket_in
from tests.integration.edge.peer import Message, SipPeer, md5, sdp, udp_peer
from tests.integration.edge.servers import Edge, running

PASSWORD = 'ha:s\\ło "7'
FIRST, SECOND, PHONE = "127.0.0.2", "127.0.0.5", "127.0.0.3"
OFFER = sdp("127.0.0.1", 9)


class Trunk(Bot):
    """A carrier: asks for the password of REGISTER, and of INVITE where `strict`."""

    strict = False

    def on_request(self, request: Message, source: tuple[str, int]) -> None:
        asks = {"REGISTER": ("401 Unauthorized", "WWW"), "INVITE": ("407 Proxy Authentication Required", "Proxy")}
        named = request["authorization"] or request["proxy-authorization"]
        if request.method in asks and not named and (self.strict or request.method == "REGISTER"):
            status, kind = asks[request.method]
            challenge = f'{kind}-Authenticate: Digest realm="carrier", nonce="{len(self.requests)}", qop="auth"'
            self.reply(request, status, source, extra=[challenge])
        elif request.method == "REGISTER":
            self.reply(request, "200 OK", source, extra=[f"Contact: {request['contact']};expires=600"])
        else:
            super().on_request(request, source)

    def signed(self, method: str) -> list[Message]:
        """Requests that proved to know the password."""
        return [request for request in self.requests if request.method == method and _proves(request, PASSWORD)]


def _proves(request: Message, password: str) -> bool:
    said: dict[str, str] = dict(
        re.findall(r'(\w+)="?([^",]+)"?', request["authorization"] or request["proxy-authorization"])
    )
    if not said:
        return False
    ha1 = md5(f"{said['username']}:{said['realm']}:{password}")
    ha2 = md5(f"{request.method}:{said['uri']}")
    middle = f"{said['nonce']}:{said['nc']}:{said['cnonce']}:{said['qop']}"
    return said["response"] == md5(f"{ha1}:{middle}:{ha2}")


@asynccontextmanager
async def trunk(address: str) -> AsyncIterator[Trunk]:
    loop = asyncio.get_running_loop()
    wire, peer = await loop.create_datagram_endpoint(
        lambda: Trunk("carrier", ("", 0), "udp"), sock=socket_in("", address)
    )
    try:
        yield peer
    finally:
        wire.close()


@dataclass
class Site:
    """An edge with two trunks, the first with a password, a phone's account, and a bot that dials."""

    edge: Edge
    trunks: tuple[Trunk, Trunk]
    bot: SipPeer


@pytest.fixture
async def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setenv("PASSWORD", PASSWORD)
    async with AsyncExitStack() as stack:
        answering = await stack.enter_async_context(bot())
        first, second = [await stack.enter_async_context(trunk(address)) for address in (FIRST, SECOND)]
        servers = [f"{one.address[0]}:{one.address[1]}" for one in (first, second)]
        account = {"user": "48221234567", "auth_user": "reg7", "password": {"env": "PASSWORD"}}
        trunks = [
            {"name": "carrier", "addresses": [FIRST], "server": servers[0], **account},
            {"name": "reserve", "addresses": [SECOND], "server": servers[1]},
        ]
        phones = {"realm": "voice.example", "users": [{"name": "anna", "password": {"env": "PASSWORD"}}]}
        rest = {"people": {"outbound": {"uri": "sip:{number}@127.0.0.1", "allow": ["+48"]}}}
        site = running(tmp_path, bots=[answering.target], trunks=trunks, phones=phones, rest=rest)
        edge = await stack.enter_async_context(site)
        dialling = await stack.enter_async_context(udp_peer("bot", edge.inside))
        yield Site(edge, (first, second), dialling)


async def test_the_edge_registers_at_a_trunk_with_its_password(at: Site) -> None:
    carrier, reserve = at.trunks
    await until(lambda: bool(carrier.signed("REGISTER")))
    request = carrier.signed("REGISTER")[0]
    assert 'username="reg7"' in request["authorization"]
    assert request["from"].startswith("<sip:48221234567@127.0.0.2>")
    assert request["contact"].startswith(f"<sip:carrier@127.0.0.1:{at.edge.world[1]}")
    assert reserve.signed("REGISTER") == []


async def test_a_call_out_signs_in_at_its_trunk_and_shows_the_number_that_is_registered(at: Site) -> None:
    carrier, reserve = at.trunks
    carrier.strict = True
    call = await at.bot.call(OFFER, number="+48601000001")
    first, again = [request for request in carrier.requests if request.method == "INVITE"]
    assert carrier.signed("INVITE") == [again]
    assert int(again["cseq"].split()[0]) > int(first["cseq"].split()[0])
    assert again.start.startswith("INVITE sip:+48601000001@127.0.0.2")
    assert {request["from"].partition(";")[0] for request in (first, again)} == {"<sip:48221234567@127.0.0.2>"}
    assert again.media[0] == "127.0.0.1"
    assert again.media[1] != 9
    assert (await at.bot.hang_up(call)).status == 200
    assert "BYE" in [request.method for request in carrier.requests]
    assert reserve.calls == 0


async def test_a_trunk_that_fails_is_followed_by_the_next_and_one_that_answers_is_not(at: Site) -> None:
    carrier, reserve = at.trunks
    carrier.status = "503 Service Unavailable"
    await at.bot.call(OFFER, number="+48601000001")
    assert reserve.calls == 1
    assert "48221234567" not in reserve.first_invite["from"]
    carrier.status = "486 Busy Here"
    assert (await at.bot.invite(at.bot.begin("+48601000002"), OFFER)).status == 486
    assert reserve.calls == 1
    carrier.status = ""
    await at.edge.until_state(f"sip:{carrier.address[0]}:{carrier.address[1]};transport=udp", "IP")
    await at.bot.call(OFFER, number="+48601000003")
    assert reserve.calls == 2


async def test_a_number_that_may_not_be_rung_is_not(at: Site) -> None:
    for number in ("+19005550100", "0048601000001", "nobody"):
        assert (await at.bot.invite(at.bot.begin(number), OFFER)).status == 403
    assert [one.calls for one in at.trunks] == [0, 0]


async def test_a_bot_rings_a_phone_that_has_signed_in(at: Site) -> None:
    assert (await at.bot.invite(at.bot.begin("anna"), OFFER)).status == 480
    async with udp_peer("anna", at.edge.world, address=PHONE) as phone:
        dialog = phone.begin()
        phone.send("REGISTER", dialog)
        challenge = await phone.response()
        assert challenge.status == 401
        dialog = replace(dialog, cseq=2)
        phone.send("REGISTER", dialog, "", [phone.credentials(challenge, "REGISTER", dialog, PASSWORD)])
        assert (await phone.response()).status == 200
        at.bot.send("INVITE", at.bot.begin("anna"), OFFER)
        assert (await at.bot.response()).status == 200
        rung = [request for request in phone.requests if request.method == "INVITE"]
        assert len(rung) == 1
        assert rung[0].media[1] != 9
