"""Tokenizer, batches, schedule and error rates."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest
from faster_whisper.tokenizer import Tokenizer as WhisperTokenizer

from asr.training import tokenizer
from asr.training.batches import IGNORED, Batches, disturb
from asr.training.corpus import Corpus
from asr.training.evaluate import Heard, normalised, score
from asr.training.features import MAX_FRAMES, MELS
from asr.training.recordings import Recording


@pytest.fixture(scope="module")
def vocabulary() -> tokenizer.Vocabulary:
    return tokenizer.build(Corpus(1, 200).words(chunks=2))


def test_every_text_comes_back_from_its_tokens(vocabulary: tokenizer.Vocabulary) -> None:
    for prompt in Corpus(1, 400).chunk(5):
        assert vocabulary.decode(vocabulary.encode(prompt.text)) == prompt.text


def test_the_same_words_give_the_same_tokenizer() -> None:
    words = Counter({"tak": 5, "nie": 4, "zamówienie": 3, "żółw": 1, "yes": 2, "don't": 1})
    words.update({f"{a}{b}{c}{d}" for a in "bcdfgz" for b in "aeiouyąęó" for c in "klmnprst" for d in "aei"})
    first, second = tokenizer.build(words), tokenizer.build(dict(reversed(words.items())))
    assert first.tokens() == second.tokens()
    assert first.tokenizer.to_str() == second.tokenizer.to_str()


def test_no_text_needs_a_token_that_faster_whisper_suppresses(vocabulary: tokenizer.Vocabulary) -> None:
    suppressed = set(WhisperTokenizer(vocabulary.tokenizer, True, "transcribe", "pl").non_speech_tokens)
    bare_space = vocabulary.encode("-")[0]
    assert bare_space in suppressed
    used = {token for prompt in Corpus(1, 800).chunk(3) for token in vocabulary.encode(prompt.text)}
    assert not used & suppressed


def test_the_order_of_the_special_tokens_is_whispers(vocabulary: tokenizer.Vocabulary) -> None:
    tokens = vocabulary.tokens()
    assert tokens[: tokenizer.TEXT_TOKENS].count("") == 1
    assert tokens[tokenizer.TEXT_TOKENS :][:11] == [
        "<|endoftext|>",
        "<|startoftranscript|>",
        "<|en|>",
        "<|pl|>",
        "<|translate|>",
        "<|transcribe|>",
        "<|startoflm|>",
        "<|startofprev|>",
        "<|nospeech|>",
        "<|notimestamps|>",
        "<|0.00|>",
    ]
    assert tokens[-1] == "<|10.00|>"
    assert len(tokens) == len(set(tokens)) == len(vocabulary)


def test_faster_whisper_finds_the_special_tokens(vocabulary: tokenizer.Vocabulary) -> None:
    theirs = WhisperTokenizer(vocabulary.tokenizer, True, "transcribe", "pl")
    assert theirs.sot_sequence == [vocabulary.start, vocabulary.languages["pl"], vocabulary.transcribe]
    assert theirs.timestamp_begin == vocabulary.first_timestamp
    assert (theirs.no_speech, theirs.sot_prev) == (vocabulary.no_speech, vocabulary.previous)


def _recordings() -> list[Recording]:
    rng = Random(1)
    made = []
    for index in range(60):
        words = ["tak", "nie", "zero"] * rng.randrange(1, 5)
        length = 20 * len(words)
        frames = np.full((length + 15, MELS), index, np.uint8)
        made.append(Recording("pl", " ".join(words), frames, tuple(range(20, length + 1, 20))))
    return [*made, Recording("en", "", np.zeros((80, MELS), np.uint8), ())]


def test_a_batch_follows_from_seed_step_and_rank(vocabulary: tokenizer.Vocabulary) -> None:
    def batches(seed: int) -> Batches:
        return Batches(_recordings(), vocabulary, seed, budget=400, ranks=2)

    one, again = (batches(1).batch(7, 0, short=False, full=False) for _ in range(2))
    np.testing.assert_array_equal(one.mel, again.mel)
    np.testing.assert_array_equal(one.tokens, again.tokens)
    for other in (
        batches(1).batch(8, 0, short=False, full=False),
        batches(1).batch(7, 1, short=False, full=False),
        batches(2).batch(7, 0, short=False, full=False),
    ):
        assert one.mel.shape != other.mel.shape or not np.array_equal(one.mel, other.mel)


def test_batches_keep_their_budget_and_belong_together(vocabulary: tokenizer.Vocabulary) -> None:
    batches = Batches(_recordings(), vocabulary, 1, budget=400)
    for step in range(60):
        batch = batches.batch(step, 0, short=step < 20, full=step >= 50)
        items, mels, frames = batch.mel.shape
        assert mels == MELS
        assert frames == MAX_FRAMES if step >= 50 else frames % 16 == 14
        # Splices may be a tenth longer than what was drawn, and lengths are rounded up.
        assert items * frames / 2 <= 400 * 1.3 or items == 1
        assert batch.tokens.shape == batch.targets.shape
        assert batch.written_lengths.sum() == len(batch.written)
        assert (batch.written < vocabulary.end).all()
        assert (batch.positions * 2 <= frames + 1).all()
        for tokens, targets in zip(batch.tokens, batch.targets, strict=True):
            learnt = np.flatnonzero(targets != IGNORED)
            assert targets[learnt[-1]] == vocabulary.end
            follows = [i for i in learnt[:-1] if i + 1 < len(tokens) and targets[i] != vocabulary.no_speech]
            assert all(targets[i] == tokens[i + 1] for i in follows)


def test_silence_teaches_the_no_speech_token(vocabulary: tokenizer.Vocabulary) -> None:
    silent = Recording("pl", "", np.zeros((60, MELS), np.uint8), ())
    batch = Batches([silent], vocabulary, 1, budget=200).batch(0, 0, short=False, full=False)
    for tokens, targets in zip(batch.tokens, batch.targets, strict=True):
        start = list(tokens).index(vocabulary.start)
        assert targets[start] == vocabulary.no_speech
        assert not batch.written_lengths.any()


def test_disturbance_keeps_the_shape_and_most_of_the_sound() -> None:
    mel = np.random.default_rng(1).standard_normal((120, MELS)).astype(np.float32)
    for seed in range(30):
        changed = disturb(mel, Random(seed))
        assert changed.shape == mel.shape
        shift = np.median(changed - mel)
        assert np.mean(np.abs(changed - mel - shift) < 1e-5) > 0.6


def test_error_rates() -> None:
    heard = [Heard("tak proszę", "tak proszę"), Heard("nie dziękuję", "nie dziękuje bardzo")]
    result = score(heard)
    assert (result.utterances, result.word_error_rate, result.exact) == (2, 50.0, 50.0)
    assert result.character_error_rate == pytest.approx(100 * 8 / 22, abs=0.01)
    assert score([Heard("tak", "")]).word_error_rate == 100.0


def test_texts_are_compared_without_case_and_punctuation() -> None:
    assert normalised(" Tak, proszę.  I'd like... ") == "tak proszę i'd like"
