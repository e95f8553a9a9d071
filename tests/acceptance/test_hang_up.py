"""The caller hangs up, in every state of a call: it ends at once, is recorded, and nothing of it is held any more."""

from __future__ import annotations

import os
import signal
import socket
import uuid

import pytest

from tests.acceptance.bot import Bot
from tests.acceptance.conftest import Call
from tests.acceptance.programs import Program, until

pytestmark = pytest.mark.timeout(300)

CALLER_LEFT = "remote_hangup"


def test_while_it_rings(bot: Bot) -> None:
    """INVITE and CANCEL come together, so that the call is given up before anybody can have answered it."""
    number = "+48601555000"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.settimeout(20)
        invite, cancel = _invite_and_cancel(number, phone.getsockname()[1], bot.settings["sip"]["port"])
        os.kill(bot.pid, signal.SIGSTOP)
        try:
            for request in (invite, cancel):
                phone.sendto(request, ("127.0.0.1", bot.settings["sip"]["port"]))
        finally:
            os.kill(bot.pid, signal.SIGCONT)
        while not (answer := phone.recv(4096)).startswith(b"SIP/2.0 487"):
            assert answer.startswith((b"SIP/2.0 1", b"SIP/2.0 200")), answer
        phone.sendto(_ack(invite, answer), ("127.0.0.1", bot.settings["sip"]["port"]))
        record = bot.call_from(number)
        ended = record.ended()
    assert (ended["outcome"], ended["cause"]) == ("abandoned", "cancelled")
    assert record.said() == ""


def _invite_and_cancel(number: str, port: int, to_port: int) -> tuple[bytes, bytes]:
    call = uuid.uuid4().hex
    sdp = "\r\n".join(
        ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 9 RTP/AVP 8", ""]
    )

    def request(method: str, *headers: str, body: str = "") -> bytes:
        lines = [
            f"{method} sip:100@127.0.0.1:{to_port} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{call}",
            "Max-Forwards: 70",
            f"From: <sip:{number}@127.0.0.1:{port}>;tag={call[:8]}",
            f"To: <sip:100@127.0.0.1:{to_port}>",
            f"Call-ID: {call}",
            f"CSeq: 1 {method}",
            *headers,
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    contact = f"Contact: <sip:{number}@127.0.0.1:{port}>"
    return request("INVITE", contact, "Content-Type: application/sdp", body=sdp), request("CANCEL")


def _ack(invite: bytes, refusal: bytes) -> bytes:
    """Of a refused INVITE: the same transaction, with the refusal's To."""
    to = next(line for line in refusal.split(b"\r\n") if line.lower().startswith(b"to:"))
    head = invite.partition(b"\r\n\r\n")[0].split(b"\r\n")
    lines = [
        to if line.startswith(b"To:") else line
        for line in head
        if not line.startswith((b"Contact", b"Content-Type", b"Content-Length"))
    ]
    text = b"\r\n".join(lines).replace(b"INVITE", b"ACK")
    return text + b"\r\nContent-Length: 0\r\n\r\n"


def test_in_the_greeting(bot: Bot, call: Call) -> None:
    caller = call({"wait": 1.5}, "hang_up")
    record = caller.call()
    ended = record.ended()
    assert (ended["outcome"], ended["cause"]) == ("abandoned", CALLER_LEFT)
    assert "W czym mogę pomóc?" not in record.said()
    assert record.file("transcript.json")["outcome"] == "abandoned"
    assert caller.result()["problems"] == []


def test_in_the_middle_of_a_sentence(bot: Bot, call: Call) -> None:
    caller = call("listen", {"say": "dzień dobry, chciałbym się dowiedzieć, gdzie jest moja paczka, bo czekam na nią"})
    record = caller.call()
    caller.until("says")
    caller.hang_up()
    ended = record.ended()
    assert (ended["outcome"], ended["cause"]) == ("abandoned", CALLER_LEFT)
    assert record.faults() == []


def test_while_the_shop_is_asked(bot: Bot, call: Call) -> None:
    caller = call("listen", {"keys": "1"}, "listen", {"keys": "600600"}, "listen", {"keys": "1"}, {"wait": 30})
    record = caller.call()
    record.until("bot_said", text="sprawdzam to w systemie", timeout_s=60)
    caller.hang_up()
    ended = record.ended()
    assert (ended["outcome"], ended["cause"]) == ("abandoned", CALLER_LEFT)
    assert record.events("system_called") == []
    assert record.faults() == []


@pytest.mark.parametrize(
    ("event", "outcome"),
    [("agent_called", "abandoned"), ("agent_answered", "abandoned"), ("agent_joined", "handed_off")],
    ids=["while the agent's phone rings", "while the agent is briefed", "while talking to the agent"],
)
def test_with_people(bot: Bot, call: Call, agent: Program, event: str, outcome: str) -> None:
    calls = len(agent_calls(agent))
    caller = call("listen", {"keys": "0"}, {"wait": 60}, dial="102")
    record = caller.call()
    record.until(event, 60)
    caller.hang_up()
    ended = record.ended()
    assert (ended["outcome"], ended["cause"]) == (outcome, CALLER_LEFT)
    assert record.file("summary.json")
    # The agent's phone stops ringing, or the line is dead; the next caller finds the agent free.
    until(lambda: len(agent_calls(agent)) == calls + 1, 30, "the agent's call was over too")
    report = agent_calls(agent)[-1]["call"]
    assert (report["answered_at"] is not None) == (event != "agent_called")
    assert report["key"] == ("1" if event == "agent_joined" else "")
    assert not [name for name in _later(event) if record.events(name)]


def _later(event: str) -> list[str]:
    order = ["agent_called", "agent_answered", "agent_joined"]
    return order[order.index(event) + 1 :]


def agent_calls(agent: Program) -> list[dict[str, dict[str, object]]]:
    return [line for line in agent.told() if line["event"] == "done"]
