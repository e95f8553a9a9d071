"""`voicebot call` and `python -m voicebot.caller`: one simulated call, shown as it goes."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from voicebot.caller.caller import run_caller
from voicebot.caller.result import CallerResult
from voicebot.caller.script import ScriptError, load_script


def call_command(uri: str | None, script: Path, output: Path | None, as_json: bool) -> int:
    """Run a script against `uri`, or its own `target`. Exit status: 0 when the script got all it wanted, else 1.

    With `as_json` every line printed is one JSON object, the last one the result; otherwise it reads like a log.
    """
    loaded = load_script(script)
    target = uri or loaded.target
    if target is None:
        raise ScriptError(
            f"{script} has no `target` and no address was given.", "Name one, like sip:100@192.0.2.1:5060."
        )
    console = Console()
    begun = time.time()

    def tell(event: dict[str, Any]) -> None:
        if as_json:
            print(json.dumps({"at": time.time(), **event}, ensure_ascii=False), flush=True)
        else:
            words = " ".join(str(value) for key, value in event.items() if key != "event")
            console.print(f"[dim]{time.time() - begun:7.2f} s[/] {event['event']} {escape(words)}", highlight=False)

    async def run() -> CallerResult:
        task = asyncio.ensure_future(run_caller(loaded, target, output=output, tell=tell))
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, task.cancel)
        return await task

    try:
        result = asyncio.run(run())
    except asyncio.CancelledError:
        return 1
    if as_json:
        print(json.dumps(result.as_json(), ensure_ascii=False), flush=True)
    else:
        _show(console, result)
    return 0 if result.passed else 1


def _show(console: Console, result: CallerResult) -> None:
    for turn in result.turns:
        console.print(f"{turn.voice_to_voice_ms:7.0f} ms to the answer of: {escape(turn.said)}", highlight=False)
    for cut in result.interruptions:
        console.print(f"{cut.stopped_after_ms:7.0f} ms until the other side fell silent", highlight=False)
    for problem in result.problems:
        console.print(f"[red]problem[/] {escape(problem)}", highlight=False)
    if result.received_audio:
        console.print(f"Audio: {escape(result.sent_audio)}, {escape(result.received_audio)}", highlight=False)
