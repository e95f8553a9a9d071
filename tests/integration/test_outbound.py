"""The only way out: what may be rung, how often, and that nobody outside can make the bot ring anybody."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from telephony.baresip import BaresipEndpoint
from telephony.errors import DialFailed
from telephony.testing import MemoryEndpoint, MemoryNetwork
from tests.contract.telephony.far_end import SETTINGS
from tests.contract.telephony.listening import Doorbell, all_events
from tests.contract.telephony.rtp import rtp_peer
from tests.contract.telephony.sipp import Scenario, Sipp
from tests.integration.call_harness import Phone, line
from voicebot import events, outbound
from voicebot.arrivals import arrival
from voicebot.config import Config, NumberSettings
from voicebot.errors import NotReached, NotToBeRung
from voicebot.events import Outcome
from voicebot.outbound import Outbound
from voicebot.people_settings import AgentSettings, OutboundSettings, PeopleSettings, QueueSettings
from voicebot.records.database import DATABASE
from voicebot.sip_settings import SipSettings

PREMIUM = "+48700123456"
ROUTES = (
    OutboundSettings(uri="sip:{number}@127.0.0.1:6001", allow=("+4860",), per_day=2),
    OutboundSettings(uri="sip:{number}@127.0.0.1:6002", allow=("+48",), per_day=1),
)


def settings(data: Path, **people: Any) -> Config:
    return Config(
        data=data,
        numbers=(NumberSettings(number="*", bot=Path("shop"), language="pl"),),
        people=PeopleSettings(outbound=ROUTES, **people),
    )


@asynccontextmanager
async def way_out(data: Path) -> AsyncIterator[Outbound]:
    gate = Outbound(MemoryEndpoint(SETTINGS, MemoryNetwork()), settings(data))
    try:
        yield gate
    finally:
        gate.close()


async def refused(gate: Outbound, to: str) -> str:
    with pytest.raises(NotToBeRung) as caught:
        await gate.permitted(to)
    return caught.value.cause


async def test_numbers_go_by_the_first_route_that_allows_them(tmp_path: Path) -> None:
    async with way_out(tmp_path) as gate:
        assert await gate.permitted("+48600100200") == "sip:+48600100200@127.0.0.1:6001"
        assert await gate.permitted("+48221234567") == "sip:+48221234567@127.0.0.1:6002"


@pytest.mark.parametrize(
    "to",
    [
        "+442079460958",
        PREMIUM,
        "+48801123456",
        "+19005551234",
        "+48",
        "sip:0019005551234@127.0.0.1:6002",
        "sip:700123456@127.0.0.1",
        "sip:9,0048600100200@127.0.0.1",
        "sip:0%2B48600100200@127.0.0.1",
        "sip:*21*600100200%23@127.0.0.1",
        "sip:%2B19005551234@127.0.0.1",
        "sips:+442079460958;ext=1@127.0.0.1",
    ],
)
async def test_what_is_never_rung(tmp_path: Path, to: str, caplog: pytest.LogCaptureFixture) -> None:
    async with way_out(tmp_path) as gate:
        assert await refused(gate, to) == "not_allowed"
    assert f"not rung: {to} (not_allowed)" in caplog.text


@pytest.mark.parametrize("to", ["sip:anna@192.0.2.20", "sip:201@192.0.2.20", "sip:phone600100200@x", "sip:192.0.2.20"])
async def test_telephones_of_the_house_are_rung_as_they_are_and_not_counted(tmp_path: Path, to: str) -> None:
    async with way_out(tmp_path) as gate:
        assert [await gate.permitted(to) for _ in range(5)] == [to] * 5


async def test_a_desk_phone_behind_a_number_is_counted_as_one(tmp_path: Path) -> None:
    async with way_out(tmp_path) as gate:
        desk = "sip:0048600100200@192.0.2.20"
        assert [await gate.permitted(desk) for _ in range(2)] == [desk] * 2
        assert await refused(gate, desk) == "limit_reached"


async def test_each_route_has_its_limit_a_day_which_a_restart_does_not_lift(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with way_out(tmp_path) as gate:
        await asyncio.gather(*(gate.permitted("+48600100200") for _ in range(2)))
        assert await refused(gate, "+48600100200") == "limit_reached"
        await gate.permitted("+48221234567")
    async with way_out(tmp_path) as gate:
        assert await refused(gate, "+48600100200") == "limit_reached"
        assert await refused(gate, "+48221234567") == "limit_reached"

        class Tomorrow(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return datetime.now(tz) + timedelta(days=1)

        monkeypatch.setattr(outbound, "datetime", Tomorrow)
        assert await gate.permitted("+48600100200")


async def test_what_cannot_be_counted_is_not_rung(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_text("no database")
    async with way_out(tmp_path) as gate:
        assert await refused(gate, "+48600100200") == "not_counted"
        assert await gate.permitted("sip:anna@192.0.2.20")


async def test_a_phone_that_does_not_answer_says_why(tmp_path: Path) -> None:
    network = MemoryNetwork()
    endpoint = MemoryEndpoint(SETTINGS, network)
    await endpoint.start()
    gate = Outbound(endpoint, settings(tmp_path))
    with pytest.raises(NotReached, match="unreachable"):
        await gate.dial("sip:anna@127.0.0.1:6999", caller="", headers={}, timeout_s=1)
    await endpoint.stop()
    gate.close()


def test_nothing_of_the_bot_rings_by_another_way() -> None:
    """`voicebot.caller`, `demo` and `audio_tests` are callers from outside, with endpoints of their own."""
    root = Path(outbound.__file__).parent
    ringing = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("dial", "transfer", "attended_transfer"):
                ringing.add(path.relative_to(root).as_posix())
    assert ringing == {"outbound.py", "people/phones.py", "people/pbx.py", "caller/caller.py", "audio_tests/phone.py"}


async def test_a_caller_whose_agent_may_not_be_rung_is_not_dropped(tmp_path: Path) -> None:
    """The limit of the day is reached: told in the record, and the caller is promised a callback."""
    mobile = AgentSettings(name="Anna", uri="sip:+48600100200@127.0.0.1:6001")
    route = OutboundSettings(uri="sip:{number}@127.0.0.1:6001", allow=("+48",), per_day=0)
    queue = QueueSettings(ring_s=1.0, decide_s=1.0, longest_wait_s=1.0)
    people = PeopleSettings(outbound=(route,))
    async with line(tmp_path, (mobile,), people=people, queue=queue) as bot:
        phone = Phone(bot.network, 6000)
        await phone.start()
        leg = await phone.dial()
        await bot.until(events.BotSaid, step="greeting/ask")
        await bot.say("konsultant")
        await bot.until(events.AgentRefused, cause="limit_reached")
        await bot.over()
        await phone.stop()
    assert leg.state == "ended"
    assert bot.events(events.CallEnded)[0].outcome is Outcome.CALLBACK_PROMISED


# From outside, with real peers


@asynccontextmanager
async def premium() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A port that nobody must send anything to."""

    class Listening(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            got.append(data)

    got: list[bytes] = []
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Listening, local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1], got
    finally:
        transport.close()


@pytest.fixture
async def endpoint() -> AsyncIterator[BaresipEndpoint]:
    endpoint = BaresipEndpoint(dataclasses.replace(SETTINGS, expose_headers=("User-to-User", "X-Tenant")))
    await endpoint.start()
    yield endpoint
    await endpoint.stop()


def _port(endpoint: BaresipEndpoint) -> int:
    return int(endpoint.sip_uri.rpartition(":")[2])


async def test_a_refer_of_a_caller_rings_nobody(endpoint: BaresipEndpoint, tmp_path: Path) -> None:
    bell = Doorbell(endpoint)
    async with premium() as (port, got), rtp_peer() as media:
        scenario = Scenario(media.port).talk().refer(f"sip:{PREMIUM}@127.0.0.1:{port}").expect(202)
        scenario.receive("NOTIFY").reply("200 OK").receive("NOTIFY").reply("200 OK").pause(500).bye()
        async with Sipp(scenario, tmp_path, target=_port(endpoint)) as caller:
            leg = await bell.ring()
            await leg.answer()
            await all_events(leg)
            await caller.finished()
            assert "SIP/2.0 603" in caller.messages()
        assert got == []


async def test_a_refer_of_nobody_rings_nobody(endpoint: BaresipEndpoint) -> None:
    async with premium() as (port, got), rtp_peer() as scanner:
        here, us = f"127.0.0.1:{scanner.port}", f"127.0.0.1:{_port(endpoint)}"
        lines = [
            f"REFER sip:bot@{us} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bKrefer",
            f"From: <sip:a@{here}>;tag=1",
            f"To: <sip:bot@{us}>",
            "Call-ID: refer",
            "CSeq: 1 REFER",
            f"Contact: <sip:a@{here}>",
            "Max-Forwards: 70",
            f"Refer-To: <sip:{PREMIUM}@127.0.0.1:{port}>",
            "Content-Length: 0",
        ]
        scanner.send_to("\r\n".join([*lines, "", ""]).encode(), ("127.0.0.1", _port(endpoint)))
        await asyncio.sleep(0.5)
        assert scanner.received[0][1].startswith(b"SIP/2.0 501")
        assert got == []


async def test_a_phone_that_diverts_the_call_elsewhere_is_not_followed(
    endpoint: BaresipEndpoint, tmp_path: Path
) -> None:
    async with premium() as (port, got):
        away = f"sip:{PREMIUM}@127.0.0.1:{port}"
        scenario = Scenario().receive("INVITE").reply("302 Moved Temporarily", contact=away).receive("ACK")
        async with Sipp(scenario, tmp_path) as phone:
            await phone.listening()
            with pytest.raises(DialFailed, match="302"):
                await endpoint.dial(phone.uri, timeout_s=5)
            await phone.finished()
        assert got == []


@pytest.mark.parametrize("caller", ["600%0D%0AX-Evil:%201%0D%0A", "600100200"])
async def test_headers_of_a_caller_cannot_bring_others_with_them(
    endpoint: BaresipEndpoint, tmp_path: Path, caller: str
) -> None:
    """CR and LF, folded, escaped, encoded: what goes on to the agent's phone is what came, on one line."""
    bell = Doorbell(endpoint)
    sip = SipSettings(headers=("User-to-User", "X-Tenant"))
    injected = ("User-to-User: 31\n X-Evil: 2", "X-Tenant: shop%0D%0AX-Evil: 3")
    async with (
        rtp_peer() as media,
        Sipp(
            Scenario(media.port, caller=caller, headers=injected).refused(486), tmp_path, target=_port(endpoint)
        ) as calling,
    ):
        leg = await bell.ring()
        came = arrival(leg, sip)
        answering = Scenario(media.port).receive("INVITE").reply("486 Busy Here").receive("ACK")
        async with Sipp(answering, tmp_path) as phone:
            await phone.listening()
            with pytest.raises(DialFailed, match="486"):
                await endpoint.dial(phone.uri, caller=came.caller, headers=came.headers, timeout_s=5)
            await phone.finished()
            heads = {line.partition(":")[0].lower() for line in phone.messages().splitlines()}
            assert "x-evil" not in heads
            assert {"user-to-user", "x-tenant"} <= heads
        await leg.reject()
        await calling.finished()
