"""Numbers to call back: written in one way, wrong and dear ones refused."""

from __future__ import annotations

import pytest

from voicebot.errors import WrongNumber
from voicebot.phone_numbers import as_e164, as_kept, callable_number


@pytest.mark.parametrize("text", ["601234567", "601 234 567", "+48 601-234-567", "0048601234567"])
def test_one_way_of_writing(text: str) -> None:
    assert callable_number(text) == "+48601234567"


def test_numbers_of_other_countries() -> None:
    assert callable_number("+44 20 7946 0958") == "+442079460958"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "An empty text is no telephone number"),
        ("Anna", "Anna is no telephone number"),
        ("12345", "There can be no telephone number 12345"),
        ("112", "There can be no telephone number 112"),
        ("700 123 456", "higher rates"),
    ],
)
def test_numbers_that_nobody_is_called_back_at(text: str, message: str) -> None:
    with pytest.raises(WrongNumber, match=message) as caught:
        callable_number(text)
    assert caught.value.remedy
    assert as_kept(text) == text


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("48600100200", "+48600100200"),
        ("600100200", "+48600100200"),
        ("0048 600 100 200", "+48600100200"),
        ("+19005551234", "+19005551234"),
        ("201", "201"),
        ("112", "112"),
        ("anna", "anna"),
        ("bot600100200", "bot600100200"),
        ("1800FLOWERS", "1800FLOWERS"),
        ("*21*600100200#", "*21*600100200#"),
        ("4860010020", "4860010020"),
        ("", ""),
    ],
)
def test_what_is_no_number_stays_as_it_is(text: str, read: str) -> None:
    assert as_e164(text) == read
