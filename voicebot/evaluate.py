"""`voicebot flows evaluate`: how well callers of a bot are understood, without a language model and with one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from flows import Bot, EmbeddedUnderstanding
from flows.evaluation import SET_FOLDER, Judged, Score, Utterance, contexts, hear, load_set, set_files
from voicebot import charts
from voicebot.bots import load_bot
from voicebot.config import LanguageModelSettings
from voicebot.errors import VoicebotError

if TYPE_CHECKING:
    from voicebot.language_model.understanding import Decision

NOW = datetime(2026, 11, 26, 12, tzinfo=ZoneInfo("Europe/Warsaw"))  # the day of the call is always the same
_WORST = 12  # confusions that are told


class NothingToEvaluate(VoicebotError):
    """No sentences are there to be understood."""

    code = "nothing_to_evaluate"


@dataclass(frozen=True)
class Column:
    """One way to understand, and what came of it. `decisions`: of the language model, where one was asked."""

    name: str
    score: Score
    decisions: Sequence[Decision] = ()

    def figures(self) -> dict[str, Any]:
        score = self.score
        found: dict[str, Any] = {
            "accuracy": score.accuracy,
            **{f"accuracy_{language}": score.of(language).accuracy for language in _languages(score.judged)},
            "in_scope_recall": score.in_scope_recall,
            "out_of_scope_recall": score.out_of_scope_recall,
            "ms_p50": score.took_ms(0.5),
            "ms_p99": score.took_ms(0.99),
        }
        if self.decisions:
            costs = [decision.cost for decision in self.decisions]
            found["asked"] = len(self.decisions)
            found["answered"] = sum(not decision.stood_in for decision in self.decisions)
            found["cost"] = None if None in costs else sum(cost for cost in costs if cost is not None)
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in found.items()}


def _languages(judged: Sequence[Judged]) -> list[str]:
    return sorted({one.utterance.language for one in judged})


def evaluate_command(
    folder: Path,
    sets: Sequence[Path],
    *,
    model: LanguageModelSettings | None,
    mistakes: bool,
    pictures: Path | None,
    as_json: bool,
) -> None:
    """Raises FlowProblems, NothingToEvaluate, ServiceFailed."""
    bot = load_bot(folder)
    utterances = load_set(sets or set_files(folder), bot)
    if not utterances:
        raise NothingToEvaluate(
            f"There are no sentences in {folder / SET_FOLDER}.", "See docs/how-to/evaluate-understanding.md."
        )
    columns = asyncio.run(_columns(bot, utterances, model))
    console = Console(stderr=as_json)
    _show(console, columns, len(utterances))
    for one in columns[-1].score.mistakes() if mistakes else ():
        console.print(told(one), markup=False, highlight=False, soft_wrap=True)
    if pictures is not None:
        _draw(pictures, columns)
        console.print(f"Pictures: {pictures}", markup=False, highlight=False, soft_wrap=True)
    if as_json:
        figures = {column.name: column.figures() for column in columns}
        print(json.dumps({"utterances": len(utterances), **figures}, ensure_ascii=False))


async def _columns(bot: Bot, utterances: Sequence[Utterance], settings: LanguageModelSettings | None) -> list[Column]:
    embedded, open_questions = EmbeddedUnderstanding(bot), contexts(bot, NOW)
    columns = [Column("embedded", Score(await hear(utterances, embedded, open_questions)))]
    if settings is not None:
        from voicebot.language_model.client import LanguageModel
        from voicebot.language_model.understanding import ChoosingUnderstanding

        decisions: list[Decision] = []
        model = LanguageModel(settings)
        choosing = ChoosingUnderstanding(embedded, model, bot, settings, tell=decisions.append)
        try:
            judged = await hear(utterances, choosing, open_questions)
        finally:
            await choosing.aclose()
            await model.aclose()
        columns.append(Column("with_model", Score(judged), decisions))
    return columns


def _show(console: Console, columns: Sequence[Column], count: int) -> None:
    table = Table(title=f"{count} utterances")
    table.add_column()
    for column in columns:
        table.add_column(column.name, justify="right")
    figures = [column.figures() for column in columns]
    for name in dict.fromkeys(name for found in figures for name in found):
        values = [found.get(name) for found in figures]
        table.add_row(name, *("-" if value is None else f"{value:g}" for value in values))
    console.print(table)
    wrong = [(pair, number) for pair, number in columns[-1].score.confusion().most_common() if pair[0] != pair[1]]
    for (meant, understood), number in wrong[:_WORST]:
        console.print(f"{number:4}  {meant} taken for {understood}", markup=False, highlight=False)


def told(one: Judged) -> str:
    """A line about an utterance: how sure the guess was, its words, what they mean, and what was understood."""
    meant = " or ".join(", ".join(wishes) or "none" for wishes in one.utterance.readings)
    understood = ", ".join(one.wishes) or "none"
    return f"{one.sure:.2f}  {one.utterance.text}: {meant}, taken for {understood} ({one.understood.reason})"


def draw_curve(path: Path, title: str, score: Score) -> None:
    """What share is acted on, and what share of that is wrong, by the confidence that is asked for."""
    curve = score.curve()
    series = {
        "acted on": [(threshold, acted) for threshold, acted, _ in curve],
        "of these wrong": [(threshold, wrong) for threshold, _, wrong in curve],
    }
    charts.lines(path, title, "confidence asked for", "share", series)


def _draw(folder: Path, columns: Sequence[Column]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for column in columns:
        title = f"What was meant (rows) and understood (columns), {column.name.replace('_', ' ')}"
        charts.heat_map(folder / f"confusion_{column.name}.svg", title, column.score.confusion())
        draw_curve(folder / f"threshold_{column.name}.svg", title, column.score)
