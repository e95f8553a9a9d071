"""From what is heard to the figures of the barge-in benchmark; and that its events are what they claim to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import barge_in_events, barge_in_sounds
from benchmarks.barge_in import table
from benchmarks.barge_in_events import audible, draw_events
from benchmarks.barge_in_judge import Result, figures, longest_gap_s, result
from benchmarks.recognition_speech import Saying, Spoken
from tests.unit.benchmarks.test_barge_in_wire import LEAD, MS, TEXT, TEXTS, WORD, faded, heard
from voicebot.caller.capture import SAMPLE_RATE, CapturedAudio, Samples

END = WORD + 600 * MS
UNTIL = END + 3 * SAMPLE_RATE
INTERRUPTION = Result(0, True, "word", "clean", "halo")
COUGH = Result(1, False, "cough", "", "")


def judged(blank: Result, line: Samples) -> Result:
    return result(blank, line, WORD, END, UNTIL, TEXTS)


def spoken_until(sample: int) -> Samples:
    return heard((LEAD, faded(TEXT.samples[: sample - LEAD], 20)))


def test_a_bot_that_stops_was_not_missed() -> None:
    found = judged(INTERRUPTION, spoken_until(WORD + 240 * MS))
    assert (found.flaw, found.stopped, found.missed, found.clicks) == ("", True, False, 0)
    assert found.stop_ms == pytest.approx(240, abs=40)


@pytest.mark.parametrize("stop_s", [2.4, 10])
def test_a_bot_that_speaks_on_for_long_has_missed_the_caller(stop_s: float) -> None:
    assert judged(INTERRUPTION, spoken_until(WORD + int(stop_s * SAMPLE_RATE))).missed


@pytest.mark.parametrize(("again_ms", "false_stop"), [(700, False), (5000, True)])
def test_a_voice_that_is_held_for_a_cough_is_a_false_stop_unless_it_goes_on(again_ms: int, false_stop: bool) -> None:
    held_at = WORD + 300 * MS
    line = heard(
        (LEAD, faded(TEXT.samples[: held_at - LEAD], 20)), (held_at + again_ms * MS, TEXT.samples[held_at - LEAD :])
    )
    found = judged(COUGH, line)
    assert (found.false_stop, len(found.held_ms)) == (false_stop, 0 if false_stop else 1)


def test_an_event_outside_the_texts_or_at_their_end_says_nothing() -> None:
    assert judged(COUGH, heard()).flaw
    last = TEXT.samples[-(END + SAMPLE_RATE) :]  # over a second behind the event
    assert judged(COUGH, heard((0, last))).flaw


def test_a_gap_between_packets_is_found_where_it_is() -> None:
    anchors = np.arange(100) * 160
    arrivals = anchors / SAMPLE_RATE
    arrivals[50:] += 0.3
    audio = CapturedAudio(0.0, np.zeros(16000, np.int16), anchors, arrivals)
    assert longest_gap_s(audio, 0, 16000) == pytest.approx(0.32)
    assert longest_gap_s(audio, 9000, 16000) == pytest.approx(0.02)


def test_the_figures_count_what_was_measured() -> None:
    stops = [replace(INTERRUPTION, number=number, stopped=True, stop_ms=100.0 * number) for number in range(1, 21)]
    told = figures(
        [
            *stops,
            replace(INTERRUPTION, missed=True),
            replace(COUGH, stopped=True, clicks=2),
            *[replace(COUGH, held_ms=(400.0,))] * 3,
            replace(COUGH, flaw="the bot was in none of its texts"),
        ],
        wanted=30,
    )
    assert (told["stop_p50_ms"], told["stop_p95_ms"]) == (1000, 1900)
    assert told["missed_rate"] == pytest.approx(1 / 21, abs=1e-4)
    assert told["false_stop_rate"] == 0.25
    assert told["clicks"] == 2
    assert told["harmless_held_rate"] == 0.75
    assert told["not_measured"] == 5
    assert "cough" in table(told)


def test_what_was_not_measured_is_null_and_said_to_be() -> None:
    told = figures([replace(COUGH, flaw="the sound is not on the wire")], wanted=1)
    assert [told[name] for name in ("stop_p95_ms", "false_stop_rate", "missed_rate", "clicks")] == [None] * 4
    assert "not measured" in table(told)


def test_half_of_the_events_interrupt_and_the_same_seed_draws_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def render(wanted: list[Saying]) -> list[Spoken]:
        return [Spoken(saying, TEXT.samples[2000:6000].tobytes()) for saying in wanted]

    monkeypatch.setattr(barge_in_events, "render", render)
    events = draw_events(80, seed=1)
    assert sum(event.interrupts for event in events) == 40
    assert {event.kind for event in events if not event.interrupts} == {*barge_in_sounds.KINDS, "back-channel", "echo"}
    assert {event.condition for event in events if event.interrupts} == {"clean", "noise", "soft"}
    assert events == draw_events(80, seed=1)
    assert all(0 <= event.begin < event.end <= len(event.clip) // 2 for event in events if event.echo is None)


def test_sounds_are_audible_where_they_say() -> None:
    sound = np.zeros(8000, np.int16)
    sound[2000:5000] = 3000
    assert audible(sound) == (2000, 5000)


@pytest.mark.parametrize("kind", barge_in_sounds.KINDS)
def test_sounds_are_the_same_every_time_and_stay_within_the_line(kind: str) -> None:
    made = barge_in_sounds.KINDS[kind]
    first = made(np.random.default_rng(4))
    assert np.array_equal(first, made(np.random.default_rng(4)))
    assert not np.array_equal(first, made(np.random.default_rng(5)))
    assert 0.003 < np.abs(first).max() <= 1
    assert 0.2 * SAMPLE_RATE < len(first) < 2.5 * SAMPLE_RATE
