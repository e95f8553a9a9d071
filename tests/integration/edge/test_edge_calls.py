"""Calls through the real Kamailio: which bot gets them, and what callers are told when none can."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.contract.telephony.listening import until
from tests.integration.edge.bots import Bot, bot
from tests.integration.edge.peer import SipPeer, established, sdp, udp_peer
from tests.integration.edge.servers import Edge, running

TRUNK = "127.0.0.2"
OFFER = sdp(TRUNK, 9)


@dataclass
class Site:
    """An edge with two bots, of two calls each, and a caller of its trunk."""

    edge: Edge
    bots: tuple[Bot, Bot]
    caller: SipPeer


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    async with bot() as first, bot() as second:
        targets = [{**one.target, "max_calls": 2} for one in (first, second)]
        trunks = [{"name": "carrier", "addresses": [TRUNK]}]
        async with running(folder, bots=targets, trunks=trunks) as edge:
            async with udp_peer("+48601000001", edge.world, address=TRUNK) as caller:
                yield Site(edge, (first, second), caller)


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Site]:
    async with site(tmp_path) as made:
        yield made


async def test_calls_go_to_the_bot_with_the_fewest_and_full_means_503(at: Site) -> None:
    calls = [await at.caller.call(OFFER) for _ in range(4)]
    assert [one.calls for one in at.bots] == [2, 2]
    refused = await at.caller.invite(at.caller.begin(), OFFER)
    assert (refused.status, refused["retry-after"]) == (503, "10")
    assert (await at.caller.hang_up(calls[0])).status == 200
    await at.caller.call(OFFER)
    assert sum(one.calls for one in at.bots) == 5


async def test_a_bot_that_is_busy_is_followed_by_the_next(at: Site) -> None:
    at.bots[0].status = "486 Busy Here"
    for _ in range(2):
        await at.caller.call(OFFER)
    assert at.bots[1].calls == 2
    assert at.edge.load(at.bots[0].place) == 0
    at.bots[1].status = "486 Busy Here"
    refused = await at.caller.invite(at.caller.begin(), OFFER)
    assert (refused.status, refused["retry-after"]) == (503, "10")


async def test_a_bot_that_says_nothing_is_passed_over_and_then_taken_out_until_it_answers_again(at: Site) -> None:
    dead, alive = at.bots
    dead.status = ""
    for _ in range(2):
        await at.caller.call(OFFER)
    assert alive.calls == 2
    await at.edge.until_state(dead.place, "IP")
    heard = dead.calls
    assert (await at.caller.invite(at.caller.begin(), OFFER)).status == 503
    assert dead.calls == heard
    dead.status = "200 OK"
    await at.edge.until_state(dead.place, "AP")
    await at.caller.call(OFFER)
    assert "does not answer OPTIONS" in at.edge.log()


async def test_a_bot_is_drained_by_a_command_and_its_calls_go_on(at: Site) -> None:
    calls = [await at.caller.call(OFFER) for _ in range(2)]
    drained, other = at.bots
    at.edge.rpc("dispatcher.set_state", "dx", "1", drained.place)
    await at.caller.call(OFFER)
    assert (drained.calls, other.calls) == (1, 2)
    assert (await at.caller.invite(at.caller.begin(), OFFER)).status == 503
    for call in calls:
        assert (await at.caller.hang_up(call)).status == 200
    assert "BYE" in [request.method for request in drained.requests]
    await at.edge.until_load(drained.place, 0)
    at.edge.rpc("dispatcher.set_state", "ap", "1", drained.place)
    await at.caller.call(OFFER)
    assert drained.calls == 2


async def test_a_caller_who_gives_up_while_it_rings_leaves_nothing(at: Site) -> None:
    for one in at.bots:
        one.status = "180 Ringing"
    dialog = at.caller.begin()
    branch = at.caller.send("INVITE", dialog, OFFER)
    await at.caller.response(180)
    (rung,) = [one for one in at.bots if one.calls]
    assert at.edge.load(rung.place) == 1
    at.caller.send("CANCEL", dialog, branch=branch)
    assert (await at.caller.response()).status == 200
    await until(lambda: "CANCEL" in [request.method for request in rung.requests])
    rung.reply(rung.first_invite, "487 Request Terminated", at.edge.inside)
    assert (await at.caller.response()).status == 487
    await at.edge.until_load(rung.place, 0)


async def test_a_caller_who_leaves_the_offer_to_the_bot_gets_one_with_the_edges_address(at: Site) -> None:
    dialog = at.caller.begin()
    at.caller.send("INVITE", dialog)
    offer = await at.caller.response()
    (called,) = [one for one in at.bots if one.calls]
    assert called.media is not None
    assert offer.media[1] not in (0, called.media.port)
    at.caller.send("ACK", established(dialog, offer), OFFER)
    await until(lambda: called.requests[-1].method == "ACK")
    assert called.requests[-1].media[0] == "127.0.0.1"
    assert called.requests[-1].media[1] != 9


async def test_a_bot_may_transfer_its_caller_and_is_told_what_became_of_it(at: Site) -> None:
    call = await at.caller.call(OFFER)
    (called,) = [one for one in at.bots if one.calls]
    called.send_back("REFER", called.first_invite, extra=["Refer-To: <sip:+48601000002@127.0.0.2>"])
    assert (await called.response()).status == 200
    assert [request["refer-to"] for request in at.caller.requests] == ["<sip:+48601000002@127.0.0.2>"]
    at.caller.send("NOTIFY", replace(call, cseq=2), extra=["Event: refer", "Subscription-State: terminated"])
    assert (await at.caller.response()).status == 200
    assert called.requests[-1].method == "NOTIFY"


async def test_calls_go_on_when_kamailio_is_started_anew(at: Site) -> None:
    call = await at.caller.call(OFFER)
    (called,) = [one for one in at.bots if one.calls]
    await at.edge.restart()
    assert (await at.caller.hang_up(call)).status == 200
    assert called.requests[-1].method == "BYE"


async def test_a_trunk_whose_name_is_not_known_yet_is_not_left_out(tmp_path: Path) -> None:
    trunks = [{"name": "carrier", "addresses": [TRUNK], "server": "sip.carrier.invalid"}]
    async with bot() as called, running(tmp_path, bots=[called.target], trunks=trunks) as edge:
        assert edge.state("sip:sip.carrier.invalid;transport=udp")
        async with udp_peer("+48601000001", edge.world, address=TRUNK) as caller:
            await caller.call(OFFER)


async def test_without_rtpengine_calls_are_refused_and_not_mute(at: Site) -> None:
    await asyncio.to_thread(at.edge.programs[0].end)
    refused = await at.caller.invite(at.caller.begin(), OFFER)
    assert (refused.status, refused["retry-after"]) == (503, "10")
    assert [one.calls for one in at.bots] == [0, 0]
    assert [at.edge.load(one.place) for one in at.bots] == [0, 0]
    assert "rtpengine does not answer" in at.edge.log()


async def test_who_demands_session_timers_refreshes_the_call_alone(at: Site) -> None:
    """RFC 4028: the bots know nothing of them, and refuse who demands them."""
    demanded = ("Require: timer", "Supported: timer", "Session-Expires: 90;refresher=uas")
    at.bots[0].status = "486 Busy Here"  # the second that is tried gets the same request
    dialog = at.caller.begin()
    answer = await at.caller.invite(dialog, OFFER, demanded)
    assert (answer.status, answer["require"], answer["session-expires"]) == (200, "timer", "90;refresher=uac")
    call = established(dialog, answer)
    for method, body in (("UPDATE", ""), ("INVITE", OFFER)):
        call = replace(call, cseq=call.cseq + 1)
        at.caller.send(method, call, body, demanded)
        again = await at.caller.response()
        assert (again.status, again["session-expires"]) == (200, "90;refresher=uac")
    assert {request["require"] for one in at.bots for request in one.requests} == {""}
    assert (await at.caller.hang_up(call)).status == 200


async def test_another_extension_that_is_demanded_is_the_bots_to_refuse(at: Site) -> None:
    for one in at.bots:
        one.status = "420 Bad Extension"
    asked = ("Require: timer, precondition", "Session-Expires: 90")
    assert (await at.caller.invite(at.caller.begin(), OFFER, asked)).status == 420
    invites = [request for one in at.bots for request in one.requests if request.method == "INVITE"]
    assert [request["require"] for request in invites] == ["timer, precondition"]
