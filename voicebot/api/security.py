"""What holds for every request: headers that tell browsers to be careful, and how much may be sent."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voicebot.api.errors import language_of, problem

LONGEST_BODY = 1_000_000

PAGES_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        # Mantine writes its colours into a style element. A style can load nothing from elsewhere under the rules
        # below, so it can tell nobody what it sees. What React writes into `element.style` is no style attribute.
        "style-src-elem 'self' 'unsafe-inline'",
        "style-src-attr 'none'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
API_POLICY = "default-src 'none'; frame-ancestors 'none'"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "microphone=(self), speaker-selection=(self), camera=(), geolocation=()",
}
HSTS = "max-age=31536000"


class SecurityHeaders:
    """ASGI middleware. Answers of the API are kept in no cache; pages say themselves how long they hold."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message), scope)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _add(headers: MutableHeaders, scope: Scope) -> None:
    is_api = scope["path"].startswith("/api/") or scope["path"] == "/health"
    for name, value in HEADERS.items():
        headers[name] = value
    headers["Content-Security-Policy"] = API_POLICY if is_api else PAGES_POLICY
    if is_api:
        headers["Cache-Control"] = "no-store"
    if scope["scheme"] == "https":
        headers["Strict-Transport-Security"] = HSTS


class LimitedBody:
    """ASGI middleware: nobody makes the server keep more than LONGEST_BODY bytes of a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        declared = headers.get("content-length", "0")
        if declared.isdigit() and int(declared) > LONGEST_BODY:
            message = f"A request may have {LONGEST_BODY} bytes."
            refusal = problem(language_of(headers), 413, "content_too_large", message, "Send less.")
            await refusal(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > LONGEST_BODY:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_limited, send)
