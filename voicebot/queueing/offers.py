"""Offers, talks and wrap-ups: what happens between an entry and one agent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Literal

from voicebot.queueing.choosing import fits
from voicebot.queueing.happenings import (
    Accept,
    CallbackDone,
    Connect,
    Connected,
    ConnectFailed,
    Decline,
    Missed,
    Offered,
    OfferFailed,
    Take,
    TalkEnded,
    Withdrawn,
    WrapUpDone,
)
from voicebot.queueing.ledger import Ledger
from voicebot.queueing.model import (
    ALWAYS_BACK_AFTER,
    DECLINED_ALONE_FOR,
    DECLINED_FOR,
    MISSED_IN_A_ROW,
    NO_ANSWER,
    RETRY_AFTER,
    TRIES,
    Agent,
    AgentState,
    Entry,
    EntryState,
    Kind,
    Offer,
)

SERVED, REACHED, GAVE_UP = "served", "reached", "gave_up"


def offer(ledger: Ledger, entry: Entry, agent: Agent) -> None:
    """Both are free for it."""
    settings = ledger.settings(entry.queue)
    answer_s = settings.ring_s + (settings.decide_s if agent.profile.by_phone else 0.0)
    made = Offer(f"{entry.id}:{entry.offers + 1}", entry.id, agent.login, ledger.now + timedelta(seconds=answer_s))
    entry = ledger.move(entry, EntryState.OFFERED, offer=made, offers=entry.offers + 1, agent=agent.login)
    ledger.move_agent(agent, AgentState.OFFERED, entry=entry.id, until=made.until)
    ledger.effects.append(Offered(made, entry))


def standing(ledger: Ledger, offer_id: str) -> tuple[Entry, Agent] | None:
    """Whom an offer is about; None: it stands no more."""
    entry = ledger.entries.get(offer_id.rpartition(":")[0])
    if entry is None or entry.offer is None or entry.offer.id != offer_id:
        return None
    return entry, ledger.agents[entry.offer.agent]


def withdraw(ledger: Ledger, entry: Entry, why: Literal["timed_out", "left", "agent_left"]) -> Agent:
    """Its agent stops ringing and is to be moved by the caller, as the entry is."""
    assert entry.offer is not None
    ledger.effects.append(Withdrawn(entry.offer, why))
    return ledger.agents[entry.offer.agent]


def not_taken(ledger: Ledger, entry: Entry, agent: Agent, outcome: str) -> Entry:
    """It waits for somebody else; a consult, which is for nobody else, ends with this outcome."""
    if entry.kind is Kind.CONSULT:
        return ledger.end(entry, EntryState.DONE, outcome=outcome)
    others = any(
        other.working and other.login != agent.login and fits(other, replace(entry, only=""), ledger.queues)
        for other in ledger.agents.values()
    )
    until = ledger.now + (DECLINED_FOR if others else DECLINED_ALONE_FOR)
    spared = [(login, end) for login, end in entry.declined if end > ledger.now and login != agent.login]
    return ledger.move(
        entry,
        EntryState.WAITING,
        offer=None,
        agent="",
        only="",
        accepted_at=None,
        declined=(*spared, (agent.login, until)),
    )


def missed(ledger: Ledger, entry: Entry, agent: Agent) -> None:
    """The agent did not answer, or could not be connected: twice in a row, and they are taken to be away."""
    times = agent.missed + 1
    away = times >= MISSED_IN_A_ROW
    if away:
        until = ledger.now + ALWAYS_BACK_AFTER if agent.profile.always else None
        ledger.move_agent(agent, AgentState.ON_BREAK, reason=NO_ANSWER, until=until, missed=0, then=None)
    else:
        ledger.rest(ledger.change_agent(agent, missed=times), tired=False)
    ledger.effects.append(Missed(agent.login, entry.id, away))


def on_accept(ledger: Ledger, event: Accept) -> None:
    if (pair := standing(ledger, event.offer)) is not None:
        _take(ledger, *pair)


def on_take(ledger: Ledger, event: Take) -> None:
    entry, agent = ledger.entries.get(event.entry), ledger.agents.get(event.agent)
    if entry is None or entry.kind is not Kind.CALLBACK or entry.state is not EntryState.WAITING or agent is None:
        return
    if agent.state is AgentState.AVAILABLE:
        _take(ledger, entry, agent)
    elif agent.state is AgentState.ON_BREAK:  # which goes on afterwards
        _take(ledger, entry, ledger.change_agent(agent, then=(AgentState.ON_BREAK, agent.reason)))


def _take(ledger: Ledger, entry: Entry, agent: Agent) -> None:
    ledger.move_agent(agent, AgentState.ON_CALL, entry=entry.id, missed=0)
    entry = ledger.move(
        entry, EntryState.ACCEPTED, offer=None, agent=agent.login, first=False, accepted_at=ledger.now, next_at=None
    )
    ledger.effects.append(Connect(entry, agent.login))


def on_decline(ledger: Ledger, event: Decline) -> None:
    if (pair := standing(ledger, event.offer)) is not None:
        entry, agent = pair
        not_taken(ledger, entry, agent, "declined")
        ledger.rest(ledger.change_agent(agent, missed=0), tired=False)


def on_offer_failed(ledger: Ledger, event: OfferFailed) -> None:
    if (pair := standing(ledger, event.offer)) is not None:
        entry, agent = pair
        not_taken(ledger, entry, agent, event.cause)
        missed(ledger, entry, agent)


def time_out(ledger: Ledger, entry: Entry) -> None:
    """Nobody answered the offer while it stood."""
    agent = withdraw(ledger, entry, "timed_out")
    not_taken(ledger, entry, agent, NO_ANSWER)
    missed(ledger, entry, agent)


def on_connected(ledger: Ledger, event: Connected) -> None:
    entry = ledger.entries.get(event.entry)
    if entry is not None and entry.state is EntryState.ACCEPTED:
        ledger.move(entry, EntryState.TALKING, talking_at=ledger.now)


def on_connect_failed(ledger: Ledger, event: ConnectFailed) -> None:
    entry = ledger.entries.get(event.entry)
    if entry is None or entry.state is not EntryState.ACCEPTED:
        return
    if entry.kind is Kind.CALLBACK:
        try_failed(ledger, entry)
        return
    agent = ledger.agents[entry.agent]
    waiting = not_taken(ledger, entry, agent, event.cause)
    if waiting.state is EntryState.WAITING:
        ledger.change(waiting, first=True)
    missed(ledger, entry, agent)


def try_failed(ledger: Ledger, entry: Entry) -> None:
    """A callback was accepted, dialled, and not answered."""
    agent, tries = ledger.agents[entry.agent], entry.tries + 1
    if tries >= TRIES:
        ledger.end(entry, EntryState.DONE, outcome=GAVE_UP, tries=tries)
    else:
        next_at = ledger.now + RETRY_AFTER[tries - 1]
        ledger.move(entry, EntryState.WAITING, agent="", tries=tries, next_at=next_at, accepted_at=None)
    ledger.rest(agent)


def on_talk_ended(ledger: Ledger, event: TalkEnded) -> None:
    entry = ledger.entries.get(event.entry)
    if entry is None:
        return
    if entry.state is EntryState.TALKING:
        write_up(ledger, entry, REACHED if entry.kind is Kind.CALLBACK else SERVED)
    elif entry.state is EntryState.ACCEPTED and entry.kind is Kind.CALLBACK:
        try_failed(ledger, entry)
    elif entry.state is EntryState.ACCEPTED:
        agent = ledger.agents[entry.agent]
        ledger.end(entry, EntryState.ABANDONED, outcome="hung_up")
        ledger.rest(agent)


def write_up(ledger: Ledger, entry: Entry, outcome: str) -> None:
    """The talk is over for its agent."""
    agent = ledger.agents[entry.agent]
    wrap_up_s = ledger.settings(entry.queue).wrap_up_s
    leaves = agent.then is not None and agent.then[0] is AgentState.OFFLINE
    entry = ledger.move(entry, EntryState.WRAP_UP, outcome=outcome)
    agent = ledger.move_agent(
        agent, AgentState.WRAP_UP, entry=entry.id, until=ledger.now + timedelta(seconds=wrap_up_s)
    )
    if leaves or wrap_up_s <= 0 or entry.kind is Kind.CONSULT:
        end_wrap_up(ledger, entry)


def end_wrap_up(ledger: Ledger, entry: Entry, code: str = "", notes: str = "") -> None:
    """Its agent is free again."""
    agent = ledger.agents[entry.agent]
    ledger.end(entry, EntryState.DONE, code=code, notes=notes)
    ledger.rest(agent)


def on_wrap_up_done(ledger: Ledger, event: WrapUpDone) -> None:
    entry = ledger.entries.get(event.entry)
    if entry is not None and entry.state is EntryState.WRAP_UP:
        end_wrap_up(ledger, entry, event.code, event.notes)
    elif (ended := ledger.recent.get(event.entry)) is not None and not ended.code:
        ledger.correct(ended, code=event.code, notes=event.notes)


def on_callback_done(ledger: Ledger, event: CallbackDone) -> None:
    entry = ledger.entries.get(event.entry)
    if entry is None or entry.kind is not Kind.CALLBACK:
        return
    if entry.state is EntryState.TALKING:
        write_up(ledger, entry, event.outcome)
    elif entry.state is EntryState.WRAP_UP:
        ledger.change(entry, outcome=event.outcome)
    else:
        free(ledger, entry)
        ledger.end(entry, EntryState.DONE, outcome=event.outcome)


def free(ledger: Ledger, entry: Entry) -> None:
    """The agent whom it was offered to, or who has accepted it, has nothing to do with it any more."""
    if entry.state is EntryState.OFFERED:
        ledger.rest(withdraw(ledger, entry, "left"), tired=False)
    elif entry.state is EntryState.ACCEPTED:
        ledger.rest(ledger.agents[entry.agent])
