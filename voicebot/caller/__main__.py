"""`python -m voicebot.caller SCRIPT --target URI --output DIR`: the simulated caller; prints JSON lines."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from voicebot.caller.command import call_command
from voicebot.errors import VoicebotError

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m voicebot.caller")
    parser.add_argument("script", type=Path)
    parser.add_argument("--target")
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    try:
        sys.exit(call_command(args.target, args.script, args.output, as_json=True))
    except VoicebotError as error:
        sys.exit(str(error))
