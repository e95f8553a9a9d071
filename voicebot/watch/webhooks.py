"""Sending a delivery to a webhook: signed, bounded in time, redirects not followed.

Headers: `X-Voicebot-Delivery` (the delivery's id, the same at every try), `X-Voicebot-Event`, `X-Voicebot-Timestamp`
(seconds since 1970) and `X-Voicebot-Signature`, which is `v1=` and the hexadecimal HMAC-SHA256 of `timestamp.body`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from dataclasses import dataclass, field

import httpx

from voicebot.watch.errors import DeliveryFailed

DEADLINE_S = 10.0
TOLERANCE_S = 300.0


@dataclass(frozen=True)
class Webhook:
    """Where to send which events (`summary`, `alert`)."""

    url: str
    secret: str = field(repr=False)
    events: frozenset[str] = frozenset({"summary", "alert"})


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The value of `X-Voicebot-Signature`."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"v1={digest}"


def verified(secret: str, timestamp: str, body: bytes, signature: str, now: float) -> bool:
    """What a receiver has to check; a request older than five minutes may be one that somebody has recorded."""
    if not timestamp.isascii() or not timestamp.isdigit() or abs(now - int(timestamp)) > TOLERANCE_S:
        return False
    return hmac.compare_digest(sign(secret, int(timestamp), body).encode(), signature.encode())


async def post(client: httpx.AsyncClient, webhook: Webhook, delivery: str, event: str, body: str, now: float) -> None:
    """Raises DeliveryFailed unless the answer is 2xx within ten seconds. What the answer says is not read."""
    content, timestamp = body.encode(), int(now)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "voicebot",
        "X-Voicebot-Delivery": delivery,
        "X-Voicebot-Event": event,
        "X-Voicebot-Timestamp": str(timestamp),
        "X-Voicebot-Signature": sign(webhook.secret, timestamp, content),
    }
    try:
        async with (
            asyncio.timeout(DEADLINE_S),
            client.stream("POST", webhook.url, content=content, headers=headers, follow_redirects=False) as answer,
        ):
            status = answer.status_code
    except TimeoutError as error:
        raise DeliveryFailed(f"No answer within {DEADLINE_S:g} s.") from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise DeliveryFailed(f"The receiver cannot be reached: {error or type(error).__name__}.") from error
    if 300 <= status < 400:
        raise DeliveryFailed(f"The answer was {status}, a redirect, which is not followed.", "Set the final address.")
    if not 200 <= status < 300:
        raise DeliveryFailed(f"The answer was {status}.")
