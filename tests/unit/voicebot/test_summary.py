"""The summary says what the events say, masks secrets, and its briefing is short."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

import flows
from flows import load_bot
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
    KeysPressed,
    Outcome,
    RecordingStopped,
    SystemCalled,
)
from voicebot.summary import (
    BRIEFING_S,
    MASKED,
    Summary,
    as_text,
    briefing,
    crm_link,
    hidden_slots,
    sip_headers,
    spoken_seconds,
    summarise,
)
from voicebot.summary.outside import LONGEST_HEADER

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
                "Co dalej: Dokończ sprawę: gdzie jest paczka. O ustalone dane nie pytaj ponownie.",
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
                "Next: Finish what it is about: gdzie jest paczka. Do not ask again for what was collected.",
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


def test_the_bots_words_show_no_mood_and_the_callers_stand_beside_it() -> None:
    bot = BotSaid(text="To skandal", step="x", **at(3))
    assert summarise(call(bot), "pl", {}).mood == "neutral"
    summary = summarise(call(said("To jest SKANDAL!"), bot), "pl", {})
    assert (summary.mood, summary.mood_words) == ("angry", ("skandal",))
    assert "Nastrój: zdenerwowany (skandal)" in summary.as_text()


def decided(kind: str, **data: Any) -> Decision:
    return Decision(kind=kind, data=data, **at(7))


def test_values_come_with_their_certainty() -> None:
    events = call(
        said("123456"),  # heard with 0.9
        decided("understood", confidence=0.55),
        decided("slot_set", slot="order_number", value="123456"),
        decided("understood", confidence=1.0),
        decided("slot_set", slot="date", value="2026-11-30"),
        decided("slot_set", slot="name", value="Nowak"),
        decided("confirmed", slot="name"),
        KeysPressed(keys="7", **at(8)),
        decided("slot_set", slot="mark", value=7),
    )
    slots = {"order_number": "123456", "date": "2026-11-30", "name": "Nowak", "mark": 7, "given": "x"}
    summary = summarise(events, "pl", slots)
    assert [item.certainty for item in summary.collected] == [0.55, 0.9, 1.0, 1.0, None]
    assert "numer zamówienia: 123456 (niepewne)" in summary.as_text()
    assert "Upewnij się: numer zamówienia." in summary.next_step


def test_values_that_nobody_is_to_see_are_masked_everywhere() -> None:
    slots = {"pesel": "1234", "owner": "Anna Nowak", "order_number": "123456"}
    summary = summarise(call(ASKED), "pl", slots, hidden={"pesel"}, personal=("Anna Nowak",))
    assert [(item.value, item.masked) for item in summary.collected] == [
        (MASKED, True),
        (MASKED, True),
        ("123456", False),
    ]
    link = crm_link("https://crm.example/?p={pesel}&o={owner}", summary)
    outside = summary.as_text() + json.dumps(summary.as_json()) + str(sip_headers(summary)) + link
    assert '"1234"' not in outside
    assert "Nowak" not in outside
    assert link == "https://crm.example/?p=&o="
    assert all(MASKED not in str(span) for span in briefing(summary, "pl"))


def test_numbers_of_people_and_accounts_are_hidden_by_their_type() -> None:
    starters = Path(flows.__file__).parent / "starters"
    assert hidden_slots(load_bot(starters / "clinic")) == {"pesel", "child_pesel"}
    assert hidden_slots(load_bot(starters / "shop")) == frozenset()


def asked_system(outcome: str, operation: str = "shop.complain") -> SystemCalled:
    return SystemCalled(operation=operation, outcome=outcome, ms=9, **at(9))


@pytest.mark.parametrize(
    ("events", "reason", "sentences"),
    [
        ([asked_system("unknown")], "system_down", ["Before you repeat shop.complain, look in the system", "Finish"]),
        ([asked_system("failed")], "system_down", ["Do by hand what the bot got no answer to: shop.complain."]),
        (
            [asked_system("failed"), asked_system("ok")],
            "caller_asked",
            ["Finish what it is about: a parcel."],
        ),
        ([asked_system("not_found")], "too_many_tries", ["Check the details with the caller"]),
        ([said("to skandal")], "caller_asked", ["Hear the caller out first."]),
        ([], "not_understood", ["Ask once more what it is about."]),
        ([], "no_input", ["Make sure that the caller hears you."]),
        ([], "not_verified", ["make sure who is calling"]),
        ([CallbackPromised(number="601", **at(9))], "no_agent", ["Call back 601."]),
    ],
)
def test_the_next_step_follows_from_what_happened(events: list[CallEvent], reason: str, sentences: list[str]) -> None:
    started = decided("flow_started", flow="parcel")
    handed = HandoffStarted(queue="q", reason=reason, **at(20))
    summary = summarise(call(started, *events, handed), "en", {"order_number": "123456"}, topics={"parcel": "a parcel"})
    for sentence in sentences:
        assert sentence in summary.next_step
    assert summary.next_step.count(". ") <= 2


def test_there_is_nothing_to_do_where_the_bot_has_served_the_caller() -> None:
    ended = CallEnded(outcome=Outcome.CONTAINED, cause="local_hangup", duration_s=30, **at(30))
    assert summarise(call(ended), "pl", {}).next_step == "Nic: sprawa jest załatwiona."


def test_headers_are_plain_and_bounded_and_nothing_in_them_ends_a_header() -> None:
    detail = "Zażółć gęślą jaźń\r\nEvil: 1"
    headers = sip_headers(summarise(call(said("skandal"), ASKED), "pl", {"note": "ł" * 500}, detail=detail))
    assert list(headers) == ["X-Voicebot-Call", "X-Voicebot-Reason", "X-Voicebot-Summary"]
    assert headers["X-Voicebot-Reason"] == "caller_asked"
    for value in headers.values():
        assert value.isascii()
        assert value.isprintable()
        assert len(value) <= LONGEST_HEADER
    short = sip_headers(summarise(call(ASKED), "pl", {"order_number": "123456"}, detail=detail))["X-Voicebot-Summary"]
    assert unquote(short) == "numer zamówienia: 123456; Zażółć gęślą jaźń Evil: 1"
    assert "%" not in unquote(headers["X-Voicebot-Summary"])


def test_a_link_into_the_crm_is_filled_and_encoded() -> None:
    summary = summarise(call(ASKED), "pl", {"order_number": "A/1 &?"})
    template = "https://crm.example/{language}?phone={caller}&o={order_number}&q={queue}&x={none}#{call}"
    link = crm_link(template, summary, {"queue": "service"})
    assert link == "https://crm.example/pl?phone=%2B48601234567&o=A%2F1%20%26%3F&q=service&x=#c1"
    assert crm_link("", summary) == ""


def test_a_long_call_is_summarised_within_a_second() -> None:
    events = call(*[said(f"gdzie jest moja paczka numer {n}", n) for n in range(400)], ASKED)
    began = time.perf_counter()
    summarise(events, "pl", {"order_number": "123456"})
    assert time.perf_counter() - began < 1.0


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
