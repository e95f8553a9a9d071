"""Decisions of a call in plain words, in the language of whoever reads."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import flows
from voicebot.decisions import explain
from voicebot.decisions.texts import SENTENCES
from voicebot.events import CallerSaid, CallEvent, Decision, Fault, HandoffStarted, RoutingDecided, SystemCalled
from voicebot.records.privacy import without_words

AT: dict[str, Any] = {"call_id": "c1", "at": datetime(2026, 11, 23, tzinfo=UTC), "offset_s": 2.5}


def decision(kind: str, **data: Any) -> Decision:
    return Decision(kind=kind, data=data, **AT)


@pytest.mark.parametrize(
    ("event", "polish", "english"),
    [
        (
            decision("slot_set", slot="order_number", value="a_1"),
            "Zapisano: order number = a_1.",
            "Noted: order number = a_1.",
        ),
        (
            decision("understood", commands=["handoff", "affirm"], confidence=1.0, reason="phrase"),
            "Zrozumiano: chce człowieka, tak (stały zwrot).",
            "Understood: wants a person, yes (phrase).",
        ),
        (
            decision("understood", commands=["deny"], confidence=0.9, reason="a phrase for deny"),
            "Zrozumiano: nie (zwrot: nie).",
            "Understood: no (a phrase for deny).",
        ),
        (
            decision("turn_taking", move="end_of_turn", reason="answers", pause_ms=400),
            "Rozmówca skończył mówić: odpowiedział, po 400 ms ciszy.",
            "The caller had finished: answered, after 400 ms of silence.",
        ),
        (
            SystemCalled(operation="shop.order", outcome="not_found", ms=12.5, **AT),
            "Zapytano system: shop.order, wynik: nie znaleziono, 12.5 ms.",
            "A system was asked: shop.order, outcome: not found, 12.5 ms.",
        ),
        (
            HandoffStarted(queue="service", reason="caller_asked", **AT),
            "Do kolejki service: rozmówca poprosił o człowieka.",
            "To the queue service: the caller asked for a person.",
        ),
        (
            RoutingDecided(rule="", queue="service", priority=0.0, **AT),
            "Żadna reguła: kolejka service, priorytet 0.",
            "No rule: queue service, priority 0.",
        ),
        (Fault(stage="call", message="no_route {x}", **AT), "Błąd (call): no_route {x}", "Fault (call): no_route {x}"),
        (decision("something_new", x=1), "something new", "something new"),
    ],
)
def test_a_decision_is_a_sentence(event: CallEvent, polish: str, english: str) -> None:
    assert [one.why for language in ("pl", "en") for one in explain([event], language)] == [polish, english]


def test_only_what_was_decided_is_told_with_its_certainty() -> None:
    said = CallerSaid(text="x", confidence=0.5, decode_ms=1, audio_s=1, **AT)
    events = [said, decision("understood", commands=[], confidence=1.5, reason="")]
    (one,) = explain(events, "pl")
    assert (one.at_s, one.kind, one.certainty) == (2.5, "understood", 1.0)
    assert explain([decision("repeated")], "pl")[0].certainty is None


def test_of_a_refused_call_only_the_kind_is_told() -> None:
    event = without_words(decision("slot_set", slot="name", value="Jan"))
    assert [(one.why, one.data) for one in explain([event], "pl")] == [("slot set", {})]


def test_every_decision_of_the_engine_has_a_sentence_in_both_languages() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in Path(flows.__file__).parent.rglob("*.py"))
    kinds = set(re.findall(r"\.note\(\s*\"(\w+)\"", code))
    assert len(kinds) > 40
    assert kinds - {key.partition(" ")[0] for key in SENTENCES["pl"]} == set()
    assert SENTENCES["pl"].keys() == SENTENCES["en"].keys()
    for key, sentence in SENTENCES["pl"].items():
        assert set(re.findall(r"{\w+}", sentence)) == set(re.findall(r"{\w+}", SENTENCES["en"][key])), key
