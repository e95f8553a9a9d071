"""Where we reach into aiortc and aioice, because they offer no setting. All of it, in one place.

`tests/unit/telephony/browser/test_aiortc_seams.py` fails when a new version has moved what is used here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import aioice.ice
from aiortc import RTCPeerConnection, RTCRtpReceiver
from aiortc.rtp import RtpPacket

# A browser that is gone must be noticed while the caller still holds on; the default (6 times 5 s, RFC 7675) takes half
# a minute. Each failed check waits 0.5 s for its answer, so that 4 of them take 5.2 s, give or take 0.6 s.
_CONSENT_INTERVAL_S = 0.8
_CONSENT_FAILURES = 4

JITTER_BUFFER = "_RTCRtpReceiver__jitter_buffer"

_GATHER = "get_component_candidates"

Deliver = Callable[[int, int, bytes], None]


def watch_consent_closely() -> None:
    """Make every connection of this process notice within about 5 s that its peer is gone."""
    aioice.ice.CONSENT_INTERVAL = _CONSENT_INTERVAL_S  # type: ignore[assignment]
    aioice.ice.CONSENT_FAILURES = _CONSENT_FAILURES


def receive_packets(receiver: RTCRtpReceiver, deliver: Deliver) -> None:
    """Give `deliver(sequence_number, timestamp, payload)` what comes, in the place of aiortc's jitter buffer.

    aiortc goes on to check, count and report the packets; it decodes none.
    """
    if not hasattr(receiver, JITTER_BUFFER):
        raise RuntimeError("this version of aiortc keeps its jitter buffer elsewhere")
    setattr(receiver, JITTER_BUFFER, _Delivery(deliver))


def offer_addresses(connection: RTCPeerConnection, addresses: Sequence[str]) -> None:
    """Listen on these local addresses only, instead of on all that the machine has."""
    for transceiver in connection.getTransceivers():
        ice = transceiver.receiver.transport.transport.iceGatherer._connection
        gather = getattr(ice, _GATHER)

        async def gather_these(component: int, gather: Any = gather, **_: Any) -> Any:
            return await gather(component=component, addresses=list(addresses))

        setattr(ice, _GATHER, gather_these)


def consent_is_lost(connection: RTCPeerConnection) -> bool:
    """Of a connection that is closing: not the browser said so, but it no longer answered.

    Both end as "closed" in aiortc, whichever of its tasks comes first. Only the second begins with the closing of the
    ICE connection, which forgets its candidates.
    """
    ice = connection.getTransceivers()[0].receiver.transport.transport
    return not ice.iceGatherer.getLocalCandidates()


def abandon_sockets(connection: RTCPeerConnection) -> None:
    """Tests only: close its sockets without a word to the other side."""
    for protocol in connection.getTransceivers()[0].receiver.transport.transport.iceGatherer._connection._protocols:
        protocol.transport.abort()


class _Delivery:
    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

    def add(self, packet: RtpPacket) -> tuple[bool, None]:
        """Called by the receiver with each packet; says that there is nothing to decode."""
        self._deliver(packet.sequence_number, packet.timestamp, packet.payload)
        return False, None
