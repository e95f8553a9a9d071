"""Splitting text into sentences."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tts.text import clauses, sentences
from tts.text.sentences import MAX_SENTENCE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dzień dobry. W czym mogę pomóc?", ["Dzień dobry.", "W czym mogę pomóc?"]),
        ("Tak! Nie? Może…  Chyba.", ["Tak!", "Nie?", "Może…", "Chyba."]),
        ("Jadę ul. Długą. Potem al. Jana Pawła.", ["Jadę ul. Długą.", "Potem al. Jana Pawła."]),
        ("Buty np. Reebok. Koniec.", ["Buty np. Reebok.", "Koniec."]),
        ("Kosztuje 2.50 euro. Dziękuję.", ["Kosztuje 2.50 euro.", "Dziękuję."]),
        ("Dnia 3. maja zamknięte.", ["Dnia 3. maja zamknięte."]),
        ("Zamówienie numer 3. Dziękuję.", ["Zamówienie numer 3.", "Dziękuję."]),
        ("Pan J. Kowalski dzwonił.", ["Pan J. Kowalski dzwonił."]),
        ("Chwileczkę... sprawdzam.", ["Chwileczkę... sprawdzam."]),
        ("Chwileczkę... Już wiem.", ["Chwileczkę...", "Już wiem."]),
        ("Powiedział „Tak.” Potem wyszedł.", ["Powiedział „Tak.”", "Potem wyszedł."]),
        ("Buty itd. Coś jeszcze?", ["Buty itd.", "Coś jeszcze?"]),
        ("Mr. Smith is here. Dr. Jones is not.", ["Mr. Smith is here.", "Dr. Jones is not."]),
        ("See e.g. London. Bye.", ["See e.g. London.", "Bye."]),
        ("Pierwsza linia\nDruga linia", ["Pierwsza linia", "Druga linia"]),
        ("  ", []),
        ("", []),
        ("bez kropki", ["bez kropki"]),
    ],
)
def test_where_a_sentence_ends(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_long_sentence_is_broken_at_a_comma() -> None:
    text = "Pierwsza część zdania jest taka, " * 12 + "koniec."
    pieces = sentences(text)
    assert len(pieces) > 1
    assert all(len(piece) <= MAX_SENTENCE for piece in pieces)
    assert all(piece.endswith(",") for piece in pieces[:-1])
    assert " ".join(pieces) == text


@settings(deadline=None)  # the machine may be busy
@given(st.text() | st.text("aB .,!?…\n„”\"'3", max_size=700))
def test_nothing_is_lost_or_added(text: str) -> None:
    pieces = sentences(text)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(piece and piece == piece.strip() for piece in pieces)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Krótkie zdanie, z przecinkiem.", ["Krótkie zdanie, z przecinkiem."]),
        (
            "Państwa zamówienie zostało wysłane wczoraj, a kurier dostarczy je jutro przed południem pod podany adres.",
            [
                "Państwa zamówienie zostało wysłane wczoraj,",
                "a kurier dostarczy je jutro przed południem pod podany adres.",
            ],
        ),
        (
            "Sprawdziłem stan Państwa zamówienia w naszym systemie oraz u przewoźnika który je doręcza.",
            ["Sprawdziłem stan Państwa zamówienia w naszym systemie", "oraz u przewoźnika który je doręcza."],
        ),
        (
            "Your parcel has left our warehouse in the north and will be with you on Monday morning.",
            ["Your parcel has left our warehouse in the north", "and will be with you on Monday morning."],
        ),
        ("Tak, oczywiście.", ["Tak, oczywiście."]),
        ("Bezprzecinkowe " * 9 + "zdanie.", [("Bezprzecinkowe " * 9 + "zdanie.")]),
    ],
)
def test_a_long_sentence_is_cut_where_a_speaker_breathes(text: str, expected: list[str]) -> None:
    assert clauses(text) == expected


def test_a_piece_is_at_most_three_times_as_long_as_the_one_before() -> None:
    text = "Już sprawdzam, " + "potem coś mówię, " * 20 + "koniec."
    pieces = clauses(text)
    assert pieces[0] == "Już sprawdzam, potem coś mówię,"
    assert all(len(after) <= max(40, 3 * len(before)) for before, after in itertools.pairwise(pieces))
    assert max(len(piece) for piece in pieces) > 80
    assert " ".join(pieces) == text


@settings(deadline=None)  # the machine may be busy
@given(st.text() | st.text("aB .,!? i;:\n", max_size=700))
def test_clauses_are_the_sentences_in_pieces(text: str) -> None:
    assert "".join("".join(clauses(text)).split()) == "".join(text.split())
    assert all(piece and piece == piece.strip() for piece in clauses(text))
