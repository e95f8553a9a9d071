"""Who may sign in to the demo's pages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from voicebot.access.model import NewUser, User
from voicebot.access.passwords import verify_password
from voicebot.access.users import UserStore
from voicebot.demo.guests import newcomer, sign_up
from voicebot.records.database import Database


def test_the_newcomer_may_do_everything_with_a_new_password_in_every_run(tmp_path: Path) -> None:
    (first,) = sign_up(tmp_path / "data", [newcomer()])
    (second,) = sign_up(tmp_path / "data", [newcomer()])
    assert first.login == second.login
    assert first.password != second.password

    user, known = _stored(tmp_path / "data", second.login)
    assert {"agent", "supervisor", "operator", "administrator"} <= user.powers
    assert verify_password(second.password, known)
    assert not verify_password(first.password, known)


def test_a_user_of_an_earlier_run_is_what_this_run_says(tmp_path: Path) -> None:
    sign_up(
        tmp_path, [NewUser("anna", "Anna", "tractor-violin-92-marmalade", ("agent",), phone="sip:anna@127.0.0.1:1")]
    )
    sign_up(tmp_path, [NewUser("anna", "Anna", "zebra-violin-92-marmalade", ("agent",), phone="sip:anna@127.0.0.1:2")])
    user, _ = _stored(tmp_path, "anna")
    assert user.phone == "sip:anna@127.0.0.1:2"


def _stored(data: Path, login: str) -> tuple[User, str]:
    database = Database(data)
    try:
        found = UserStore(database, lambda: datetime.now(UTC)).secrets(login)
    finally:
        database.close()
    assert found is not None
    user, known, _ = found
    return user, known
