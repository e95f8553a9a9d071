"""Every refusal of the API as {code, message, remedy}, in which language it is told, and which HTTP status it has."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from telephony import errors as telephony
from telephony.errors import TelephonyError
from voicebot.access import errors as access
from voicebot.api import polish
from voicebot.api.shapes.base import Language, Problem
from voicebot.errors import (
    CallNotFound,
    LineTaken,
    NotPossible,
    RecordingNotFound,
    RecordsUnavailable,
    VoicebotError,
    VoicemailNotFound,
    WrongNumber,
)
from voicebot.hub import TooManyStreams
from voicebot.watch.errors import AlertNotFound

log = logging.getLogger(__name__)


class NotSignedIn(VoicebotError):
    """Nobody is behind the request, or no longer."""

    code = "not_signed_in"


class NotAllowed(VoicebotError):
    """The user's roles do not include it."""

    code = "not_allowed"


class ForgedRequest(VoicebotError):
    """The request does not come from our own page."""

    code = "forged_request"


class NotSecure(VoicebotError):
    """A password would go, or went, over the network in clear."""

    code = "not_secure"


class UnknownTopic(VoicebotError):
    """There is nothing of that name to be told about."""

    code = "unknown_topic"


class UnknownBot(VoicebotError):
    """No number is answered by a bot of that name."""

    code = "unknown_bot"


STATUS: dict[type[VoicebotError] | type[TelephonyError], int] = {
    NotSignedIn: 401,
    NotAllowed: 403,
    ForgedRequest: 403,
    NotSecure: 400,
    UnknownTopic: 422,
    TooManyStreams: 429,
    CallNotFound: 404,
    RecordingNotFound: 404,
    VoicemailNotFound: 404,
    UnknownBot: 404,
    AlertNotFound: 404,
    NotPossible: 409,
    LineTaken: 409,
    WrongNumber: 422,
    telephony.OfferRefused: 422,
    telephony.LinesFull: 503,
    telephony.LinesAway: 503,
    telephony.LegGone: 409,
    telephony.NobodyToWhisperTo: 409,
    telephony.NotForBrowsers: 409,
    RecordsUnavailable: 503,
    access.SignInFailed: 401,
    access.TooManyTries: 429,
    access.UserNotFound: 404,
    access.TokenNotFound: 404,
    access.UserExists: 409,
    access.LastAdministrator: 409,
    access.WrongUser: 422,
    access.WeakPassword: 422,
}
"""The status of each error, or of the nearest base that stands here. An error that is not here is ours: 503."""


def language_of(headers: Mapping[str, str]) -> Language:
    """What Accept-Language wants most (RFC 9110, 12.5.4) of the languages that there are; without it, English."""
    wanted: dict[str, float] = {}
    for choice in headers.get("accept-language", "").lower().split(","):
        tag, *settings = (part.strip() for part in choice.split(";"))
        language = tag.partition("-")[0]
        wanted[language] = max(wanted.get(language, 0.0), _weight(settings))
    return "pl" if wanted.get("pl", 0.0) > wanted.get("en", 0.0) else "en"


def _weight(settings: Sequence[str]) -> float:
    try:
        return next((float(text[2:]) for text in settings if text.startswith("q=")), 1.0)
    except ValueError:
        return 0.0


def problem(
    language: Language, status: int, code: str, message: str, remedy: str = "", headers: Mapping[str, str] | None = None
) -> JSONResponse:
    if language == "pl":
        message, remedy = _in_polish(message, remedy)
    content = Problem(code=code, message=message, remedy=remedy).model_dump()
    return JSONResponse(content, status_code=status, headers={"Content-Language": language, **(headers or {})})


def _in_polish(message: str, remedy: str) -> tuple[str, str]:
    translated = polish.in_polish(message)
    if translated is None:
        return polish.UNKNOWN
    return translated, remedy and (polish.in_polish(remedy) or "")


def add_error_handlers(app: FastAPI) -> None:
    for ours in (VoicebotError, TelephonyError):
        app.add_exception_handler(ours, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, VoicebotError | TelephonyError)
    status = next((STATUS[base] for base in type(error).__mro__ if base in STATUS), 503)
    if status == 503:
        log.error("%s %s: %s", request.method, request.url.path, error)
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, access.TooManyTries) else None
    return problem(language_of(request.headers), status, error.code, error.message, error.remedy, headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """What came in is not repeated: it may be a password."""
    assert isinstance(error, RequestValidationError)
    language = language_of(request.headers)
    mistakes = "; ".join(_mistake(detail, language) for detail in error.errors())
    message = f"The request is not as it has to be: {mistakes}."
    return problem(language, 422, "invalid", message, "See /api/openapi.json.")


def _mistake(detail: Mapping[str, Any], language: Language) -> str:
    place: Sequence[object] = detail["loc"]
    where = ".".join(str(part) for part in place[1:]) or str(place[0])
    what = polish.mistake(detail["type"], detail.get("ctx", {})) if language == "pl" else str(detail["msg"]).rstrip(".")
    return f"{where}: {what}"


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    phrase = "Content Too Large" if error.status_code == 413 else HTTPStatus(error.status_code).phrase  # RFC 9110
    code = phrase.lower().replace(" ", "_")
    remedy = "See /api/openapi.json for what there is." if error.status_code in (404, 405) else ""
    message = f"{phrase}: {request.method} {request.url.path}"
    return problem(language_of(request.headers), error.status_code, code, message, remedy, error.headers)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """The traceback goes to the log, by the server, and nowhere else."""
    message, remedy = "Something went wrong in the server.", "Try again. The server's log tells what it was."
    return problem(language_of(request.headers), 500, "internal", message, remedy)
