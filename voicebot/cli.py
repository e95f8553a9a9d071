"""The `voicebot` command. Every command is described in `docs/reference/commands.md`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from asr.errors import AsrError
from flows import FlowError
from telephony.errors import TelephonyError
from tts.errors import TtsError
from voicebot.config import Config, load_config, with_workers
from voicebot.edge_cli import edge_app
from voicebot.errors import VoicebotError
from voicebot.flows_cli import flows_app
from voicebot.users_cli import users_app

OUR_ERRORS = (AsrError, FlowError, TelephonyError, TtsError, VoicebotError)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A voicebot that answers a company's phone number.",
)
app.add_typer(edge_app, name="edge")
app.add_typer(flows_app, name="flows")
app.add_typer(users_app, name="users")
out = Console()
err = Console(stderr=True)

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
DEFAULT_CONFIG = Path("voicebot.yaml")


def main() -> None:
    """Entry point."""
    run_guarded(app)


def run_guarded(work: Callable[[], object]) -> None:
    """Errors of ours become one plain message and exit status 1."""
    try:
        work()
    except OUR_ERRORS as error:
        _fail(error)
    except BaseExceptionGroup as group:
        ours = group.subgroup(OUR_ERRORS)
        if ours is None:
            raise
        _fail(*_leaves(ours))


@app.command()
def serve(
    config: ConfigOption = DEFAULT_CONFIG,
    workers: Annotated[
        int | None, typer.Option(help="So many processes take calls; as `workers` says when left out.", min=1)
    ] = None,
    events: Annotated[bool, typer.Option("--events", help="Print every call event as a JSON line.")] = False,
) -> None:
    """Answer calls until stopped (SIGTERM or Ctrl-C drain first, twice at once). SIGHUP loads the bots anew."""
    from voicebot.app import App
    from voicebot.events import EventStream
    from voicebot.records.privacy import LiveLines
    from voicebot.serving import Served, Wishes, serve

    settings = _prepare(config)
    if workers is not None:
        settings = with_workers(settings, workers)
    stream = EventStream()
    if events:
        stream.attach(LiveLines(lambda line: print(line, flush=True)))

    async def run() -> None:
        wishes = Wishes()
        wishes.follow_signals()
        served: Served
        if settings.workers == 1:
            served = App(settings, stream)
        else:
            from voicebot.workers.house import House

            served = House(settings, config, stream)
        await serve(served, wishes)

    asyncio.run(run())


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="A configuration file, or a bot's folder.")] = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as one line of JSON.")] = False,
) -> None:
    """Check a configuration and its bots, or one bot; tells all mistakes at once."""
    from voicebot.check import check_as_json, check_command

    if as_json:
        raise typer.Exit(check_as_json(path))
    check_command(path, out)


@app.command()
def new(
    starter: Annotated[str, typer.Argument(help="What to start from: shop, clinic or office.")],
    folder: Annotated[Path, typer.Argument(help="The folder to write; new, or empty.")],
    company: Annotated[str, typer.Option(help="Your company's name, as it is said on the telephone.")] = "",
    language: Annotated[list[str] | None, typer.Option(help="pl or en; both when left out.")] = None,
) -> None:
    """Write a bot to start from, with its flows and scripted conversations."""
    from voicebot.starters import new_command

    new_command(starter, folder, company, language or (), out)


@app.command()
def chat(
    bot: Annotated[Path, typer.Argument(help="A bot's folder.")],
    language: Annotated[str, typer.Option(help="pl or en; the bot's first language when left out.")] = "",
    caller: Annotated[str, typer.Option(help="The caller's number; withheld when left out.")] = "",
    dialled: Annotated[str, typer.Option(help="The number that was called, for bots with entry points.")] = "",
    log: Annotated[Path | None, typer.Option(help="Write every turn to this file, as a JSON line.")] = None,
    systems: Annotated[bool, typer.Option("--systems", help="Ask the company systems, not answers.yaml.")] = False,
) -> None:
    """Talk to a bot by text, in the flows of the phone. /help tells how keys and silence are written."""
    from voicebot.chat import Caller, run_chat

    asyncio.run(run_chat(bot, Caller(language, caller, dialled), out, log=log, ask_systems=systems))


@app.command()
def call(
    uri: Annotated[str, typer.Argument(help="Whom to call: sip:number@host:port")],
    script: Annotated[Path, typer.Argument(help="The caller's script (YAML).")],
    output: Annotated[Path | None, typer.Option(help="Folder for the audio sent and received.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON in the last line.")] = False,
) -> None:
    """Be a simulated caller: dial, speak a script, measure what is heard."""
    from voicebot.caller import call_command

    raise typer.Exit(call_command(uri, script, output, as_json))


@app.command()
def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON in the last line.")] = False,
    output: Annotated[Path, typer.Option(help="Folder for recordings, transcripts and summaries.")] = Path(
        "demo-calls"
    ),
    floor: Annotated[bool, typer.Option("--floor", help="Keep callers and agents coming, and take calls.")] = False,
) -> None:
    """Run real calls on this machine, offline: bot, shop, callers and agents."""
    from voicebot.demo import demo_command, floor_command

    if floor and as_json:
        raise typer.BadParameter("--floor goes on until Ctrl-C and comes to no result.", param_hint="--json")
    if floor:
        raise typer.Exit(floor_command(output))
    raise typer.Exit(demo_command(output, as_json))


@app.command()
def doctor(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Look for what would keep the bot from answering, and say what to do."""
    from voicebot.doctor import examine

    settings = load_config(config) if config.exists() else None
    if settings is None:
        out.print(f"No {config} here: examining this machine with the settings of the example bot.")
    checks = examine(settings)
    for item in checks:
        out.print(f"{'ok' if item.ok else 'problem':8}", style="green" if item.ok else "red", end=" ")
        out.print(f"{item.name}: {item.message}", soft_wrap=True, markup=False, highlight=False)
        if not item.ok:
            out.print(f"{'':8} {item.remedy}", soft_wrap=True, markup=False, highlight=False)
    raise typer.Exit(0 if all(item.ok for item in checks) else 1)


def _prepare(config: Path) -> Config:
    from voicebot.logs import configure_logging

    settings = load_config(config)
    configure_logging(settings.log.level, settings.log.format)
    return settings


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [
        leaf
        for error in group.exceptions
        for leaf in (_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]


def _fail(*errors: BaseException) -> NoReturn:
    for error in errors:
        err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(1)
