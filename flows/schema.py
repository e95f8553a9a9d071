"""The JSON schemas of the files, for editors that check YAML while it is written.

`python -m flows.schema` writes them to flows/schemas/, which ships with the package.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from flows.model import BotFile, FlowFile, SystemsFile
from flows.scripted.model import BARE_STEPS as BARE_LINES
from flows.scripted.model import OUTCOMES, STEPS, ConversationHead, ConversationsFile
from flows.slots import SLOT_TYPES
from flows.steps import BARE_STEPS, STEP_TYPES

FOLDER = Path(__file__).parent / "schemas"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each kind of file: "bot", "flow", "systems", "conversations" (of tests)."""
    return {
        "bot": _schema(BotFile),
        "flow": _flow_schema(),
        "systems": _schema(SystemsFile),
        "conversations": _conversations_schema(),
    }


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"$schema": _DIALECT, **model.model_json_schema()}


def _flow_schema() -> dict[str, Any]:
    """A flow file with its slots and steps, which are registered apart from it."""
    schema = _schema(FlowFile)
    definitions: dict[str, Any] = schema.setdefault("$defs", {})
    slots = [_define(definitions, model) for model in SLOT_TYPES.values()]
    steps = [_define(definitions, model) for model in STEP_TYPES.values()]
    schema["properties"]["slots"] = {"type": "object", "additionalProperties": {"anyOf": slots}}
    schema["properties"]["steps"] = {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [{"enum": list(BARE_STEPS)}, *steps]},
    }
    return schema


def _conversations_schema() -> dict[str, Any]:
    """A file of scripted conversations, with their steps, which are read one by one."""
    schema = _schema(ConversationsFile)
    head = _define(schema.setdefault("$defs", {}), ConversationHead)
    schema["properties"]["conversations"] = {"type": "array", "minItems": 1, "items": head}
    step = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False}
    properties = schema["$defs"]["ConversationHead"]["properties"]
    properties["steps"]["items"] = {
        "anyOf": [{"enum": list(BARE_LINES)}, {**step, "properties": {key: {} for key in STEPS}}]
    }
    properties["outcome"] = {
        "anyOf": [{"enum": list(OUTCOMES)}, {**step, "properties": {"handoff": {"type": "string"}}}]
    }
    return schema


def _define(definitions: dict[str, Any], model: type[BaseModel]) -> dict[str, str]:
    own = model.model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(own.pop("$defs", {}))
    definitions[model.__name__] = own
    return {"$ref": f"#/$defs/{model.__name__}"}


def written(schema: dict[str, Any]) -> str:
    """A schema as the text of its file."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, schema in schemas().items():
        (FOLDER / f"{name}.schema.json").write_text(written(schema), encoding="utf-8")


if __name__ == "__main__":
    main()
