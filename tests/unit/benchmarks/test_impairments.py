"""The bad lines of the benchmark are as bad as they say."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.impairments import BETWEEN_S, figures_of, monologue
from benchmarks.impairments_phone import FRAME, Line, packets
from benchmarks.recognition_speech import Saying, Spoken

MINUTE = np.zeros(60 * 8000, np.int16)


def test_a_good_line_sends_all_in_time() -> None:
    sent = packets(MINUTE, Line(0.0, 0.0), 1)
    assert [round(at * 50) for at, _ in sent] == list(range(3000))
    assert {len(packet) for _, packet in sent} == {12 + FRAME}


def test_packets_are_lost_and_late_but_in_their_order() -> None:
    sent = packets(MINUTE, Line(0.1, 150.0), 1)
    assert len(sent) == pytest.approx(2700, abs=60)
    numbers = [int.from_bytes(packet[2:4], "big") for _, packet in sent]
    late = [at - number * 0.02 for (at, _), number in zip(sent, numbers, strict=True)]
    assert numbers == sorted(numbers)
    assert min(late) >= 0
    assert 0.14 < max(late) <= 0.15


def test_sentences_stand_where_they_are_cut_out() -> None:
    spoken = [Spoken(Saying("pl", "tak", 1), np.full(800 * n, n, np.int16).tobytes()) for n in (1, 2, 3)]
    sound, times = monologue(spoken)
    for number, (begin, end) in enumerate(times, 1):
        assert (sound[round(begin * 8000) : round(end * 8000)] == number).all()
    assert len(sound) == pytest.approx(8000 * (4 * BETWEEN_S + 0.6), abs=2)


def test_figures_bear_the_names_of_their_lines() -> None:
    figures = figures_of([("5", "50", 0.06, 3.9, 0.1, 0.2)])
    assert figures["wer_loss_5_jitter_50"] == 0.1
    assert figures["wer_loss_5_jitter_50_unconcealed"] == 0.2
    assert (figures["missing_loss_5_jitter_50"], figures["mos_loss_5_jitter_50"]) == (0.06, 3.9)
