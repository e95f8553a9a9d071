"""What pages are told as it happens: the board's changes, and the events of calls that they follow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from voicebot.access import Who
from voicebot.api.board_view import BoardViews, alert_view
from voicebot.api.desk_view import DeskView
from voicebot.api.shapes.board import Board, BoardAgent, BoardCall, BoardChanges
from voicebot.errors import CallNotFound
from voicebot.events import FOR_SUPERVISORS, CallEvent, EventStream, to_json
from voicebot.hub import Hub
from voicebot.records.privacy import LiveEvents
from voicebot.watch.rows import Alert
from voicebot.watch.watching import Watching

log = logging.getLogger(__name__)

TOLD_EVERY_S = 0.25


class Feed:
    """Belongs to the event loop. Start, then close."""

    def __init__(self, stream: EventStream, hub: Hub, desk: DeskView, watching: Watching) -> None:
        self._stream = stream
        self._hub = hub
        self._desk = desk
        self._watching = watching
        self._views = BoardViews(watching.board, desk)
        self._told = 0
        self._agents: dict[str, BoardAgent] = {}
        self._loop = asyncio.get_running_loop()
        self._detach: Callable[[], None] = lambda: None
        self._telling: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._detach = self._stream.attach(LiveEvents(self._hand_over, saying=True))
        self._telling = asyncio.create_task(self._tell(), name="tell the board")

    async def close(self) -> None:
        self._detach()
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait({self._telling})

    def board(self, who: Who) -> Board:
        """As it is now. Agents who are no supervisors see no calls and no alerts."""
        return self._views.whole(everything=who.may("supervisor"))

    def row(self, call_id: str) -> BoardCall:
        """One call. Raises CallNotFound."""
        row = self._watching.board.call(call_id)
        if row is None:
            raise CallNotFound("This call does not go on any more.", "Look for it among the past calls.")
        return self._views.call(row)

    def acknowledge(self, alert_id: str, who: Who) -> None:
        """Raises AlertNotFound."""
        self._tell_alert(self._watching.acknowledge(alert_id, who.login))

    def alerted(self, alert: Alert) -> None:
        """A new one, from the rules."""
        self._tell_alert(alert)

    def _tell_alert(self, alert: Alert) -> None:
        self._hub.publish("alerts", "alert", alert_view(alert), to=lambda who: who.may("supervisor"))

    def _hand_over(self, event: CallEvent) -> None:
        """From any thread. What nobody follows does not wake the loop, which is what costs most of it."""
        if event.call_id and self._hub.is_read(_topic(event)):
            self._loop.call_soon_threadsafe(self._happened, event)

    def _happened(self, event: CallEvent) -> None:
        hidden = isinstance(event, FOR_SUPERVISORS)
        told = {"call_id": event.call_id, "event": to_json(event)}
        self._hub.publish(_topic(event), "call", told, to=lambda who: self._may_follow(who, event.call_id, hidden))

    def _may_follow(self, who: Who, call_id: str, hidden: bool) -> bool:
        return who.may("supervisor") or (not hidden and self._desk.serves(who.login, call_id))

    async def _tell(self) -> None:
        """What has changed, at most four times a second."""
        while True:
            await asyncio.sleep(TOLD_EVERY_S)
            if not self._hub.is_read("board"):
                continue
            try:
                self._tell_changes()
            except Exception:
                log.exception("the board could not be told")

    def _tell_changes(self) -> None:
        changes = self._views.changes(self._told, self._agents)
        self._told = changes.revision
        for login, agent in changes.agents.items():
            if agent is None:
                self._agents.pop(login, None)
            else:
                self._agents[login] = agent
        for_supervisors = bool(changes.calls or changes.alerts)
        if for_supervisors:
            self._hub.publish("board", "board", changes, to=lambda who: who.may("supervisor"))
        if changes.queues or changes.agents:
            ours = BoardChanges(revision=changes.revision, queues=changes.queues, agents=changes.agents)
            self._hub.publish("board", "board", ours, to=lambda who: not (for_supervisors and who.may("supervisor")))


def _topic(event: CallEvent) -> str:
    return f"call:{event.call_id}"
