"""What an agent's desk shows, made of what the human side knows."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from voicebot.api.at_desk import at_desk
from voicebot.api.call_view import summary_view as kept_summary_view
from voicebot.api.shapes import desk as shapes
from voicebot.api.shapes.call_parts import EarlierCall as ShownEarlier
from voicebot.api.shapes.call_parts import Summary as Shown
from voicebot.api.summary_view import earlier_view, summary_view
from voicebot.config import Config
from voicebot.people.desk import Desk
from voicebot.people.talk import Talk, TalkState
from voicebot.queueing.choosing import can_serve
from voicebot.queueing.model import STANDING, Agent, AgentState, Entry, EntryState, Kind, Profile
from voicebot.records.past_calls import EarlierCall
from voicebot.summary import Summary, crm_link, summarise


@dataclass(frozen=True)
class _Known:
    """What an agent is shown of a caller."""

    summary: Shown
    earlier: list[ShownEarlier]
    crm_url: str


class AgentViews:
    """Builds the view of one agent at a time."""

    def __init__(self, desk: Desk, config: Config) -> None:
        self._desk = desk
        self._config = config

    def of(self, profile: Profile) -> shapes.AgentView:
        """Of an agent who may never have signed in at the desk: then they are offline."""
        desk = self._desk
        now = datetime.now(UTC)
        signed_in = desk.agent(profile.login) or Agent(profile, AgentState.OFFLINE, since=now, idle_since=now)
        agent = replace(signed_in, profile=profile)
        entry = desk.entry_of(profile.login)
        queues = self._config.queues
        mine = [one for one in desk.entries if one.state in STANDING and can_serve(profile, one, queues)]
        return shapes.AgentView(
            revision=time.time_ns() // 1000,
            **at_desk(desk, agent),
            line_id=desk.lines.line_id(profile.login),
            offer=self._offer(entry, now) if agent.state is AgentState.OFFERED else None,
            call=self._call(profile.login, entry),
            wrap_up=self._wrap_up(agent, entry),
            waiting=len(mine),
            longest_wait_s=max(((now - one.queued_at).total_seconds() for one in mine), default=None),
        )

    def _offer(self, entry: Entry | None, now: datetime) -> shapes.Offer | None:
        if entry is None or entry.offer is None or (known := self._known(entry)) is None:
            return None
        return shapes.Offer(
            entry=entry.id,
            kind=entry.kind.value,
            asked_by=self._asked_by(entry),
            call_id=entry.call_id,
            queue=entry.queue,
            caller=entry.caller,
            language=entry.language,
            waited_s=round((now - entry.queued_at).total_seconds(), 1),
            until=entry.offer.until,
            summary=known.summary,
            earlier=known.earlier,
            crm_url=known.crm_url,
        )

    def _call(self, login: str, entry: Entry | None) -> shapes.AgentCall | None:
        if entry is None or entry.state not in (EntryState.ACCEPTED, EntryState.TALKING):
            return None
        if (known := self._known(entry)) is None:
            return None
        case = self._desk.case_about(entry.id)
        talks = case.talk if case is not None else None
        talk = talks if talks is not None and talks.worker.id == login else None
        if talk is not None and talk.state is TalkState.OVER:  # the queue will hear of it in a moment
            return None
        return shapes.AgentCall(
            entry=entry.id,
            call_id=self._desk.call_id(entry),
            queue=entry.queue,
            caller=entry.caller,
            language=entry.language,
            since=entry.talking_at or entry.accepted_at or entry.queued_at,
            state=talk.state.value if talk is not None else "talking" if talks is not None else "connecting",
            muted=talk is not None and talk.muted,
            unheard=talk is not None and talk.unheard,
            caller_on_line=entry.state is EntryState.TALKING,
            asked_by=self._asked_by(entry),
            by_hand=entry.state is EntryState.ACCEPTED and self._desk.is_by_hand(entry),
            consult=self._consult(talk),
            notes=self._desk.notes(entry.id),
            summary=known.summary,
            earlier=known.earlier,
            crm_url=known.crm_url,
            back_until=self._desk.back_until(login),
        )

    def _asked_by(self, entry: Entry) -> str:
        case = self._desk.case_about(entry.id) if entry.kind is Kind.CONSULT else None
        return case.talk.worker.name if case is not None and case.talk is not None else ""

    def _consult(self, talk: Talk | None) -> shapes.Party | None:
        if talk is None or talk.consult is None:
            return None
        consult = talk.consult
        kind, name = consult.target.kind, consult.target.name
        name = self._desk.worker(name).name if kind == "agent" else name
        return shapes.Party(kind=kind, name=name, state=consult.state, why=consult.why)

    def _known(self, entry: Entry) -> _Known | None:
        """Of the caller; None where an entry is gone already. Of whom is called back it is what the records know."""
        if entry.kind is Kind.CALLBACK:
            return self._promised(entry)
        if (case := self._desk.case_about(entry.id)) is None:
            return None
        summary = case.caller.summary()
        return self._of(entry, summary, summary_view(summary), case.caller.earlier)

    def _promised(self, entry: Entry) -> _Known:
        promised = self._desk.promises.of(entry.id)
        empty = replace(summarise((), entry.language, {}), call_id=entry.call_id, who=entry.caller, reason=entry.reason)
        kept = kept_summary_view(promised.summary)
        collected = [] if kept is None else kept.collected
        values = {item.name: item.value for item in collected if not item.masked}
        return self._of(entry, empty, kept or summary_view(empty), promised.earlier, values)

    def _of(
        self,
        entry: Entry,
        summary: Summary,
        shown: Shown,
        earlier: Iterable[EarlierCall],
        values: Mapping[str, str] | None = None,
    ) -> _Known:
        """With the link into the company's own customer pages; empty where none is configured."""
        told = {**(values or {}), "queue": entry.queue, "call_id": entry.call_id}
        link = crm_link(self._config.people.crm_link, summary, told)
        return _Known(shown, [earlier_view(call) for call in earlier], link)

    def _wrap_up(self, agent: Agent, entry: Entry | None) -> shapes.WrapUp | None:
        if agent.state is not AgentState.WRAP_UP or entry is None or agent.until is None:
            return None
        return shapes.WrapUp(
            entry=entry.id,
            call_id=self._desk.call_id(entry),
            queue=entry.queue,
            caller=entry.caller,
            until=agent.until,
            codes=list(self._config.queue(entry.queue).wrap_up_codes),
            notes=self._desk.notes(entry.id),
        )
