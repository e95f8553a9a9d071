"""`voicebot flows`: what is done with the flows of a bot before and beside calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

flows_app = typer.Typer(no_args_is_help=True, help="Test the flows of a bot.")

FolderArgument = Annotated[Path, typer.Argument(help="A bot's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON in the last line.")]


@flows_app.command("test")
def run_tests(
    folder: FolderArgument,
    only: Annotated[str, typer.Option(help="Play the conversation of this name alone.")] = "",
    language: Annotated[str, typer.Option(help="Play the conversations in this language alone: pl or en.")] = "",
    audio: Annotated[bool, typer.Option("--audio", help="Speak the lines, through the whole telephone.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Play the scripted conversations of a bot (its tests/*.yaml) and say which did not go as written."""
    from voicebot.flow_tests import test_command

    raise typer.Exit(test_command(folder, only=only, language=language, audio=audio, as_json=as_json))
