"""What we take hold of inside aiortc and aioice is where we think it is."""

from __future__ import annotations

import inspect

import aioice.ice
from aiortc import RTCPeerConnection
from aiortc.jitterbuffer import JitterBuffer

from telephony.browser.aiortc_seams import JITTER_BUFFER, offer_addresses, watch_consent_closely


async def test_a_receiver_keeps_its_jitter_buffer_under_the_name_we_know() -> None:
    connection = RTCPeerConnection()
    receiver = connection.addTransceiver("audio").receiver
    assert isinstance(getattr(receiver, JITTER_BUFFER), JitterBuffer)
    assert list(inspect.signature(JitterBuffer.add).parameters) == ["self", "packet"]
    await connection.close()


def test_consent_is_watched_by_the_settings_we_change() -> None:
    watch_consent_closely()
    source = inspect.getsource(aioice.ice.Connection.query_consent)
    assert "CONSENT_INTERVAL" in source
    assert "CONSENT_FAILURES" in source
    assert aioice.ice.CONSENT_INTERVAL < 1


async def test_only_the_addresses_that_were_asked_for_are_offered() -> None:
    connection = RTCPeerConnection()
    connection.addTransceiver("audio")
    offer_addresses(connection, ["127.0.0.1"])
    await connection.setLocalDescription(await connection.createOffer())
    sdp = connection.localDescription.sdp
    candidates = [line.split()[4] for line in sdp.splitlines() if line.startswith("a=candidate:")]
    assert candidates == ["127.0.0.1"]
    await connection.close()
