"""What a company system's answer is to look like: its fields, their types, and whether an answer fits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_amount(value: Any) -> bool:
    try:
        return _is_number(value) or (isinstance(value, str) and Decimal(value.replace(",", ".")).is_finite())
    except InvalidOperation:
        return False


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value[:10]))
    except ValueError:
        return False


def _is_time(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return datetime.fromisoformat(value) is not None if "T" in value else time.fromisoformat(value) is not None
    except ValueError:
        return False


FIELD_TYPES: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": _is_number,
    "amount": _is_amount,
    "date": _is_date,
    "time": _is_time,
    "yes_no": lambda value: isinstance(value, bool),
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _field_type(value: str) -> str:
    if value.removesuffix("?") not in FIELD_TYPES:
        known = ", ".join(f"`{name}`" for name in FIELD_TYPES)
        raise PydanticCustomError("text", f"must be one of {known}, with `?` where it may be missing")
    return value


FieldType = Annotated[
    str,
    AfterValidator(_field_type),
    WithJsonSchema({"enum": [*FIELD_TYPES, *(f"{name}?" for name in FIELD_TYPES)]}),
]


class WrongAnswer(Exception):
    """Why an answer does not fit. The sentence names fields, never what stands in them."""


def shaped(shape: Mapping[str, str], answer: Any) -> dict[str, Any]:
    """The fields of the answer that are named, and no others; `null` is a field that is missing. Raises WrongAnswer."""
    if not isinstance(answer, dict):
        raise WrongAnswer("the answer is not an object with fields")
    kept = {}
    for name, kind in shape.items():
        value = answer.get(name)
        if value is None:
            if not kind.endswith("?"):
                raise WrongAnswer(f"the answer has no `{name}`")
        elif not FIELD_TYPES[kind.removesuffix("?")](value):
            raise WrongAnswer(f"`{name}` of the answer is not of the type {kind.removesuffix('?')}")
        else:
            kept[name] = value
    return kept
