"""`voicebot flows graph`."""

from __future__ import annotations

from pathlib import Path

from flows.outline import outlines
from flows.source import closest
from voicebot.bots import load_bot
from voicebot.diagram.mermaid import mermaid
from voicebot.errors import VoicebotError

FORMATS = ("mermaid", "svg", "png")
_SUFFIXES = {".svg": "svg", ".png": "png"}


class CannotDraw(VoicebotError):
    """There is nothing to draw, or nowhere to draw it to."""

    code = "cannot_draw"


def graph(folder: Path, *, flow: str, form: str, language: str, output: Path | None) -> str:
    """Draw the flows of a bot, or one of them. Returns what is to be printed.

    Raises FlowProblems, and CannotDraw for names that are not there and files that cannot be written.
    """
    form = form or _SUFFIXES.get(output.suffix.lower() if output else "", "mermaid")
    if form not in FORMATS:
        raise CannotDraw(f"There is no format {form}.", closest(form, FORMATS))
    bot = load_bot(folder)
    if language and language not in bot.languages:
        raise CannotDraw(f"The bot does not speak {language}.", closest(language, bot.languages))
    if flow and flow not in bot.flows:
        raise CannotDraw(f"There is no flow {flow}.", closest(flow, bot.flows))
    chosen = [each for each in outlines(folder, language or bot.languages[0]) if flow in ("", each.name)]
    if form == "png" and output is None:
        raise CannotDraw("A PNG is a file.", "Name one with --output.")
    drawn: str | bytes
    if form == "mermaid":
        drawn = mermaid(chosen)
    else:
        from voicebot.diagram.draw import png, svg, text_width
        from voicebot.diagram.layout import lay_out

        drawing = lay_out(chosen, text_width)
        drawn = svg(drawing) if form == "svg" else png(drawing)
    if output is None:
        return str(drawn).rstrip("\n")
    try:
        output.write_bytes(drawn if isinstance(drawn, bytes) else drawn.encode("utf-8"))
    except OSError as error:
        raise CannotDraw(f"{output} cannot be written: {error.strerror}.", "Name another file.") from error
    return f"{output} was written."
