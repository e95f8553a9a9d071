"""The board's rows as the pages are given them: calls and queues from their events, agents from the desk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from voicebot.api.at_desk import at_desk
from voicebot.api.desk_view import DeskView
from voicebot.api.shapes import board as shapes
from voicebot.queueing.model import Agent, AgentState
from voicebot.watch.board import Board
from voicebot.watch.rows import Alert, CallRow, QueueRow


class BoardViews:
    def __init__(self, rows: Board, desk: DeskView) -> None:
        self._rows = rows
        self._desk = desk

    def whole(self, *, everything: bool) -> shapes.Board:
        """Without `everything`: what an agent may see, queues and colleagues."""
        rows = self._rows
        return shapes.Board(
            revision=rows.revision,
            calls=[self.call(row) for row in rows.calls()] if everything else [],
            agents=list(self._agents().values()),
            queues=[self._queue(row) for row in rows.queues()],
            alerts=[alert_view(row) for row in rows.alerts()] if everything else [],
        )

    def changes(self, since: int, agents: Mapping[str, shapes.BoardAgent]) -> shapes.BoardChanges:
        """Rows that are other than at the revision `since`, and agents other than these."""
        changed = self._rows.changes(since)
        now = self._agents()
        other: dict[str, shapes.BoardAgent | None] = {
            login: agent for login, agent in now.items() if agents.get(login) != agent
        }
        other |= {login: None for login in agents if login not in now}
        return shapes.BoardChanges(
            revision=changed.revision,
            calls={key: row and self.call(row) for key, row in changed.calls.items()},
            agents=other,
            queues={key: row and self._queue(row) for key, row in changed.queues.items()},
            alerts={key: row and alert_view(row) for key, row in changed.alerts.items()},
        )

    def call(self, row: CallRow) -> shapes.BoardCall:
        return shapes.BoardCall(
            call_id=row.call_id,
            caller=row.caller,
            bot=row.bot,
            language=row.language,
            phase=row.phase.value,
            started_at=row.started_at,
            phase_since=row.phase_since,
            flow=row.flow,
            step=row.step,
            mood=row.mood,
            queue=row.queue,
            position=self._desk.position(row.entry) if row.entry else None,
            agent=row.agent_name or row.agent,
            alerts=list(row.alerts),
            listeners=row.listeners,
            last_words=row.last_words,
        )

    def _queue(self, row: QueueRow) -> shapes.BoardQueue:
        serving = [agent for agent in self._desk.agents if agent.profile.serves(row.name)]
        waited = datetime.now(UTC) - row.waiting_since if row.waiting_since is not None else None
        return shapes.BoardQueue(
            name=row.name,
            waiting=row.waiting,
            longest_wait_s=round(waited.total_seconds(), 1) if waited is not None else None,
            available=sum(agent.state is AgentState.AVAILABLE for agent in serving),
            on_call=sum(agent.state is AgentState.ON_CALL for agent in serving),
            offered_today=row.entered,
            answered_today=row.answered,
            abandoned_today=row.abandoned,
            service_level=row.service_level,
            speed_of_answer_s=row.speed_of_answer_s,
            callbacks=row.callbacks,
        )

    def _agents(self) -> dict[str, shapes.BoardAgent]:
        return {agent.login: self._agent(agent) for agent in self._desk.agents}

    def _agent(self, agent: Agent) -> shapes.BoardAgent:
        entry = self._desk.entry_of(agent.login)
        call_id = self._desk.call_id(entry) if entry is not None else ""
        return shapes.BoardAgent(**at_desk(self._desk, agent), call_id=call_id)


def alert_view(alert: Alert) -> shapes.Alert:
    return shapes.Alert.model_validate(alert, from_attributes=True)
