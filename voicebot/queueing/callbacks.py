"""What a callback is called."""

from __future__ import annotations

import hashlib


def callback_id(call_id: str, number: str) -> str:
    """Names a callback. One promise has one name, whoever tells of it; the number is not to be read in it."""
    digest = hashlib.sha256(f"{call_id} {number}".encode()).hexdigest()
    return f"callback-{digest[:20]}"
