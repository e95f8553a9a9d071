"""The outside of the bot: a simulated caller, a simulated agent's phone, and what is measured from their side."""

from __future__ import annotations

from pathlib import Path


def call_command(uri: str | None, script: Path, output: Path | None, as_json: bool) -> int:
    """`voicebot call`; see `voicebot.caller.command`, which brings the SIP stack with it."""
    from voicebot.caller.command import call_command as command

    return command(uri, script, output, as_json)
