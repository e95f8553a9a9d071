"""What words say about the turn: whether more is coming."""

from __future__ import annotations

import pytest

from voicebot.signs import never_last, unfinished


@pytest.mark.parametrize(
    ("language", "text", "sign"),
    [
        ("pl", "numer zamówienia to", "grammar"),
        ("pl", "dzwonię w sprawie", "grammar"),
        ("pl", "no więc zaraz sprawdzę", "hesitation"),
        ("pl", "gdzie jest moja paczka", None),
        ("pl", "moja", None),  # alone it is a whole answer
        ("en", "i have a question about", "grammar"),
        ("en", "well let me see", "hesitation"),
        ("en", "that is all", None),
    ],
)
def test_a_word_that_cannot_be_the_last_means_that_more_is_coming(language: str, text: str, sign: str | None) -> None:
    assert unfinished(text, language) == sign


@pytest.mark.parametrize(("language", "text"), [("pl", "tak mogę"), ("en", "yes i want")])
def test_a_verb_without_its_object_ends_an_answer_but_no_request(language: str, text: str) -> None:
    assert unfinished(text, language) is None
    assert unfinished(text, language, request=True) == "grammar"


def test_what_stands_in_examples_again_and_again_and_ends_none_is_never_last() -> None:
    examples = ["kiedy dotrze paczka", "kiedy dotrze zamówienie", "czy paczka dotarła", "", "paczka"]
    assert never_last(examples) == {"kiedy", "dotrze"}
