"""When a service is left alone and when it is tried again."""

from __future__ import annotations

import pytest

from voicebot.engines.breaker import LEFT_ALONE_S, PATIENCE, Breaker, State, Verdict

GOOD, BAD, NONE = Verdict.GOOD, Verdict.BAD, Verdict.NONE
TRUSTED, ALONE, TRIAL = Breaker(), Breaker(State.LEFT_ALONE, since=100.0), Breaker(State.ON_TRIAL, since=100.0)
NOW = 110.0


@pytest.mark.parametrize(
    ("before", "verdict", "after"),
    [
        (TRUSTED, GOOD, TRUSTED),
        (TRUSTED, NONE, TRUSTED),
        (TRUSTED, BAD, Breaker(faults=1)),
        (Breaker(faults=PATIENCE - 1), BAD, Breaker(State.LEFT_ALONE, since=NOW)),
        (Breaker(faults=PATIENCE - 1), NONE, Breaker(faults=PATIENCE - 1)),
        (Breaker(faults=PATIENCE - 1), GOOD, TRUSTED),
        (ALONE, GOOD, ALONE),
        (ALONE, BAD, ALONE),
        (ALONE, NONE, ALONE),
        (TRIAL, GOOD, TRUSTED),
        (TRIAL, BAD, Breaker(State.LEFT_ALONE, since=NOW)),
        (TRIAL, NONE, ALONE),
    ],
)
def test_transitions(before: Breaker, verdict: Verdict, after: Breaker) -> None:
    assert before.ended(verdict, NOW) == after


def test_who_may_be_asked() -> None:
    assert TRUSTED.may_ask(0.0)
    assert not ALONE.may_ask(100.0 + LEFT_ALONE_S - 0.1)
    assert ALONE.may_ask(100.0 + LEFT_ALONE_S)
    assert not TRIAL.may_ask(1e9), "one question at a time is a trial"


def test_a_question_after_the_rest_is_the_trial() -> None:
    assert TRUSTED.asked() == TRUSTED
    assert ALONE.asked() == TRIAL
