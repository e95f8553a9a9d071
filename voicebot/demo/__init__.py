"""The demo: bot, shop, callers and agents as separate processes, real SIP and RTP on loopback."""

from __future__ import annotations

from pathlib import Path


def floor_command(output: Path) -> int:
    """`voicebot demo --floor`; see `voicebot.demo.floor`."""
    from voicebot.demo.floor import floor_command as command

    return command(output)


def demo_command(output: Path, as_json: bool) -> int:
    """`voicebot demo`; see `voicebot.demo.runner`."""
    from voicebot.demo.runner import demo_command as command

    return command(output, as_json)
