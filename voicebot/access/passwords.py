"""Passwords: which are good enough (NIST SP 800-63B-4, section 3.1.1.2), and their argon2id hashes (RFC 9106)."""

from __future__ import annotations

import importlib.resources
import re
import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from voicebot.access.errors import WeakPassword

SHORTEST = 15
"""What SP 800-63B-4 asks of a password that is the only factor. No rules about kinds of characters, no expiry."""

_OWN = 6
"""Different characters that have to be left when everything easily guessed is taken out."""

# 64 MiB and two passes in one lane take about 0.1 s of one core; more lanes would take cores from live calls.
_HASHER = PasswordHasher(time_cost=2, memory_cost=65536, parallelism=1)


def check_password(password: str, about: Iterable[str] = ()) -> None:
    """`about`: words that an attacker tries first, as login and name. Raises WeakPassword."""
    text = _normal(password)
    if len(text) < SHORTEST:
        raise WeakPassword(
            f"The password has {len(text)} characters; it needs at least {SHORTEST}.",
            "Three or four words that do not belong together are long enough, and easy to remember.",
        )
    rest = text.casefold()
    for word in sorted({*_common_words(), *_words(about)}, key=len, reverse=True):
        rest = rest.replace(word, "")
    rest = _without_runs(rest)
    if len(set(rest) - {" "}) < _OWN:
        raise WeakPassword(
            "The password is made of what is tried first: common words, your name, repetitions or rows of keys.",
            "Take three or four words that do not belong together.",
        )


def check_pin(pin: str) -> None:
    """Raises WeakPassword."""
    if not re.fullmatch(r"[0-9]{4,12}", pin):
        raise WeakPassword("A PIN has 4 to 12 digits.", "Choose digits alone, as they are keyed on a telephone.")
    if len(set(pin)) == 1 or not _without_runs(pin):
        raise WeakPassword("The PIN is a repetition or a row of digits.", "Choose digits in no order.")


def make_password() -> str:
    """A random one, as it can be read to somebody: 24 letters and digits in groups, 118 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(6))


def hash_password(password: str) -> str:
    """Takes a tenth of a second: not on the event loop."""
    return _HASHER.hash(_normal(password))


def verify_password(password: str, known: str | None) -> bool:
    """Whether it is the password of that hash. None takes as long as any: whether a login exists is not to be timed."""
    try:
        return _HASHER.verify(known or _nobody(), _normal(password)) and known is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(known: str) -> bool:
    """Whether the hash was made with other parameters than now, and is to be made anew at the next sign-in."""
    return _HASHER.check_needs_rehash(known)


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_hex())


def _normal(password: str) -> str:
    """One form of what can be typed in several ways: keyboards compose letters differently."""
    return unicodedata.normalize("NFC", password)


@cache
def _common_words() -> frozenset[str]:
    text = importlib.resources.files(__package__).joinpath("common_words.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def _words(about: Iterable[str]) -> set[str]:
    return {word for text in about for word in re.findall(r"\w{3,}", _normal(text).casefold())}


def _without_runs(text: str) -> str:
    """Without three or more characters in a row that are the same, or each the next or previous one: aaa, 123."""
    kept = list(text)
    for first in range(len(text) - 2):
        one, two, three = (ord(char) for char in text[first : first + 3])
        if two - one == three - two and abs(two - one) <= 1:
            kept[first : first + 3] = ["", "", ""]
    return "".join(kept)
