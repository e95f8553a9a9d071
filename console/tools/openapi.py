"""Prints an OpenAPI document with every shape of the API, from which the pages' types are made.

What goes out always has all its fields; what comes in may leave out those with a default.
"""

import importlib
import json
import pkgutil

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from voicebot.api import shapes
from voicebot.api.shapes.base import In, Out


def main() -> None:
    for module in pkgutil.iter_modules(shapes.__path__):
        importlib.import_module(f"{shapes.__name__}.{module.name}")
    models: list[tuple[type[In] | type[Out], JsonSchemaMode]] = []
    for root, mode in ((In, "validation"), (Out, "serialization")):
        found = list(root.__subclasses__())
        for model in found:
            found += model.__subclasses__()
            models.append((model, mode))  # type: ignore[arg-type]  # the tuple above widens the mode to str
    _, definitions = models_json_schema(models, ref_template="#/components/schemas/{model}")
    document = {
        "openapi": "3.1.0",
        "info": {"title": "voicebot", "version": "1"},
        "paths": {},
        "components": {"schemas": definitions["$defs"]},
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
