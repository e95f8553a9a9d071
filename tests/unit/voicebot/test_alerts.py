"""Alerts are told once, come back when they must, and nobody is alarmed by music."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from voicebot.events import (
    REFUSED,
    AgentJoined,
    AgentLeft,
    AgentSaid,
    AgentUnheard,
    BotSaid,
    CallEnded,
    CallerSaid,
    CallerSaying,
    CallerUnheard,
    CallEvent,
    CallHeld,
    CallStarted,
    Decision,
    HandoffStarted,
    KeysPressed,
    Outcome,
    QueueEntered,
    QueueLeft,
    RecordingStopped,
    StoodIn,
)  # fmt: skip
from voicebot.human_side import alert_rules
from voicebot.people_settings import AlertSettings
from voicebot.watch import alerts as alerts_module
from voicebot.watch.alert_texts import TEXTS
from voicebot.watch.alerts import TOLD_ANEW_AFTER, AlertRules, Alerts
from voicebot.watch.errors import AlertNotFound
from voicebot.watch.rows import Alert

BEGAN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def at(offset_s: float, call_id: str = "c1") -> dict[str, Any]:
    return {"call_id": call_id, "at": BEGAN + timedelta(seconds=offset_s), "offset_s": offset_s}


def started(call_id: str = "c1") -> CallStarted:
    return CallStarted(caller="+48601234567", dialled="100", language="pl", bot="shop", **at(0, call_id))


def caller(text: str, offset_s: float = 3, call_id: str = "c1") -> CallerSaid:
    return CallerSaid(text=text, confidence=0.9, decode_ms=80, audio_s=1.0, **at(offset_s, call_id))


def bot(text: str, step: str = "order/number/ask", offset_s: float = 3) -> BotSaid:
    return BotSaid(text=text, step=step, **at(offset_s))


def repaired(offset_s: float = 3) -> Decision:
    return Decision(kind="no_match", data={"count": 1}, **at(offset_s))


def watching(*events: CallEvent, **rules: Any) -> tuple[Alerts, list[Alert]]:
    alerts = Alerts(AlertRules(**rules))
    return alerts, [alert for event in (started(), *events) for alert in alerts.happened(event)]


def kinds_at(alerts: Alerts, offset_s: float) -> list[str]:
    return [alert.kind for alert in alerts.tick(BEGAN + timedelta(seconds=offset_s))]


def test_anger_is_told_once_and_again_after_it_was_acknowledged() -> None:
    alerts, told = watching(caller("to skandal"), caller("skandal!"), caller("dobrze"))
    assert [(alert.kind, alert.call_id, alert.text) for alert in told] == [
        ("angry", "c1", "Rozmówca jest zdenerwowany.")
    ]
    seen = alerts.acknowledge(told[0].id, "boss", BEGAN + timedelta(seconds=30))
    assert (seen.acknowledged_by, seen.acknowledged_at) == ("boss", BEGAN + timedelta(seconds=30))
    assert alerts.happened(caller("proszę szybciej")) == []
    again = alerts.happened(caller("znowu skandal"))
    assert len(again) == 1
    assert again[0].id != told[0].id
    assert [alert.acknowledged_by for alert in alerts.all()] == ["", "boss"]


def test_the_first_who_acknowledged_stays_and_unknown_alerts_are_refused() -> None:
    alerts, told = watching(caller("to skandal"))
    for who in ("boss", "eva"):
        assert alerts.acknowledge(told[0].id, who, BEGAN).acknowledged_by == "boss"
    with pytest.raises(AlertNotFound):
        alerts.acknowledge("none", "boss", BEGAN)


@pytest.mark.parametrize(
    ("events", "times"),
    [
        ([bot("Proszę podać numer.")] * 2, 0),
        ([bot("Proszę podać numer."), bot("proszę podac NUMER.")] * 2, 1),
        ([bot("Coś jeszcze?", "phrases/ask_more")] * 5, 0),
        ([bot("Numer?"), repaired(), repaired()], 0),
        ([bot("Numer?"), repaired(), bot("Nie rozumiem", "phrases/no_match"), repaired(), repaired()], 1),
        ([bot("Numer?"), repaired(), repaired(), bot("Data?", "order/date/ask"), repaired()], 0),
        ([HandoffStarted(queue="q", reason="r", **at(2)), *[bot("Jest pan drugi.", "waiting")] * 9], 0),
    ],
)
def test_loops(events: list[CallEvent], times: int) -> None:
    told = [alert.text for alert in watching(*events)[1] if alert.kind == "loop"]
    assert told == ["Bot powtórzył to samo 3 razy."] * times


def test_a_loop_that_was_acknowledged_has_to_come_whole_again() -> None:
    alerts, told = watching(*[bot("Numer?")] * 3)
    alerts.acknowledge(told[0].id, "boss", BEGAN)
    assert [len(alerts.happened(bot("Numer?"))) for _ in range(3)] == [0, 0, 1]


def test_silence_is_told_once_until_somebody_speaks_again() -> None:
    alerts, _ = watching(bot("Słucham.", offset_s=10))
    assert kinds_at(alerts, 34) == []
    assert kinds_at(alerts, 35) == ["silence"]
    assert kinds_at(alerts, 99) == []
    alerts.acknowledge(alerts.all()[0].id, "boss", BEGAN)
    assert kinds_at(alerts, 100) == []
    alerts.happened(caller("jestem", 101))
    assert kinds_at(alerts, 120) == []
    assert kinds_at(alerts, 126) == ["silence"]


@pytest.mark.parametrize(
    "event",
    [
        caller("tak", 20),
        CallerSaying(text="mój", **at(20)),
        KeysPressed(keys="1", **at(20)),
        HandoffStarted(queue="q", reason="r", **at(20)),
        CallHeld(agent="anna", **at(20)),
        CallEnded(outcome=Outcome.CONTAINED, cause="x", duration_s=1, **at(20)),
    ],
)
def test_who_speaks_hears_music_or_has_gone_is_not_silent(event: CallEvent) -> None:
    alerts, _ = watching(bot("Słucham.", offset_s=1), event)
    assert kinds_at(alerts, 40) == []


def test_a_talk_is_silent_only_where_its_words_are_recognised() -> None:
    joined = AgentJoined(uri="", agent="anna", **at(10))
    said = AgentSaid(agent="anna", text="Słucham", confidence=1, decode_ms=1, audio_s=1, **at(20))
    assert kinds_at(watching(joined)[0], 500) == []
    assert kinds_at(watching(joined, said)[0], 46) == ["silence"]
    other = [AgentJoined(uri="", agent="ola", **at(15)), AgentLeft(agent="anna", why="transferred", **at(16)), said]
    assert kinds_at(watching(joined, *other)[0], 46) == ["silence"]


def test_a_long_wait_is_told_once_for_each_queue_it_is_in() -> None:
    alerts, _ = watching(QueueEntered(queue="service", entry="e1", **at(10)))
    assert kinds_at(alerts, 129) == []
    told = alerts.tick(BEGAN + timedelta(seconds=130))
    assert [alert.text for alert in told] == ["Rozmówca czeka od 120 s w kolejce service."]
    alerts.acknowledge(told[0].id, "boss", BEGAN)
    assert kinds_at(alerts, 500) == []
    alerts.happened(QueueLeft(queue="service", entry="e1", why="overflow", **at(500)))
    alerts.happened(QueueEntered(queue="other", entry="e2", **at(500)))
    assert kinds_at(alerts, 621) == ["wait"]


def test_keywords_are_named_in_the_alert() -> None:
    _, told = watching(caller("pójdę z tym do adwokata"), keywords=("adwokat", "uokik"))
    assert [(alert.kind, alert.text) for alert in told] == [("keyword", "Padło słowo: adwokat.")]


def test_the_word_of_a_caller_who_refused_recording_is_not_named() -> None:
    refusal = RecordingStopped(reason=REFUSED, **at(1))
    _, told = watching(refusal, caller("pójdę do adwokata"), keywords=("adwokat",))
    assert [alert.kind for alert in told] == ["keyword"]
    assert "adwokat" not in told[0].text


def left_alone(call_id: str, offset_s: float = 5) -> StoodIn:
    return StoodIn(part="understanding", service="qwen", why="left_alone", **at(offset_s, call_id))


def test_trouble_of_the_floor_is_told_once_for_all_calls_and_anew_after_an_hour() -> None:
    alerts, _ = watching()
    told = [alert for n in range(50) for alert in alerts.happened(left_alone(f"c{n}"))]
    assert [(alert.kind, alert.call_id) for alert in told] == [("language_model", "c0")]
    alerts.happened(CallEnded(outcome=Outcome.CONTAINED, cause="x", duration_s=1, **at(6, "c0")))
    assert alerts.happened(left_alone("c1", 10)) == []
    assert len(alerts.happened(left_alone("c1", 5 + TOLD_ANEW_AFTER.total_seconds()))) == 1
    down = Decision(kind="recognition_down", data={"again": False}, **at(7, "c7"))
    assert [alert.kind for alert in alerts.happened(down)] == ["recognition"]


def test_a_caller_of_whom_nothing_is_heard_is_told_of_once() -> None:
    _, told = watching(CallerUnheard(ever=False, **at(6)), CallerUnheard(ever=True, **at(60)))
    assert [(alert.kind, alert.text) for alert in told] == [("unheard", "Od rozmówcy nie dochodzi żaden dźwięk.")]


def test_an_agent_of_whom_nothing_is_heard_is_told_of_by_name() -> None:
    _, told = watching(AgentUnheard(agent="anna", name="Anna Nowak", **at(20)))
    assert [(alert.kind, alert.call_id) for alert in told] == [("agent_unheard", "c1")]
    assert "Anna Nowak" in told[0].text


def test_what_is_switched_off_is_not_told() -> None:
    alerts, told = watching(
        *[bot("Numer?")] * 9, caller("skandal"), QueueEntered(queue="q", entry="e", **at(4)),
        angry=False, loop=None, silence_s=None, wait_s=None,
    )  # fmt: skip
    assert told == []
    assert kinds_at(alerts, 9999) == []


def test_nothing_grows_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts_module, "MOST_CALLS", 10)
    monkeypatch.setattr(alerts_module, "MOST_ALERTS", 20)
    monkeypatch.setattr(alerts_module, "_MOST_COUNTED", 30)
    alerts = Alerts(AlertRules())
    for n in range(200):
        alerts.happened(started(f"c{n}"))
        alerts.happened(caller("skandal", call_id=f"c{n}"))
    assert (len(alerts._calls), len(alerts.all()), len(alerts._open)) == (10, 20, 10)
    for n in range(200):
        alerts.happened(BotSaid(text=f"zdanie {n}", step="a/1", **at(n, "c199")))
    assert len(alerts._calls["c199"].counted) == 30


def test_every_kind_has_a_sentence_in_both_languages() -> None:
    assert TEXTS["pl"].keys() == TEXTS["en"].keys() == {*get_args(alerts_module.Kind), "unnamed"}
    english = Alerts(AlertRules(), "en")
    english.happened(started())
    assert english.happened(caller("skandal"))[0].text == "The caller is angry."


def test_two_hundred_calls_are_looked_at_in_no_time() -> None:
    alerts = Alerts(AlertRules())
    for n in range(200):
        alerts.happened(started(f"c{n}"))
    assert timed(lambda: [alerts.tick(BEGAN + timedelta(seconds=second)) for second in range(20)]) < 0.5


def timed(work: Callable[[], object]) -> float:
    began = datetime.now(UTC)
    work()
    return (datetime.now(UTC) - began).total_seconds()


def test_a_setting_that_is_null_switches_its_alert_off() -> None:
    settings = AlertSettings(loop=None, silence_s=None, wait_s=None)
    alerts = Alerts(alert_rules(settings))
    entered = QueueEntered(queue="service", entry="e1", **at(4))
    for event in (started(), bot("Jaki numer?"), bot("Jaki numer?", offset_s=4), entered):
        assert alerts.happened(event) == []
    assert alerts.tick(BEGAN + timedelta(hours=1)) == []
