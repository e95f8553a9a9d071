"""The estimate of a line's quality against what ITU-T publishes, and what it is made from."""

from __future__ import annotations

import pytest

from telephony.leg import MediaStats
from telephony.port import Reception
from telephony.quality import line_quality, opinion, rating


@pytest.mark.parametrize(
    ("r", "mos"),
    # G.107 (06/2015), table B.1: as printed, in two places.
    [(90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58), (-3, 1.0), (100, 4.5)],
)
def test_opinions_are_those_of_the_recommendation(r: float, mos: float) -> None:
    assert opinion(r) == pytest.approx(mos, abs=0.01)


def test_loss_without_concealment_is_heard_more() -> None:
    """G.113, Appendix I: G.711 loses half of its 95 points where the loss in percent is Bpl."""
    assert rating(0.251, 50) == pytest.approx(93.2 - 95 / 2)
    assert rating(0.043, 50, robustness=4.3) == pytest.approx(93.2 - 95 / 2)
    assert rating(0.05, 50) > rating(0.05, 50, robustness=4.3) + 35


def test_delay_costs_nothing_up_to_100_ms_and_much_from_300() -> None:
    assert rating(0, 0) == rating(0, 100) == 93.2
    assert 89 < rating(0, 200) < 93.2
    assert rating(0, 400) < 75


@pytest.mark.parametrize(
    ("lost", "missing", "loss"),
    [
        (10, 5, 0.1),
        (0, 20, 0.1818),  # all came, but too late
        (0, 0, 0.0),
    ],
)
def test_the_worse_of_what_never_came_and_what_was_missing_counts(lost: int, missing: int, loss: float) -> None:
    quality = line_quality(MediaStats("g711", 90, lost, 0, 3.0, 30.0), Reception(90, 0, 0, missing, 7.0, 10.0))
    assert quality is not None
    assert quality.loss == loss
    assert (quality.packets, quality.jitter_ms, quality.delay_ms) == (90, 3.0, 80.0)
    assert quality.mos == pytest.approx(opinion(rating(loss, 80.0)), abs=0.01)


def test_a_call_in_which_nothing_came_has_no_quality() -> None:
    assert line_quality(MediaStats("g711", 0, 0, 0, 0.0), None) is None
    assert line_quality(MediaStats("g711", 0, 0, 0, 0.0), Reception()) is None
