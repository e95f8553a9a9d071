"""Users, sessions, tokens and the audit log, as the server uses them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from tests.unit.voicebot.access.conftest import ADDRESS, BY, PASSWORD, Clock
from voicebot.access import Access, Author, NewUser, User, powers
from voicebot.access import access as access_module
from voicebot.access.errors import (
    LastAdministrator,
    SignInFailed,
    TokenNotFound,
    TooManyTries,
    UserExists,
    UserNotFound,
    WeakPassword,
    WrongUser,
)
from voicebot.records.database import DATABASE

OTHER = "trzy białe konie w polu"


def stored(tmp_path: Path) -> str:
    """Everything that the database holds, as text."""
    connection = sqlite3.connect(tmp_path / DATABASE)
    text = "\n".join(connection.iterdump())
    connection.close()
    return text


async def words(access: Access) -> list[str]:
    """What the audit log says, the oldest first."""
    return [line.what for line in reversed(await access.audit_lines())]


def test_roles_include_each_other() -> None:
    assert powers(["supervisor"]) == {"agent", "supervisor"}
    assert powers(["operator"]) == {"operator"}
    assert powers(["operator", "agent"]) == {"operator", "agent"}
    assert powers(["administrator"]) == {"agent", "supervisor", "operator", "administrator"}
    assert powers(["king"]) == powers([]) == frozenset()


# Signing in


async def test_signing_in_and_out(access: Access, ola: User) -> None:
    who, secret = await access.sign_in("ola", PASSWORD, ADDRESS)
    assert (who.login, who.roles, who.address) == ("ola", ("supervisor",), ADDRESS)
    assert await access.by_session(secret, ADDRESS) == who
    await access.sign_out(who)
    assert await access.by_session(secret, ADDRESS) is None
    assert await words(access) == ["user_added", "signed_in", "signed_out"]


async def test_secrets_are_not_kept(access: Access, ola: User, tmp_path: Path) -> None:
    who, secret = await access.sign_in("ola", PASSWORD, ADDRESS)
    _, token = await access.issue_token("crm", ["agent"], None, Author("ola"))
    text = stored(tmp_path)
    assert "argon2id" in text
    for hidden in (PASSWORD, secret, who.csrf, token, token.removeprefix("vb_")):
        assert hidden not in text
    assert not any(hidden in repr(who) for hidden in (secret, who.csrf))


async def test_wrong_passwords_and_logins_are_refused_alike_and_written_down(access: Access, ola: User) -> None:
    for login, password in (("ola", "wrong"), ("no such", PASSWORD), (PASSWORD, "")):
        with pytest.raises(SignInFailed, match="do not belong together"):
            await access.sign_in(login, password, ADDRESS)
    lines = (await access.audit_lines(what="sign_in_failed"))[::-1]
    assert [(line.about, line.address) for line in lines] == [("ola", ADDRESS), ("", ADDRESS), ("", ADDRESS)]


async def test_a_disabled_user_cannot_sign_in_and_is_signed_out(access: Access, ola: User) -> None:
    _, secret = await access.sign_in("ola", PASSWORD, ADDRESS)
    await access.change_user("ola", {"disabled": True}, BY)
    assert await access.by_session(secret, ADDRESS) is None
    with pytest.raises(SignInFailed):
        await access.sign_in("ola", PASSWORD, ADDRESS)
    await access.change_user("ola", {"disabled": False}, BY)
    await access.sign_in("ola", PASSWORD, ADDRESS)


async def test_an_outdated_hash_is_made_anew_at_the_next_sign_in(access: Access, ola: User, tmp_path: Path) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with sqlite3.connect(tmp_path / DATABASE) as connection:
        connection.execute("UPDATE users SET password = ?", (old,))
    connection.close()
    await access.sign_in("ola", PASSWORD, ADDRESS)
    assert "m=8192" not in stored(tmp_path)
    await access.sign_in("ola", PASSWORD, ADDRESS)


async def test_many_tries_have_to_wait_also_for_the_right_password(access: Access, ola: User, clock: Clock) -> None:
    for _ in range(3):
        with pytest.raises(SignInFailed):
            await access.sign_in("ola", "wrong", ADDRESS)
    with pytest.raises(TooManyTries) as refused:
        await access.sign_in("ola", PASSWORD, ADDRESS)
    assert refused.value.retry_after_s == 1
    await access.sign_in("ola", PASSWORD, "198.51.100.7")
    clock.pass_(seconds=1)
    await access.sign_in("ola", PASSWORD, ADDRESS)


async def test_a_crowd_of_tries_does_not_pile_up(access: Access, ola: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_module, "TRIES_WAITING", 2)
    tries = (access.sign_in("ola", PASSWORD, f"192.0.2.{number}") for number in range(5))
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(outcome, TooManyTries) for outcome in outcomes) == 3


async def test_a_pin_is_not_the_password(access: Access, ola: User) -> None:
    with pytest.raises(SignInFailed):
        await access.check_pin("ola", "7391", "phone")
    await access.change_user("ola", {"pin": "7391"}, BY)
    assert await access.check_pin("ola", "7391", "phone") == ola
    with pytest.raises(SignInFailed):
        await access.sign_in("ola", "7391", ADDRESS)
    await access.change_user("ola", {"pin": ""}, BY)
    with pytest.raises(SignInFailed):
        await access.check_pin("ola", "", "phone")


async def test_pins_are_throttled_apart_from_passwords(access: Access, ola: User) -> None:
    for _ in range(3):
        with pytest.raises(SignInFailed):
            await access.check_pin("ola", "0000", "phone")
    with pytest.raises(TooManyTries):
        await access.check_pin("ola", "0000", "phone")
    await access.sign_in("ola", PASSWORD, "phone")


# Sessions


async def test_a_session_that_is_not_used_expires(access: Access, ola: User, clock: Clock) -> None:
    _, secret = await access.sign_in("ola", PASSWORD, ADDRESS)
    clock.pass_(hours=11, minutes=59)
    assert await access.by_session(secret, ADDRESS) is not None
    clock.pass_(hours=12)
    assert await access.by_session(secret, ADDRESS) is None


async def test_a_session_that_is_used_goes_on_for_a_week(access: Access, ola: User, clock: Clock) -> None:
    _, secret = await access.sign_in("ola", PASSWORD, ADDRESS)
    hours = 0
    while await access.by_session(secret, ADDRESS) is not None:
        clock.pass_(hours=6)
        hours += 6
    assert hours == 7 * 24


async def test_sessions_outlive_the_server(access: Access, ola: User, tmp_path: Path, clock: Clock) -> None:
    _, secret = await access.sign_in("ola", PASSWORD, ADDRESS)
    again = Access(tmp_path, clock)
    assert await again.by_session(secret, ADDRESS) is not None
    await again.close()


@pytest.mark.parametrize("changes", [{"password": OTHER}, {"roles": ["agent"]}, {"disabled": True}])
async def test_what_changes_rights_signs_out_and_the_rest_does_not(
    access: Access, ola: User, changes: dict[str, Any]
) -> None:
    who, secret = await access.sign_in("ola", PASSWORD, ADDRESS)
    cut: list[str] = []
    access.on_revoked(who, lambda: cut.append("cut"))
    harmless = {"name": "Aleksandra", "skills": ["invoices"], "roles": ["supervisor"], "pin": "7391"}
    await access.change_user("ola", harmless, BY)
    assert await access.by_session(secret, ADDRESS) is not None
    assert cut == []
    await access.change_user("ola", changes, BY)
    assert await access.by_session(secret, ADDRESS) is None
    assert cut == ["cut"]


async def test_what_hangs_on_a_session_is_cut_when_it_expires(
    access: Access, ola: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, _ = await access.sign_in("ola", PASSWORD, ADDRESS)
    cut = asyncio.Event()
    access.on_revoked(who, cut.set)
    clock.pass_(hours=13)
    await asyncio.wait_for(cut.wait(), access_module.LOOK_S + 2)


async def test_who_calls_it_off_is_not_cut(access: Access, ola: User) -> None:
    who, _ = await access.sign_in("ola", PASSWORD, ADDRESS)
    cut: list[str] = []
    access.on_revoked(who, lambda: cut.append("first"))()
    access.on_revoked(who, lambda: cut.append("second"))
    await access.sign_out_everywhere("ola", BY)
    await access.sign_out_everywhere("ola", BY)
    assert cut == ["second"]


async def test_only_the_session_that_ends_is_cut(access: Access, ola: User) -> None:
    first, _ = await access.sign_in("ola", PASSWORD, ADDRESS)
    second, _ = await access.sign_in("ola", PASSWORD, ADDRESS)
    cut: list[str] = []
    access.on_revoked(first, lambda: cut.append("first"))
    access.on_revoked(second, lambda: cut.append("second"))
    await access.change_own_password(second, PASSWORD, OTHER)
    assert cut == ["first"]


# Users


async def test_users_are_added_changed_and_removed(access: Access, ola: User, clock: Clock) -> None:
    assert ola.languages == ("pl", "en")
    changed = await access.change_user("ola", {"name": "Aleksandra", "queues": ["service"], "phone": "sip:o@pbx"}, BY)
    assert (changed.name, changed.queues, changed.phone) == ("Aleksandra", ("service",), "sip:o@pbx")
    assert await access.users() == (changed,)
    await access.remove_user("ola", BY)
    assert await access.users() == ()
    lines = (await access.audit_lines())[::-1]
    assert [(line.what, line.who, line.about, line.address) for line in lines] == [
        ("user_added", "boss", "ola", BY.address),
        ("user_changed", "boss", "ola", BY.address),
        ("user_removed", "boss", "ola", BY.address),
    ]
    assert lines[1].detail == {"changed": ["name", "phone", "queues"]}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"login": "Ola"}, WrongUser),
        ({"login": "o\n"}, WrongUser),
        ({"roles": []}, WrongUser),
        ({"roles": ["king"]}, WrongUser),
        ({"password": "short"}, WeakPassword),
        ({"password": "Ola Nowak ola nowak"}, WeakPassword),
        ({"pin": "1234"}, WeakPassword),
        ({"login": "ola"}, UserExists),
    ],
)
async def test_a_user_that_cannot_be_is_not_added(
    access: Access, ola: User, changes: dict[str, Any], error: type[Exception]
) -> None:
    fields: dict[str, Any] = {"login": "jan", "name": "Ola Nowak", "password": PASSWORD, "roles": ["agent"]}
    with pytest.raises(error):
        await access.add_user(NewUser(**fields | changes), BY)
    assert [user.login for user in await access.users()] == ["ola"]


async def test_what_is_not_there_is_told(access: Access, ola: User) -> None:
    with pytest.raises(UserNotFound, match="Did you mean `ola`"):
        await access.user("olla")
    with pytest.raises(UserNotFound):
        await access.change_user("nobody", {"name": "x"}, BY)
    with pytest.raises(UserNotFound):
        await access.sign_out_everywhere("nobody", BY)
    with pytest.raises(TokenNotFound):
        await access.revoke_token("nothing", BY)
    assert await words(access) == ["user_added"]


@pytest.mark.parametrize("way", ["remove", {"disabled": True}, {"roles": ["operator"]}])
async def test_the_last_administrator_stays(access: Access, ola: User, way: Any) -> None:
    await access.add_user(NewUser("boss", "Boss", PASSWORD, ["administrator"]), BY)

    async def lose() -> None:
        await (access.remove_user("boss", BY) if way == "remove" else access.change_user("boss", way, BY))

    with pytest.raises(LastAdministrator):
        await lose()
    assert (await access.user("boss")).powers == powers(["administrator"])
    await access.change_user("ola", {"roles": ["administrator"]}, BY)
    await lose()


# Tokens


async def test_a_token_may_what_its_scopes_say_and_its_maker_may(access: Access, ola: User, clock: Clock) -> None:
    _, secret = await access.issue_token("crm", ["agent", "administrator"], 30, Author("ola"))
    assert secret.startswith("vb_")
    who = await access.by_token(secret, ADDRESS)
    assert who is not None
    assert (who.login, who.token, who.roles, who.csrf) == ("ola", "crm", ("agent", "supervisor"), "")
    assert (await access.tokens())[0].used_at == clock.at
    await access.change_user("ola", {"roles": ["operator"]}, BY)
    less = await access.by_token(secret, ADDRESS)
    assert less is not None
    assert less.roles == ("operator",)
    clock.pass_(days=30)
    assert await access.by_token(secret, ADDRESS) is None


async def test_a_token_ends_with_its_maker_and_by_revocation(access: Access, ola: User) -> None:
    token, secret = await access.issue_token("crm", ["agent"], None, Author("ola"))
    await access.change_user("ola", {"disabled": True}, BY)
    assert await access.by_token(secret, ADDRESS) is None
    await access.change_user("ola", {"disabled": False}, BY)
    assert await access.by_token(secret, ADDRESS) is not None
    await access.revoke_token(token.id, BY)
    assert await access.by_token(secret, ADDRESS) is None
    _, secret = await access.issue_token("crm", ["agent"], None, Author("ola"))
    await access.remove_user("ola", BY)
    assert await access.by_token(secret, ADDRESS) is None


async def test_secrets_of_sessions_are_no_tokens(access: Access, ola: User) -> None:
    _, session = await access.sign_in("ola", PASSWORD, ADDRESS)
    _, token = await access.issue_token("crm", ["agent"], None, Author("ola"))
    assert await access.by_token(session, ADDRESS) is None
    assert await access.by_session(token, ADDRESS) is None


async def test_what_a_token_does_says_so_in_the_audit_log(access: Access, ola: User) -> None:
    _, secret = await access.issue_token("crm", ["supervisor"], None, Author("ola"))
    who = await access.by_token(secret, ADDRESS)
    assert who is not None
    await access.audit(who.author, "read_call", "call-1")
    (line,) = await access.audit_lines(what="read_call")
    assert (line.who, line.detail) == ("ola", {"token": "crm"})


# The audit log


async def test_what_lasts_stands_there_before_it_begins_with_its_length_afterwards(
    access: Access, clock: Clock
) -> None:
    async with access.audit_while(BY, "listened", "call-1", mode="listen"):
        (line,) = await access.audit_lines()
        assert (line.what, line.about, line.duration_s) == ("listened", "call-1", None)
        clock.pass_(seconds=75)
    (line,) = await access.audit_lines()
    assert (line.duration_s, line.detail, line.address) == (75.0, {"mode": "listen"}, BY.address)


async def test_the_length_is_kept_when_it_is_cut_off(access: Access, clock: Clock) -> None:
    began = asyncio.Event()

    async def listen() -> None:
        async with access.audit_while(BY, "listened", "call-1"):
            began.set()
            await asyncio.sleep(60)

    listening = asyncio.create_task(listen(), name="listen")
    await began.wait()
    clock.pass_(seconds=5)
    listening.cancel()
    await asyncio.wait({listening})
    assert listening.cancelled()
    assert (await access.audit_lines())[0].duration_s == 5.0


async def test_the_database_refuses_to_change_the_log(access: Access, tmp_path: Path) -> None:
    async with access.audit_while(BY, "listened", "call-1"):
        pass
    connection = sqlite3.connect(tmp_path / DATABASE)
    for change in (
        "DELETE FROM audit",
        "UPDATE audit SET who = 'somebody'",
        "UPDATE audit SET duration_s = 1",
        "UPDATE audit SET duration_s = NULL",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(change)
    connection.close()


async def test_the_log_is_read_by_pages_and_by_who_and_what(access: Access) -> None:
    for number in range(5):
        await access.audit(Author("ola" if number % 2 else "jan"), "read_call", f"call-{number}")
    first = await access.audit_lines(limit=2)
    assert [line.about for line in first] == ["call-4", "call-3"]
    assert [line.about for line in await access.audit_lines(limit=2, before=first[-1].id)] == ["call-2", "call-1"]
    assert [line.about for line in await access.audit_lines(who="ola")] == ["call-3", "call-1"]
    assert await access.audit_lines(what="barged") == ()
