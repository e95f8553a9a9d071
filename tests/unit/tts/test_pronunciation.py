"""Lists of pronunciations: their mistakes, how they are applied, and the cure for "trzy"."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tts.engine import _harmless
from tts.errors import PronunciationMistakes
from tts.piper import PiperVoices
from tts.pronunciation import PHONEMES, Pronunciation, Pronunciations, built_in, load
from tts.testing import write_piper_voice
from tts.text import sentences, spoken


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[str], Pronunciations]:
    def load_text(text: str) -> Pronunciations:
        path = tmp_path / "words.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return load_text


Loader = Callable[[str], Pronunciations]


def test_a_word_is_respelled_whole_and_in_any_capitals(listed: Loader) -> None:
    words = listed("- word: InPost\n  say: impost\n")
    assert words.apply("Paczka z inpost. InPost dostarczy, inpostem.", "pl", "espeak:pl") == (
        "Paczka z impost. Impost dostarczy, inpostem."
    )


def test_an_entry_may_be_for_a_language_a_voice_and_exact_capitals(listed: Loader) -> None:
    words = listed(
        "- {word: Orange, say: orandż, language: pl, voice: 'piper:pl'}\n"
        "- {word: WHO, say: hu, case: true}\n- {word: aba, say: ABA, inside: true}\n"
    )
    assert words.apply("Orange i orange", "pl-PL", "piper:pl_PL-gosia-medium") == "Orandż i orandż"
    assert words.apply("Orange", "pl", "espeak:pl") == "Orange"
    assert words.apply("Orange", "en", "piper:pl_PL-gosia-medium") == "Orange"
    assert words.apply("WHO who", "en", "espeak:en") == "HU who"
    assert words.apply("żabam", "pl", "espeak:pl") == "żABAm"


def test_a_word_is_found_as_it_is_said_after_normalisation(listed: Loader) -> None:
    words = listed("- {word: PKO BP, say: pekao be pe, language: pl}\n- {word: 5G, say: pięć dżi, language: pl}\n")
    assert words.apply(spoken(["Bank PKO BP ma 5G."], "pl"), "pl", "espeak:pl") == "Bank pekao be pe ma pięć dżi."


def test_the_longest_phrase_wins_and_what_is_put_in_is_not_read_again(listed: Loader) -> None:
    words = listed("- {word: Allegro, say: Allegro Smart}\n- {word: Allegro Smart, say: smart}\n")
    assert words.apply("allegro smart i allegro", "pl", "espeak:pl") == "smart i Allegro Smart"


def test_phonemes_reach_the_engine_in_brackets_and_nothing_else_does(listed: Loader) -> None:
    words = listed('- {word: Xiaomi, phonemes: "ʃaˈɔ mi", voice: "piper:"}\n')
    text = words.apply("Telefon Xiaomi. [[x]] Koniec.", "pl", "piper:pl_PL-gosia-medium")
    first, *_ = sentences(text)
    assert _harmless(first) == "Telefon [[ʃaˈɔ mi]]."
    assert "[[x" not in _harmless(text)
    assert spoken([f"Imię {PHONEMES[0]}x{PHONEMES[1]}"], "pl") == "Imię x"


def test_phonemes_are_heard(tmp_path: Path) -> None:
    write_piper_voice(tmp_path)
    piper = PiperVoices(tmp_path).voice("pl_PL-ton-x_low")
    assert piper._phonemes.phonemize("Ala [[tʃʃˈɨ]]")[0][-5:] == list("tʃʃˈɨ")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("word: a", [(1, "not a list")]),
        ("- a: [", [(1, "no YAML")]),
        ("- {word: a, say: b}\n- {word: A, say: c}", [(2, "already told in line 1")]),
        ("- text", [(1, "written as")]),
        ("- say: b", [(1, "word is missing")]),
        ("- word: a", [(1, "either say or phonemes")]),
        ("- {word: a, say: b, phonemes: c, voice: 'piper:'}", [(1, "either say or phonemes")]),
        ("- {word: a, phonemes: c}", [(1, "need voice")]),
        ("- {word: a, phonemes: 'c]]', voice: 'piper:'}", [(1, "no brackets")]),
        ("- {word: 5, say: ''}", [(1, "word must be a text"), (1, "say is empty")]),
        (
            "- word: a\n  say: b\n  lang: pl\n- word: b\n  say: c\n  voice: piper\n  language: de\n  case: 1\n",
            [(3, "'lang' is no key"), (8, "case must be true or false"), (6, "beginning of"), (7, "one of pl, en")],
        ),
    ],
)
def test_all_mistakes_are_told_with_their_lines(listed: Loader, text: str, told: list[tuple[int, str]]) -> None:
    with pytest.raises(PronunciationMistakes) as caught:
        listed(text)
    mistakes = caught.value.mistakes
    assert [mistake.line for mistake in mistakes] == [line for line, _ in told]
    assert all(part in mistake.message for mistake, (_, part) in zip(mistakes, told, strict=True))
    assert f"words.yaml:{told[0][0]}: " in str(caught.value)


def test_an_empty_list_changes_nothing(listed: Loader) -> None:
    assert listed("").apply("Słowo.", "pl", "espeak:pl") == "Słowo."


@given(st.text(), st.sampled_from(["pl", "en"]))
def test_any_text_can_be_given(text: str, language: str) -> None:
    entries = (Pronunciation("a", "be"), Pronunciation("ż", "zet", inside=True))
    Pronunciations(entries).apply(text, language, "espeak:pl")


class TestTrzy:
    """Piper's phonemes for "trzy" and "czy" are the same ids unless the built-in list parts them."""

    @pytest.fixture
    def ids(self, tmp_path: Path) -> Callable[[str], list[int]]:
        write_piper_voice(tmp_path)
        voice = PiperVoices(tmp_path).voice("pl_PL-ton-x_low")
        return lambda text: [
            number
            for phonemes in voice._phonemes.phonemize(text)
            for number in voice._phonemes.phonemes_to_ids(phonemes)
        ]

    @pytest.fixture
    def cured(self, ids: Callable[[str], list[int]]) -> Callable[[str], list[int]]:
        return lambda text: ids(built_in().apply(text, "pl", "piper:pl_PL-gosia-medium"))

    def test_the_illness(self, ids: Callable[[str], list[int]]) -> None:
        assert ids("Ala patrzy.") == ids("Ala paczy.")

    @pytest.mark.parametrize(("one", "other"), [("trzy", "czy"), ("patrzy", "paczy"), ("trzech", "czech")])
    def test_they_differ(self, cured: Callable[[str], list[int]], one: str, other: str) -> None:
        assert cured(one) != cured(other)
        assert len(cured(one)) >= len(cured(other)) + 2, "one phoneme more, and its pad"

    def test_what_is_right_stays_as_it_was(
        self, ids: Callable[[str], list[int]], cured: Callable[[str], list[int]]
    ) -> None:
        text = "Cztery, czyste, potrawy, rzeka, szósty."
        assert cured(text) == ids(text)

    def test_the_voice_itself_does_it(self, tmp_path: Path) -> None:
        """The tone voice sounds 50 ms for each id: the longer word is heard longer."""
        write_piper_voice(tmp_path)
        voice = PiperVoices(tmp_path).voice("pl_PL-ton-x_low")
        assert voice.respelled("Trzy trzecie.") == "Trzszy trzszecie."
        (trzy,), (tszy,) = (voice.say(word, 1.0, threading.Event()) for word in ("trzy", "tszy"))
        assert len(trzy) > len(tszy)

    def test_other_voices_are_left_alone(self, tmp_path: Path) -> None:
        assert built_in().apply("trzy", "pl", "espeak:pl") == "trzy"
        write_piper_voice(tmp_path, "en_GB-tone-x_low")
        assert PiperVoices(tmp_path).voice("en_GB-tone-x_low").respelled("trzy") == "trzy"
