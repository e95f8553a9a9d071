"""The latency benchmark: its conversations, what it makes of a captured call, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.latency import named, tables
from benchmarks.latency_dialog import KnownOrders, Shop, ShopDialog
from benchmarks.latency_measure import Call, Figures, Turn, at_load, figures, judge, stage_medians
from benchmarks.latency_stage import configuration
from benchmarks.latency_talk import KINDS, Line, Talk, talks
from tests.unit.voicebot.test_caller_measure import on_the_wire, speech
from voicebot.bots import load_bots
from voicebot.caller.capture import Samples
from voicebot.caller.result import CallerResult, MeasuredTurn, StepReport
from voicebot.config import load_config

BEGUN = 1000.0
TALK = Talk("t", "pl", "espeak:pl", (Line("intent", "gdzie"), Line("digits", "jeden"), Line("yes", "tak")))
ANSWERS = [speech(seed, 1.6) for seed in (11, 12, 13)]


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop.load()


def test_talks_are_the_same_every_time_and_hold_every_kind_in_both_languages() -> None:
    made = talks(200, callers=5, seed=3)
    assert made == talks(200, callers=5, seed=3)
    assert made != talks(200, callers=5, seed=4)
    assert sum(len(talk.lines) for talk in made[5:]) >= 200
    for language in ("pl", "en"):
        assert {line.kind for talk in made if talk.language == language for line in talk.lines} == set(KINDS)
    assert [Talk.of(asdict(talk)) for talk in made] == made


async def test_every_talk_goes_to_its_end_when_it_is_understood(shop: Shop) -> None:
    for talk in talks(150, callers=0, seed=5):
        dialog = ShopDialog(shop, KnownOrders(), talk.language)
        answers = [await dialog.begin(), *[await dialog.heard(line.text) for line in talk.lines]]
        assert [answer.over for answer in answers] == [False] * len(talk.lines) + [True], talk
        assert not any(text.startswith(("Przepraszam", "Sorry")) for answer in answers for text in answer.texts), talk


def call_of(heard: Sequence[tuple[float, Samples]], measured: Sequence[tuple[int, float]], steps: int = 3) -> Call:
    """A call in which line n is spoken from second 10n to 10n + 1. `heard`: sounds and when; `measured`: answers."""
    received = np.zeros(40 * 8000, np.int16)
    for at_s, samples in heard:
        received[int(at_s * 8000) :][: len(samples)] = samples
    said = [StepReport("say", BEGUN + 10 * n, BEGUN + 10 * n + 1, line.text) for n, line in enumerate(TALK.lines)]
    result = CallerResult(
        "t", "pl", "v", "sip:x", "", answered=True, started_at=BEGUN, seconds=40, steps=tuple(said[:steps]),
        turns=tuple(
            MeasuredTurn("bot", "", BEGUN + 10 * n + 1, BEGUN + at_s, round((at_s - 10 * n - 1) * 1000, 1))
            for n, at_s in measured
        ),
    )  # fmt: skip
    return judge(TALK, result, on_the_wire(received, BEGUN), ANSWERS)


def test_right_answers_are_heard_in_the_audio() -> None:
    answered = [1.4, 11.5, 21.6]
    call = call_of(list(zip(answered, ANSWERS, strict=True)), list(enumerate(answered)))
    assert [turn.fate for turn in call.turns] == ["right"] * 3
    assert [turn.voice_to_voice_ms for turn in call.turns] == pytest.approx([400, 500, 600], abs=1)
    assert Call.of(asdict(call)) == call


def test_after_a_wrong_answer_the_rest_is_unreached() -> None:
    call = call_of([(1.4, ANSWERS[0]), (11.5, speech(99, 1.6)), (21.6, ANSWERS[2])], [(0, 1.4), (1, 11.5), (2, 21.6)])
    assert [turn.fate for turn in call.turns] == ["right", "wrong", "unreached"]


def test_no_answer_and_a_call_that_ended_early() -> None:
    assert [turn.fate for turn in call_of([], []).turns] == ["unanswered", "unreached", "unreached"]
    call = call_of([(1.4, ANSWERS[0])], [(0, 1.4)], steps=1)
    assert [turn.fate for turn in call.turns] == ["right", "unanswered", "unreached"]


def test_a_moment_please_is_no_answer() -> None:
    """What counts is when the right sentence begins."""
    call = call_of([(3.0, speech(98, 1.0)), (5.0, ANSWERS[0])], [(0, 3.0)])
    assert call.turns[0].fate == "right"
    assert call.turns[0].voice_to_voice_ms == pytest.approx(4000, abs=60)


def test_what_comes_after_six_seconds_is_no_answer() -> None:
    call = call_of([(7.5, ANSWERS[0])], [(0, 7.5)])
    assert call.turns[0].fate == "unanswered"
    assert call.turns[0].voice_to_voice_ms == pytest.approx(6500, abs=1)


def turn(at: float, took_ms: float | None = 400.0, kind: str = "yes", fate: str = "right") -> Turn:
    return Turn(kind, "pl", at, fate, took_ms)  # type: ignore[arg-type]


def test_turns_count_only_while_nearly_everybody_calls() -> None:
    """Of five callers four have to be there: the last of them came at second 3, the second one left at 101."""
    calls = [Call(float(n), 100.0 + n, (turn(n + 0.5), turn(50), turn(n + 99.5)), ()) for n in range(5)]
    assert sorted(one.at for one in at_load(calls, 5)) == [3.5, 4.5, *[50] * 5, 99.5, 100.5]
    assert len(at_load(calls, 1)) == 15


def test_figures_rest_on_right_turns_and_tell_the_others() -> None:
    turns = [turn(0, took) for took in range(1, 101)] + [turn(0, 9000, fate="wrong"), turn(0, None, fate="unanswered")]
    found = figures([*turns, turn(0, None, fate="unreached"), turn(0, 7, kind="no")])
    assert (found.right, found.wrong, found.unanswered, found.unreached, found.lost) == (101, 1, 1, 1, 2)
    assert (found.p50, found.p95) == (50, 95)
    assert (found.by_kind["no"], found.by_kind["yes"], found.by_kind["intent"]) == (7, 50, None)
    assert figures([]).p50 is None


def test_stages_have_medians() -> None:
    events = [{"stages": {"end_of_turn": took, "speech": 1.0}} for took in (300.0, 310.0, 500.0)]
    assert stage_medians(events) == {"end_of_turn": 310.0, "speech": 1.0}


def test_what_was_not_measured_is_null() -> None:
    one = figures([turn(0)])
    told = named({("ours", 1): one, ("stock", 1): replace(one, p50=1000.0)}, {1: {"speech": 3.0}})
    assert told["v2v_p50_ms_1"] == 400
    assert told["v2v_p50_share_of_stock_1"] == 0.4
    assert told["stage_speech_p50_ms_1"] == 3
    assert told["v2v_p50_ms_20"] is None
    empty = named({}, {})
    assert set(empty.values()) == {None}
    assert {"v2v_p50_ms_10", "stock_v2v_p95_ms_1"} <= set(empty)


def test_the_table_shows_both_sides() -> None:
    none = Figures(0, 0, 3, 0, None, None, dict.fromkeys(KINDS))
    text = tables({("ours", 1): figures([turn(0)]), ("stock", 1): none}, {1: {"end_of_turn": 300.0}})
    assert "ours" in text
    assert "stock" in text
    assert "300" in text


def test_the_configuration_is_one_that_the_bot_takes(tmp_path: Path) -> None:
    path = tmp_path / "voicebot.yaml"
    path.write_text(configuration(tmp_path / "data", 5099, 8099, 20), encoding="utf-8")
    config = load_config(path)
    assert config.sip.max_calls >= 20
    assert load_bots(config)
