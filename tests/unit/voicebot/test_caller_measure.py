"""Turns, interruptions and "who heard whom", from audio whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.caller.capture import SAMPLE_RATE, CapturedAudio, Samples
from voicebot.caller.measure import (
    Interruption,
    Span,
    audible,
    find_speech,
    interruptions,
    percentile,
    speech_spans,
    turns,
)


def speech(seed: int, seconds: float, pitch_hz: float = 120.0) -> Samples:
    """Something with the shape of speech: voiced syllables of changing pitch and timbre with short gaps."""
    rng = np.random.default_rng(seed)
    pieces: list[np.ndarray] = []
    while sum(map(len, pieces)) < seconds * SAMPLE_RATE:
        length = int(rng.uniform(0.08, 0.25) * SAMPLE_RATE)
        pitch = pitch_hz * np.linspace(rng.uniform(0.8, 1.25), rng.uniform(0.8, 1.25), length)
        phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
        voice = sum(rng.uniform(0.1, 1) * np.sin(k * phase + rng.uniform(0, 6)) for k in range(1, 9))
        pieces += [voice * np.hanning(length), np.zeros(int(rng.uniform(0.02, 0.08) * SAMPLE_RATE))]
    joined = np.concatenate(pieces)[: int(seconds * SAMPLE_RATE)]
    return (joined / np.abs(joined).max() * 9000).astype(np.int16)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * SAMPLE_RATE), np.int16)


def noise(seconds: float, rms: float) -> Samples:
    return (np.random.default_rng(0).standard_normal(int(seconds * SAMPLE_RATE)) * rms).astype(np.int16)


def on_the_wire(samples: Samples, start_time: float = 1000.0) -> CapturedAudio:
    """As if captured without jitter."""
    anchors = np.arange(0, len(samples), 160)
    return CapturedAudio(start_time, samples, anchors, start_time + anchors / SAMPLE_RATE)


def test_speech_is_found_within_a_frame() -> None:
    samples = np.concatenate([silence(1), speech(1, 1.5), silence(1), speech(2, 0.8), silence(0.5)])
    found = audible(samples)
    assert [round(edge / SAMPLE_RATE, 1) for span in found for edge in span] == [1.0, 2.5, 3.5, 4.3]


def test_line_noise_is_not_speech_and_does_not_hide_it() -> None:
    samples = np.concatenate([silence(2), speech(1, 1.5), silence(2)]) + noise(5.5, 150)
    ((start, end),) = audible(samples)
    assert start / SAMPLE_RATE == pytest.approx(2, abs=0.06)
    assert end / SAMPLE_RATE == pytest.approx(3.5, abs=0.06)
    assert audible(noise(3, 150)) == []


def test_clicks_are_not_speech() -> None:
    samples = silence(2)
    samples[8000:8160] = 12000
    assert audible(samples) == []


def test_pause_within_a_sentence_joins_and_longer_one_parts() -> None:
    assert len(audible(np.concatenate([speech(1, 1), silence(0.2), speech(2, 1), silence(1)]))) == 1
    assert len(audible(np.concatenate([speech(1, 1), silence(0.6), speech(2, 1), silence(1)]))) == 2


def test_voice_to_voice_of_each_turn() -> None:
    sent = np.concatenate([silence(3), speech(1, 1), silence(4), speech(2, 1), silence(3)])
    received = np.concatenate([silence(0.5), speech(3, 2), silence(1.9), speech(4, 2), silence(3.1), speech(5, 1)])
    found = turns(speech_spans(on_the_wire(sent)), speech_spans(on_the_wire(received)))
    assert [turn.voice_to_voice_ms for turn in found] == pytest.approx([400, 500], abs=40)


def test_late_packets_count_as_late() -> None:
    """The answer's packets are held up by 300 ms in the network: the caller hears it 300 ms later."""
    received = np.concatenate([silence(1), speech(3, 1)])
    on_time = on_the_wire(received)
    late = CapturedAudio(
        1000.0, received, on_time.anchors, on_time.arrivals + np.where(on_time.anchors >= 8000, 0.3, 0)
    )
    delay = speech_spans(late)[0].start - speech_spans(on_time)[0].start
    assert delay == pytest.approx(0.3, abs=1e-6)


def test_turns_without_a_clean_answer_are_left_out() -> None:
    bot = [Span(0, 5), Span(9, 12)]
    assert turns([Span(4, 4.5)], bot) == []  # ended while the bot spoke
    assert turns([Span(6, 7), Span(8, 8.5)], bot)[0].spoken == Span(8, 8.5)  # went on by himself before the answer
    assert turns([Span(13, 14)], bot) == []  # never answered


def test_interruption_is_measured_until_silence() -> None:
    assert interruptions([Span(4, 6), Span(8, 9)], [Span(1, 4.2), Span(7, 7.5)]) == [
        Interruption(4, pytest.approx(200))
    ]


def test_percentiles_are_values_that_happened() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert (percentile(values, 50), percentile(values, 95), percentile([], 50)) == (3.0, 5.0, None)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(1, 100))
def test_a_percentile_has_its_share_below(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= percent / 100 * len(values) - 1e-6


_moments = st.lists(st.floats(0, 100), min_size=0, max_size=20).map(
    lambda edges: [Span(start, end) for start, end in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False)]
)


@given(_moments, _moments)
def test_turns_are_in_order_and_never_negative(sent: list[Span], received: list[Span]) -> None:
    found = turns(sent, received)
    assert all(turn.voice_to_voice_ms > 0 for turn in found)
    assert [turn.answered_at for turn in found] == sorted(turn.answered_at for turn in found)
    assert len({turn.answered_at for turn in found}) == len(found)  # one answer is given to one utterance


def _through_the_telephone(samples: Samples, *, gain: float, dropped: int = 0) -> Samples:
    """Delay, another level, logarithmic coding, noise, and a jitter buffer that drops samples in the middle."""
    middle = len(samples) // 2
    whole = np.concatenate([silence(2.4), samples[:middle], samples[middle + dropped :], silence(1)]) * gain
    coded = np.sign(whole) * np.expm1(np.round(np.log1p(np.abs(whole)) * 12) / 12)
    return (coded + noise(len(coded) / SAMPLE_RATE, 40)).astype(np.int16)


@pytest.mark.parametrize(("gain", "dropped"), [(1.0, 0), (0.25, 0), (0.5, 320)])
def test_what_was_said_is_found_in_what_was_heard(gain: float, dropped: int) -> None:
    said = speech(7, 4)
    found = find_speech(said, _through_the_telephone(said, gain=gain, dropped=dropped))
    assert found.proven
    assert found.delay_s == pytest.approx(2.4, abs=0.06)


def test_it_is_found_under_other_voices() -> None:
    said = speech(7, 4)
    heard = _through_the_telephone(said, gain=0.8)
    heard = heard + speech(8, len(heard) / SAMPLE_RATE, pitch_hz=200)[: len(heard)] // 3
    assert find_speech(said, heard).proven


@pytest.mark.parametrize("seed", range(3))
def test_unrelated_speech_proves_nothing(seed: int) -> None:
    heard = _through_the_telephone(speech(100 + seed, 20), gain=1)
    assert not find_speech(speech(7, 4), heard).proven


def test_silence_music_and_nothing_prove_nothing() -> None:
    said = speech(7, 4)
    tone = (9000 * np.sin(2 * np.pi * 220 * np.arange(8 * SAMPLE_RATE) / SAMPLE_RATE)).astype(np.int16)
    for heard in (silence(0), silence(10), noise(10, 500), tone):
        assert not find_speech(said, heard).proven
    assert not find_speech(silence(3), said).proven
    assert not find_speech(silence(0), said).proven
