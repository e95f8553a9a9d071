"""`voicebot users`: who may sign in, and the tokens of programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

users_app = typer.Typer(no_args_is_help=True, help="Add, change and remove those who may sign in.")
tokens_app = typer.Typer(no_args_is_help=True, help="Let programs use the API.")
users_app.add_typer(tokens_app, name="tokens")

out = Console()

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
DEFAULT_CONFIG = Path("voicebot.yaml")
LoginArgument = Annotated[str, typer.Argument(help="Whom: the name to sign in with.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
GenerateOption = Annotated[bool, typer.Option("--generate", help="Make up a password and print it.")]
ROLES = "agent, supervisor, operator or administrator"


@users_app.command("add")
def add_user(
    login: LoginArgument,
    role: Annotated[list[str], typer.Option(help=f"{ROLES}; several times for several.")],
    name: Annotated[str, typer.Option(help="As callers and colleagues know them; the login when left out.")] = "",
    language: Annotated[str, typer.Option(help="Of the pages: pl or en.")] = "pl",
    speaks: Annotated[list[str] | None, typer.Option(help="pl or en; both when left out.")] = None,
    queue: Annotated[list[str] | None, typer.Option(help="A queue to take calls from; all when left out.")] = None,
    skill: Annotated[list[str] | None, typer.Option(help="What they can be asked about.")] = None,
    phone: Annotated[str, typer.Option(help="Their desk phone, as sip:ola@192.0.2.20.")] = "",
    generate: GenerateOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Add a user; the password is asked for, or read from what is piped in."""
    from voicebot.access import command
    from voicebot.config import load_config

    new = {
        "login": login,
        "name": name or login,
        "roles": role,
        "language": language,
        "languages": speaks or ["pl", "en"],
        "queues": queue or [],
        "skills": skill or [],
        "phone": phone,
    }
    command.add(load_config(config), new, generate=generate, console=out)


@users_app.command("list")
def list_users(as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List the users."""
    from voicebot.access import command
    from voicebot.config import load_config

    command.show(load_config(config), as_json=as_json, console=out)


@users_app.command()
def password(login: LoginArgument, generate: GenerateOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Set a user's password; it is asked for, or read from what is piped in. Signs the user out everywhere."""
    from voicebot.access import command
    from voicebot.config import load_config

    command.set_password(load_config(config), login, generate=generate, console=out)


@users_app.command()
def disable(login: LoginArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Keep a user from signing in, and sign them out; tokens that act for them stop working."""
    from voicebot.access import command
    from voicebot.config import load_config

    command.disable(load_config(config), login, disabled=True, console=out)


@users_app.command()
def enable(login: LoginArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Let a disabled user sign in again."""
    from voicebot.access import command
    from voicebot.config import load_config

    command.disable(load_config(config), login, disabled=False, console=out)


@users_app.command()
def remove(login: LoginArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Remove a user, with the tokens that act for them."""
    from voicebot.access import command
    from voicebot.config import load_config

    command.remove(load_config(config), login, console=out)


@tokens_app.command("add")
def add_token(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    login: Annotated[str, typer.Option("--for", help="The user that it acts for.")],
    scope: Annotated[list[str], typer.Option(help=f"What it may: {ROLES}; several times for several.")],
    days: Annotated[int | None, typer.Option(help="How long it holds; for ever when left out.", min=1)] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make a token and print it, this once. It may what its scopes say and its user may."""
    from voicebot.access import command
    from voicebot.config import load_config

    command.issue_token(load_config(config), name, scope, login, days, console=out)


@tokens_app.command("list")
def list_tokens(as_json: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List the tokens, the newest first."""
    from voicebot.access import command
    from voicebot.config import load_config

    command.show_tokens(load_config(config), as_json=as_json, console=out)


@tokens_app.command("revoke")
def revoke_token(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `voicebot users tokens list` tells it.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Revoke a token."""
    from voicebot.access import command
    from voicebot.config import load_config

    command.revoke_token(load_config(config), token_id, console=out)
