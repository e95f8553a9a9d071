"""The benchmark of turn-taking: its corpus, its counting, its clock, and that the product's ear runs in it."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from asr.activity import ActivityService, SpeechPaused, SpeechStarted
from benchmarks import turns_corpus
from benchmarks.turns_corpus import Piece, Turn, turns
from benchmarks.turns_ours import BOT, AudioTimeLoop, Ours, asked
from benchmarks.turns_rivals import Activity, fixed
from benchmarks.turns_score import Score, best_fixed, score
from benchmarks.turns_sound import RATE, TRAIL_S, Spoken, audible, on_the_line, stripped
from flows import EmbeddedUnderstanding, Engine, load_bot
from tests.unit.asr.speech import say


def turn(*pieces: Piece, question: str = "yes_no", condition: str = "clean", language: str = "pl") -> Turn:
    return Turn(question, language, "whole", pieces, condition, noise_db=-10.0, noise_kind=0, seed=1)


# The corpus


def test_a_turn_follows_from_the_seed_and_its_number() -> None:
    many = turns(60, seed=3)
    assert turns(20, seed=3) == many[:20]
    assert turns(20, seed=4) != many[:20]


def test_every_question_is_answered_in_every_way_and_language() -> None:
    drawn = {(one.question, one.shape, one.language) for one in turns(6000, seed=1)}
    assert drawn == {
        (question, shape, language)
        for question, (_, kind) in turns_corpus.QUESTIONS.items()
        for shape in turns_corpus.SHAPES[kind]
        for language in ("pl", "en")
    }


def test_only_the_last_piece_has_no_silence_behind_it_and_pauses_are_as_long_as_said() -> None:
    for one in turns(500, seed=1):
        *inner, last = [piece.pause_ms for piece in one.pieces]
        assert last == 0
        assert all(200 <= pause <= 1500 or pause == turns_corpus.RUN_ON_MS for pause in inner)
        assert not any(mark in piece.text for piece in one.pieces for mark in "/+{}")
        assert all(piece.text for piece in one.pieces)


def test_a_third_of_the_turns_comes_over_each_line() -> None:
    lines = [one.condition for one in turns(60, seed=1)]
    assert [lines.count(name) for name in turns_corpus.CONDITIONS] == [20, 20, 20]


# Their sound


def test_the_edges_of_the_pieces_are_known_to_the_sample() -> None:
    loud = np.full(800, 0.5, np.float32)
    audio, ends = on_the_line([loud, loud], turn(Piece("tak", 500, True), Piece("tak", 0, False)))
    start = RATE // 2
    assert ends == [start + 800, start + 800 + 4000 + 800]
    assert len(audio) == ends[-1] + TRAIL_S * RATE
    voiced = np.flatnonzero(np.abs(audio.astype(int)) > 2000)
    assert start - 80 <= voiced[0] <= start + 80
    assert ends[-1] - 80 <= voiced[-1] <= ends[-1] + 80
    assert not ((voiced > ends[0] + 80) & (voiced < ends[0] + 3920)).any()


def test_noise_lies_under_the_pauses_as_far_down_as_said() -> None:
    speech = np.random.default_rng(1).standard_normal(RATE).astype(np.float32)
    pieces = (Piece("tak", 1000, True), Piece("tak", 0, False))
    audio, ends = on_the_line([speech, speech], turn(*pieces, condition="noise"))
    sound = audio.astype(float)
    pause, words = sound[ends[0] + 800 : ends[0] + 7200], sound[ends[0] - RATE : ends[0]]
    assert 20 * np.log10(pause.std() / words.std()) == pytest.approx(-10.4, abs=0.5)  # the words are noisy as well


def test_speech_is_over_where_it_is_lost_in_the_noise() -> None:
    fading = np.concatenate([np.full(800, 0.5, np.float32), np.full(400, 0.01, np.float32)])
    assert audible(fading, noise=0.001) == 1200
    assert audible(fading, noise=0.1) == 800
    assert audible(fading, noise=0.6) == 0


def test_silence_around_a_piece_is_taken_off() -> None:
    quiet = np.zeros(1600, np.int16)
    assert len(stripped(np.concatenate([quiet, say("tak"), quiet]), RATE)) <= len(say("tak"))


# Counting


def test_cut_off_is_what_is_ended_before_the_last_word_is_over() -> None:
    ends = [8000, 8000, 8000, 8000]
    counted = score(ends, [7999, 8000, 8800, None], rate=8000)
    assert (counted.turns, counted.cut_off, counted.never_ended) == (4, 1, 1)
    assert counted.false_cutoff_rate == 0.25
    assert counted.delay_mean_ms == 50.0
    assert counted.delay_p95_ms == 100.0


def test_of_nothing_nothing_is_measured() -> None:
    assert score([], [], rate=8000) == Score(0, 0, 0, None, None, None)
    assert score([800], [400], rate=8000).delay_mean_ms is None


def cutting(cut_off: int) -> Score:
    return Score(100, cut_off, 0, cut_off / 100, None, None)


def test_the_best_fixed_time_out_is_the_shortest_that_is_as_careful_as_ours() -> None:
    curve = {200: cutting(60), 250: cutting(50), 300: cutting(9), 350: cutting(10), 400: cutting(2)}
    assert best_fixed(curve, cutting(10)) == 300
    assert best_fixed(curve, cutting(8)) == 400
    assert best_fixed(curve, cutting(1)) is None


def started(told_at: int, at: int) -> Activity:
    return Activity(told_at, SpeechStarted(at))


def paused(told_at: int, at: int) -> Activity:
    return Activity(told_at, SpeechPaused(at))


def test_a_time_out_ends_the_first_pause_that_outlasts_it() -> None:
    told = [started(500, 0), paused(9000, 8000), started(12500, 12000), paused(21000, 20000)]
    assert fixed(told, 500) == 12000  # before the speech that follows is noticed
    assert fixed(told, 600) == 24800
    assert fixed(told, 50) == 9000  # a pause is known only when it is told
    assert fixed(told[:1], 200) is None


# The product's ear


def test_time_passes_when_nothing_else_is_left_to_do() -> None:
    async def late() -> list[float]:
        loop = asyncio.get_running_loop()
        moments = [loop.time()]
        loop.call_later(1800, lambda: moments.append(loop.time()))
        await asyncio.sleep(3600)
        return [*moments, loop.time()]

    with asyncio.Runner(loop_factory=AudioTimeLoop) as runner:
        assert runner.run(late()) == pytest.approx([0, 1800, 3600])


@pytest.mark.parametrize("question", turns_corpus.QUESTIONS)
def test_the_bot_waits_for_what_the_caller_answers(question: str) -> None:
    bot = load_bot(BOT)
    expect = asked(turn(question=question), Engine(bot), EmbeddedUnderstanding(bot)).expect
    assert expect.kind == turns_corpus.QUESTIONS[question][1]
    assert expect.length == turns_corpus.DIGITS.get(question)


def test_the_ear_of_a_call_ends_a_turn_in_audio_time() -> None:
    said = turn(Piece("tak zgadza się", 0, False))
    audio, ends = on_the_line([stripped(say("tak zgadza się"), RATE)], said)
    ended = Ours(ActivityService()).end(Spoken(said, audio.tobytes(), tuple(ends)))
    assert ended.text == "tak zgadza się"
    assert ended.at is not None
    assert ends[-1] < ended.at < ends[-1] + 2 * RATE
