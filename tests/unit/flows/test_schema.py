"""What an editor is told by the JSON schemas: the files that ship are right, and typical slips are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

import flows
from flows.loader import BOT_FILE, SYSTEMS_FILE, flow_files
from flows.schema import schemas

ROOT = Path(flows.__file__).parent
BOTS = sorted(path.parent for path in ROOT.rglob(BOT_FILE))
SCHEMAS = schemas()


def problems(schema: str, data: Any) -> list[str]:
    return [
        f"{list(error.path)}: {error.message[:80]}" for error in Draft202012Validator(SCHEMAS[schema]).iter_errors(data)
    ]


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("folder", BOTS, ids=lambda path: path.name)
def test_the_files_that_ship_are_right(folder: Path) -> None:
    assert problems("bot", _plain(read(folder / BOT_FILE))) == []
    assert problems("systems", _plain(read(folder / SYSTEMS_FILE))) == []
    for path in flow_files(folder):
        assert problems("flow", _plain(read(path))) == [], path.name


@pytest.mark.parametrize(
    "flow",
    [
        {"flow": "a", "description": "b"},
        {"flow": "a", "description": "b", "steps": [{"tell": "x"}]},
        {"flow": "a", "description": "b", "steps": ["ask_mor"]},
        {"flow": "a", "description": "b", "steps": ["ask_more"], "exampels": []},
        {"flow": "a", "description": "b", "steps": ["ask_more"], "slots": {"n": {"type": "digit", "ask": "x"}}},
        {
            "flow": "a",
            "description": "b",
            "steps": ["ask_more"],
            "slots": {"n": {"type": "integer", "ask": "x", "max": 5}},
        },
    ],
    ids=["no steps", "no such step", "no such word", "a slip in a key", "no such type", "a key of no slot"],
)
def test_typical_slips_are_noticed(flow: dict[str, Any]) -> None:
    assert problems("flow", flow)


def _plain(data: Any) -> Any:
    """Days as JSON has them."""
    if isinstance(data, dict):
        return {str(key): _plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_plain(value) for value in data]
    return data if data is None or isinstance(data, bool | int | float | str) else data.isoformat()
