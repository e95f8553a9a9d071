"""What the caller has said so far: only ever added to, and at a bounded cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.decoder import Decoder
from asr.device import choose_device
from asr.models import find
from asr.partials import PartialText
from asr.recogniser import RecognitionRequest, Word
from tests.unit.asr.speech import telephone

RATE = 8000


def words(text: str, each_s: float = 0.4) -> tuple[Word, ...]:
    return tuple(Word(one, i * each_s, (i + 1) * each_s, 0.9) for i, one in enumerate(text.split()))


def after(partial: PartialText, position: int, text: str) -> tuple[str, ...]:
    assert partial.due(position) is not None
    return partial.heard(words(text))


def test_words_are_believed_when_two_decodes_agree() -> None:
    partial = PartialText(RATE, 0)
    assert after(partial, 5000, "gdzie je") == ()
    assert (partial.text, partial.guess) == ("", "gdzie je")
    assert after(partial, 9000, "Gdzie jest mo") == ("Gdzie",)
    assert after(partial, 13000, "gdzie jest, moja paczka") == ("jest,",)
    assert (partial.text, partial.guess) == ("Gdzie jest,", "Gdzie jest, moja paczka")


def test_what_was_believed_stays() -> None:
    partial = PartialText(RATE, 0)
    after(partial, 5000, "moja paczka")
    after(partial, 9000, "moja paczka")
    after(partial, 13000, "nie")
    assert after(partial, 17000, "nie") == ()
    assert partial.text == "moja paczka"


def test_a_decode_comes_after_so_much_new_sound_and_one_at_a_time() -> None:
    partial = PartialText(RATE, 1000, every_ms=400, first_ms=600)
    assert partial.due(1000 + 4799) is None
    assert partial.due(1000 + 4800) == (1000, 5800)
    assert partial.due(50000) is None  # one is under way
    partial.heard(())
    assert partial.due(5800 + 3199) is None
    assert partial.due(5800 + 3200) == (1000, 9000)


def test_a_request_that_was_shed_is_made_up_for() -> None:
    partial = PartialText(RATE, 0)
    after(partial, 5000, "moja")
    assert partial.due(9000) is not None
    partial.missed()
    assert partial.due(9500) is None
    assert after(partial, 12200, "moja paczka") == ("moja",)


def test_what_is_believed_is_not_decoded_again_in_a_long_utterance() -> None:
    partial = PartialText(RATE, 0, longest_ms=2000)
    after(partial, 8000, "a b")
    after(partial, 16000, "a b c")
    assert partial.due(20000) == (int(0.8 * RATE), 20000)
    assert partial.heard(words("c d")) == ("c",)
    assert partial.text == "a b c"


def test_a_word_that_is_said_to_end_after_the_sound_leaves_no_sound_out() -> None:
    partial = PartialText(RATE, 0, longest_ms=1625)
    for position in (5000, 9000, 13000):
        span = partial.due(position)
        assert span is not None
        assert span[1] == position
        partial.heard(words("a a a a a a"))  # six words in half a second: the last ends in what is still to come
    span = partial.due(17000)
    assert span is not None
    assert span[0] <= 13000


def test_words_that_never_settle_cost_no_more() -> None:
    partial = PartialText(RATE, 0, longest_ms=2000)
    for index in range(20):
        position = 8000 * (index + 1)
        span = partial.due(position)
        assert span is not None
        assert span[1] - span[0] <= 2000 * RATE // 1000
        partial.heard(words(f"w{index}"))
    assert partial.text == ""


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=6), max_size=12), st.integers(600, 3000))
def test_whatever_is_heard_the_text_only_grows(decodes: list[list[str]], longest_ms: int) -> None:
    partial, before = PartialText(RATE, 0, longest_ms=longest_ms), ""
    for index, heard in enumerate(decodes):
        span = partial.due(5000 + 4000 * index)
        assert span is not None
        assert 0 <= span[0] < span[1]
        partial.heard(words(" ".join(heard)))
        assert partial.text.startswith(before)
        assert partial.guess.startswith(partial.text)
        before = partial.text


@pytest.mark.parametrize("text", ["gdzie jest moja paczka", "jeden dwa trzy cztery pięć sześć"])
def test_with_the_demo_model_the_words_come_while_they_are_said(tmp_path: Path, text: str) -> None:
    decoder = Decoder(find("demo", tmp_path), choose_device("cpu"), threads=1)
    sound = np.frombuffer(telephone(text, margin_s=0.5), dtype="<i2")
    partial, told = PartialText(RATE, 0), list[str]()
    for position in range(0, len(sound), 160):
        span = partial.due(position)
        if span is not None:
            audio = sound[span[0] : span[1]].tobytes()
            heard = decoder.transcribe(RecognitionRequest(audio, RATE, "pl", "test", final=False))
            told += partial.heard(heard.words)
    assert " ".join(told) == partial.text
    assert len(told) >= 2
    wrong = sum(one != other for one, other in zip(told, text.split(), strict=False))
    assert wrong <= 1
