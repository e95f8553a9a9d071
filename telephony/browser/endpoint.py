"""Where browsers connect: one offer in, one answer out, a leg for it. WebRTC itself is in a process of its own."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import httpx

from telephony.browser.leg import BrowserLeg
from telephony.browser.shared_sound import SharedSound
from telephony.errors import LinesAway, LinesFull, OfferRefused
from telephony.leg import LegState

_ANSWER_S = 10.0
_REPLACEMENT_S = 5.0
_LOOK_AGAIN_S = 0.1


class BrowserEndpoint:
    """Answers browsers' offers and keeps their legs. Event loop only. `socket`: of `telephony.browser.process`."""

    def __init__(self, socket: Path) -> None:
        # A line is a request that lasts as long as it does.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket), verify=False, limits=limits),
            base_url="http://browsers",
            timeout=None,  # the answer has a deadline of its own, the line has none
            trust_env=False,
        )
        self._names = itertools.count(1)
        self._legs: set[BrowserLeg] = set()

    @property
    def legs(self) -> tuple[BrowserLeg, ...]:
        """Legs that have not ended."""
        return tuple(leg for leg in self._legs if leg.state is not LegState.ENDED)

    async def answer_offer(self, offer_sdp: str, user: str = "") -> tuple[BrowserLeg, str]:
        """A leg for this offer, and the answer (SDP, complete, nothing will be trickled).

        The leg is RINGING until the browser has connected. `user` is told as its `remote`. Raises OfferRefused,
        LinesFull, and LinesAway when the process does not answer; one that is being replaced is awaited.
        """
        sound, file = SharedSound.create()
        leg = BrowserLeg(f"browser-{next(self._names)}", user, sound, self._legs.discard)
        self._legs.add(leg)
        try:
            async with asyncio.timeout(_ANSWER_S):
                reply = await self._ask({"sdp": offer_sdp, "sound": str(file)})
                return leg, await leg.follow(await _checked(reply))
        except (TimeoutError, httpx.HTTPError) as error:
            await leg.hang_up()
            raise LinesAway("Browsers' audio does not work at the moment.", "Try again in a few seconds.") from error
        except BaseException:
            await leg.hang_up()
            raise
        finally:
            file.unlink()

    async def stop(self) -> None:
        """Hang up all of them."""
        await asyncio.gather(*(leg.hang_up() for leg in tuple(self._legs)))
        await self._http.aclose()

    async def _ask(self, wanted: dict[str, str]) -> httpx.Response:
        deadline = asyncio.get_running_loop().time() + _REPLACEMENT_S
        while True:
            try:
                return await self._http.send(self._http.build_request("POST", "/lines", json=wanted), stream=True)
            except httpx.ConnectError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(_LOOK_AGAIN_S)


async def _checked(reply: httpx.Response) -> httpx.Response:
    if reply.is_success:
        return reply
    await reply.aread()
    kind = {400: OfferRefused, 503: LinesFull}.get(reply.status_code)
    if kind is None:
        raise httpx.HTTPStatusError(f"status {reply.status_code}", request=reply.request, response=reply)
    told = reply.json()
    raise kind(told["message"], told["remedy"])
