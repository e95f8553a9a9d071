"""One browser's WebRTC connection, at the process that has them all. All of it lives on that process's event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import get_capabilities
from aiortc.exceptions import InvalidStateError, OperationError

from telephony.browser.aiortc_seams import consent_is_lost, offer_addresses, receive_packets
from telephony.browser.inbound import Inbound
from telephony.browser.offer import checked_offer
from telephony.browser.outbound import OutboundTrack
from telephony.browser.shared_sound import SAMPLE_RATE, SharedSound
from telephony.errors import OfferRefused
from telephony.leg import EndCause, Ended

logger = logging.getLogger(__name__)

_CLOSE_S = 2.0


class Connection:
    """`negotiate`, then wait for `up` and `over`, then `close`, whatever has happened."""

    def __init__(self, sound: SharedSound) -> None:
        self._inbound = Inbound(sound)
        self._track = OutboundTrack(sound.heard.read, SAMPLE_RATE)
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        self._loop = asyncio.get_running_loop()
        self._up: asyncio.Future[None] = self._loop.create_future()
        self._over: asyncio.Future[Ended] = self._loop.create_future()

    async def negotiate(self, offer_sdp: str, addresses: Sequence[str] | None) -> str:
        """The answer to the browser's offer (SDP, complete, nothing will be trickled). Raises OfferRefused."""
        offer = checked_offer(offer_sdp)
        self._peer.addTransceiver("audio", direction="recvonly").setCodecPreferences(
            [codec for codec in get_capabilities("audio").codecs if codec.mimeType == "audio/opus"]
        )
        try:
            await self._peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        except (ValueError, InvalidStateError, OperationError) as error:
            raise OfferRefused(f"The offer cannot be answered: {error}.", "Offer an audio line anew.") from error
        if addresses is not None:
            offer_addresses(self._peer, addresses)
        self._peer.addTrack(self._track)
        receive_packets(self._peer.getReceivers()[0], self._receive)
        self._peer.on("connectionstatechange", self._follow)
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        return str(self._peer.localDescription.sdp)

    async def up(self, within_s: float) -> bool:
        """Wait until sound flows. False: it will not; `over` says why."""
        await asyncio.wait((self._up, self._over), timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        if not self._up.done():
            self._end(EndCause.UNREACHABLE, f"no connection to the browser within {within_s:g} s")
        return not self._over.done()

    async def over(self) -> Ended:
        """Wait for the end, as the browser or its network brings it about."""
        return await asyncio.shield(self._over)

    async def close(self) -> None:
        """Leave nothing behind; bounded in time."""
        self._track.stop()
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._peer.close()
        except TimeoutError:
            logger.error("a browser's connection did not close within %s s", _CLOSE_S)

    def _receive(self, sequence: int, timestamp: int, payload: bytes) -> None:
        self._inbound.add(sequence, timestamp, payload, self._loop.time())

    def _follow(self) -> None:
        state = self._peer.connectionState
        if state == "connected":
            if not self._up.done():
                self._up.set_result(None)
        elif state in ("failed", "closed"):
            if not self._up.done():
                self._end(EndCause.UNREACHABLE, "no connection to the browser came about")
            elif state == "failed" or consent_is_lost(self._peer):
                self._end(EndCause.MEDIA_TIMEOUT, "the browser is no longer heard of")
            else:
                self._end(EndCause.REMOTE_HANGUP)

    def _end(self, cause: EndCause, detail: str = "") -> None:
        if not self._over.done():
            self._over.set_result(Ended(cause, detail))
