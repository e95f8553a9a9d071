"""The human side of a worker, put together: queue, desk, agents' lines, supervisors, the board, alerts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime

from telephony.browser.endpoint import BrowserEndpoint
from voicebot.access import Access
from voicebot.api.agent_view import AgentViews
from voicebot.api.agents import Agents
from voicebot.api.feed import Feed
from voicebot.background import Background, cancelled
from voicebot.config import Config
from voicebot.events import CallEvent, EventStream, PbxCalled
from voicebot.hub import Hub
from voicebot.live_calls import LiveCall, LiveCalls
from voicebot.parts import Services
from voicebot.people.desk import Desk
from voicebot.people.lines import BrowserLines
from voicebot.people.service_number import ServiceNumber
from voicebot.people.supervision import Supervision
from voicebot.people_settings import AlertSettings
from voicebot.queueing.happenings import Effect, Offered
from voicebot.queueing.model import Kind
from voicebot.queueing.store import StoredFloor
from voicebot.records import CallRecords
from voicebot.watch.alerts import AlertRules, Alerts
from voicebot.watch.board import COUNTED, Board
from voicebot.watch.deliveries import Deliveries
from voicebot.watch.mail import MailServer
from voicebot.watch.outbox import Outbox
from voicebot.watch.payloads import alert_payload, summary_payload
from voicebot.watch.rows import Alert
from voicebot.watch.watching import Watching
from voicebot.watch.webhooks import Webhook

log = logging.getLogger(__name__)


class HumanSide:
    """`start` it within a running loop, `close` it after the last call."""

    def __init__(
        self, services: Services, calls: LiveCalls, access: Access, hub: Hub, browsers: BrowserEndpoint
    ) -> None:
        self._services = services
        self._browsers = browsers
        self._calls = calls
        self._access = access
        self._hub = hub
        self._stack = AsyncExitStack()
        self._background = Background()
        self.desk: Desk
        self.agents: Agents
        self.service_number: ServiceNumber
        self.supervision: Supervision
        self.feed: Feed
        self.outbox: Outbox

    async def start(self, watch: Callable[[asyncio.Task[None]], None]) -> None:
        """`watch` is given what has to go on as long as the worker does. Raises RecordsUnavailable."""
        services, config = self._services, self._services.config
        floor = await StoredFloor.open(
            config.data,
            config.queues,
            config.timezone,
            self._carry_out,
            line_back_s=config.people.line_back_s,
        )
        self._stack.push_async_callback(floor.close)
        lines = BrowserLines(self._browsers.answer_offer, self._line_changed)
        self.desk = Desk(
            *(services, floor, lines, self._agent_changed, self._calls),
            followed=lambda call_id: self._hub.is_read(f"call:{call_id}"),
        )
        self._stack.push_async_callback(self.desk.close)
        self._stack.push_async_callback(lines.close)
        self.agents = Agents(config, self.desk, self._access, self._hub, AgentViews(self.desk, config))
        self.service_number = ServiceNumber(services, self._access, self.agents)
        self.supervision = Supervision(self._calls, self.desk, self._access, self._browsers)
        self._stack.push_async_callback(self.supervision.close)
        self.outbox = make_outbox(config)
        self._calls.when_over(self._call_over)
        self._stack.callback(services.events.attach(self._watch_for_pbx))
        watching = make_watching(config, services.events, self._alerted)
        watching.board.restore(await asyncio.to_thread(day_so_far, config))
        self.feed = Feed(services.events, self._hub, self.desk, watching)
        self.feed.start()
        self._stack.push_async_callback(self.feed.close)
        self._stack.push_async_callback(self._background.close)
        lasting = {
            "keep the queue's time": floor.keep_time(),
            "watch the floor": watching.run(),
            "send summaries and alerts": self.outbox.run(),
        }
        for name, work in lasting.items():
            task = asyncio.create_task(work, name=name)
            self._stack.push_async_callback(cancelled, task)
            watch(task)

    async def close(self) -> None:
        await self._stack.aclose()

    def _alerted(self, alert: Alert) -> None:
        log.warning("alert: %s (call %s)", alert.text, alert.call_id or "-")
        self.feed.alerted(alert)
        self.outbox.put(alert_payload(alert, self._services.config.http.url or ""))

    # What the parts tell each other

    async def _call_over(self, call: LiveCall) -> None:
        await self.supervision.room_closed(call)
        self.outbox.put(summary_payload(call.summary(), "ended"))

    def _carry_out(self, effects: tuple[Effect, ...]) -> None:
        self.desk.carry_out(effects)
        for effect in effects:
            if isinstance(effect, Offered) and effect.entry.offers == 1 and effect.entry.kind is Kind.CALL:
                self._tell_handed_over(effect.entry.id)

    def _watch_for_pbx(self, event: CallEvent) -> None:
        if isinstance(event, PbxCalled) and (case := self.desk.case_of(event.call_id)) is not None:
            self.outbox.put(summary_payload(case.caller.summary(), "handed_over"))

    def _tell_handed_over(self, entry: str) -> None:
        """With the first offer, so that the company's own systems know as soon as an agent does."""
        if (case := self.desk.case_about(entry)) is not None:
            self.outbox.put(summary_payload(case.caller.summary(), "handed_over"))

    def _agent_changed(self, login: str) -> None:
        self.agents.changed(login)
        if (entry := self.desk.entry_of(login)) is not None:
            call_id = self.desk.call_id(entry)
            self._background.begin(self.supervision.agents_changed(call_id), f"whispers in {call_id}")

    def _line_changed(self, login: str) -> None:
        self._background.begin(self.desk.line_changed(login), f"line of {login}")


def alert_rules(settings: AlertSettings) -> AlertRules:
    """All settings but who gets e-mail; one that is null stays off."""
    return AlertRules(**settings.model_dump(exclude={"mail"}))


def make_watching(config: Config, events: EventStream, alerted: Callable[[Alert], None]) -> Watching:
    """Board and alerts as the settings want them; `run` it."""
    rules = alert_rules(config.alerts)
    levels = {name: queue.service_level_s for name, queue in config.queues.items()}
    board, alerts = Board(levels, config.timezone), Alerts(rules, config.numbers[0].language)
    return Watching(events, board, alerts, alerted)


def day_so_far(config: Config) -> Sequence[CallEvent]:
    """What is on record of the queues since midnight. Raises RecordsUnavailable."""
    midnight = datetime.now(config.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
    with closing(CallRecords(config.data)) as records:
        return records.happened_since(midnight.astimezone(UTC), COUNTED)


def make_outbox(config: Config) -> Outbox:
    """What sends to those whom the settings name; `run` it."""
    webhooks = [Webhook(hook.url, hook.secret, frozenset(hook.events)) for hook in config.webhooks]
    mail = config.mail
    server = MailServer(mail.server, mail.sender, mail.port, mail.user, mail.password, mail.tls) if mail else None
    return Outbox(Deliveries(config.data), webhooks, server, config.alerts.mail)
