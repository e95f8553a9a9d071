"""The benchmark of a long call: what it makes of the turns, and the caller's script."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.long_call import ROUND, figures, script
from voicebot.caller.result import CallerResult, MeasuredTurn
from voicebot.caller.script import Say

RESULT = CallerResult("long_call", "pl", "espeak:pl", "sip:100@127.0.0.1", "")


def turn(at: float, took_ms: float) -> MeasuredTurn:
    return MeasuredTurn("bot", "tak", at, at + took_ms / 1000, took_ms)


def test_answers_that_come_later_and_later_have_a_slope_that_one_slow_answer_does_not_move() -> None:
    turns = [turn(10 * number, 400 + 2 * number) for number in range(50)]
    turns[20] = turn(200, 6000)
    told = figures(replace(RESULT, seconds=500, turns=tuple(turns)))
    assert told["slower_ms_per_10_minutes"] == 120
    assert (told["v2v_p50_ms_first_fifth"], told["v2v_p50_ms_last_fifth"]) == (409, 489)


def test_a_call_without_turns_has_no_figures() -> None:
    told = figures(replace(RESULT, seconds=3))
    assert told["slower_ms_per_10_minutes"] is None
    assert told["v2v_p50_ms_last_fifth"] is None


def test_the_script_lasts_as_long_as_the_call() -> None:
    said = [step.text for step in script(30).steps if isinstance(step, Say)]
    assert said[: len(ROUND)] == list(ROUND)
    assert len(said) >= 30 * 60 / 15 * len(ROUND)
