"""The summary of a call, built from its events; secret numbers are masked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from flows import Bot
from voicebot.events import (
    AgentJoined,
    AgentRefused,
    CallbackPromised,
    CallerSaid,
    CallEvent,
    Decision,
    Fault,
    HandoffStarted,
    KeysPressed,
    QueueLeft,
    SystemCalled,
    Transferred,
)
from voicebot.records.privacy import is_refusal, redact_events
from voicebot.records.transcript import transcribe
from voicebot.redaction import redact_value
from voicebot.summary.advice import next_step
from voicebot.summary.model import MASKED, Collected, Summary
from voicebot.summary.texts import LABELS, OUTCOMES, REASONS, TEXTS, TRIED, known, plain
from voicebot.watch.mood import mood_of

_HIDDEN_TYPES = ("pesel", "iban")


def hidden_slots(bot: Bot) -> frozenset[str]:
    """The slots whose values no summary shows: numbers that are as good as a person or their money."""
    return frozenset(
        name
        for flow in bot.flows.values()
        for name, slot in flow.slots.items()
        if getattr(slot, "type", "") in _HIDDEN_TYPES
    )


def summarise(
    events: Sequence[CallEvent],
    language: str,
    slots: Mapping[str, Any],
    *,
    topics: Mapping[str, str] | None = None,
    hidden: Collection[str] = (),
    personal: Collection[str] = (),
    detail: str = "",
    told: str = "",
) -> Summary:
    """The summary of one call as far as it has gone.

    `slots` are the values collected. `topics` says in words what each flow is about; without it the caller's own
    request is shown. The values of slots in `hidden` are masked, and those that a company system marked as `personal`.
    `detail` is the flow's own sentence on why it hands over, `told` what a language model made of the call.
    """
    # What a caller said who refused recording is here, too: for the agent's ear only, see `refused_recording`.
    masked = redact_events(event for event in events if not is_refusal(event))
    transcript = transcribe(masked)
    words = known(language)
    collected = _collected(masked, slots, LABELS[words], hidden, personal)
    handoff = next((event for event in reversed(masked) if isinstance(event, HandoffStarted)), None)
    reason = handoff.reason if handoff else ""
    why = _topic(masked, topics or {})
    mood = mood_of(event.text for event in masked if isinstance(event, CallerSaid))
    return Summary(
        call_id=transcript.call_id,
        language=language,
        who=transcript.caller,
        why=why,
        collected=collected,
        tried=tuple(_tried(masked, words)),
        reason=reason,
        why_stopped=_why_stopped(handoff, detail, transcript.outcome, words),
        mood=mood.name,
        mood_words=mood.words,
        next_step=next_step(masked, words, reason, why, collected, mood.name),
        outcome=transcript.outcome,
        told=told,
        transcript=transcript,
        refused_recording=any(is_refusal(event) for event in events),
    )


def _collected(
    events: Sequence[CallEvent],
    slots: Mapping[str, Any],
    labels: Mapping[str, str],
    hidden: Collection[str],
    personal: Collection[str],
) -> tuple[Collected, ...]:
    certain = certainties(events)
    found = []
    for name, value in slots.items():
        if value is not None:
            shown = MASKED if name in hidden or str(value) in personal else redact_value(value)
            found.append(Collected(name, labels.get(name, plain(name)), shown, certain.get(name), shown != value))
    return tuple(found)


def certainties(events: Iterable[CallEvent]) -> dict[str, float]:
    """How sure each value of a call is, by the slot, see `Collected`."""
    found: dict[str, float] = {}
    heard = meant = 1.0
    for event in events:
        match event:
            case CallerSaid(confidence=confidence):
                heard, meant = confidence, 1.0
            case KeysPressed():
                heard = meant = 1.0
            case Decision(kind="understood", data={"confidence": float(confidence)}):
                meant = confidence
            case Decision(kind="slot_set" | "said_early", data={"slot": str(slot)}):
                found[slot] = round(min(heard, meant), 2)
            case Decision(kind="confirmed", data={"slot": str(slot)}):
                found[slot] = 1.0
    return found


def _why_stopped(handoff: HandoffStarted | None, detail: str, outcome: str, language: str) -> str:
    if handoff:
        return detail or REASONS[language].get(handoff.reason, (plain(handoff.reason), ""))[0]
    return TEXTS[language]["served" if outcome == "contained" else "went_on"]


def _topic(events: Sequence[CallEvent], topics: Mapping[str, str]) -> str:
    """The flow that was started last, in words; else the longest of the caller's first three sentences."""
    for event in reversed(events):
        if isinstance(event, Decision) and event.kind == "flow_started" and event.data.get("flow") in topics:
            return topics[event.data["flow"]]
    said = [event.text for event in events if isinstance(event, CallerSaid)][:3]
    return max(said, key=len, default="")


def _tried(events: Sequence[CallEvent], language: str) -> Iterable[str]:
    texts = TRIED[language]
    for event in events:
        match event:
            case SystemCalled(operation=operation, outcome=outcome):
                yield f"{operation}: {OUTCOMES[language].get(outcome, outcome)}"
            case AgentRefused(cause=cause):
                yield texts["refused"].format(agent=_agent(event), cause=plain(cause))
            case AgentJoined():
                yield texts["joined"].format(agent=_agent(event))
            case Transferred(kind=kind, to=to):
                yield texts["transferred"].format(to=f"{texts[kind]} {to}".strip() if kind in texts else to)
            case QueueLeft(why="callback" | "voicemail" | "to_bot" | "overflow" as why, queue=queue):
                yield texts[f"left_{why}"].format(queue=queue)
            case CallbackPromised(number=number):
                yield texts["promised"].format(number=number)
            case Fault(stage=stage):
                yield texts["fault"].format(stage=stage)


def _agent(event: AgentRefused | AgentJoined) -> str:
    return event.name or event.agent or event.uri
