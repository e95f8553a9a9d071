"""The demo for people: the conversation as it happens, and the table at the end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from voicebot.demo.guests import Login
from voicebot.demo.judge import CallReport

_COLOURS = {"caller": "cyan", "bot": "green"}  # agents, who have names: magenta


class LiveView:
    """Prints who says what, with the time since the call was dialled. `quiet` prints nothing."""

    def __init__(self, console: Console, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._begun = time.monotonic()

    def call(self, title: str) -> None:
        self._begun = time.monotonic()
        if not self._quiet:
            self._console.rule(escape(title))

    def show(self, who: str, event: dict[str, Any]) -> None:
        """An event of the bot, a caller or an agent; unknown ones are left out."""
        if event.get("event") == "dialling":
            self._begun = time.monotonic()
        line = _bot_line(event) if who == "bot" else _person_line(event)
        if line is None or self._quiet:
            return
        since, colour = time.monotonic() - self._begun, _COLOURS.get(who, "magenta")
        self._console.print(f"[dim]{since:6.1f} s[/]  [{colour}]{escape(who):<7}[/] {line}", highlight=False)

    def result(self, report: CallReport) -> None:
        if self._quiet:
            return
        times = report.voice_to_voice_ms
        self._console.print(
            f"[dim]answer after p50 {_ms(times.get('p50'))}, p95 {_ms(times.get('p95'))} ms;"
            f" outcome {escape(report.outcome)}[/]",
            highlight=False,
        )
        for problem in report.problems:
            self._console.print(f"[red]problem[/] {escape(problem)}", highlight=False)


class FloorView:
    """Prints in a line each what becomes of the callers of a living floor."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._numbers: dict[str, str] = {}  # by call, while it lasts
        self._scripts: dict[str, str] = {}  # by number

    def show(self, who: str, event: dict[str, Any]) -> None:
        """An event of the bot, the crowd or the colleagues; others are left out."""
        kind, call = event.get("event"), str(event.get("call_id", ""))
        match who, kind:
            case "crowd", "calls":
                self._scripts[str(event["number"])] = str(event["script"])
                self._print(str(event["number"]), "calls")
            case "crowd", "answers":
                self._print(str(event["number"]), "is called back, and answers")
            case "crowd", "called":
                self._scripts.pop(str(event["number"]), None)
            case "colleagues", "works" | "rests":
                does = "takes calls" if kind == "works" else "has a break"
                self._console.print(f"[magenta]{escape(str(event['name']))}[/] {does}", highlight=False)
            case "bot", "call_started":
                self._numbers[call] = str(event["caller"])
            case "bot", "handoff_started":
                self._print(self._numbers.get(call, ""), f"wants a person ({event['reason']})")
            case "bot", "agent_joined":
                self._print(self._numbers.get(call, ""), f"talks with {event['name']}")
            case "bot", "call_ended":
                self._print(self._numbers.pop(call, ""), f"is gone: {event['outcome']}")

    def _print(self, number: str, what: str) -> None:
        script = self._scripts.get(number, "")
        self._console.print(
            f"[cyan]{escape(number)}[/] [dim]{escape(script)}[/] {escape(what)}", highlight=False, soft_wrap=True
        )


def _bot_line(event: dict[str, Any]) -> str | None:
    match event.get("event"):
        case "bot_said":
            cut = " [dim](interrupted)[/]" if event.get("interrupted") else ""
            return escape(str(event["text"])) + cut
        case "caller_said":
            sure, took = event.get("confidence"), event.get("decode_ms")
            detail = f"heard, {sure:.0%} sure, {took:.0f} ms" if sure is not None and took is not None else "heard"
            return f"[dim]({detail})[/] {escape(str(event['text']))}"
        case "keys_pressed":
            return f"[dim](keys)[/] {escape(str(event['keys']))}"
        case "system_called":
            return f"[dim]({escape(str(event['operation']))}: {escape(str(event['outcome']))}, {event['ms']:.0f} ms)[/]"
        case "handoff_started":
            return f"[dim](looks for a person: {escape(str(event['reason']))})[/]"
        case "agent_joined":
            return "[dim](caller and agent are connected)[/]"
        case "fault":
            return f"[red]fault in {escape(str(event['stage']))}:[/] {escape(str(event['message']))}"
    return None


def _person_line(event: dict[str, Any]) -> str | None:
    match event.get("event"):
        case "says":
            return escape(str(event["text"]))
        case "keys":
            return f"[dim](presses)[/] {escape(str(event['keys']))}"
        case "pressed":
            return f"[dim](has heard the briefing, presses)[/] {escape(str(event['key']))}"
        case "ringing":
            return "[dim](the telephone rings)[/]"
        case "not_answered":
            return f"[red](not answered: {escape(str(event['cause']))})[/]"
        case "ended":
            return f"[dim](hung up by the {escape(str(event['by']))})[/]"
    return None


def table(reports: Sequence[CallReport]) -> Table:
    """One row a call."""
    result = Table(title="Calls")
    for heading in ("", "call", "outcome", "turns", "words wrong", "answer p50 / p95 ms", "heard each other"):
        result.add_column(heading)
    for report in reports:
        proof = report.both_heard
        times = report.voice_to_voice_ms
        result.add_row(
            "[red]no[/]" if report.problems else "[green]ok[/]",
            escape(report.scenario),
            escape(report.outcome),
            str(report.turns),
            "-" if report.word_error_rate is None else f"{report.word_error_rate:.1%}",
            f"{_ms(times.get('p50'))} / {_ms(times.get('p95'))}",
            "-" if proof is None else "[green]proven[/]" if proof.proven else "[red]not proven[/]",
        )
    return result


def print_files(console: Console, reports: Sequence[CallReport]) -> None:
    """Where recording, transcript and summary of each call lie: one line a file, to be copied from the screen."""
    for report in reports:
        console.print(f"[bold]{escape(report.scenario)}[/]", highlight=False)
        for path in (report.recording, report.transcript, report.summary, report.caller_audio):
            if path:
                console.print(f"  {escape(path)}", highlight=False, soft_wrap=True)


def print_pages(console: Console, address: str, login: Login) -> None:
    """The address of the pages and how to sign in, while they are served."""
    console.rule("All of it in your browser")
    console.print(f"Open     [bold]{escape(address)}[/]", highlight=False, soft_wrap=True)
    console.print(f"Login    [bold]{escape(login.login)}[/]", highlight=False)
    console.print(f"Password [bold]{escape(login.password)}[/]", highlight=False)
    console.print("Ctrl-C ends it.")


def print_pages_later(console: Console, config: Path) -> None:
    """How to see the calls in a browser when nothing runs any more."""
    console.print("\nTo see these calls in a browser, make yourself a login and start the server again:")
    for command in ("users add me --role administrator --generate", "serve"):
        console.print(f"  voicebot {command} --config {escape(str(config))}", highlight=False, soft_wrap=True)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
