"""`voicebot flows`: what is done with the flows of a bot before and beside calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

flows_app = typer.Typer(no_args_is_help=True, help="Test, publish and roll back the flows of a bot.")

out = Console()

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
DEFAULT_CONFIG = Path("voicebot.yaml")
AuthorOption = Annotated[str, typer.Option(help="Who does it; the user of this machine when left out.")]
BotArgument = Annotated[str, typer.Argument(help="A bot's name.")]
FolderArgument = Annotated[Path, typer.Argument(help="A bot's folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON in the last line.")]


@flows_app.command("test")
def run_tests(
    folder: FolderArgument,
    only: Annotated[str, typer.Option(help="Play the conversation of this name alone.")] = "",
    language: Annotated[str, typer.Option(help="Play the conversations in this language alone: pl or en.")] = "",
    audio: Annotated[bool, typer.Option("--audio", help="Speak the lines, through the whole telephone.")] = False,
    as_json: JsonOption = False,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="With --audio: hear and speak as this file says.")
    ] = None,
) -> None:
    """Play the scripted conversations of a bot (its tests/*.yaml) and say which did not go as written."""
    from voicebot.config import load_config
    from voicebot.flow_tests import test_command
    from voicebot.logs import configure_logging

    if audio:
        configure_logging("WARNING", "plain")
    settings = load_config(config) if config is not None else None
    raise typer.Exit(
        test_command(folder, only=only, language=language, audio=audio, as_json=as_json, settings=settings)
    )


@flows_app.command()
def evaluate(
    folder: FolderArgument,
    sets: Annotated[
        list[Path] | None,
        typer.Option("--set", help="A file of utterances; else the bot's evaluation/*.yaml."),
    ] = None,
    llm: Annotated[str, typer.Option(help="Also ask the language model at this address where we are not sure.")] = "",
    model: Annotated[str, typer.Option(help="With --llm: the model's name on that server.")] = "default",
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Also ask the language model that this file names.")
    ] = None,
    mistakes: Annotated[bool, typer.Option("--mistakes", help="Tell every utterance that was not understood.")] = False,
    pictures: Annotated[Path | None, typer.Option(help="A folder for pictures of confusions and thresholds.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how well a bot understands its callers, on utterances of which the meaning is written down."""
    from voicebot.config import LanguageModelSettings, load_config
    from voicebot.evaluate import evaluate_command

    settings = load_config(config).language_model if config is not None else None
    if llm:
        settings = LanguageModelSettings(url=llm, model=model)
    evaluate_command(folder, sets or (), model=settings, mistakes=mistakes, pictures=pictures, as_json=as_json)


@flows_app.command()
def unanswered(
    bot: Annotated[str, typer.Argument(help="A bot's name; all bots when left out.")] = "",
    days: Annotated[int, typer.Option(help="Calls of so many last days; 0: all.", min=0)] = 7,
    as_json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """List what callers said that was not understood, and questions without an answer, the most frequent first."""
    from voicebot.config import load_config
    from voicebot.unanswered import unanswered_command

    unanswered_command(load_config(config), bot, days=days, as_json=as_json, console=out)


@flows_app.command()
def graph(
    folder: FolderArgument,
    flow: Annotated[str, typer.Option(help="Draw the flow of this name alone.")] = "",
    form: Annotated[
        str, typer.Option("--format", help="mermaid, svg or png; by the output's name when left out.")
    ] = "",
    language: Annotated[str, typer.Option(help="The language of the texts; the bot's first when left out.")] = "",
    output: Annotated[Path | None, typer.Option(help="The file to write; printed when left out.")] = None,
) -> None:
    """Draw the flows of a bot: steps, ways on, handoffs."""
    from voicebot.diagram.command import graph as draw

    print(draw(folder, flow=flow, form=form, language=language, output=output))


@flows_app.command()
def publish(
    folder: FolderArgument,
    note: Annotated[str, typer.Option("--note", "-m", help="What is different.")] = "",
    author: AuthorOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Check a bot and keep it as a version that answers new calls, without a restart."""
    from voicebot.config import load_config
    from voicebot.versions import command

    command.publish(load_config(config), folder, author=author, note=note, console=out)


@flows_app.command()
def versions(bot: BotArgument, as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List the versions of a bot, the newest first."""
    from voicebot.config import load_config
    from voicebot.versions import command

    command.show_versions(load_config(config), bot, as_json=as_json, console=out)


@flows_app.command()
def diff(
    bot: BotArgument,
    first: Annotated[int, typer.Argument(help="The version to begin with.")],
    second: Annotated[int, typer.Argument(help="The version to compare it with.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show what changed from one version of a bot to another."""
    from voicebot.config import load_config
    from voicebot.versions import command

    command.show_difference(load_config(config), bot, first, second, console=out)


@flows_app.command()
def rollback(
    bot: BotArgument,
    version: Annotated[int, typer.Argument(help="The version that is to answer.")],
    author: AuthorOption = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Let another version of a bot answer new calls, without a restart."""
    from voicebot.config import load_config
    from voicebot.versions import command

    command.roll_back(load_config(config), bot, version, author=author, console=out)
