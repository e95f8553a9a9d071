"""What can go wrong with users, passwords, sessions and tokens."""

from __future__ import annotations

from voicebot.errors import VoicebotError


class AccessError(VoicebotError):
    """Base of all errors of access."""

    code = "access"


class UserNotFound(AccessError):
    """No user of that login."""

    code = "user_not_found"


class UserExists(AccessError):
    """The login is taken."""

    code = "user_exists"


class WrongUser(AccessError):
    """A user's login or roles are not what they may be."""

    code = "wrong_user"


class LastAdministrator(AccessError):
    """Nobody would be left who may change users."""

    code = "last_administrator"


class WeakPassword(AccessError):
    """A password, or PIN, that is easily guessed."""

    code = "weak_password"


class SignInFailed(AccessError):
    """Login and password, or PIN, do not belong together; which of them is wrong is not told."""

    code = "sign_in_failed"


class TooManyTries(AccessError):
    """Wait before the next try."""

    code = "too_many_tries"

    def __init__(self, message: str, remedy: str, retry_after_s: int) -> None:
        super().__init__(message, remedy)
        self.retry_after_s = retry_after_s


class TokenNotFound(AccessError):
    """No token of that id."""

    code = "token_not_found"
