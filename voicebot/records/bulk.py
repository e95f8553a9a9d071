"""Many rows by one statement, made ready before the transaction that writes them.

At every row that it executes by itself, the driver hands the interpreter over; while other threads compute, it gets it
back a millisecond or more later, row by row, with the database locked to everybody else. So rows go as one JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Function, Table, bindparam, func, select, true, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.sql.dml import Update

from voicebot.records.models import Base

_DIALECT = sqlite.dialect()
_ROWS = func.json_each(bindparam("rows")).table_valued("value", name="new_rows")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Bulk:
    """Ready to be written; `rows` is JSON."""

    statement: Insert | Update
    rows: str

    def write(self, connection: Connection) -> None:
        connection.execute(self.statement, {"rows": self.rows})


def new_rows(model: type[Base], rows: Sequence[Row]) -> Bulk:
    """Rows of the same columns. Those that are there already stay as they are."""
    return Bulk(_inserting(model, tuple(rows[0])).on_conflict_do_nothing(), _as_json(model, rows))


def replaced_rows(model: type[Base], rows: Sequence[Row]) -> Bulk:
    """Rows of the same columns. Those that are there already become as these."""
    names, keys = tuple(rows[0]), _keys(model)
    statement = _inserting(model, names)
    become = {name: statement.excluded[name] for name in names if name not in keys}
    return Bulk(statement.on_conflict_do_update(index_elements=keys, set_=become), _as_json(model, rows))


def changed_rows(model: type[Base], rows: Sequence[Row]) -> Bulk:
    """Of each row its key and the columns that change; none of them becomes NULL."""
    table, keys = _table(model), _keys(model)
    names = dict.fromkeys(name for row in rows for name in row if name not in keys)
    statement = update(table).where(*(table.c[key] == _new(key) for key in keys))
    become = {name: func.coalesce(_new(name), table.c[name]) for name in names}
    return Bulk(statement.values(become), _as_json(model, rows))


def _inserting(model: type[Base], names: Iterable[str]) -> Insert:
    names = list(names)
    every = select(*map(_new, names)).where(true())  # without a condition SQLite takes ON CONFLICT for that of a join
    return insert(_table(model)).from_select(names, every)


def _new(name: str) -> Function[Any]:
    return func.json_extract(_ROWS.c.value, f"$.{name}")


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def _keys(model: type[Base]) -> list[str]:
    return [column.name for column in _table(model).primary_key]


def _as_json(model: type[Base], rows: Sequence[Row]) -> str:
    """With the values as the database holds them. Raises ValueError for what is no number."""
    table = _table(model)
    names = dict.fromkeys(name for row in rows for name in row)
    processors = {name: table.c[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT) for name in names}
    stored = [
        {name: process(value) if (process := processors[name]) else value for name, value in row.items()}
        for row in rows
    ]
    return json.dumps(stored, ensure_ascii=False, allow_nan=False)
