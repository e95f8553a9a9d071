"""`voicebot flows unanswered`: what callers said that a bot did not understand or did not know, from the records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from flows.words import tokens
from voicebot.config import Config
from voicebot.errors import VoicebotError
from voicebot.events import CallerSaid, Decision, event_name
from voicebot.records.database import DATABASE, cannot_open, open_database
from voicebot.records.models import CallRow, EventRow

UNKNOWN, MISUNDERSTOOD = "not_known", "no_match"  # kinds of decisions
_KEYS = "keys"
_NOT_UNDERSTOOD = "not_understood"  # the reason of a `no_match` that was no refused value


class NoRecords(VoicebotError):
    """No call was recorded yet."""

    code = "no_records"


@dataclass(frozen=True)
class Unanswered:
    """Words that led nowhere. `why`: "not_known", a question without an answer, or "no_match". `call`: the last one."""

    text: str
    language: str
    why: str
    times: int
    last_at: datetime
    call: str


def unanswered(data: Path, bot: str = "", since: datetime | None = None) -> list[Unanswered]:
    """The most frequent first, then the newest; of one bot, or of all. Raises NoRecords, RecordsUnavailable.

    Words alike but for case and punctuation are one. What is masked in the records is masked here.
    """
    path = data / DATABASE
    if not path.exists():
        raise NoRecords(f"There is no {path}.", "Serve calls first, or name the configuration with --config.")
    query = (
        select(EventRow.call_id, EventRow.at, EventRow.event, EventRow.data, CallRow.language)
        .join(CallRow, CallRow.id == EventRow.call_id)
        .where(EventRow.event.in_((event_name(CallerSaid), event_name(Decision))))
        .order_by(EventRow.call_id, EventRow.number)
    )
    if bot:
        query = query.where(CallRow.bot == bot)
    if since is not None:
        query = query.where(CallRow.started_at >= since)
    engine = open_database(path)
    try:
        with engine.connect() as connection:
            return _grouped(connection.execute(query).all())
    except SQLAlchemyError as error:
        raise cannot_open(path, error) from error
    finally:
        engine.dispose()


def _grouped(rows: Iterable[Any]) -> list[Unanswered]:
    found: dict[tuple[str, ...], Unanswered] = {}
    call = said = ""
    for row in rows:
        if row.call_id != call:
            call, said = row.call_id, ""
        if row.event == event_name(CallerSaid):
            said = str(row.data.get("text", ""))
            continue
        why = _why(row.data)
        if row.data.get("kind") == _KEYS:
            said = ""  # what follows answers keys
        if not why or not said:
            continue
        key = (why, row.language, *tokens(said))
        before = found.get(key)
        times = before.times + 1 if before else 1
        last_at = max(row.at, before.last_at) if before else row.at
        found[key] = Unanswered(said, row.language, why, times, last_at, call)
        said = ""
    return sorted(found.values(), key=lambda one: (-one.times, -one.last_at.timestamp()))


def _why(decision: dict[str, Any]) -> str:
    kind, data = decision.get("kind"), decision.get("data") or {}
    if kind == UNKNOWN or (kind == MISUNDERSTOOD and data.get("reason") == _NOT_UNDERSTOOD):
        return str(kind)
    return ""


def unanswered_command(config: Config, bot: str, *, days: int, as_json: bool, console: Console) -> None:
    """Show them. Raises NoRecords, RecordsUnavailable."""
    since = datetime.now(UTC) - timedelta(days=days) if days else None
    found = unanswered(config.data, bot, since)
    if as_json:
        print(json.dumps([asdict(one) | {"last_at": one.last_at.isoformat()} for one in found], ensure_ascii=False))
        return
    console.print(_table(found, config))


def _table(found: Sequence[Unanswered], config: Config) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("times", "last", "", "language", "words"):
        table.add_column(column)
    for one in found:
        last = f"{one.last_at.astimezone(config.timezone):%Y-%m-%d %H:%M}"
        table.add_row(str(one.times), last, one.why, one.language, one.text)
    return table
