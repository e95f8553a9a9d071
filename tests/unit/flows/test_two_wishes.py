"""Two wishes in one sentence, and one wish that only sounds like two."""

from __future__ import annotations

import pytest

from flows.intents import Guess
from flows.phrasebook import understood_phrases
from flows.two_wishes import two_wishes
from flows.words import tokens

SURE = {
    "parcel": Guess("order_status", 0.9),
    "open": Guess("opening_hours", 0.9),
    "paczka": Guess("order_status", 0.9),
    "czynne": Guess("opening_hours", 0.9),
    "maybe": Guess("opening_hours", 0.6),
}


def guess(text: str) -> Guess:
    return next((each for word, each in SURE.items() if word in text.split()), Guess(None, 0.1))


def wishes(text: str, language: str) -> list[str | None]:
    return [wish.flow for wish in two_wishes(tokens(text), understood_phrases(language), guess)]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "where is my parcel and when are you open"),
        ("en", "the parcel please and also something about maybe coming"),
        ("en", "where is my parcel as well as when are you open"),
        ("pl", "gdzie jest moja paczka i kiedy jest czynne"),
        ("pl", "moja paczka nie doszła a do tego chciałam wiedzieć czy czynne"),
    ],
)
def test_two_requests(language: str, text: str) -> None:
    assert wishes(text, language) == ["order_status", "opening_hours"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "the parcel came today and you were open"),  # tells a story
        ("en", "where is my parcel and maybe later"),  # the second half is no request, and not sure enough
        ("en", "i was at home with the parcel but when are you open"),  # "but" goes on with the same thing
        ("en", "where is my parcel and when is my parcel there"),
        ("en", "parcel and open"),  # too short for two
        ("en", "the parcel came as well as it was open"),
        ("en", "the parcel came also and it was open"),  # "also" belongs to the first half
        ("pl", "paczka nie doszła i było czynne"),
        ("pl", ""),
    ],
)
def test_one_wish(language: str, text: str) -> None:
    assert wishes(text, language) == []
