"""What several call workers share out among themselves, and what they cannot do yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from voicebot.people_checks import Mistake
from voicebot.people_settings import PeopleSettings, QueueSettings
from voicebot.sip_settings import SipSettings

PORTS_OF_ONE = 2
"""SIP ports that a worker takes: the stack binds the next one, too, for TLS."""

PORTS_OF_A_CALL = 4  # RTP and RTCP, of the caller and of whom they may get
ONE_WORKER = "Serve with one worker (`workers: 1`)"


def share_of(sip: SipSettings, number: int, workers: int) -> SipSettings:
    """What worker `number`, counted from 1, has of the SIP ports and the RTP range."""
    low, high = sip.rtp_ports
    width = (high - low + 1) // workers // 2 * 2  # RTP ports are even
    first = low + (number - 1) * width
    port = sip.port + PORTS_OF_ONE * (number - 1) if sip.port else 0
    return sip.model_copy(update={"port": port, "rtp_ports": (first, first + width - 1)})


def impossible(
    workers: int, sip: SipSettings, queues: Mapping[str, QueueSettings], people: PeopleSettings
) -> Iterator[Mistake]:
    """What of the settings several workers cannot do."""
    if workers == 1:
        return
    low, high = sip.rtp_ports
    needed = sip.max_calls * PORTS_OF_A_CALL
    if share_of(sip, 1, workers).rtp_ports[1] - low + 1 < needed:
        yield Mistake(
            ("sip", "rtp_ports"),
            f"{high - low + 1} ports are too few for {workers} workers with {sip.max_calls} calls each. "
            f"Give them {needed * workers}.",
        )
    if sip.port and share_of(sip, workers, workers).port + PORTS_OF_ONE - 1 > 65535:
        yield Mistake(("sip", "port"), f"There are not {PORTS_OF_ONE * workers} ports from {sip.port} on. Lower it.")
    if sip.registrar:
        yield Mistake(
            ("sip", "registrar"),
            "Several workers cannot register as one. Let the edge register (`edge.trunks`), or serve with one worker.",
        )
    for name, queue in queues.items():
        if queue.agents:
            yield Mistake(
                ("queues", name, "agents"),
                f"Several workers cannot ring agents. {ONE_WORKER}, or give the queue to a PBX (`pbx`).",
            )
    if people.service_number:
        yield Mistake(("people", "service_number"), f"Agents cannot sign in at several workers. {ONE_WORKER}.")
