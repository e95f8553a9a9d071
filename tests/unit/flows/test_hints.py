"""What a recogniser is told to expect stays small, however many examples a bot has."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

import flows
from flows import load_bot


@pytest.mark.parametrize("starter", ["shop", "clinic", "office"])
def test_what_goes_to_the_recogniser_with_each_turn_is_little(starter: str) -> None:
    bot = load_bot(Path(flows.__file__).parent / "starters" / starter)
    for language in bot.languages:
        hints = bot.hints(language)
        assert 20 < len(hints) <= 200
        assert len(quote("".join(hints))) < 32_000
