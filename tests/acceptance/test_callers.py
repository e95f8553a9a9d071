"""Callers who say nothing, who never stop, and who come all at once."""

from __future__ import annotations

import pytest

from tests.acceptance.bot import Bot, Caller
from tests.acceptance.conftest import LONGEST_UTTERANCE_S, Call

pytestmark = pytest.mark.timeout(300)

# Forty seconds of speech without a pause.
ENDLESS = (
    "no więc proszę pani to było tak że w zeszły poniedziałek kupiłem u państwa w sklepie rower dla mojej córki i on "
    "miał być niebieski a przyjechał czerwony więc zadzwoniłem do kuriera a kurier powiedział że on nic o tym nie wie "
    "i żebym zadzwonił do sklepu a w sklepie nikt nie odbierał bo była niedziela więc napisałem list i czekałem na "
    "odpowiedź cały tydzień a potem jeszcze jeden i wtedy sąsiad powiedział mi że on też miał taki kłopot"
)


def keyed_order(number: str) -> list[object]:
    return ["listen", {"keys": "1"}, "listen", {"keys": number}, "listen", {"keys": "1"}, {"listen": 1500}]


def test_a_caller_who_says_nothing_gets_help_and_then_a_person(bot: Bot, call: Call) -> None:
    caller = call({"wait": 75}, deadline_s=80)
    record = caller.call()
    handoff = record.until("handoff_started", 75)
    assert handoff["reason"] == "no_input" or "odpowiedzia" in handoff["reason"]
    repairs = [text for text in record.said().splitlines() if "nic nie słyszę" in text.lower()]
    assert len(repairs) == 2
    assert len(set(repairs)) == 2, "the same words were said twice"
    assert "Nie słyszę odpowiedzi, więc łączę z konsultantem." in record.said()
    assert record.heard() == []
    record.until("bot_said", text="żaden konsultant nie może teraz odebrać")
    caller.hang_up()
    assert record.ended()["outcome"] == "abandoned"


def test_a_caller_who_never_stops_is_answered(bot: Bot, call: Call) -> None:
    caller = call("listen", {"say": {"text": ENDLESS}}, {"wait": 20}, rate=0.8)
    record = caller.call()
    heard = record.until("caller_said", 60)
    assert heard["audio_s"] == pytest.approx(LONGEST_UTTERANCE_S, abs=2)
    record.until("bot_said", step="phrases/no_match")
    # Whatever the bot says is talked over; so it ends with people, as with anybody whom it does not understand.
    record.until("handoff_started", 60)
    spoke_for = next(event["offset_s"] for event in record.events("handoff_started")) - heard["offset_s"]
    assert spoke_for < 40, record.story()
    record.until("bot_said", text="żaden konsultant nie może teraz odebrać")
    caller.hang_up()
    record.ended()
    assert record.faults() == []


def test_two_at_once_are_served_and_a_third_hears_that_it_is_busy(bot: Bot, call: Call) -> None:
    numbers = {"123456": "w drodze", "234567": "w trakcie pakowania"}
    callers: dict[str, Caller] = {
        number: call(*keyed_order(number), {"keys": "2"}, "listen", voice=voice)
        for number, voice in zip(numbers, ("espeak:pl+m6", "espeak:pl+f4"), strict=True)
    }
    records = {number: caller.call() for number, caller in callers.items()}
    third = call("listen")
    result = third.result()
    assert (result["answered"], result["end_cause"]) == (False, "busy")
    assert all(not record.events("call_ended") for record in records.values()), "the third came too late to be refused"
    for number, status in numbers.items():
        assert records[number].ended(60)["outcome"] == "contained", records[number].story()
        assert status in records[number].said()
        assert records[number].faults() == []
        assert callers[number].result()["problems"] == []
    assert all(event.get("caller") != third.number for event in bot.told())
