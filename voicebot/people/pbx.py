"""A queue that is a PBX's: the caller is referred there, or talks with it through us. Who cannot go stays with us."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from telephony.errors import LegGone, TransferFailed
from telephony.leg import Leg, LegState
from voicebot import events
from voicebot.errors import NotReached, NotToBeRung
from voicebot.outbound import Outbound
from voicebot.people.handed import CallerAtDesk
from voicebot.people.phones import PhoneLine, hang_up, ring
from voicebot.people_settings import PbxSettings

log = logging.getLogger(__name__)

_LEG_ENDS_S = 5.0


class Pbx:
    """One caller's way to one PBX queue. `headers`: what it is told of them."""

    def __init__(
        self, outbound: Outbound, settings: PbxSettings, caller: CallerAtDesk, headers: Mapping[str, str]
    ) -> None:
        self.settings = settings
        self._outbound = outbound
        self._caller = caller
        self._headers = headers

    async def reach(self) -> PhoneLine | None:
        """Refer the caller, or ring the PBX. None: the caller has gone there; else whom they are to talk with.

        Raises NotReached: the caller is still with us, and that is in the record.
        """
        context, settings = self._caller.context, self.settings
        context.publish(events.PbxCalled, queue=self._caller.queue, uri=settings.uri, how=settings.how)
        try:
            if settings.how == "refer":
                await self._outbound.refer(self._leg, settings.uri, headers=self._headers, timeout_s=settings.ring_s)
                return None
            return await self._ring()
        except NotReached as error:
            if isinstance(error, NotToBeRung):
                context.publish(events.OutboundRefused, to=settings.uri, why=error.cause)
            context.publish(events.PbxFailed, queue=self._caller.queue, uri=settings.uri, cause=error.cause)
            raise

    def joined(self) -> None:
        """The caller hears whom `reach` has given."""
        self._caller.context.publish(events.PbxJoined, queue=self._caller.queue, uri=self.settings.uri)

    async def until_gone(self) -> None:
        """The leg of a caller who has gone ends by itself, and the call with it."""
        await asyncio.sleep(_LEG_ENDS_S)

    @property
    def _leg(self) -> Leg:
        return self._caller.member.leg

    async def _ring(self) -> PhoneLine | None:
        settings = self.settings
        who = self._caller.context.caller
        line = await ring(self._outbound, settings.uri, caller=who, headers=self._headers, timeout_s=settings.ring_s)
        answered = line.leg
        if settings.how == "bridge":
            return line
        try:
            await self._leg.attended_transfer(answered, timeout_s=settings.ring_s)
        except LegGone as error:
            await hang_up(answered)
            raise NotReached("ended") from error
        except TransferFailed as error:
            if answered.state is LegState.ENDED:
                raise NotReached("ended") from error
            # The PBX has answered: the caller talks with it through us.
            log.info("the caller is not referred but bridged: %s", error)
            return line
        except BaseException:
            await asyncio.shield(hang_up(answered))
            raise
        return None
