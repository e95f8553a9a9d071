"""The detectors of the barge-in benchmark, on signals of which everything is known."""

from __future__ import annotations

import numpy as np
import pytest

from asr.training.channel import decode_a_law, encode_a_law
from benchmarks.barge_in_wire import Course, Place, Text, clicks, ducking, follow, place
from voicebot.caller.capture import SAMPLE_RATE, Samples

MS = SAMPLE_RATE // 1000
WORD = 4 * SAMPLE_RATE  # where the caller's word begins
UNTIL = 8 * SAMPLE_RATE
LEAD = SAMPLE_RATE // 2  # the text begins here


def speech(seed: int, seconds: float = 12.0) -> Samples:
    """Syllables of a wandering pitch and changing vowels, a pause of 250 ms every 3 s."""
    random = np.random.default_rng(seed)
    count = int(seconds * SAMPLE_RATE)
    sound = np.zeros(count)
    at = 0
    while at < count:
        length = min(count - at, int(random.uniform(0.09, 0.25) * SAMPLE_RATE))
        time = np.arange(length) / SAMPLE_RATE
        phase = 2 * np.pi * random.uniform(90, 180) * time * (1 + random.uniform(-0.2, 0.2) * time)
        gains = random.uniform(0, 1, 20) / np.arange(1, 21) ** 0.5
        vowel = sum(gain * np.sin(order * phase) for order, gain in enumerate(gains, 1))
        sound[at : at + length] = vowel * np.hanning(length) ** 0.25
        at += length + int(random.choice([0, 0, 0.02, 0.05]) * SAMPLE_RATE)
        if at % (3 * SAMPLE_RATE) < length:
            at += SAMPLE_RATE // 4
    return (9000 * sound / np.abs(sound).max()).astype(np.int16)


def heard(*parts: tuple[int, Samples]) -> Samples:
    """Each part at its place, through A-law."""
    line = np.zeros(UNTIL + 4 * SAMPLE_RATE, np.int16)
    for at, part in parts:
        line[at : at + len(part)] += part[: len(line) - at]
    return np.asarray(decode_a_law(encode_a_law(line)), np.int16)


def faded(samples: Samples, fade_ms: int) -> Samples:
    """The last of it goes down to nothing; 0: it is cut."""
    gain = np.ones(len(samples))
    if fade_ms:
        gain[-fade_ms * MS :] = np.linspace(1, 0, fade_ms * MS)
    return (samples * gain).astype(np.int16)


TEXTS = [Text.of(f"text {seed}", speech(seed)) for seed in range(3)]
TEXT = TEXTS[1]


def course_of(line: Samples) -> Course:
    where = place(line, WORD, TEXTS)
    assert where == Place(TEXT, LEAD)
    return follow(line, where, WORD - SAMPLE_RATE // 2, UNTIL)


def loud_at(samples: Samples, near: int) -> int:
    """A sample of great amplitude in speech, where a cut is heard."""
    return near + int(np.argmax(np.abs(samples[near : near + 200 * MS].astype(np.int32))))


def test_what_is_spoken_is_found_among_the_texts() -> None:
    line = heard((LEAD, TEXT.samples))
    assert place(line, WORD, TEXTS) == Place(TEXT, LEAD)
    assert place(line, WORD, TEXTS[2:]) is None
    assert place(heard(), WORD, TEXTS) is None


def test_a_bot_that_speaks_on_went_on_in_one_stretch() -> None:
    course = course_of(heard((LEAD, TEXT.samples)))
    assert (course.ending, len(course.stretches), course.silent_from) == ("went on", 1, UNTIL)
    assert course.heard_after(WORD) == UNTIL - WORD
    assert ducking(heard((LEAD, TEXT.samples)), course, WORD) is None
    assert clicks(heard((LEAD, TEXT.samples)), course, WORD) == ([], [])


@pytest.mark.parametrize("stop_ms", [60, 180, 420, 900, 1500])
def test_the_silence_of_a_stop_begins_where_the_voice_ended(stop_ms: int) -> None:
    stopped = loud_at(TEXT.samples, WORD + stop_ms * MS - LEAD) + LEAD
    line = heard((LEAD, faded(TEXT.samples[: stopped - LEAD], 20)), (stopped + SAMPLE_RATE, TEXTS[2].samples))
    course = course_of(line)
    assert course.ending == "stopped"
    assert course.silent_from == pytest.approx(stopped, abs=5 * MS)
    assert course.next_at == pytest.approx(stopped + SAMPLE_RATE, abs=20 * MS)


def test_a_pause_of_the_text_is_no_stop() -> None:
    samples = TEXT.samples.copy()
    samples[WORD - LEAD + 100 * MS : WORD - LEAD + 500 * MS] = 0
    line = heard((LEAD, samples))
    where = Place(Text.of("with a pause", samples), LEAD)
    assert follow(line, where, WORD - LEAD, UNTIL).ending == "went on"
    assert follow(line, Place(TEXT, LEAD), WORD - LEAD, UNTIL).held == pytest.approx((400 * MS,), abs=30 * MS)


@pytest.mark.parametrize("rewound_ms", [0, 300, 1200])
def test_a_voice_that_is_held_and_goes_on_was_not_stopped(rewound_ms: int) -> None:
    held_at, gap = WORD + 200 * MS, 700 * MS
    again = held_at - LEAD - rewound_ms * MS
    rest = TEXT.samples[again:]
    line = heard((LEAD, faded(TEXT.samples[: held_at - LEAD], 20)), (held_at + gap, rest))
    course = course_of(line)
    assert (course.ending, len(course.stretches)) == ("went on", 2)
    assert course.held == pytest.approx((gap,), abs=40 * MS)


def test_the_same_text_from_its_beginning_is_a_stop() -> None:
    held_at = WORD + 200 * MS
    line = heard((LEAD, TEXT.samples[: held_at - LEAD]), (held_at + SAMPLE_RATE, TEXT.samples))
    assert course_of(line).ending == "stopped"


def test_a_text_that_ends_is_over() -> None:
    short = Text.of("short", TEXT.samples[: WORD - LEAD + SAMPLE_RATE])
    course = follow(heard((LEAD, short.samples)), Place(short, LEAD), WORD, UNTIL)
    assert course.ending == "over"


def test_a_frame_that_was_lost_is_neither_a_silence_nor_the_end() -> None:
    cut = WORD - LEAD + 900 * MS
    samples = np.concatenate([TEXT.samples[:cut], TEXT.samples[cut + 20 * MS :]])
    course = course_of(heard((LEAD, samples)))
    assert course.ending == "went on"
    assert course.held == ()
    assert course.stretches[-1].lag == LEAD - 20 * MS


@pytest.mark.parametrize(("length_ms", "ending"), [(100, "went on"), (2000, "lost")])
def test_something_else_in_the_speech_is_passed_over_or_loses_the_text(length_ms: int, ending: str) -> None:
    samples = TEXT.samples.copy()
    first = WORD - LEAD + SAMPLE_RATE
    samples[first : first + length_ms * MS] = TEXTS[0].samples[8000 : 8000 + length_ms * MS]
    course = course_of(heard((LEAD, samples)))
    assert course.ending == ending


@pytest.mark.parametrize(("drop_db", "after_ms"), [(12, 80), (6, 300)])
def test_ducking_is_read_from_the_voice(drop_db: float, after_ms: int) -> None:
    gain = np.ones(len(TEXT.samples))
    start, low = WORD - LEAD + after_ms * MS, 10 ** (-drop_db / 20)
    gain[start : start + 40 * MS] = np.linspace(1, low, 40 * MS)
    gain[start + 40 * MS : start + 1500 * MS] = low
    gain[start + 1500 * MS : start + 1540 * MS] = np.linspace(low, 1, 40 * MS)
    line = heard((LEAD, (TEXT.samples * gain).astype(np.int16)))
    course = course_of(line)
    found = ducking(line, course, WORD)
    assert found is not None
    assert found.drop_db == pytest.approx(drop_db, abs=1)
    assert found.after == pytest.approx((after_ms + 20) * MS, abs=30 * MS)
    assert course.ending == "went on"
    assert clicks(line, course, WORD) == ([], [])


def test_ducking_at_a_stroke_clicks() -> None:
    samples = TEXT.samples.astype(np.float64)
    samples[loud_at(TEXT.samples, WORD - LEAD + 300 * MS) :] *= 10 ** (-12 / 20)
    line = heard((LEAD, samples.astype(np.int16)))
    assert [len(found) for found in clicks(line, course_of(line), WORD)] == [1, 0]


@pytest.mark.parametrize(("fade_ms", "heard_clicks"), [(0, 1), (10, 0), (20, 0), (40, 0)])
def test_a_cut_clicks_and_a_fade_does_not(fade_ms: int, heard_clicks: int) -> None:
    stopped = loud_at(TEXT.samples, WORD + 300 * MS - LEAD) + LEAD
    line = heard((LEAD, faded(TEXT.samples[: stopped - LEAD + (fade_ms + 1) // 2 * MS], fade_ms)))
    course = course_of(line)
    assert course.ending == "stopped"
    assert [len(found) for found in clicks(line, course, WORD)] == [heard_clicks, 0]


def test_going_on_without_a_fade_clicks() -> None:
    held_at = WORD + 200 * MS
    again = loud_at(TEXT.samples, held_at - LEAD)
    rest = TEXT.samples[again:].copy()
    abrupt = heard((LEAD, faded(TEXT.samples[: held_at - LEAD], 20)), (held_at + SAMPLE_RATE, rest))
    rest[: 20 * MS] = rest[: 20 * MS] * np.linspace(0, 1, 20 * MS)
    smooth = heard((LEAD, faded(TEXT.samples[: held_at - LEAD], 20)), (held_at + SAMPLE_RATE, rest))
    assert [len(found) for found in clicks(abrupt, course_of(abrupt), WORD)] == [1, 0]
    assert [len(found) for found in clicks(smooth, course_of(smooth), WORD)] == [0, 0]


def test_a_scrap_of_sound_in_the_silence_clicks() -> None:
    held_at = WORD + 200 * MS
    line = heard(
        (LEAD, faded(TEXT.samples[: held_at - LEAD], 20)), (held_at + 300 * MS, TEXT.samples[8000 : 8000 + 15 * MS])
    )
    assert [len(found) for found in clicks(line, course_of(line), WORD)] == [1, 0]


def test_a_hole_in_the_speech_clicks_elsewhere() -> None:
    samples = TEXT.samples.copy()
    hole = loud_at(samples, WORD + SAMPLE_RATE - LEAD)
    samples[hole : hole + 20 * MS] = 0
    line = heard((LEAD, samples))
    at_edges, elsewhere = clicks(line, course_of(line), WORD)
    assert not at_edges
    assert elsewhere
    assert ducking(line, course_of(line), WORD) is None
