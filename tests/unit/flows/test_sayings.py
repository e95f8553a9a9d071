"""What people say, written by hand in tests/data/flows/sayings, and the values meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ruamel.yaml import YAML

from flows.slots import SLOT_TYPES, Rejected, Slot

FOLDER = Path(__file__).parents[2] / "data" / "flows" / "sayings"
NOW = "2026-11-23T10:00"


def moment(written: str) -> datetime:
    """ "2026-11-23T10:00", with a time zone in brackets where it matters."""
    local, _, zone = written.rstrip("]").partition("[")
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone) if zone else None)


def plain(value: Any) -> Any:
    """YAML reads days as dates."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return value.isoformat() if isinstance(value, date) else value


def sayings() -> Iterator[Any]:
    for file in sorted(FOLDER.glob("*.yaml")):
        for group in YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8")):
            settings = group["slot"]
            slot = SLOT_TYPES[settings["type"]].model_validate({"ask": {"": "?"}, **settings})
            now = moment(re.sub(" ", "T", str(group.get("now", NOW))))
            for language in ("pl", "en"):
                for text, value in group.get(language, {}).items():
                    yield pytest.param(
                        slot, now, language, str(text), plain(value), id=f"{file.stem}-{language}-{text}"
                    )


SAYINGS = list(sayings())


def test_there_are_many_and_most_are_polish() -> None:
    assert len(SAYINGS) >= 500
    assert sum(case.values[2] == "pl" for case in SAYINGS) > len(SAYINGS) / 2


@pytest.mark.parametrize(("slot", "now", "language", "text", "meant"), SAYINGS)
def test_it_is_understood(slot: Slot, now: datetime, language: str, text: str, meant: Any) -> None:
    value = slot.parse(text, language, now, asked=True)
    accepted = None if value is None else slot.accept(value, now)
    assert (value if isinstance(accepted, Rejected) else accepted) == meant
