"""Where browsers connect: one offer in, one answer out, a leg for it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.codecs import get_capabilities
from aiortc.exceptions import InvalidStateError, OperationError

from telephony.browser.aiortc_seams import offer_addresses, watch_consent_closely
from telephony.browser.leg import BrowserLeg
from telephony.browser.offer import checked_offer
from telephony.errors import LinesFull, OfferRefused
from telephony.leg import LegState

_CONNECT_S = 10.0


class BrowserEndpoint:
    """Answers browsers' offers and keeps their legs. Event loop only.

    `addresses`: local addresses that browsers are told to send to; None offers every address of the machine but
    loopback (127.0.0.1), those of containers and tunnels too. No STUN or TURN server is asked, so browsers must reach
    one of them by UDP. `max_lines`: further offers are refused. `connect_s`: how long a browser has to connect.
    """

    def __init__(
        self, addresses: Sequence[str] | None = None, *, max_lines: int = 200, connect_s: float = _CONNECT_S
    ) -> None:
        self._addresses = addresses
        self._max_lines = max_lines
        self._connect_s = connect_s
        self._names = itertools.count(1)
        self._legs: set[BrowserLeg] = set()  # until their sockets are closed
        watch_consent_closely()

    @property
    def legs(self) -> tuple[BrowserLeg, ...]:
        """Legs that have not ended."""
        return tuple(leg for leg in self._legs if leg.state is not LegState.ENDED)

    async def answer_offer(self, offer_sdp: str, user: str = "") -> tuple[BrowserLeg, str]:
        """A leg for this offer, and the answer (SDP, complete, nothing will be trickled).

        The leg is RINGING until the browser has connected. `user` is told as its `remote`. Raises OfferRefused and
        LinesFull.
        """
        offer = checked_offer(offer_sdp)
        if len(self._legs) >= self._max_lines:
            raise LinesFull(f"{self._max_lines} browsers are connected.", "Close pages that are not needed.")
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))
        leg = BrowserLeg(f"browser-{next(self._names)}", user, connection, self._connect_s, self._legs.discard)
        self._legs.add(leg)
        try:
            return leg, await self._negotiate(connection, leg, offer)
        except BaseException:
            await leg.hang_up()
            raise

    async def stop(self) -> None:
        """Hang up all of them."""
        await asyncio.gather(*(leg.hang_up() for leg in tuple(self._legs)))

    async def _negotiate(self, connection: RTCPeerConnection, leg: BrowserLeg, offer: str) -> str:
        connection.addTransceiver("audio", direction="recvonly").setCodecPreferences(
            [codec for codec in get_capabilities("audio").codecs if codec.mimeType == "audio/opus"]
        )
        try:
            await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        except (ValueError, InvalidStateError, OperationError) as error:
            raise OfferRefused(f"The offer cannot be answered: {error}.", "Offer an audio line anew.") from error
        if self._addresses is not None:
            offer_addresses(connection, self._addresses)
        leg.connect()
        await connection.setLocalDescription(await connection.createAnswer())
        return connection.localDescription.sdp
