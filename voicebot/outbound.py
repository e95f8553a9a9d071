"""The only way out: whoever is rung, and wherever a caller is sent, it goes through here.

A telephone number is rung when a route of `people.outbound` allows how it begins, when it costs no more than a call,
and as often a day as that route may. Other addresses are telephones of the house, which the settings or an
administrator named. No header and no request from outside comes here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import date, datetime
from urllib.parse import quote

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert

from telephony.errors import DialFailed, LegGone, TelephonyError
from telephony.leg import Endpoint, Leg
from telephony.sip_names import parse_uri
from voicebot.config import Config
from voicebot.errors import NotReached, NotToBeRung, RecordsUnavailable, WrongNumber
from voicebot.people_settings import OutboundSettings
from voicebot.phone_numbers import callable_number, number_in
from voicebot.records.database import Database
from voicebot.records.models import OutboundRow

log = logging.getLogger(__name__)


class Outbound:
    """Belongs to the worker; `close` it when nobody rings any more."""

    def __init__(self, endpoint: Endpoint, config: Config) -> None:
        self._endpoint = endpoint
        self._config = config
        self._database = Database(config.data)

    def close(self) -> None:
        self._database.close()

    async def dial(self, to: str, *, caller: str, headers: Mapping[str, str], timeout_s: float) -> Leg:
        """Ring a telephone, by its SIP URI or a number of E.164, until it answers. Cancelling it gives up.

        Raises NotToBeRung; NotReached.
        """
        uri = await self.permitted(to)
        try:
            return await self._endpoint.dial(uri, caller=caller, headers=headers, timeout_s=timeout_s)
        except DialFailed as error:
            raise NotReached(str(error.cause)) from error

    async def refer(self, leg: Leg, uri: str, *, headers: Mapping[str, str], timeout_s: float) -> None:
        """Have whoever is at the other end of `leg` call `uri`, with these headers; returns when they are connected.

        Raises NotToBeRung; NotReached, and the leg is up then unless its peer hung up.
        """
        target = await self.permitted(uri)
        told = "&".join(f"{name}={quote(value, safe='')}" for name, value in headers.items())
        try:
            await leg.transfer(f"<{target}?{told}>" if told else target, timeout_s=timeout_s)
        except TelephonyError as error:
            log.warning("the caller could not be referred: %s", error)
            raise NotReached("ended" if isinstance(error, LegGone) else "not_transferred") from error

    async def permitted(self, to: str) -> str:
        """The SIP URI to ring; a number is counted. Raises NotToBeRung, which is logged."""
        try:
            return await self._permitted(to)
        except NotToBeRung as error:
            log.warning("not rung: %s (%s)", to, error.cause)
            raise

    async def _permitted(self, to: str) -> str:
        user = to if to.startswith("+") else parse_uri(to).user
        number = number_in(user, self._config.sip.region)
        if number is None:
            return to
        try:
            route = self._config.people.route(callable_number(number))
        except WrongNumber as error:
            raise NotToBeRung("not_allowed") from error
        if route is None:
            raise NotToBeRung("not_allowed")
        today = datetime.now(self._config.timezone).date()
        try:
            counted = await asyncio.to_thread(self._count, route, today)
        except RecordsUnavailable as error:
            log.error("outbound calls cannot be counted, so none are made: %s", error)
            raise NotToBeRung("not_counted") from error
        if not counted:
            raise NotToBeRung("limit_reached")
        return route.address(number) if to.startswith("+") else to

    def _count(self, route: OutboundSettings, today: date) -> bool:
        """Count one more call of today; False when there were as many as may be."""
        row = OutboundRow
        with self._database.transaction() as connection:
            connection.execute(delete(row).where(row.day < today))
            made = connection.scalar(select(row.calls).where(row.route == route.uri, row.day == today)) or 0
            if made >= route.per_day:
                return False
            counted = insert(row).values(route=route.uri, day=today, calls=1)
            connection.execute(
                counted.on_conflict_do_update(index_elements=[row.route, row.day], set_={"calls": made + 1})
            )
        return True
