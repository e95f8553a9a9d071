"""`voicebot users`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.unit.voicebot.access.conftest import ADDRESS, PASSWORD
from voicebot.access import Access
from voicebot.access.errors import AccessError
from voicebot.cli import app


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "voicebot.yaml"
    file.write_text('data: data\nnumbers: [{number: "*", bot: shop, language: pl}]\n', encoding="utf-8")
    return file


def run(config: Path, *arguments: str, typed: str = "") -> Result:
    result = CliRunner().invoke(app, ["users", *arguments, "--config", str(config)], input=typed)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


async def sign_in(config: Path, login: str, password: str) -> bool:
    access = Access(config.parent / "data")
    try:
        await access.sign_in(login, password, ADDRESS)
    except AccessError:
        return False
    finally:
        await access.close()
    return True


async def test_the_first_administrator(config: Path) -> None:
    assert "voicebot users add LOGIN --role administrator" in run(config, "list").output
    added = run(config, "add", "boss", "--role", "administrator", "--name", "Ewa Szef", typed=f"{PASSWORD}\n")
    assert "User boss was added: administrator." in added.output
    assert PASSWORD not in added.output
    assert await sign_in(config, "boss", PASSWORD)
    (user,) = json.loads(run(config, "list", "--json").output)
    assert (user["login"], user["name"], user["roles"], user["disabled"]) == (
        "boss",
        "Ewa Szef",
        ["administrator"],
        False,
    )
    assert "Ewa Szef" in run(config, "list").output


async def test_a_password_can_be_made_up(config: Path) -> None:
    made = run(config, "add", "ola", "--role", "agent", "--role", "operator", "--generate").output.splitlines()[-1]
    assert await sign_in(config, "ola", made)
    again = run(config, "password", "ola", "--generate").output.splitlines()[-1]
    assert not await sign_in(config, "ola", made)
    assert await sign_in(config, "ola", again)


async def test_disabling_enabling_removing(config: Path) -> None:
    run(config, "add", "ola", "--role", "agent", typed=f"{PASSWORD}\n")
    run(config, "disable", "ola")
    assert "disabled" in run(config, "list").output
    assert not await sign_in(config, "ola", PASSWORD)
    run(config, "enable", "ola")
    assert await sign_in(config, "ola", PASSWORD)
    run(config, "remove", "ola")
    assert json.loads(run(config, "list", "--json").output) == []


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["add", "Ola!", "--role", "agent"], "cannot be a login"),
        (["add", "jan", "--role", "king"], "There is no role king"),
        (["add", "boss", "--role", "agent"], "There is a user boss already"),
        (["password", "bos"], "Did you mean `boss`"),
        (["disable", "boss"], "the last administrator"),
        (["remove", "boss"], "the last administrator"),
        (["tokens", "add", "crm", "--for", "nobody", "--scope", "agent"], "There is no user nobody"),
        (["tokens", "revoke", "nothing"], "There is no token nothing"),
    ],
)
def test_mistakes_are_told(config: Path, arguments: list[str], why: str) -> None:
    run(config, "add", "boss", "--role", "administrator", typed=f"{PASSWORD}\n")
    with pytest.raises(AccessError, match=why):
        run(config, *arguments, typed=f"{PASSWORD}\n")


async def test_tokens(config: Path) -> None:
    run(config, "add", "boss", "--role", "administrator", typed=f"{PASSWORD}\n")
    made = run(config, "tokens", "add", "crm", "--for", "boss", "--scope", "supervisor", "--days", "30").output
    secret = made.splitlines()[-1]
    access = Access(config.parent / "data")
    who = await access.by_token(secret, ADDRESS)
    assert who is not None
    assert who.roles == ("agent", "supervisor")
    (token,) = json.loads(run(config, "tokens", "list", "--json").output)
    assert (token["name"], token["login"], token["id"]) == ("crm", "boss", who.id)
    assert secret not in run(config, "tokens", "list").output
    run(config, "tokens", "revoke", token["id"])
    assert await access.by_token(secret, ADDRESS) is None
    lines = await access.audit_lines()
    assert [line.what for line in lines] == ["token_revoked", "token_issued", "user_added"]
    assert all(line.who.endswith(" (command)") for line in lines)
    await access.close()
