"""Everything that can be written in a file is documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.model import BotFile, Breaker, FlowFile, Greeting, Limits, Operation, System
from flows.phrasebook import spoken_phrases
from flows.slots import SLOT_TYPES
from flows.steps import STEP_TYPES, Branch
from flows.templates import FILTERS, VALUE_FILTERS

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "flows.md").read_text(encoding="utf-8")
MODELS = [
    BotFile,
    Greeting,
    Limits,
    FlowFile,
    System,
    Operation,
    Breaker,
    Branch,
    *SLOT_TYPES.values(),
    *STEP_TYPES.values(),
]
KEYS = {info.alias or name for model in MODELS for name, info in model.model_fields.items()}


@pytest.mark.parametrize(
    "word", sorted({*KEYS, *SLOT_TYPES, *STEP_TYPES, *FILTERS, *VALUE_FILTERS, *spoken_phrases("pl")})
)
def test_it_is_documented(word: str) -> None:
    assert any(f"`{word}{end}" in PAGE for end in ("`", ":")), f"docs/reference/flows.md does not name `{word}`"


def test_the_languages_have_the_same_phrases() -> None:
    assert set(spoken_phrases("pl")) == set(spoken_phrases("en"))
