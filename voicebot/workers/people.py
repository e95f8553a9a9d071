"""People, where several workers take calls: a PBX may get callers, nobody of ours does, and what is promised is kept.

A worker's desk has a floor without agents, so that whoever comes to it goes on at once, as where nobody is there. The
house keeps the promised callbacks of all workers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal

from telephony.leg import Leg
from voicebot.access.model import User
from voicebot.config import Config
from voicebot.errors import ConfigError, NotPossible
from voicebot.events import CallEvent, EventStream, PbxCalled
from voicebot.live_calls import LiveCall, LiveCalls
from voicebot.parts import Services
from voicebot.people.desk import Desk
from voicebot.people.lines import BrowserLines
from voicebot.people.wrap_ups import WrapUps
from voicebot.queueing.floor import Floor
from voicebot.queueing.happenings import Effect, Ended, Event, Promise
from voicebot.queueing.model import Agent, Entry
from voicebot.queueing.store import StoredFloor
from voicebot.several_workers import ONE_WORKER
from voicebot.watch.payloads import summary_payload
from voicebot.workers.lines import HouseLine

log = logging.getLogger(__name__)


def check_nobody_serves(config: Config, users: Sequence[User]) -> None:
    """Raises ConfigError when callers would wait for agents in a browser, to whom no worker could bring them."""
    ours = [name for name, queue in config.queues.items() if queue.pbx is None or queue.pbx.failed == "queue"]
    for user in users:
        serves = [name for name in ours if not user.queues or name in user.queues]
        if serves and "agent" in user.roles and not user.disabled:
            raise ConfigError(
                f"Several workers cannot bring callers to agents, and {user.login} serves {', '.join(serves)}.",
                f"{ONE_WORKER}, give the queue to a PBX (`pbx`, with `failed: bot`), or take the agent's role away.",
            )


async def _no_browser(offer_sdp: str) -> tuple[Leg, str]:
    raise NotPossible("With several workers nobody is brought into a call.", "Serve with one worker for that.")


def no_lines() -> BrowserLines:
    return BrowserLines(_no_browser, lambda login: None)


class EmptyFloor:
    """Implements `people.desk.Queue` where nobody is there; `promised` gets the callbacks."""

    def __init__(
        self, config: Config, carry_out: Callable[[tuple[Effect, ...]], None], promised: Callable[[Promise], None]
    ) -> None:
        self.floor = Floor(config.queues, config.timezone, datetime.now(UTC))
        self._carry_out = carry_out
        self._promised = promised

    async def apply(self, event: Event) -> None:
        if isinstance(event, Promise):
            self._promised(event)
        else:
            self._carry_out(self.floor.apply(event, datetime.now(UTC)))


class WorkersPeople:
    """What of `human_side.HumanSide` a worker needs. Close it after the last call."""

    def __init__(self, services: Services, calls: LiveCalls, house: HouseLine) -> None:
        self._house = house
        floor = EmptyFloor(services.config, self._carry_out, house.promise)
        self.desk = Desk(services, floor, no_lines(), lambda login: None, calls)
        calls.when_over(self._call_over)
        self._detach = services.events.attach(self._watch_for_pbx)

    async def close(self) -> None:
        self._detach()
        await self.desk.close()

    def _carry_out(self, effects: tuple[Effect, ...]) -> None:
        self.desk.carry_out(effects)

    async def _call_over(self, call: LiveCall) -> None:
        self._house.deliver(summary_payload(call.summary(), "ended"))

    def _watch_for_pbx(self, event: CallEvent) -> None:
        if isinstance(event, PbxCalled) and (case := self.desk.case_of(event.call_id)) is not None:
            self._house.deliver(summary_payload(case.caller.summary(), "handed_over"))


class CallbackDesk:
    """Implements `api.desk_view.DeskView` where nobody of ours takes calls: promised callbacks, closed by hand."""

    def __init__(self, floor: Callable[[], StoredFloor], events: EventStream) -> None:
        self.lines = no_lines()
        self._floor = floor
        self._wrap_ups = WrapUps(events, self.call_id, lambda agent: agent)

    def carry_out(self, effects: tuple[Effect, ...]) -> None:
        """For the queue to call."""
        for effect in effects:
            if isinstance(effect, Ended):
                self._wrap_ups.ended(effect.entry)

    async def promise(self, promise: Promise) -> None:
        await self._floor().apply(promise)

    @property
    def entries(self) -> Iterable[Entry]:
        return self._floor().floor.entries

    @property
    def agents(self) -> Iterable[Agent]:
        return ()

    def entry(self, entry: str) -> Entry | None:
        return self._floor().floor.entry(entry)

    def entry_of(self, login: str) -> Entry | None:
        return None

    def call_id(self, entry: Entry) -> str:
        return entry.call_id

    def position(self, entry: str) -> int | None:
        return None

    def serves(self, login: str, call_id: str) -> bool:
        return False

    async def close_callback(self, entry: str, outcome: Literal["reached", "gave_up"], notes: str = "") -> None:
        await self._floor().apply(self._wrap_ups.closed_callback(self.entry(entry), outcome, notes))
