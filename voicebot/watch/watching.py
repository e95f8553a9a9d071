"""The floor as it is watched: board, moods and alerts follow the stream of events, and what they tell goes into it."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime

from voicebot.events import (
    AlertAcknowledged,
    AlertRaised,
    CallEnded,
    CallerSaid,
    CallEvent,
    EventStream,
    MoodChanged,
    Stamp,
)
from voicebot.records.privacy import LiveEvents
from voicebot.watch.alerts import MOST_CALLS, Alerts
from voicebot.watch.board import Board
from voicebot.watch.mood import MoodWatch
from voicebot.watch.rows import Alert

TICK_S = 1.0


class Watching:
    """Run `run` as a task of the application. Board and alerts are only touched on its loop.

    `tell` learns of every new alert, for the outbox. Moods are kept of `MOST_CALLS` calls; the oldest goes.
    """

    def __init__(
        self,
        stream: EventStream,
        board: Board,
        alerts: Alerts,
        tell: Callable[[Alert], None] = lambda alert: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.board = board
        self.alerts = alerts
        self._stream = stream
        self._tell = tell
        self._now = now
        self._moods: OrderedDict[str, MoodWatch] = OrderedDict()
        self._shown = LiveEvents(board.happened)

    async def run(self) -> None:
        """Until it is cancelled."""
        loop, here = asyncio.get_running_loop(), threading.get_ident()

        def sink(event: CallEvent) -> None:
            if threading.get_ident() == here:
                self._happened(event)
            else:
                loop.call_soon_threadsafe(self._happened, event)

        detach = self._stream.attach(sink)
        try:
            while True:
                await asyncio.sleep(TICK_S)
                now = self._now()
                self.board.tick(now)
                for alert in self.alerts.tick(now):
                    self._raise(alert)
        finally:
            detach()

    def acknowledge(self, alert_id: str, who: str) -> Alert:
        """On the loop. Raises AlertNotFound."""
        alert = self.alerts.acknowledge(alert_id, who, self._now())
        if alert.acknowledged_by == who:
            at = alert.acknowledged_at or self._now()
            stamp = self._stamp(alert.call_id, at)
            self._stream.publish(AlertAcknowledged(alert=alert.id, kind=alert.kind, who=who, **stamp))
        return alert

    def _happened(self, event: CallEvent) -> None:
        self._shown(event)
        if isinstance(event, CallerSaid):
            self._hear(event)
        elif isinstance(event, CallEnded):
            self._moods.pop(event.call_id, None)
        for alert in self.alerts.happened(event):
            self._raise(alert)

    def _hear(self, event: CallerSaid) -> None:
        watch = self._moods.setdefault(event.call_id, MoodWatch())
        if len(self._moods) > MOST_CALLS:
            self._moods.popitem(last=False)
        mood = watch.hear(event.text)
        if mood is not None:
            stamp: Stamp = {"call_id": event.call_id, "at": event.at, "offset_s": event.offset_s}
            self._stream.publish(MoodChanged(mood=mood.name, words=mood.words, **stamp))

    def _raise(self, alert: Alert) -> None:
        stamp = self._stamp(alert.call_id, alert.at)
        self._stream.publish(AlertRaised(alert=alert.id, kind=alert.kind, text=alert.text, **stamp))
        self._tell(alert)

    def _stamp(self, call_id: str, at: datetime) -> Stamp:
        """`offset_s` counts from where the board saw the call begin; 0 for a call that has gone from it."""
        row = self.board.call(call_id)
        offset_s = round((at - row.started_at).total_seconds(), 3) if row else 0.0
        return {"call_id": call_id, "at": at, "offset_s": max(0.0, offset_s)}
