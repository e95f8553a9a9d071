"""`voicebot edge`: configuration of what stands between the bots and the world."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

edge_app = typer.Typer(no_args_is_help=True, help="Configure Kamailio and rtpengine in front of the bots.")

out = Console()

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
DEFAULT_CONFIG = Path("voicebot.yaml")


@edge_app.command("render")
def render_edge(
    output: Annotated[Path, typer.Option(help="The folder to write to; its owner gets the files.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write the files of Kamailio and rtpengine."""
    from voicebot.config import load_config
    from voicebot.edge.command import write

    for path in write(load_config(config), output):
        out.print(str(path), markup=False, highlight=False, soft_wrap=True)


@edge_app.command("check")
def check_edge(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Have the Kamailio of this machine read what would be written."""
    from voicebot.config import load_config
    from voicebot.edge.command import check

    check(load_config(config))
    out.print(f"Kamailio can use the edge of {config}.", markup=False, highlight=False, soft_wrap=True)
