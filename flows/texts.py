"""Texts of the files: one string for a bot of one language, or one per language."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

ANY_LANGUAGE = ""
PLACEHOLDER = re.compile(r"\{[^}]*\}")  # of a slot, in an example


def _by_language(value: Any) -> Any:
    if isinstance(value, str):
        value = {ANY_LANGUAGE: value}
    if isinstance(value, dict) and value and all(isinstance(text, str) and text.strip() for text in value.values()):
        return value
    if isinstance(value, dict) and None in value.values():
        raise PydanticCustomError("text", "is cut off at a comma: put the text in quotes")
    raise PydanticCustomError("text", "must be a text, or one text for each language")


def _list_by_language(value: Any) -> Any:
    if isinstance(value, list):
        value = {ANY_LANGUAGE: value}
    if isinstance(value, dict) and all(isinstance(texts, list) and _all_texts(texts) for texts in value.values()):
        return value
    raise PydanticCustomError("phrases", "must be a list of texts, or one list for each language")


def _all_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) and value.strip() for value in values)


def _name(value: str) -> str:
    if not (value.isascii() and value.isidentifier() and value == value.lower()):
        raise PydanticCustomError("name", "must be a name of small letters, digits and underscores")
    return value


def _several(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _path(value: str) -> str:
    if not value.startswith("/"):
        raise PydanticCustomError("path", "must begin with a slash")
    return value


def _auth(value: Any) -> Any:
    header = value.get("header") if isinstance(value, dict) and set(value) == {"header"} else None
    if value in ("bearer", "basic") or (isinstance(header, str) and re.fullmatch(r"[A-Za-z0-9-]+", header)):
        return value
    raise PydanticCustomError("text", "must be `bearer`, `basic` or `{header: X-Api-Key}`")


_STRING = {"type": "string", "minLength": 1}
_STRINGS = {"type": "array", "items": _STRING}
_TEXT_SCHEMA: dict[str, Any] = {"anyOf": [_STRING, {"type": "object", "additionalProperties": _STRING}]}
_PHRASES_SCHEMA: dict[str, Any] = {"anyOf": [_STRINGS, {"type": "object", "additionalProperties": _STRINGS}]}

Name = Annotated[str, AfterValidator(_name)]
UrlPath = Annotated[str, AfterValidator(_path)]
# How a secret is sent: "bearer", "basic", or {"header": its name}.
Auth = Annotated[
    str | dict[str, str],
    BeforeValidator(_auth),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["bearer", "basic"]},
                {
                    "type": "object",
                    "properties": {"header": _STRING},
                    "required": ["header"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
# By language; a text written once stands under ANY_LANGUAGE.
Text = Annotated[dict[str, str], BeforeValidator(_by_language), WithJsonSchema(_TEXT_SCHEMA)]
Phrases = Annotated[dict[str, list[str]], BeforeValidator(_list_by_language), WithJsonSchema(_PHRASES_SCHEMA)]
# Several wordings of one text; a single one may be written without the list.
Wordings = Annotated[
    list[Text],
    BeforeValidator(_several),
    WithJsonSchema({"anyOf": [_TEXT_SCHEMA, {"type": "array", "items": _TEXT_SCHEMA}]}),
]


def in_language(text: dict[str, str], language: str) -> str:
    """The text in a language; the validator has seen to it that there is one."""
    return text[language] if language in text else text[ANY_LANGUAGE]


def list_in_language(phrases: dict[str, list[str]], language: str) -> list[str]:
    """The phrases in a language, or those given for all languages, or none."""
    return phrases.get(language) or phrases.get(ANY_LANGUAGE, [])
