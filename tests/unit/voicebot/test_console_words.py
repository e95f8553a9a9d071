"""The pages have words in both languages for whatever stable word the server tells."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from voicebot.conversation import STAGES
from voicebot.decisions.texts import SENTENCES
from voicebot.watch.alerts import Kind

TEXTS = Path(__file__).parents[3] / "console" / "src" / "i18n"


@pytest.mark.parametrize("language", ["pl", "en"])
def test_decisions_stages_and_alerts_have_words(language: str) -> None:
    texts = "".join(file.read_text("utf-8") for file in (TEXTS / language).iterdir())
    known = set(re.findall(r'^  "([\w.]+)":', texts, re.MULTILINE))
    told = {f"decision.{kind.partition(' ')[0]}" for kind in SENTENCES["en"]}
    told |= {f"stage.{stage}" for stage in STAGES}
    told |= {f"alert.{kind}" for kind in get_args(Kind)}
    assert told - known == set()
    assert {word for word in known if word.startswith(("decision.", "stage.", "alert."))} - told == set()
