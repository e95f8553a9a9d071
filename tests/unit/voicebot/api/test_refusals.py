"""Refusals are told in the language that was asked for, and every one has both languages."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import get_args

import pytest
from fastapi import FastAPI
from pydantic_core.core_schema import ErrorType

from voicebot.access import Access
from voicebot.api import polish
from voicebot.api.errors import STATUS, language_of
from voicebot.api.testing import browser, signed_in
from voicebot.errors import ProcessFailed

ROOT = Path(__file__).parents[4]
POLISH = {"Accept-Language": "pl"}
OF_FLOWS = {"Did you mean `{}`?", "Known here: {}."}
"""What `flows.source.closest` says; it is a remedy of access."""


class Sentences:
    """Finds the sentences that may be an argument in a module, `{}` where something is filled in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text("utf-8"))
        self._named: dict[str, list[ast.expr]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self._named.setdefault(node.targets[0].id, []).append(node.value)
            elif isinstance(node, ast.FunctionDef):
                returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value]
                self._named.setdefault(node.name, []).extend(returned)

    def told_by(self, calls: Iterable[str]) -> Iterator[str]:
        """The first two arguments of all calls of these names: message and remedy."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and _name(node.func) in calls:
                for argument in node.args[:2]:
                    yield from self.of(argument)

    def of(self, node: ast.expr) -> Iterator[str]:
        match node:
            case ast.Constant(str(text)):
                yield text
            case ast.JoinedStr(parts):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
            case ast.IfExp(body=one, orelse=other):
                yield from (*self.of(one), *self.of(other))
            case ast.BoolOp(values=values):
                for value in values:
                    yield from self.of(value)
            case ast.Name(name) | ast.Call(ast.Name(name)) if name in self._named:
                for value in self._named[name]:
                    yield from self.of(value)
            case ast.Call(ast.Name("closest")):
                yield from OF_FLOWS
            case _:
                pytest.fail(f"{self.path}:{node.lineno}: what is told cannot be read from {ast.unparse(node)}")


def _name(function: ast.expr) -> str:
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def refusals() -> set[str]:
    raised = {error.__name__ for error in STATUS}
    modules = [*(ROOT / "voicebot").rglob("*.py"), *(ROOT / "telephony").rglob("*.py")]
    return {text for path in modules for text in Sentences(path).told_by(raised)}


def test_every_refusal_has_a_sentence_in_polish() -> None:
    missing = sorted(text for text in refusals() if polish.in_polish(text) is None)
    assert not missing, f"voicebot/api/polish.py lacks: {missing}"


def test_no_sentence_is_kept_that_nobody_says() -> None:
    of_requests = (ROOT / "voicebot" / "api" / name for name in ("errors.py", "security.py"))
    said = "".join(path.read_text("utf-8") for path in of_requests)
    unsaid = [text for text in polish.SENTENCES.keys() - refusals() if text.split("{}")[0] not in said]
    assert [text for text in unsaid if not text.endswith(": {} {}")] == []


def test_each_sentence_is_recognised_by_itself_alone() -> None:
    for english, told in polish.SENTENCES.items():
        values = [f"w{number}" for number in range(english.count("{}"))]
        assert polish.in_polish(english.format(*values)) == told.format(*values)


def test_what_is_filled_in_is_any_text_and_our_words_are_polish() -> None:
    assert polish.in_polish("There is no queue a {0}\nb.") == "Nie ma kolejki a {0}\nb."
    assert polish.in_polish("This needs a role that you do not have: supervisor, operator.") == (
        "Do tego potrzebna jest rola, której nie masz: kierownik zmiany, operator."
    )


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("pl", "pl"),
        ("pl-PL,pl;q=0.9,en-US;q=0.8,en;q=0.7", "pl"),
        ("en-GB,en;q=0.9,pl;q=0.8", "en"),
        ("de, PL;q=0.5", "pl"),
        ("en;q=0.3, pl;q=0.4", "pl"),
        ("pl;q=often", "en"),
        ("pl;q=0", "en"),
        ("de", "en"),
        ("*", "en"),
    ],
)
def test_the_language_is_the_one_that_is_wanted_most(header: str, language: str) -> None:
    assert language_of({"accept-language": header}) == language


async def test_a_refusal_comes_in_the_language_of_the_request(app: FastAPI, access: Access) -> None:
    async with signed_in(app, access, "agent") as client:
        english = await client.get("/api/users")
        told = await client.get("/api/users", headers=POLISH)
    assert (english.headers["content-language"], told.headers["content-language"]) == ("en", "pl")
    assert english.json()["remedy"] == "An administrator can give you the role."
    assert told.json() == {
        "code": "not_allowed",
        "message": "Do tego potrzebna jest rola, której nie masz: administrator.",
        "remedy": "Rolę może nadać administrator.",
    }


async def test_what_http_itself_refuses_is_told_in_polish(app: FastAPI, access: Access) -> None:
    async with signed_in(app, access, "administrator") as client:
        client.headers.update(POLISH)
        for answer, status in (
            (await client.get("/api/nothing"), 404),
            (await client.put("/api/users"), 405),
            (await client.post("/api/users", content=b"x" * 2_000_000), 413),
            (await client.post("/api/users", content=_in_pieces(b"[" * 2_000, 1_000)), 413),
        ):
            assert answer.status_code == status
            assert answer.json()["message"] != polish.UNKNOWN[0], answer.url


async def _in_pieces(piece: bytes, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield piece


@pytest.mark.parametrize(
    ("body", "mistake"),
    [
        ({}, "login: brakuje"),
        ({"login": "Ola!"}, "login: nie pasuje do wzorca ^[a-z0-9][a-z0-9._-]*$"),
        ({"login": ""}, "login: musi mieć co najmniej 1 znaków"),
        ({"login": "a" * 65}, "login: może mieć najwyżej 64 znaków"),
        ({"login": 5}, "login: ma być tekstem"),
        ({"roles": []}, "roles: musi mieć co najmniej 1 pozycji"),
        ({"roles": "agent"}, "roles: ma być listą"),
        ({"roles": ["king"]}, "roles.0: ma być jednym z: 'agent', 'supervisor', 'operator' lub 'administrator'"),
        ({"colour": "{red}"}, "colour: niczego takiego tu nie ma"),
        ([], "body: ma być obiektem z polami"),
    ],
)
async def test_mistakes_of_a_request_are_told_in_polish(
    app: FastAPI, access: Access, body: object, mistake: str
) -> None:
    async with signed_in(app, access, "administrator") as client:
        answer = await client.post("/api/users", json=body, headers=POLISH)
    assert answer.status_code == 422
    assert mistake in answer.json()["message"].removeprefix("Żądanie nie jest takie, jak trzeba: ").rstrip(".").split(
        "; "
    )
    assert answer.json()["remedy"] == "Zobacz /api/openapi.json."


def test_the_mistakes_are_those_that_pydantic_knows() -> None:
    assert polish.MISTAKES.keys() <= set(get_args(ErrorType))
    assert polish.mistake("date_parsing", {"error": "too short"}) == polish.UNKNOWN_MISTAKE


async def test_a_fault_of_the_server_is_told_in_polish_without_its_details(app: FastAPI, access: Access) -> None:
    @app.get("/api/fails", include_in_schema=False)
    async def fail() -> None:
        raise ProcessFailed("The speech process ended.", "Look at its messages.")

    app.router.routes.insert(0, app.router.routes.pop())
    async with browser(app) as client:
        told = (await client.get("/api/fails", headers=POLISH)).json()
    assert (told["code"], told["message"], told["remedy"]) == ("process_failed", *polish.UNKNOWN)
