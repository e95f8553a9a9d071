"""Callers who come, leave, are called back, are given away, and those who go where a queue overflows to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal

from voicebot.people_settings import ToQueue
from voicebot.queueing.callbacks import callback_id
from voicebot.queueing.choosing import fits
from voicebot.queueing.happenings import ConsultDone, Enter, Leave, Overflow, Promise, TransferTo
from voicebot.queueing.ledger import Ledger
from voicebot.queueing.model import (
    DECLINED_FOR,
    LEFT_AS,
    NO_ANSWER,
    STANDING,
    Agent,
    AgentState,
    Entry,
    EntryState,
    Kind,
    Why,
)
from voicebot.queueing.offers import free, try_failed, write_up

TRANSFERRED = "transferred"
Refusal = Literal["closed", "longest_wait", "longest_queue", "nobody"]


def on_enter(ledger: Ledger, event: Enter) -> None:
    if event.entry in ledger.entries:
        return
    entry = ledger.add(
        Entry(
            id=event.entry,
            number=ledger.next_number(),
            kind=event.kind,
            call_id=event.call_id,
            caller=event.caller,
            language=event.language,
            queue=event.queue,
            urgency=event.urgency,
            entered_at=event.entered_at or _kept_place(ledger, event) or ledger.now,
            queued_at=ledger.now,
            skills=event.skills,
            reason=event.reason,
            knows=event.knows,
            only=event.only,
        )
    )
    if entry.kind is Kind.CALL and not entry.only:
        why = refusal(ledger, entry)
        if why is not None:
            overflow(ledger, entry, why)


def _kept_place(ledger: Ledger, event: Enter) -> datetime | None:
    """Of a caller who was lost; it is given back once."""
    place = ledger.places.pop((event.caller, event.queue), None) if event.caller else None
    return place.entered_at if place is not None and ledger.now <= place.until else None


def refusal(ledger: Ledger, entry: Entry) -> Refusal | None:
    """Why a caller cannot begin to wait here."""
    if not ledger.is_open(entry.queue):
        return "closed"
    if nobody_is_there(ledger, entry):
        return "nobody"
    waiting = ledger.live(*STANDING, kind=Kind.CALL)
    before = sum(other.queue == entry.queue and other.id != entry.id for other in waiting)
    return "longest_queue" if before >= ledger.settings(entry.queue).longest_queue else None


def nobody_is_there(ledger: Ledger, entry: Entry) -> bool:
    """Whether no agent who could serve it is here: in a talk, on a break, or about to be back on a broken line."""
    return not any(_is_here(agent) and fits(agent, entry, ledger.queues) for agent in ledger.agents.values())


def _is_here(agent: Agent) -> bool:
    away = agent.state is AgentState.ON_BREAK and agent.reason == NO_ANSWER
    return agent.state is not AgentState.OFFLINE and not away


def overflow(ledger: Ledger, entry: Entry, why: Refusal) -> None:
    """Where its queue says, and on while that queue has no place either; no queue twice."""
    refused: Refusal | None = why
    while refused is not None:
        settings = ledger.settings(entry.queue)
        target = settings.closed if refused == "closed" else settings.overflow
        if isinstance(target, ToQueue) and target.queue not in (entry.queue, *entry.visited):
            visited = (*entry.visited, entry.queue)
            entry = ledger.change(
                entry, queue=target.queue, visited=visited, queued_at=ledger.now, only="", declined=(), announce_at=None
            )
            ledger.effects.append(Overflow(entry, "queue", refused))
            refused = refusal(ledger, entry)
            continue
        to = "callback" if isinstance(target, ToQueue) else target
        ledger.effects.append(Overflow(entry, to, refused))
        ledger.end(entry, EntryState.OVERFLOWED, outcome=to)
        return


def promise(ledger: Ledger, event: Promise) -> None:
    """A callback is an entry as any other, which nobody hears waiting."""
    name = callback_id(event.call_id, event.number)
    if name in ledger.promised:
        return
    ledger.promised.append(name)
    ledger.add(
        Entry(
            id=name,
            number=ledger.next_number(),
            kind=Kind.CALLBACK,
            call_id=event.call_id,
            caller=event.number,
            language=event.language,
            queue=event.queue,
            urgency=event.urgency,
            entered_at=event.entered_at or ledger.now,
            queued_at=ledger.now,
            skills=event.skills,
            reason=event.reason,
            knows=event.knows,
        )
    )


def on_leave(ledger: Ledger, event: Leave) -> None:
    entry = ledger.entries.get(event.entry)
    if entry is None or entry.state is EntryState.WRAP_UP or (event.why is Why.CALLBACK and not event.number):
        return
    if entry.kind is Kind.CALLBACK and entry.state is not EntryState.TALKING:
        _leave_callback(ledger, entry, event.why)
    elif entry.state is EntryState.TALKING:
        write_up(ledger, entry, str(event.why))
    else:
        free(ledger, entry)
        ledger.end(entry, LEFT_AS[event.why], outcome=str(event.why))
    if event.why is Why.CALLBACK:
        promise(ledger, _promise_to(entry, event.number))


def _leave_callback(ledger: Ledger, entry: Entry, why: Why) -> None:
    """Nobody is on the line yet; whoever hangs up has not answered."""
    if why is Why.HUNG_UP and entry.state is EntryState.ACCEPTED:
        try_failed(ledger, entry)
    elif why is not Why.HUNG_UP:
        free(ledger, entry)
        ledger.end(entry, EntryState.DONE, outcome=str(why))


def _promise_to(entry: Entry, number: str) -> Promise:
    return Promise(
        call_id=entry.call_id,
        number=number,
        language=entry.language,
        queue=entry.queue,
        urgency=entry.urgency,
        skills=entry.skills,
        reason=entry.reason,
        knows=entry.knows,
        entered_at=entry.entered_at,
    )


def on_transfer(ledger: Ledger, event: TransferTo) -> None:
    entry = ledger.entries.get(event.entry)
    if entry is None or entry.state is not EntryState.TALKING or event.as_entry in ledger.entries:
        return
    if entry.kind is Kind.CONSULT:
        return
    write_up(ledger, entry, TRANSFERRED)
    ledger.add(
        Entry(
            id=event.as_entry,
            number=ledger.next_number(),
            kind=Kind.CALL,
            call_id=entry.call_id,
            caller=entry.caller,
            language=entry.language,
            queue=event.queue,
            urgency=entry.urgency,
            entered_at=entry.entered_at,
            queued_at=ledger.now,
            skills=event.skills,
            reason=TRANSFERRED,
            only=event.only,
            declined=((entry.agent, ledger.now + DECLINED_FOR),),
        )
    )


def on_consult_done(ledger: Ledger, event: ConsultDone) -> None:
    entry, consult = ledger.entries.get(event.entry), ledger.entries.get(event.consult)
    if entry is None or consult is None or entry.kind is Kind.CONSULT or consult.kind is not Kind.CONSULT:
        return
    if entry.state is EntryState.TALKING and consult.state is EntryState.TALKING:
        write_up(ledger, entry, TRANSFERRED)
        theirs = replace(consult, kind=Kind.CALL, caller=entry.caller, language=entry.language, queue=entry.queue)
        ledger.add(replace(theirs, urgency=entry.urgency, entered_at=entry.entered_at, skills=entry.skills, only=""))
