"""Texts with variables: Jinja2 in a sandbox, giving spans. Conditions and arguments are Jinja expressions.

The filters mark a value with its kind; what is between the marks becomes a span, so that only the speech side decides
how a date or an amount is read out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError, Undefined, meta, nodes

from flows.errors import TemplateFailed
from flows.sandbox import Sandbox, bounded, bounded_text
from flows.spans import Span

GENDERS = ("m", "f", "n", "p")
CASES = ("nominative", "genitive", "dative", "accusative", "instrumental", "locative")

_OPEN, _CLOSE = "\x01", "\x02"
_MARK = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]*){_CLOSE}")
_FAULTS = (TemplateError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError, RecursionError)
_ONE_EXPRESSION = re.compile(r"\s*\{\{((?:(?!\{\{|\}\}).)*)\}\}\s*", re.DOTALL)


class Marked(str):
    """Text that may hold marks; values from outside never are."""

    __slots__ = ()


def marked(spans: tuple[Span, ...]) -> Marked:
    """Spans as a value for a template."""
    return Marked(
        "".join(s if isinstance(s, str) else f"{_OPEN}{json.dumps(s, ensure_ascii=False)}{_CLOSE}" for s in spans)
    )


def _mark(kind: str, value: Any, **more: Any) -> Marked:
    return marked(({"kind": kind, "value": value, **more},))


def _need(value: Any, what: str) -> Any:
    if isinstance(value, Undefined) or value is None or value == "":
        raise TemplateFailed(f"A {what} to be spoken is missing.", "Guard the step with `when: ... is defined`.")
    return value


def _digits(value: Any, group: int | None = None) -> Marked:
    kept = re.sub(r"\D", "", str(_need(value, "number")))
    return _mark("digits", _need(kept, "number"), **_given(group=group))


def _given(**settings: Any) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _as_text(kind: str, what: str) -> Callable[[Any], Marked]:
    """A filter for a value whose form only the speech side knows."""
    return lambda value: _mark(kind, str(_need(value, what)))


def _as_day(value: Any) -> date:
    value = _need(value, "date")
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
    except ValueError:
        raise TemplateFailed(f"{str(value)!r} is not a date.", "Dates are written like 2026-12-06.") from None


def _date(value: Any, weekday: bool = False) -> Marked:
    day = _as_day(value)
    return _mark("date", f"{day:%Y-%m-%d}", **_given(weekday=True if weekday else None))


def _time(value: Any) -> Marked:
    text = str(_need(value, "time"))
    try:
        moment = datetime.fromisoformat(text).time() if "T" in text else time.fromisoformat(text.zfill(5))
    except ValueError:
        raise TemplateFailed(f"{text!r} is not a time of day.", "Times are written like 14:30.") from None
    return _mark("time", f"{moment:%H:%M}")


def _amount(value: Any, currency: str = "PLN") -> Marked:
    try:
        amount = Decimal(str(_need(value, "amount")).replace(",", ".")).quantize(Decimal("0.01"))
    except InvalidOperation:
        raise TemplateFailed(f"{str(value)!r} is not an amount.", "Amounts are written like 12.50.") from None
    return _mark("amount", str(amount), currency=str(currency))


def _as_number(value: Any) -> int | float:
    value = _need(value, "number")
    try:
        number = float(str(value).replace(",", "."))
        return int(number) if number == int(number) else number
    except (ValueError, OverflowError):
        raise TemplateFailed(f"{str(value)!r} is not a number.", "Numbers are written like 12 or 12.5.") from None


def _number(value: Any, gender: str | None = None, case: str | None = None) -> Marked:
    return _mark("number", _as_number(value), **_inflected(gender, case))


def _ordinal(value: Any, gender: str | None = None, case: str | None = None) -> Marked:
    return _mark("ordinal", int(_as_number(value)), **_inflected(gender, case))


def _inflected(gender: str | None = None, case: str | None = None) -> dict[str, Any]:
    for name, given, known in (("gender", gender, GENDERS), ("case", case, CASES)):
        if given is not None and given not in known:
            raise TemplateFailed(f"There is no {name} {given!r}.", f"Write one of: {', '.join(known)}.")
    return _given(gender=gender, case=case)


def _count(value: Any, *forms: str, gender: str | None = None, case: str | None = None) -> Marked:
    if len(forms) not in (2, 3):
        raise TemplateFailed(
            "`count` needs two or three forms of the noun.", 'Write for example count("dzień", "dni", "dni").'
        )
    counted = [str(form) for form in forms]
    return _mark("count", int(_as_number(value)), forms=counted, **_inflected(gender, case))


FILTERS: dict[str, Callable[..., Marked]] = {
    "digits": _digits,
    "date": _date,
    "time": _time,
    "amount": _amount,
    "number": _number,
    "ordinal": _ordinal,
    "count": _count,
    "spell": _as_text("spell", "text"),
    "phone": _as_text("phone", "telephone number"),
    "pesel": _as_text("pesel", "PESEL"),
    "nip": _as_text("nip", "NIP"),
    "regon": _as_text("regon", "REGON"),
    "iban": _as_text("iban", "account number"),
    "postcode": _as_text("postcode", "postal code"),
    "email": _as_text("email", "e-mail address"),
    "url": _as_text("url", "web address"),
}


def _plus_days(value: Any, days: Any) -> str:
    day = _as_day(value)
    try:
        return (day + timedelta(days=int(days))).isoformat()
    except (ValueError, OverflowError, TypeError):
        raise TemplateFailed(f"{days!r} is not a number of days.", "Write for example plus_days(2).") from None


# Those that give another value, rather than a way to read one out.
VALUE_FILTERS: dict[str, Callable[..., Any]] = {"plus_days": _plus_days}

_ENVIRONMENT = Sandbox(FILTERS | VALUE_FILTERS)
_GLOBALS = frozenset(_ENVIRONMENT.globals)


def tree(source: str) -> nodes.Template:
    """A text as its parts. Raises jinja2.TemplateError or TemplateFailed for a mistake in it."""
    return _ENVIRONMENT.checked(source)


def variables(source: str) -> frozenset[str]:
    """Names that a text takes from outside. Raises jinja2.TemplateError or TemplateFailed for a mistake in it."""
    parsed = tree(source)
    _compiled(source)
    for setting in parsed.find_all(nodes.Keyword):
        if setting.key in ("gender", "case") and isinstance(setting.value, nodes.Const):
            _inflected(**{setting.key: setting.value.value})
    return frozenset(meta.find_undeclared_variables(parsed)) - _GLOBALS


def condition_variables(source: str) -> frozenset[str]:
    """Names that an expression takes from outside. Raises jinja2.TemplateError for a mistake in it."""
    _expression(source)
    return variables(as_text(source))


def as_text(condition: str) -> str:
    """A condition as a text that says what it gives."""
    return "{{ (" + condition + ") }}"


def fields_said(source: str) -> list[tuple[str, tuple[str, ...]]]:
    """Names that a text takes, each with the fields that lead on from it: `customer.address.street` is ("customer",
    ("address", "street")). Raises jinja2.TemplateError.
    """
    found: list[tuple[str, tuple[str, ...]]] = []

    def visit(node: nodes.Node, fields: tuple[str, ...] = ()) -> None:
        match node:
            case nodes.Getattr():
                visit(node.node, (node.attr, *fields))
            case nodes.Getitem():
                key = node.arg.value if isinstance(node.arg, nodes.Const) else None
                visit(node.node, (key, *fields) if isinstance(key, str) else fields)
                visit(node.arg)
            case nodes.Name():
                found.append((node.name, fields))
            case _:
                for inner in node.iter_child_nodes():
                    visit(inner)

    visit(tree(source))
    return found


def has_variables(source: str) -> bool:
    """Whether a text has anything to fill in."""
    return "{{" in source or "{%" in source or "{#" in source


@lru_cache(maxsize=2048)
def _compiled(source: str) -> Template:
    _ENVIRONMENT.checked(source)
    return _ENVIRONMENT.from_string(source)


@lru_cache(maxsize=2048)
def _expression(source: str) -> Callable[..., Any]:
    _ENVIRONMENT.check_expression(source)
    return _ENVIRONMENT.compile_expression(source, undefined_to_none=False)


def _clean(value: Any) -> Any:
    """A value from outside without control characters that could be taken for marks."""
    if isinstance(value, Marked):
        return value
    if isinstance(value, str):
        return value.replace(_OPEN, "").replace(_CLOSE, "")
    if isinstance(value, Mapping):
        return {str(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _failed(source: str, error: Exception) -> TemplateFailed:
    shown = source if len(source) <= 200 else f"{source[:200]}..."
    why = str(error).rstrip(".")
    return TemplateFailed(f"The text {shown!r} could not be worked out: {why}.", "Guard it with `when`.")


def render(source: str, values: Mapping[str, Any]) -> tuple[Span, ...]:
    """The text as spans. Raises TemplateFailed when a value is missing or has the wrong form."""
    if not has_variables(source):
        return (source,)
    try:
        return _spans(bounded_text(_compiled(source).generate(_clean(values))))
    except _FAULTS as error:
        raise _failed(source, error) from error


def _spans(text: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    for index, piece in enumerate(_MARK.split(text)):
        if index % 2:
            spans.append(json.loads(piece))
        elif words := re.sub(r"\s+", " ", piece.replace(_OPEN, "").replace(_CLOSE, "")):
            spans.append(words)
    return tuple(spans)


def holds(source: str, values: Mapping[str, Any]) -> bool:
    """Whether a condition is true. Raises TemplateFailed."""
    return bool(evaluate(source, values))


def evaluate(source: str, values: Mapping[str, Any]) -> Any:
    """The value of an expression. Raises TemplateFailed."""
    try:
        result = _expression(source)(**_clean(values))
        if isinstance(result, Undefined):
            bool(result)  # raises and says which name is missing
        return bounded(result)
    except _FAULTS as error:
        raise _failed(source, error) from error


def argument(source: Any, values: Mapping[str, Any]) -> Any:
    """An argument of a call: "{{ x }}" alone keeps the type of x, other texts are filled in, the rest is as written."""
    if not isinstance(source, str) or not has_variables(source):
        return source
    if match := _ONE_EXPRESSION.fullmatch(source):
        result = evaluate(match[1], values)
        if not isinstance(result, Marked):
            return result
    return "".join(span if isinstance(span, str) else str(span["value"]) for span in render(source, values))
