"""When new calls are taken: soon not any more, and again when all has been well for a while."""

from __future__ import annotations

import pytest

from voicebot.admission import CLOSES_AFTER, OPENS_AFTER, WELL_BELOW, Admission, Strain

TOO_MUCH, BORDERLINE, WELL = Strain(media=1.2), Strain(media=(1 + WELL_BELOW) / 2), Strain(media=0.1)


def after(*looks: Strain) -> str | None:
    admission = Admission()
    for strain in looks:
        admission.look(strain, 10)
    return admission.closed_because


def test_one_bad_look_is_an_accident() -> None:
    assert after(*[TOO_MUCH] * (CLOSES_AFTER - 1)) is None
    assert after(TOO_MUCH, WELL, TOO_MUCH) is None
    assert after(*[TOO_MUCH] * CLOSES_AFTER) == "sound is late"


@pytest.mark.parametrize(
    ("strain", "reason"),
    [
        (Strain(media=1.1, recognition=0.9), "sound is late"),
        (Strain(hearing=1.1), "voice activity is late"),
        (Strain(recognition=1.1, media=1.05), "recognition is slow"),
        (Strain(waiting=1.1), "too much waits for recognition"),
    ],
)
def test_the_worst_is_the_reason(strain: Strain, reason: str) -> None:
    assert after(*[strain] * CLOSES_AFTER) == reason


def test_it_opens_when_all_has_been_well_for_a_while() -> None:
    closed = [TOO_MUCH] * CLOSES_AFTER
    assert after(*closed, *[WELL] * (OPENS_AFTER - 1)) is not None
    assert after(*closed, *[WELL] * OPENS_AFTER) is None


def test_just_below_the_limit_it_stays_as_it_is() -> None:
    assert after(*[BORDERLINE] * 50) is None
    assert after(*[TOO_MUCH] * CLOSES_AFTER, *[BORDERLINE] * 50) is not None
    assert after(*[TOO_MUCH] * CLOSES_AFTER, *[WELL] * (OPENS_AFTER - 1), BORDERLINE, WELL) is not None


def test_what_is_exactly_at_the_limit_is_let_in() -> None:
    assert after(*[Strain(1.0, 1.0, 1.0, 1.0)] * 10) is None


def overrun(calls: int) -> Admission:
    admission = Admission()
    for strain in [*[WELL] * 10, *[TOO_MUCH] * CLOSES_AFTER, *[WELL] * OPENS_AFTER]:
        admission.look(strain, calls)
    assert admission.closed_because is None
    return admission


def test_before_it_was_ever_too_much_any_number_is_let_in() -> None:
    admission = Admission()
    admission.look(WELL, 0)
    assert admission.refusal(1000) is None


def test_how_many_were_too_many_is_remembered_and_forgotten_slowly() -> None:
    admission = overrun(100)
    assert admission.refusal(89) is None
    assert admission.refusal(91) == "as many calls as could be served well of late"
    for _ in range(30):
        admission.look(WELL, 90)
    assert admission.refusal(100) is None
    assert admission.refusal(115) is not None
    for _ in range(1000):
        admission.look(WELL, 90)
    assert admission.refusal(500) is None


def test_what_was_let_in_counts_and_not_what_is_left_when_it_shows() -> None:
    admission = Admission()
    for calls, strain in [(100, WELL), (100, TOO_MUCH), (10, TOO_MUCH), *[(10, WELL)] * OPENS_AFTER]:
        admission.look(strain, calls)
    assert admission.refusal(89) is None


def test_a_long_overload_lowers_the_number_once() -> None:
    admission = Admission()
    for strain in [*[TOO_MUCH] * 50, *[WELL] * OPENS_AFTER]:
        admission.look(strain, 100)
    assert admission.refusal(89) is None


def test_one_call_is_always_let_in_when_all_is_well() -> None:
    admission = overrun(0)
    assert admission.refusal(0) is None
    assert admission.refusal(3) is not None
