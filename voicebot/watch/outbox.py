"""What is sent out of calls, by webhooks and e-mail: kept until it is taken, tried again with growing pauses for a day.

Whoever has something to send never waits: `put` takes it in memory, and the outbox' own task brings it to the disk
within moments and sends it. A receiver may get a delivery twice, when its answer was lost; the id is the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx
from sqlalchemy.exc import SQLAlchemyError

from voicebot.watch.deliveries import DONE, GIVEN_UP, Deliveries, Delivery
from voicebot.watch.errors import DeliveryFailed
from voicebot.watch.mail import MailServer, send
from voicebot.watch.payloads import Payload
from voicebot.watch.webhooks import Webhook, post

log = logging.getLogger(__name__)

MAIL, WEBHOOK = "mail", "webhook"
MOST_IN_MEMORY = 1000  # not yet on the disk; overflow: the oldest is dropped and told in the log


@dataclass(frozen=True)
class OutboxSettings:
    """`at_once` deliveries are on their way at most, `at_once_each` of them to one receiver, so that one that stalls
    holds up no other. Pauses double from `pause_s` to `longest_pause_s`; after `give_up_after_s` nothing is tried.
    """

    at_once: int = 8
    at_once_each: int = 2
    pause_s: float = 5.0
    longest_pause_s: float = 3600.0
    give_up_after_s: float = 24 * 3600.0
    look_s: float = 30.0  # at most between two looks at the disk

    def pause_after(self, tries: int) -> float:
        """Seconds to wait after so many failed tries."""
        return min(self.longest_pause_s, self.pause_s * 2.0 ** min(tries - 1, 30))


class Outbox:
    """Run `run` as a task of the application; `put` from its loop. Deliveries that wait go on after a restart."""

    def __init__(
        self,
        deliveries: Deliveries,
        webhooks: Sequence[Webhook] = (),
        mail: MailServer | None = None,
        mail_to: Sequence[str] = (),
        settings: OutboxSettings = OutboxSettings(),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`mail_to` get alerts."""
        self._deliveries = deliveries
        self._webhooks = {webhook.url: webhook for webhook in webhooks}
        self._mail = mail
        self._mail_to = tuple(mail_to) if mail is not None else ()
        self._settings = settings
        self._now = now
        self._new: deque[Delivery] = deque()
        self._sending: dict[str, str] = {}  # id and target of what is on its way
        self._wake = asyncio.Event()

    def put(self, payload: Payload) -> None:
        """To everybody who wants this event. Never blocks, never raises."""
        now = self._now()
        targets = [(WEBHOOK, url) for url, webhook in self._webhooks.items() if payload.event in webhook.events]
        if payload.event == "alert":
            targets += [(MAIL, address) for address in self._mail_to]
        for channel, target in targets:
            body = payload.text if channel == MAIL else payload.body
            if len(self._new) >= MOST_IN_MEMORY:
                dropped = self._new.popleft()
                log.error("the outbox is full; a delivery to %s is dropped", dropped.target)
            self._new.append(
                Delivery(
                    *(uuid.uuid4().hex, channel, target, payload.event, payload.call_id, payload.subject, body),
                    created_at=now,
                    next_at=now,
                )
            )
        self._wake.set()

    async def run(self) -> None:
        """Until it is cancelled. What is on its way then is tried again at the next start."""
        async with httpx.AsyncClient(timeout=None) as client, asyncio.TaskGroup() as tasks:
            try:
                while True:
                    self._wake.clear()
                    wait_s = self._settings.pause_s
                    try:
                        await self._keep_new()
                        for delivery in await self._due():
                            self._sending[delivery.id] = delivery.target
                            tasks.create_task(self._deliver(client, delivery), name=f"delivery {delivery.id}")
                        wait_s = await self._until_next()
                    except SQLAlchemyError as error:
                        log.error("the outbox cannot use the records database (%s); it is tried again", error)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(wait_s):
                            await self._wake.wait()
            finally:
                await asyncio.shield(self._keep_last())

    async def _keep_new(self) -> None:
        while self._new:
            batch = list(self._new)
            await asyncio.to_thread(self._deliveries.add, batch)
            kept = {delivery.id for delivery in batch}
            while self._new and self._new[0].id in kept:  # `put` may have dropped the oldest meanwhile
                self._new.popleft()

    async def _keep_last(self) -> None:
        try:
            await self._keep_new()
        except SQLAlchemyError as error:
            log.error("%d deliveries are lost, the records database cannot be used: %s", len(self._new), error)

    async def _due(self) -> list[Delivery]:
        """As many as may be sent now, none that is on its way."""
        free = self._settings.at_once - len(self._sending)
        if free <= 0:
            return []
        sending = dict(self._sending)  # as it is before the look: what ends meanwhile may still be seen waiting
        busy = Counter(sending.values())
        full = [target for target, count in busy.items() if count >= self._settings.at_once_each]
        found = await asyncio.to_thread(self._deliveries.due, self._now(), 2 * self._settings.at_once, full)
        chosen: list[Delivery] = []
        for delivery in found:
            if delivery.id not in sending and busy[delivery.target] < self._settings.at_once_each:
                busy[delivery.target] += 1
                chosen.append(delivery)
        return chosen[:free]

    async def _until_next(self) -> float:
        """Seconds to wait. What is due but not sent now is looked at when something that is on its way has ended."""
        due = await asyncio.to_thread(self._deliveries.next_at)
        if due is None or (self._sending and due <= self._now()):
            return self._settings.look_s
        return min(self._settings.look_s, max(0.01, (due - self._now()).total_seconds()))

    async def _deliver(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        try:
            tried = replace(delivery, tries=delivery.tries + 1)
            try:
                await self._send(client, delivery)
            except DeliveryFailed as error:
                tried = self._after_failure(tried, str(error))
            else:
                tried = replace(tried, state=DONE, trouble="", body="", finished_at=self._now())
            await asyncio.shield(asyncio.to_thread(self._deliveries.tried, tried))
        except SQLAlchemyError as error:
            log.error("what became of a delivery to %s cannot be kept (%s); it is sent again", delivery.target, error)
        finally:
            del self._sending[delivery.id]
            self._wake.set()

    async def _send(self, client: httpx.AsyncClient, delivery: Delivery) -> None:
        if delivery.channel == MAIL:
            if self._mail is None:
                raise DeliveryFailed("No mail server is configured any more.")
            await asyncio.to_thread(send, self._mail, delivery.target, delivery.id, delivery.subject, delivery.body)
            return
        webhook = self._webhooks.get(delivery.target)
        if webhook is None:
            raise DeliveryFailed("This webhook is not configured any more.")
        await post(client, webhook, delivery.id, delivery.event, delivery.body, self._now().timestamp())

    def _after_failure(self, delivery: Delivery, trouble: str) -> Delivery:
        settings, now = self._settings, self._now()
        next_at = now + timedelta(seconds=settings.pause_after(delivery.tries))
        if (next_at - delivery.created_at).total_seconds() > settings.give_up_after_s:
            log.error("a delivery to %s is given up after %d tries: %s", delivery.target, delivery.tries, trouble)
            return replace(delivery, state=GIVEN_UP, trouble=trouble, body="", finished_at=now)
        log.warning("a delivery to %s failed (%s); it is tried again", delivery.target, trouble)
        return replace(delivery, next_at=next_at, trouble=trouble)
