"""From text to frames: voices, the telephone line, G.711, features, splicing, recordings on disk."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest

from asr.training import channel, features, recordings, voices
from asr.training.batches import truncate
from asr.training.corpus import Corpus
from asr.training.errors import VoiceUnavailable
from asr.training.recordings import Recording
from asr.training.splice import cut_points, splice


@pytest.fixture(scope="module")
def espeak() -> voices.Espeak:
    return voices.Espeak()


# G.711: reference values of the standard's tables.


@pytest.mark.parametrize(
    ("code", "level"), [(0x00, -32124), (0x80, 32124), (0x7F, 0), (0xFF, 0), (0x8F, 16764), (0xEF, 132), (0xFE, 8)]
)
def test_mu_law_levels(code: int, level: int) -> None:
    assert channel.decode_mu_law(np.array([code], np.uint8))[0] == level


@pytest.mark.parametrize(
    ("code", "level"), [(0xD5, 8), (0x55, -8), (0xD4, 24), (0xAA, 32256), (0x2A, -32256), (0x80, 5504), (0xE5, 1056)]
)
def test_a_law_levels(code: int, level: int) -> None:
    assert channel.decode_a_law(np.array([code], np.uint8))[0] == level


def test_companding_there_and_back_keeps_every_level() -> None:
    codes = np.arange(256, dtype=np.uint8)
    for encode, decode in (
        (channel.encode_a_law, channel.decode_a_law),
        (channel.encode_mu_law, channel.decode_mu_law),
    ):
        levels = decode(codes)
        np.testing.assert_array_equal(decode(encode(levels)), levels)


def test_companding_error_grows_with_the_level_only() -> None:
    pcm = np.arange(-32768, 32768).astype(np.int16)
    for encode, decode in (
        (channel.encode_a_law, channel.decode_a_law),
        (channel.encode_mu_law, channel.decode_mu_law),
    ):
        error = np.abs(decode(encode(pcm)).astype(np.int32) - pcm)
        assert (error <= np.maximum(np.abs(pcm.astype(np.int32)) / 31, 16)).all() or error.max() <= 1024
        assert error[np.abs(pcm.astype(np.int32)) < 200].max() <= 8


def test_a_line_is_narrow_and_as_long_as_drawn(espeak: voices.Espeak) -> None:
    speech = espeak.say("gdzie jest moja paczka", voices.Manner("pl"))
    line = channel.Line(1.0, 0.5, 0.5, (300, 3400), None, 0, -10, 1.0, "a")
    signal, lead_ms, stretch = channel.transmit(speech.samples, speech.sample_rate, line, np.random.default_rng(1))
    assert (lead_ms, stretch) == (500.0, 1.0)
    spectrum = np.abs(np.fft.rfft(signal)) ** 2
    hertz = np.fft.rfftfreq(len(signal), 1 / channel.MODEL_RATE)
    assert spectrum[hertz > 4200].sum() < 1e-3 * spectrum.sum()
    assert np.abs(signal[: int(0.45 * channel.MODEL_RATE)]).max() < 0.01
    assert np.abs(signal).max() == pytest.approx(10 ** (-10 / 20), rel=0.15)


def test_lost_frames_are_repeated_and_fade_to_silence() -> None:
    frame = channel.LOSS_FRAME
    signal = np.repeat(np.arange(1, 9, dtype=np.float32), frame)
    lost = np.array([True, False, True, False, True, True, True, True])
    heard = channel.conceal(signal, lost).reshape(8, frame)[:, 0]
    np.testing.assert_allclose(heard, [1, 2, 1.4, 4, 2.8, 1.96, 1.372, 0], rtol=1e-5)


def test_some_lines_lose_frames_and_some_are_very_noisy() -> None:
    random = np.random.default_rng(5)
    drawn = [channel.draw_line(random) for _ in range(500)]
    assert 50 < sum(line.lost > 0 for line in drawn) < 150
    assert any(line.noise_db is not None and line.noise_db > -9 for line in drawn)


def test_noise_has_unit_variance() -> None:
    for kind in range(4):
        assert channel.noise(8000, kind, np.random.default_rng(2)).std() == pytest.approx(1, abs=0.01)


def test_word_ends_follow_the_sound(espeak: voices.Espeak) -> None:
    speech = espeak.say("dzień dobry chciałbym sprawdzić zamówienie", voices.Manner("pl+f2", rate=150))
    total_ms = len(speech.samples) / speech.sample_rate * 1000
    assert len(speech.word_ends_ms) == 5
    assert list(speech.word_ends_ms) == sorted(speech.word_ends_ms)
    assert speech.word_ends_ms[-1] == total_ms
    assert speech.word_ends_ms[0] > 100


def test_words_spoken_as_one_share_an_end() -> None:
    assert voices.word_ends("nie ma mnie", {1: 0, 8: 300}, 900.0) == (300, 300, 900)


def test_an_unknown_voice_is_an_error(espeak: voices.Espeak) -> None:
    with pytest.raises(VoiceUnavailable, match="pl-nobody"):
        espeak.say("tak", voices.Manner("pl-nobody"))


def test_held_out_voices_are_not_trained() -> None:
    assert not set(voices.HELD_OUT_VARIANTS) & set(voices.TRAINED_VARIANTS)
    random = np.random.default_rng(3)
    drawn = {voices.draw_manner("pl", random, held_out=True).voice for _ in range(200)}
    assert drawn == {f"pl+{variant}" for variant in voices.HELD_OUT_VARIANTS}


def test_the_same_seed_draws_the_same_voice_and_line() -> None:
    for seed in range(20):
        first, second = np.random.default_rng(seed), np.random.default_rng(seed)
        assert voices.draw_manner("en", first) == voices.draw_manner("en", second)
        assert channel.draw_line(first) == channel.draw_line(second)


def test_features_survive_being_kept_as_bytes() -> None:
    signal = np.random.default_rng(1).standard_normal(16000).astype(np.float32) * 0.1
    frames = features.extract(signal)
    assert frames.shape == (50, features.MELS)
    exact = features._extractor()(signal)[:, :50].T
    assert np.abs(features.restore(frames) - exact).max() < 0.0071


# Splicing: frame i of a source says its word number, so that cuts can be checked.


def _recording(words: list[str], length: int, mark: int) -> Recording:
    frames = np.repeat(np.arange(len(words), dtype=np.uint8) + mark, length)[:, None].repeat(features.MELS, axis=1)
    frames = np.concatenate([frames, np.full((20, features.MELS), 255, np.uint8)])
    return Recording("pl", " ".join(words), frames, tuple(length * (index + 1) for index in range(len(words))))


def test_a_splice_keeps_text_frames_and_ends_together() -> None:
    sources = [_recording([f"{letter}{n}" for n in range(6)], 15, 10 * mark) for mark, letter in enumerate("abc")]
    for seed in range(200):
        made = splice(sources[seed % 3], sources, Random(seed))
        words = made.text.split()
        assert len(words) == len(made.ends)
        assert list(made.ends) == sorted(made.ends)
        assert made.ends[-1] <= len(made.frames) <= features.MAX_FRAMES
        start = 0
        for word, end in zip(words, made.ends, strict=True):
            mark = 10 * "abc".index(word[0]) + int(word[1])
            assert (made.frames[start:end] == mark).all(), (word, made.text)
            start = end
        assert (made.frames[start:] == 255).all()  # the rest is the line after the last word


def test_a_splice_does_not_part_words_spoken_as_one() -> None:
    assert cut_points([10, 10, 25, 40, 40]) == [0, 2, 3, 5]
    whole = _recording(["nie", "ma"], 30, 0)
    one = Recording("pl", "nie ma", whole.frames, (60, 60))
    for seed in range(20):
        made = splice(one, [one], Random(seed))
        assert set(made.text.replace("nie ma", "").split()) == set()


def test_a_prefix_holds_only_finished_words() -> None:
    source = _recording(["jeden", "dwa", "trzy"], 30, 0)
    for seed in range(100):
        prefix = truncate(source, Random(seed))
        finished = len(prefix.text.split())
        assert prefix.text == " ".join(["jeden", "dwa", "trzy"][:finished])
        assert len(prefix.ends) == finished
        assert all(end <= len(prefix.frames) for end in prefix.ends)
        if finished < 3:
            assert len(prefix.frames) < source.ends[finished]


def test_rendering_again_finds_the_chunks_or_makes_the_very_same(tmp_path: Path) -> None:
    first, second, lines = tmp_path / "first", tmp_path / "second", list[str]()
    corpus = Corpus(1, 10)
    assert recordings.render(first, corpus, 10 / 3600, processes=1, say=lines.append) == 1
    assert lines[-1].startswith("speech: 0.0")
    stamp = (first / "chunk_00000.npy").stat().st_mtime_ns
    assert recordings.render(first, corpus, 10 / 3600, processes=1, say=lines.append) == 1
    assert (first / "chunk_00000.npy").stat().st_mtime_ns == stamp
    recordings.render(second, corpus, 10 / 3600, processes=1, say=lines.append)
    made, again = recordings.load(first, 1), recordings.load(second, 1)
    assert [(r.text, r.ends) for r in made] == [(r.text, r.ends) for r in again]
    for one, other in zip(made, again, strict=True):
        np.testing.assert_array_equal(one.frames, other.frames)
