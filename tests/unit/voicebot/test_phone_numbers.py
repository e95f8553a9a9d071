"""Numbers to call back: written in one way, wrong and dear ones refused."""

from __future__ import annotations

import pytest

from voicebot.errors import WrongNumber
from voicebot.phone_numbers import as_kept, callable_number


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
