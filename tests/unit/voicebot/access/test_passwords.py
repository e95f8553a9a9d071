"""Which passwords and PINs are refused, and how hashes age."""

from __future__ import annotations

import unicodedata

import pytest
from argon2 import PasswordHasher

from voicebot.access import passwords
from voicebot.access.errors import WeakPassword
from voicebot.access.passwords import (
    check_password,
    check_pin,
    hash_password,
    is_outdated,
    make_password,
    verify_password,
)


@pytest.mark.parametrize(
    "password",
    [
        "zielony rower pije herbatę",
        "correct horse battery staple with onions",
        "7Kq-mzPw-2xNd-Ry4t",
        "Wojtek lubi śledzie w śmietanie",
        "пароль из четырёх слов",
        "🚲🍵🦔🌧️🎺🧦🪁🫖🐌🧲🎷🥐🪗🦉🧵",
    ],
)
def test_a_long_password_is_good_whatever_it_is_made_of(password: str) -> None:
    check_password(password, ("ola", "Ola Nowak"))


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "0 characters"),
        ("Xk9$mP2!qL", "10 characters; it needs at least 15"),
        ("aaaaaaaaaaaaaaaaaaaa", "tried first"),
        ("12345678901234567890", "tried first"),
        ("abcdefghijklmnopqrst", "tried first"),
        ("passwordpassword1234", "tried first"),
        ("Hasło123Hasło123!!!", "tried first"),
        ("qwertyuiopasdfghjkl", "tried first"),
        ("polska polska polska", "tried first"),
        ("OlaNowakOlaNowak2026", "tried first"),
        ("voicebot-administrator", "tried first"),
        ("correct horse battery staple", "tried first"),
    ],
)
def test_what_is_tried_first_is_refused_with_a_way_out(password: str, why: str) -> None:
    with pytest.raises(WeakPassword, match=why) as refused:
        check_password(password, ("ola", "Ola Nowak"))
    assert "words that do not belong together" in refused.value.remedy


def test_a_password_may_be_typed_by_any_keyboard() -> None:
    password = "zażółć gęślą jaźń"
    assert verify_password(unicodedata.normalize("NFD", password), hash_password(password))


def test_a_hash_says_nothing_and_differs_each_time() -> None:
    known = hash_password("zielony rower")
    assert known.startswith("$argon2id$")
    assert known != hash_password("zielony rower")
    assert verify_password("zielony rower", known)
    assert not verify_password("zielony tramwaj", known)


def test_a_damaged_hash_and_none_fit_no_password() -> None:
    assert not verify_password("zielony rower", "damaged")
    assert not verify_password("zielony rower", None)


def test_no_user_takes_the_time_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords._nobody.cache_clear()
    passwords._nobody()
    tried: list[str] = []

    class Watched(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            tried.append(str(hash).split("$")[3])
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_HASHER", Watched(time_cost=2, memory_cost=65536, parallelism=1))
    known = hash_password("zielony rower")
    for hash_ in (known, None):
        verify_password("guess", hash_)
    assert tried[0] == tried[1]


def test_hashes_of_other_parameters_are_outdated() -> None:
    assert not is_outdated(hash_password("zielony rower"))
    assert is_outdated(PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("zielony rower"))


def test_a_made_up_password_is_good() -> None:
    assert len({make_password() for _ in range(50)}) == 50
    for _ in range(50):
        check_password(make_password())


@pytest.mark.parametrize("pin", ["7391", "402958"])
def test_a_pin_of_digits_in_no_order_is_good(pin: str) -> None:
    check_pin(pin)


@pytest.mark.parametrize("pin", ["", "123", "1234", "0000", "98765", "12a4", "1234567890123", "٣٩٧١"])
def test_a_pin_that_is_guessed_is_refused(pin: str) -> None:
    with pytest.raises(WeakPassword):
        check_pin(pin)
