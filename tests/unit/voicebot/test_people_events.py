"""What people say and do in a call is kept like what the bot does: masked, dropped after a refusal, readable later."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from voicebot.events import (
    REFUSED,
    AgentJoined,
    AgentLeft,
    AgentSaid,
    AlertRaised,
    BotSaid,
    CallClock,
    CallEnded,
    CallerSaid,
    CallerSaying,
    CallEvent,
    CallHeld,
    EventStream,
    MoodChanged,
    Outcome,
    QueueLeft,
    RecordingStopped,
    SupervisorJoined,
    Transferred,
    WrappedUp,
    from_json,
)
from voicebot.parts import CallContext
from voicebot.records.privacy import LiveEvents, LiveLines, redact_events
from voicebot.records.transcript import transcribe, turn_lines
from voicebot.summary import summarise

PESEL = ("44 05 14", "01 359")


def at(offset_s: float) -> dict[str, Any]:
    return {"call_id": "c1", "at": datetime(2026, 11, 23, 10, 0, tzinfo=UTC), "offset_s": offset_s}


def caller(text: str, offset_s: float = 1.0) -> CallerSaid:
    return CallerSaid(text=text, confidence=0.9, decode_ms=80, audio_s=1.0, **at(offset_s))


def anna(text: str, offset_s: float = 1.0) -> AgentSaid:
    return AgentSaid(
        agent="anna", name="Anna Nowak", text=text, confidence=0.8, decode_ms=80, audio_s=1, **at(offset_s)
    )


def ended() -> CallEnded:
    return CallEnded(outcome=Outcome.HANDED_OFF, cause="remote_hangup", duration_s=90, **at(90))


def words(events: list[CallEvent]) -> str:
    return " ".join(str(getattr(event, "text", "")) for event in events)


def test_an_agent_stands_in_the_transcript_by_name() -> None:
    turns = transcribe([caller("dzień dobry"), anna("w czym mogę pomóc", 65)]).turns
    assert (turns[1].who, turns[1].name, turns[1].confidence) == ("agent", "Anna Nowak", 0.8)
    assert turn_lines(turns, "pl")[1] == "[01:05] Konsultant Anna Nowak: w czym mogę pomóc"


def test_a_number_dictated_to_an_agent_who_speaks_in_between_is_masked() -> None:
    kept = redact_events([caller(PESEL[0]), anna("tak, słucham dalej"), caller(PESEL[1]), anna("dziękuję")])
    assert not any(sign.isdigit() for sign in words(kept))
    assert "tak, słucham dalej" in words(kept)


def test_a_number_that_an_agent_repeats_in_pieces_is_masked() -> None:
    kept = redact_events(
        [
            caller(PESEL[0]),
            anna(PESEL[0]),
            caller("tak"),
            caller(PESEL[1]),
            anna(PESEL[1]),
            caller("zgadza się"),
            ended(),
        ]
    )
    said_by_agent = words([event for event in kept if isinstance(event, AgentSaid)])
    assert not any(sign.isdigit() for sign in said_by_agent)


def test_holding_the_call_in_the_middle_of_a_number_is_seen_at_once_and_does_not_split_it() -> None:
    seen: list[CallEvent] = []
    live = LiveEvents(seen.append)
    for event in (caller(PESEL[0], 1), CallHeld(agent="anna", **at(2))):
        live(event)
    assert [type(event) for event in seen] == [CallHeld]
    for event in (caller(PESEL[1], 3), ended()):
        live(event)
    assert [event.offset_s for event in seen] == [2, 1, 3, 90]
    assert not any(sign.isdigit() for sign in words(seen))
    in_order = redact_events([caller(PESEL[0], 1), CallHeld(agent="anna", **at(2)), caller(PESEL[1], 3)])
    assert [event.offset_s for event in in_order] == [1, 2, 3]


def test_after_a_refusal_nothing_of_the_talk_is_kept_but_what_the_agent_wrote() -> None:
    events: list[CallEvent] = [
        RecordingStopped(reason=REFUSED, **at(1)),
        anna("sekret"),
        MoodChanged(mood="angry", words=["sekret"], **at(2)),
        AlertRaised(alert="c1:keyword:1", kind="keyword", text="sekret", **at(2)),
        ended(),
        WrappedUp(agent="anna", code="solved", notes="oddzwonić jutro", **at(95)),
    ]
    lines: list[str] = []
    live = LiveLines(lines.append)
    for event in events:
        live(event)
    assert "sekret" not in str(redact_events(events)) + "".join(lines)
    assert "oddzwonić jutro" in lines[-1]


def test_words_so_far_are_shown_to_who_asks_for_them_and_never_with_digits() -> None:
    seen: list[CallEvent] = []
    live = LiveEvents(seen.append, saying=True)
    for text in ("mój numer to", "mój numer to cztery cztery"):
        live(CallerSaying(text=text, **at(1)))
    live(RecordingStopped(reason=REFUSED, **at(2)))
    live(CallerSaying(text="nie chcę", **at(3)))
    assert words(seen).strip() == "mój numer to"


def test_records_of_an_older_release_are_read() -> None:
    old = {"event": "agent_joined", "call_id": "c1", "at": "2026-11-23T10:00:00+00:00", "offset_s": 1, "uri": "sip:a@b"}
    assert from_json(old) == AgentJoined(uri="sip:a@b", **at(1))


def test_the_summary_tells_what_people_did_and_not_who_listened() -> None:
    summary = summarise(
        [
            QueueLeft(queue="service", entry="e1", why="overflow", **at(5)),
            AgentJoined(uri="", agent="anna", name="Anna Nowak", **at(10)),
            SupervisorJoined(login="boss", mode="listen", listen="l1", **at(11)),
            Transferred(agent="anna", kind="queue", to="complaints", **at(20)),
        ],
        "pl",
        {},
    )
    assert summary.tried == (
        "kolejka service: zbyt długie oczekiwanie",
        "konsultant Anna Nowak: przejął rozmowę",
        "przekazano dalej: kolejka complaints",
    )
    assert "boss" not in json.dumps(summary.as_json())


def test_a_talk_with_people_is_not_of_the_bots_conversation() -> None:
    context = CallContext("c1", "", "100", "pl", CallClock("c1"), EventStream())
    said = {"confidence": 0.9, "decode_ms": 80, "audio_s": 1}
    context.publish(CallerSaid, text="do bota", **said)
    context.publish(AgentJoined, uri="", agent="anna")
    context.publish(CallerSaid, text="do Anny", **said)
    context.publish(AgentLeft, agent="anna", why="to_bot")
    context.publish(BotSaid, text="Jestem", step="s", heard_text="Jestem")
    assert [turn.text for turn in context.turns()] == ["do bota", "Jestem"]
