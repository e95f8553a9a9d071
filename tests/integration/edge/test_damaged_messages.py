"""Tortuous and damaged messages and packets, at a bot alone and through the edge, while a call is up.

`DAMAGED_MESSAGES=100000` runs the whole count (minutes); `make test` a small one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.telephony.rtp import digit_packets, rtp, speech_packets, tone
from tests.contract.telephony.torture import TORTURES, damaged, filled
from tests.integration.edge.bots import Media, media
from tests.integration.edge.peer import Dialog, SipPeer, encoded, established, sdp, udp_peer
from tests.integration.edge.servers import Edge, running
from tests.support import free_port

COUNT = int(os.environ.get("DAMAGED_MESSAGES", "3000"))
AT_ONCE, PAUSE_S = 20, 0.02  # a thousand messages a second
GROWTH_MB = 64.0
TRUNK = "127.0.0.2"
MAX_CALLS = 60

pytestmark = pytest.mark.timeout(120 + COUNT // 100)


@dataclass
class Site:
    """A real bot in a process of its own, which echoes its callers; `address`: where SIP for it goes."""

    process: asyncio.subprocess.Process
    address: tuple[str, int]
    edge: Edge | None

    async def usage(self) -> dict[str, Any]:
        """Raises AssertionError when the bot is dead or deaf."""
        assert self.process.returncode is None, f"the bot ended with {self.process.returncode}"
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"usage\n")
        async with asyncio.timeout(10):
            line = await self.process.stdout.readline()
        assert line, "the bot has died"
        told: dict[str, Any] = json.loads(line)
        return told

    async def memory_mb(self) -> float:
        """Of the bot and the edge."""
        pids = [pid for program in self.edge.programs for pid in _family(program.pid)] if self.edge else []
        return float((await self.usage())["rss_mb"]) + sum(_share_mb(pid) for pid in pids)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _share_mb(pid: int) -> float:
    rolled = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in rolled if line.startswith("Pss:")) / 1024


@pytest.fixture(params=["bot", "edge"])
async def at(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        port = free_port()
        argv = ["-m", "benchmarks.wire_bot", str(port), "23000", "23999", str(MAX_CALLS), "0"]
        with (tmp_path / "bot.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=log
            )
        stack.push_async_callback(_end, process)
        site = Site(process, ("127.0.0.1", port), None)
        await site.usage()
        if request.param == "edge":
            settings = {"trunks": [{"name": "carrier", "addresses": [TRUNK]}], "limits": {"calls_per_s": 1000}}
            target = {"address": "127.0.0.1", "port": port, "max_calls": MAX_CALLS}
            edge = await stack.enter_async_context(running(tmp_path, bots=[target], **settings))
            await edge.until_state(f"sip:127.0.0.1:{port}", "AP")
            site = Site(process, edge.world, edge)
        yield site


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
    process._transport.close()  # type: ignore[attr-defined]


@asynccontextmanager
async def live_call(at: Site) -> AsyncIterator[Media]:
    """A call that nobody disturbs: it hears its own tone until the end of the block, without a gap."""
    async with media(500) as ear, udp_peer("+48601000001", at.address, address=TRUNK) as caller:
        call = await caller.call(sdp("127.0.0.1", ear.port))
        assert call.answer is not None
        ear.target = call.answer.media
        await asyncio.sleep(1.0)
        heard, begin = len(ear.heard), time.monotonic()
        yield ear
        await _caught_up(caller)
        seconds = time.monotonic() - begin
        assert len(ear.heard) - heard > 0.98 * 50 * seconds
        assert ear.pitch() == pytest.approx(500, abs=15)
        assert (await caller.hang_up(call)).status == 200


async def _caught_up(peer: SipPeer) -> None:
    """Wait until all is read: the kernel drops what comes too fast, and this peer sends nothing twice."""
    for _ in range(20):
        peer.send("OPTIONS", peer.begin())
        with contextlib.suppress(TimeoutError):
            await peer.response(timeout_s=0.5)
            return
    raise AssertionError("nobody answers OPTIONS")


BODIES: tuple[Callable[[str], str], ...] = (
    lambda address: sdp(address, 9),
    lambda address: sdp(address, 9, "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", "b=AS:64"),
    lambda address: sdp(address, 9, "m=video 9 RTP/AVP 96", "a=rtpmap:96 H264/90000", "m=image 9 udptl t38"),
    lambda address: sdp(address, 9, "a=candidate:1 1 UDP 1 192.0.2.1 9 typ host", "a=ice-ufrag:a", "a=rtcp:10"),
    lambda address: sdp(address, 9, "a=rtpmap:107 opus/48000/2", "a=fmtp:107 useinbandfec=1;maxplaybackrate=8000"),
    lambda address: sdp(address, 9, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19z|2^20|1:4", profile="RTP/SAVP"),
    lambda address: sdp(address, 9).replace("sendrecv", "sendonly").replace("IN IP4", "IN IP6"),
)
EXTRA = {
    "INFO": ("Signal=5\r\nDuration=160\r\n", ["Content-Type: application/dtmf-relay"]),
    "NOTIFY": ("SIP/2.0 200 OK\r\n", ["Event: refer", "Subscription-State: terminated;reason=noresource"]),
    "REFER": ("", ["Refer-To: <sip:%s%n%p@127.0.0.1?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>"]),
    "PRACK": ("", ["RAck: 1 1 INVITE"]),
    "SUBSCRIBE": ("", ["Event: dialog", "Expires: 60"]),
}
METHODS = ("INVITE",) * 8 + ("UPDATE", "INFO", "NOTIFY", "REFER", "PRACK", "CANCEL", "BYE", "ACK", "OPTIONS")
METHODS += ("SUBSCRIBE", "MESSAGE", "REGISTER", "PUBLISH")


class Vandal:
    """Sends damaged messages, within a call of its own and without one; takes leave of whoever answers."""

    def __init__(self, peer: SipPeer, chance: random.Random) -> None:
        self._peer = peer
        self._chance = chance
        self._standing: Dialog | None = None
        self._asked: dict[str, Dialog] = {}
        self.answered: dict[int, int] = {}

    async def torture(self) -> None:
        """The messages of RFC 4475 as they are."""
        for serial, message in enumerate(TORTURES.values()):
            self._peer.send_bytes(filled(message, *self._places(), -serial))
            await asyncio.sleep(PAUSE_S)

    def _places(self) -> tuple[str, str]:
        (host, port), (own, own_port) = self._peer.edge, self._peer.address
        return f"{host}:{port}", f"{own}:{own_port}"

    async def send(self, count: int) -> None:
        for number in range(count):
            if number % 500 == 0:
                await self._begin_anew()
            self._peer.send_bytes(self._message(number))
            if number % AT_ONCE == 0:
                self._take_leave()
                await asyncio.sleep(PAUSE_S)
        self._take_leave()

    async def _begin_anew(self) -> None:
        """A call that the next messages belong to, where there is room for one."""
        if self._standing is not None:
            self._peer.send("BYE", replace(self._standing, cseq=9999))
        dialog = self._peer.begin()
        self._peer.send("INVITE", dialog, BODIES[0](self._peer.address[0]))
        try:
            answer = await self._peer.response(call_id=dialog.call_id, timeout_s=2.0)
        except TimeoutError:
            return
        if answer.status == 200:
            self._standing = established(dialog, answer)
            self._peer.acknowledge(self._standing, answer)

    def _message(self, number: int) -> bytes:
        chance, peer = self._chance, self._peer
        if chance.random() < 0.15:
            return damaged(filled(chance.choice(list(TORTURES.values())), *self._places(), number), chance)
        method = chance.choice(METHODS)
        within = self._standing if self._standing is not None and chance.random() < 0.5 else None
        dialog = replace(within, cseq=number + 2) if within is not None else peer.begin()
        body, extra = EXTRA.get(method, ("", []))
        if method in ("INVITE", "UPDATE", "ACK"):
            body = chance.choice(BODIES)(peer.address[0])
        if method == "INVITE" and within is None:
            self._asked[dialog.call_id] = dialog
        lines = [*peer.lines(method, dialog, f"z9hG4bKv{number}"), *extra]
        if body and chance.random() < 0.5:  # all is well but what is described
            kind = [] if extra else ["Content-Type: application/sdp"]
            broken = damaged(body.encode(), chance)
            head = "\r\n".join([*lines, *kind, f"Content-Length: {len(broken)}", "", ""])
            return head.encode() + broken
        return damaged(encoded(lines, body), chance)

    def _take_leave(self) -> None:
        """ACK and BYE for calls that were answered for all the damage."""
        while not self._peer.received.empty():
            answer = self._peer.received.get_nowait()
            self.answered[answer.status] = self.answered.get(answer.status, 0) + 1
            asked = self._asked.pop(answer["call-id"], None) if answer.status >= 200 else None
            if asked is not None and answer.status == 200 and "INVITE" in answer["cseq"]:
                call = established(asked, answer)
                self._peer.acknowledge(call, answer)
                self._peer.send("BYE", replace(call, cseq=2))


async def test_tortuous_and_damaged_messages_leave_a_live_call_untouched(at: Site) -> None:
    async with live_call(at):
        async with udp_peer("+48601000002", at.address, address=TRUNK) as peer:
            vandal = Vandal(peer, random.Random(8))
            await vandal.torture()
            await vandal.send(min(1000, COUNT))  # fills caches and pools
            before = await at.memory_mb()
            await vandal.send(COUNT)
        after = await at.memory_mb()
    print(f"{COUNT} messages: {before:.0f} MB, then {after:.0f} MB; answers {sorted(vandal.answered.items())}")
    assert after - before < GROWTH_MB
    await _all_is_well(at)


async def test_damaged_packets_leave_a_live_call_untouched(at: Site) -> None:
    chance = random.Random(8)
    control = [
        bytes.fromhex("80c80006000000070000000000000000000000000000000000000000"),
        bytes.fromhex("81cb000100000007"),
    ]
    seeds = [*speech_packets(tone(300, 0.1)), *(one for one in digit_packets("5") if one), *control]
    seeds += [rtp(13, 1, 160, b"\x40"), rtp(107, 1, 160, bytes(60)), rtp(96, 1, 160, bytes(1200))]
    async with live_call(at), udp_peer("+48601000002", at.address, address=TRUNK) as peer, media(300) as vandal:
        call = await peer.call(sdp("127.0.0.1", vandal.port))
        assert call.answer is not None
        vandal.target = host, port = call.answer.media
        await asyncio.sleep(1.0)
        before = await at.memory_mb()
        for number in range(COUNT):
            packet = damaged(chance.choice(seeds), chance)[:1400]
            vandal.send_to(packet, (host, port + (chance.random() < 0.2)))
            if number % AT_ONCE == 0:
                await asyncio.sleep(PAUSE_S)
        await asyncio.sleep(1.0)
        after = await at.memory_mb()
        assert vandal.pitch() == pytest.approx(300, abs=15)  # the call that was disturbed goes on, too
        assert (await peer.hang_up(call)).status == 200
    print(f"{COUNT} packets: {before:.0f} MB, then {after:.0f} MB")
    assert after - before < GROWTH_MB
    await _all_is_well(at)


async def _all_is_well(at: Site) -> None:
    """The bot and the edge live, and serve the next caller."""
    async with udp_peer("+48601000003", at.address, address=TRUNK) as caller:
        await caller.hang_up(await caller.call(sdp(TRUNK, 9)))
    await at.usage()
    if at.edge is not None:
        assert all(program.running() for program in at.edge.programs)
        assert "child process" not in at.edge.log()
