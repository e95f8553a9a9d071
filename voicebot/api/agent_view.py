"""What an agent's desk shows, made of what the human side knows."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from voicebot.api.shapes import desk as shapes
from voicebot.api.summary_view import earlier_view, summary_view
from voicebot.config import Config
from voicebot.people.case import Case
from voicebot.people.desk import Desk
from voicebot.people.talk import Talk
from voicebot.queueing.model import Agent, AgentState, Entry, EntryState, Profile
from voicebot.summary import crm_link

WAITING = frozenset({EntryState.WAITING, EntryState.OFFERED})


class AgentViews:
    """Builds the view of one agent at a time."""

    def __init__(self, desk: Desk, config: Config) -> None:
        self._desk = desk
        self._config = config

    def of(self, profile: Profile) -> shapes.AgentView:
        """Of an agent who may never have signed in at the desk: then they are offline."""
        desk = self._desk
        agent = desk.agent(profile.login)
        now = datetime.now(UTC)
        entry = desk.entry(agent.entry) if agent is not None and agent.entry else None
        mine = [one for one in desk.entries if one.state in WAITING and _serves(profile, one)]
        return shapes.AgentView(
            revision=time.time_ns() // 1000,
            login=profile.login,
            name=profile.name,
            state=agent.state.value if agent is not None else "offline",
            reason=agent.reason if agent is not None else "",
            since=agent.since if agent is not None else now,
            reach="phone" if profile.by_phone else "browser",
            line=desk.lines.state(profile.login).value,
            queues=sorted(profile.queues),
            offer=self._offer(entry, now) if agent is not None and agent.state is AgentState.OFFERED else None,
            call=self._call(profile.login, entry),
            wrap_up=self._wrap_up(agent, entry),
            waiting=len(mine),
            longest_wait_s=max(((now - one.queued_at).total_seconds() for one in mine), default=None),
        )

    def _offer(self, entry: Entry | None, now: datetime) -> shapes.Offer | None:
        case = self._desk.case_about(entry.id) if entry is not None else None
        if entry is None or entry.offer is None or case is None:
            return None
        return shapes.Offer(
            entry=entry.id,
            kind=entry.kind.value,
            call_id=entry.call_id,
            queue=entry.queue,
            caller=entry.caller,
            language=entry.language,
            waited_s=round((now - entry.queued_at).total_seconds(), 1),
            until=entry.offer.until,
            summary=summary_view(case.caller.summary()),
            earlier=[earlier_view(call) for call in case.caller.earlier],
            crm_url=self._link(entry, case),
        )

    def _call(self, login: str, entry: Entry | None) -> shapes.AgentCall | None:
        case = self._desk.case_about(entry.id) if entry is not None else None
        if entry is None or case is None or entry.state not in (EntryState.ACCEPTED, EntryState.TALKING):
            return None
        talk = case.talk if case.talk is not None and case.talk.worker.id == login else None
        return shapes.AgentCall(
            entry=entry.id,
            call_id=entry.call_id,
            queue=entry.queue,
            caller=entry.caller,
            language=entry.language,
            since=entry.talking_at or entry.accepted_at or entry.queued_at,
            state=talk.state.value if talk is not None else "talking" if case.talk is not None else "connecting",
            muted=talk is not None and talk.muted,
            caller_on_line=entry.state is EntryState.TALKING,
            consult=_consult(talk),
            notes=self._desk.notes(entry.id),
            summary=summary_view(case.caller.summary()),
            earlier=[earlier_view(call) for call in case.caller.earlier],
            crm_url=self._link(entry, case),
            back_until=self._desk.back_until(login),
        )

    def _link(self, entry: Entry, case: Case) -> str:
        """Into the company's own customer pages; empty where none is configured."""
        template = self._config.people.crm_link
        return crm_link(template, case.caller.summary(), {"queue": entry.queue, "call_id": entry.call_id})

    def _wrap_up(self, agent: Agent | None, entry: Entry | None) -> shapes.WrapUp | None:
        if agent is None or agent.state is not AgentState.WRAP_UP or entry is None or agent.until is None:
            return None
        return shapes.WrapUp(
            entry=entry.id,
            call_id=entry.call_id,
            queue=entry.queue,
            caller=entry.caller,
            until=agent.until,
            codes=list(self._config.queue(entry.queue).wrap_up_codes),
            notes=self._desk.notes(entry.id),
        )


def _serves(profile: Profile, entry: Entry) -> bool:
    return (
        (not profile.queues or entry.queue in profile.queues)
        and entry.language in profile.languages
        and entry.skills <= profile.skills
    )


def _consult(talk: Talk | None) -> shapes.Party | None:
    if talk is None or talk.consult is None:
        return None
    consult = talk.consult
    return shapes.Party(kind=consult.target.kind, name=consult.target.name, state=consult.state, why=consult.why)
