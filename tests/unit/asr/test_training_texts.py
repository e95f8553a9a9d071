"""What the demo model is taught to hear: the text files, the template grammar, spoken numbers, the corpus."""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from asr.training import grammar, numbers
from asr.training.corpus import LONGEST, Corpus
from asr.training.errors import TextProblems

WORDS = re.compile(r"[a-ząćęłńóśźż']+( [a-ząćęłńóśźż']+)*")


@pytest.mark.parametrize("language", grammar.LANGUAGES)
def test_every_line_says_plain_lower_case_words(language: str) -> None:
    spoken, rng = grammar.load(language), Random(1)
    for node in [*spoken.sentences, *spoken.held_out, *spoken.phrases]:
        for _ in range(15):
            text = grammar.say(node, rng)
            assert WORDS.fullmatch(text), text


@pytest.mark.parametrize("language", grammar.LANGUAGES)
def test_the_same_seed_says_the_same(language: str) -> None:
    spoken = grammar.load(language)
    first, second = Random(7), Random(7)
    assert [spoken.sentence(first) for _ in range(50)] == [spoken.sentence(second) for _ in range(50)]
    assert spoken.sentence(Random(7)) != spoken.sentence(Random(8))


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("pl", ["tak", "nie", "konsultant", "proszę powtórzyć", "chwileczkę", "anuluj", "do widzenia", "po południu"]),
        ("pl", ["status zamówienia", "gdzie jest moja paczka", "nie zgadzam się na nagrywanie", "niedziela", "zero"]),
        ("en", ["yes", "no", "agent", "i want to talk to a human", "please repeat", "one moment please", "cancel"]),
        ("en", ["goodbye", "order status", "where is my parcel", "i don't want to be recorded", "complaint", "return"]),
    ],
)
def test_phrases_hold_what_the_shop_demo_must_hear(language: str, wanted: list[str]) -> None:
    spoken, rng = grammar.load(language), Random(3)
    said = {grammar.say(node, rng) for node in spoken.phrases for _ in range(10)}
    assert not set(wanted) - said


@pytest.mark.parametrize("language", grammar.LANGUAGES)
def test_six_digits_are_said_one_by_one_as_often_as_any_phrase(language: str) -> None:
    spoken, rng = grammar.load(language), Random(5)
    digits = {numbers.cardinal(digit, language) for digit in range(10)} | {"oh"}
    said = [spoken.phrase(rng).split() for _ in range(3000)]
    assert sum(len(words) == 6 and set(words) <= digits for words in said) > 60


def test_words_of_one_sentence_agree(tmp_path: Path) -> None:
    spoken = _with(tmp_path, sentences="{me.bought} {product.acc} i {product.is} {product.damaged}")
    rng, said = Random(2), set[str]()
    for _ in range(400):
        said.add(spoken.sentence(rng))
    assert "kupiłam pralkę i jest uszkodzona" in said
    assert "kupiłem buty i są uszkodzone" in said
    assert not [text for text in said if "pralkę" in text and "uszkodzona" not in text]


def test_a_second_row_is_drawn_apart(tmp_path: Path) -> None:
    spoken = _with(tmp_path, sentences="{weekday.nom} {weekday#2.nom}")
    rng = Random(2)
    pairs = [spoken.sentence(rng).split() for _ in range(200)]
    assert any(first != second for first, second in pairs)


def test_weights_and_nested_choices(tmp_path: Path) -> None:
    spoken = _with(tmp_path, sentences="9 * tak (proszę (bardzo|)|)\nnie")
    rng = Random(4)
    said = [spoken.sentence(rng) for _ in range(1000)]
    assert set(said) == {"tak", "tak proszę", "tak proszę bardzo", "nie"}
    assert 50 < said.count("nie") < 150


def test_every_mistake_is_told_with_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(TextProblems) as caught:
        _with(
            tmp_path,
            sentences="tak\nTak\n{nothing}\n(a|b\na)\n{product.colour}\n{digits}\n{digits:9-3}\n{count:1-9:dzień,dni}",
        )
    assert [problem.rsplit("sentences.txt:", 1)[-1] for problem in caught.value.problems] == [
        "2: only lower-case words may stand there: 'Tak'",
        "3: there is no slot 'nothing'",
        "4: '(' at column 1 is never closed",
        "5: ')' too many at column 2",
        "6: table 'product' has no column 'colour' but nom, acc, gen, loc, is, works, damaged, available, bought, it",
        "7: 'digits' needs a range like {digits:1-9}",
        "8: 'digits' needs a range like {digits:1-9}",
        "9: 'count' needs one word form for each plural, separated by commas",
    ]


def test_mistakes_in_the_slots_are_told_first(tmp_path: Path) -> None:
    folder = _texts(tmp_path)
    slots = folder / "pl" / "slots.yaml"
    slots.write_text(
        "lists:\n  polite: [proszę, 'Bardzo']\ntables:\n  day:\n    columns: [nom, gen]\n    rows:\n      - [środa]\n",
        encoding="utf-8",
    )
    with pytest.raises(TextProblems) as caught:
        grammar.load("pl", folder)
    assert [problem.rsplit("slots.yaml:", 1)[-1] for problem in caught.value.problems] == [
        "7: a row of 'day' has 1 cells for 2 columns",
        "2: polite: only lower-case words may stand there: 'Bardzo'",
    ]


@pytest.mark.parametrize(
    ("day", "polish", "english"),
    [
        (1, "pierwszego", "first"),
        (2, "drugiego", "second"),
        (3, "trzeciego", "third"),
        (7, "siódmego", "seventh"),
        (20, "dwudziestego", "twentieth"),
        (23, "dwudziestego trzeciego", "twenty third"),
        (31, "trzydziestego pierwszego", "thirty first"),
    ],
)
def test_days_of_the_month(day: int, polish: str, english: str) -> None:
    assert numbers.day_of_month(day, "pl") == polish
    assert numbers.day_of_month(day, "en") == english


def test_hours_and_plurals() -> None:
    assert [numbers.hour(hour, "pl") for hour in (1, 2, 3, 20)] == ["pierwszej", "drugiej", "trzeciej", "dwudziestej"]
    assert numbers.hour(11, "en") == "eleven"
    forms = ("złoty", "złote", "złotych")
    expected = {1: 0, 2: 1, 4: 1, 5: 2, 12: 2, 21: 2, 22: 1, 112: 2, 123: 1}
    assert {n: forms.index(numbers.plural(n, forms)) for n in expected} == expected
    assert [numbers.plural(n, ("pound", "pounds")) for n in (1, 2, 22)] == ["pound", "pounds", "pounds"]


def test_cardinals_have_no_punctuation() -> None:
    assert numbers.cardinal(2345, "en") == "two thousand three hundred and forty five"
    assert numbers.cardinal(999, "pl") == "dziewięćset dziewięćdziesiąt dziewięć"


def test_an_english_zero_is_said_in_two_ways() -> None:
    rng = Random(1)
    assert {numbers.digits("0", "en", rng) for _ in range(40)} == {"oh", "zero"}
    assert numbers.digits("105", "pl", rng) == "jeden zero pięć"


def test_chunks_follow_from_seed_and_number() -> None:
    corpus = Corpus(1, 100)
    assert corpus.chunk(3) == Corpus(1, 100).chunk(3)
    assert corpus.chunk(3) != corpus.chunk(4)
    assert corpus.chunk(3) != Corpus(2, 100).chunk(3)


def test_mixed_texts_join_runs_of_several_sentences(tmp_path: Path) -> None:
    spoken = _with(tmp_path, sentences="jeden dwa trzy cztery pięć sześć")
    rng, counted, seams = Random(6), "jeden dwa trzy cztery pięć sześć".split(), 0
    for _ in range(200):
        words = spoken.mixed(rng).split()
        follows = [counted.index(a) + 1 == counted.index(b) for a, b in pairwise(words) if {a, b} <= set(counted)]
        assert len(words) <= 4 * 5 + 3
        seams += not all(follows)
    assert seams > 100


@pytest.mark.parametrize("language", grammar.LANGUAGES)
def test_unseen_sentences_are_many_and_plain(language: str) -> None:
    unseen = grammar.load(language).unseen
    assert len(set(unseen)) == len(unseen) >= 300
    assert all(WORDS.fullmatch(text) and len(text) <= LONGEST for text in unseen)


def test_a_chunk_mixes_languages_lengths_and_silence() -> None:
    prompts = Corpus(1, 1000).chunk(0)
    assert {prompt.language for prompt in prompts} == {"pl", "en"}
    assert 5 < sum(not prompt.text for prompt in prompts) < 50
    assert max(len(prompt.text) for prompt in prompts) <= LONGEST


def test_test_sentences_are_never_trained() -> None:
    corpus = Corpus(1, 2000)
    tests = {(p.language, p.text) for p in corpus.tests(150)["sentences"]}
    trained = {(p.language, p.text) for index in range(3) for p in corpus.chunk(index)}
    assert len(tests) == 300
    assert not tests & trained


def _texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    shutil.copytree(grammar.TEXTS, folder)
    return folder


def _with(tmp_path: Path, *, sentences: str) -> grammar.Grammar:
    """The Polish grammar with other sentences."""
    folder = _texts(tmp_path)
    (folder / "pl" / "sentences.txt").write_text(sentences + "\n", encoding="utf-8")
    return grammar.load("pl", folder)
