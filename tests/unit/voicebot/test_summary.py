"""The summary says what the events say, masks secrets, and its briefing is short."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tts.text import spoken
from voicebot.events import (
    REFUSED,
    AgentRefused,
    BotSaid,
    CallbackPromised,
    CallEnded,
    CallerSaid,
    CallEvent,
    CallStarted,
    Decision,
    Fault,
    HandoffStarted,
    Outcome,
    RecordingStopped,
    SystemCalled,
)
from voicebot.summary import BRIEFING_S, Summary, as_text, briefing, mood_of, spoken_seconds, summarise

PESEL = "44051401359"


def at(offset_s: float) -> dict[str, Any]:
    return {"call_id": "c1", "at": datetime(2026, 11, 23, 10, 0, tzinfo=UTC), "offset_s": offset_s}


def said(text: str, offset_s: float = 5.0) -> CallerSaid:
    return CallerSaid(text=text, confidence=0.9, decode_ms=80, audio_s=1.0, **at(offset_s))


def call(*middle: CallEvent, language: str = "pl", caller: str = "+48601234567") -> list[CallEvent]:
    return [
        CallStarted(caller=caller, dialled="100", language=language, bot="shop", **at(0)),
        BotSaid(text="Dzień dobry, tu automat.", step="greeting/machine", **at(1)),
        *middle,
    ]


ASKED = HandoffStarted(queue="service", reason="caller_asked", **at(20))


def test_a_handoff_in_full() -> None:
    events = call(
        said("gdzie jest moja paczka"),
        Decision(kind="flow_started", data={"flow": "order_status"}, **at(5)),
        said("mój pesel to 44051401359", 9),
        SystemCalled(operation="shop.order", outcome="not_found", ms=40, **at(10)),
        Fault(stage="recogniser", message="gone", **at(11)),
        said("daj mi człowieka", 12),
        ASKED,
        AgentRefused(uri="sip:anna@pbx", cause="no_answer", **at(40)),
        CallbackPromised(number="601234567", **at(50)),
    )
    summary = summarise(
        events, "pl", {"order_number": "123456", "pesel": PESEL, "date": None}, topics={"order_status": "zamówienie"}
    )
    assert summary.who == "+48601234567"
    assert summary.why == "zamówienie"
    assert [(item.label, item.value) for item in summary.collected] == [
        ("numer zamówienia", "123456"),
        ("pesel", "[PESEL]"),
    ]
    assert summary.tried == (
        "shop.order: nie znaleziono",
        "błąd (recogniser)",
        "konsultant sip:anna@pbx: no answer",
        "obiecano oddzwonić: 601234567",
    )
    assert (summary.reason, summary.why_stopped) == ("caller_asked", "Rozmówca poprosił o człowieka.")
    assert summary.mood == "neutral"
    assert [turn.text for turn in summary.last_turns][-1] == "daj mi człowieka"
    assert PESEL not in summary.as_text() + json.dumps(summary.as_json())


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        (
            "pl",
            [
                "Dzwoni: +48601234567",
                "W sprawie: gdzie jest paczka",
                "Ustalono: numer zamówienia: 123456",
                "Próbowano: shop.order: udało się",
                "Dlaczego bot przerwał: Rozmówca poprosił o człowieka.",
                "Nastrój: spokojny",
                "Ostatnie słowa:",
                "  [00:01] Bot: Dzień dobry, tu automat.",
                "  [01:05] Dzwoniący: gdzie jest paczka",
            ],
        ),
        (
            "en",
            [
                "Caller: +48601234567",
                "About: gdzie jest paczka",
                "Collected: order number: 123456",
                "Tried: shop.order: done",
                "Why the bot stopped: The caller asked for a person.",
                "Mood: calm",
                "Last words:",
                "  [00:01] Bot: Dzień dobry, tu automat.",
                "  [01:05] Caller: gdzie jest paczka",
            ],
        ),
    ],
)
def test_as_text(language: str, lines: list[str]) -> None:
    events = call(
        said("gdzie jest paczka", 65), SystemCalled(operation="shop.order", outcome="ok", ms=9, **at(9)), ASKED
    )
    assert as_text(summarise(events, language, {"order_number": "123456"}), language).splitlines() == lines


def test_an_empty_call_is_summarised() -> None:
    summary = summarise([], "pl", {})
    assert (summary.who, summary.why, summary.collected, summary.tried) == ("", "", (), ())
    assert "numer zastrzeżony" in summary.as_text()
    assert briefing(summary, "pl")


def test_a_served_call_says_so() -> None:
    ended = CallEnded(outcome=Outcome.CONTAINED, cause="local_hangup", duration_s=30, **at(30))
    assert summarise(call(ended), "en", {}).why_stopped == "The bot served the caller."
    assert summarise(call(), "en", {}).why_stopped == "The bot did not stop."


def test_an_unknown_reason_is_shown_as_it_is_and_the_flows_own_sentence_wins() -> None:
    events = call(HandoffStarted(queue="q", reason="vip_customer", **at(9)))
    assert summarise(events, "en", {}).why_stopped == "vip customer"
    assert summarise(events, "en", {}, detail="Important customers go to people.").why_stopped.startswith("Important")


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("to jest skandal", "angry"),
        ("Jestem wściekła!", "angry"),
        ("jesteście złodziejami", "angry"),
        ("this is ridiculous", "angry"),
        ("ile jeszcze mam czekać", "impatient"),
        ("już mówiłem przecież", "impatient"),
        ("I already told you that", "impatient"),
        ("gdzie jest moja paczka", "neutral"),
        ("it is skandalon", "angry"),
        ("where is my parcel", "neutral"),
        ("", "neutral"),
    ],
)
def test_mood_from_words(text: str, mood: str) -> None:
    assert mood_of([text, "123456"]) == mood


def test_anger_outweighs_impatience_and_the_bots_words_do_not_count() -> None:
    assert mood_of(["szybciej", "skandal"]) == "angry"
    bot = BotSaid(text="To skandal", step="x", **at(3))
    assert summarise(call(bot), "pl", {}).mood == "neutral"


def brief(summary: Summary, language: str) -> str:
    return spoken(briefing(summary, language), language)


def test_a_polish_briefing_has_numbers_as_spans() -> None:
    summary = summarise(call(ASKED), "pl", {})
    assert briefing(summary, "pl") == [
        "Dzwoni klient z numeru",
        {"kind": "phone", "value": "601234567"},
        ".",
        "Prosi o rozmowę z konsultantem.",
        "Naciśnij jeden, aby odebrać, dwa, aby odrzucić.",
    ]
    assert "sześć zero jeden" in brief(summary, "pl")


def test_what_matters_less_is_left_out_of_a_long_briefing() -> None:
    summary = summarise(call(said("dzień dobry, gdzie jest moja paczka"), ASKED), "pl", {"order_number": "123456"})
    text = brief(summary, "pl")
    assert text.startswith("Dzwoni klient. Numer zamówienia jeden dwa trzy, cztery pięć sześć.")
    assert "sześć zero jeden" not in text
    assert "Prosi o rozmowę z konsultantem." in text


def longest(summary: Callable[[], Summary]) -> float:
    return max(spoken_seconds([briefing(summary(), language)]) for language in ("pl", "en"))


@pytest.mark.parametrize("reason", ["caller_asked", "too_many_tries", "fault", "what_the_operator_wrote", "flow"])
@pytest.mark.parametrize("slots", [{}, {"order_number": "123456"}, {"a": "1" * 40, "b": "very long " * 30}])
def test_no_briefing_is_long(reason: str, slots: dict[str, str]) -> None:
    events = call(said("skandal " * 40), HandoffStarted(queue="q", reason=reason, **at(9)))
    assert longest(lambda: summarise(events, "pl", slots)) <= BRIEFING_S
    assert brief(summarise(events, "en", slots), "en").endswith("Press one to take the call, two to decline.")


def test_a_caller_who_refused_recording_is_briefed_and_marked() -> None:
    events = call(
        said("nie zgadzam się na nagrywanie"), RecordingStopped(reason=REFUSED, **at(6)), said("paczka", 8), ASKED
    )
    summary = summarise(events, "pl", {})
    assert summary.refused_recording
    assert summary.last_turns[-1].text == "paczka"
