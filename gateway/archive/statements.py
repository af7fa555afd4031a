"""SQL straight to the driver, for what runs once a message: an expression compiled each time costs more than the disk.

The text is the same for SQLite and PostgreSQL but for the mark of a parameter. Errors are SQLAlchemy's, as if its own
statement had failed. Knows no table's meaning. Called by `keyring`, `ledger` and `writes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from gateway.archive.database import Connection, Table, driver_error


def insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows; a column that a row does not name stays NULL. Raises DatabaseError (a conflict among them)."""
    text, names = _insertion(table, connection.dialect.paramstyle)
    values = [tuple(row.get(name) for name in names) for row in rows]
    cursor = connection.connection.cursor()
    try:
        if len(values) == 1:
            cursor.execute(text, values[0])
        else:
            cursor.executemany(text, values)
    except connection.dialect.dbapi.Error as error:  # type: ignore[union-attr]
        raise driver_error(connection, error) from error
    finally:
        cursor.close()


def change(connection: Connection, text: str, values: Sequence[Any] = ()) -> int:
    """Carry out a statement with `?` for its parameters; the count of rows changed. Raises DatabaseError."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(_marked(text, connection.dialect.paramstyle), tuple(values))
        return int(cursor.rowcount)
    except connection.dialect.dbapi.Error as error:  # type: ignore[union-attr]
        raise driver_error(connection, error) from error
    finally:
        cursor.close()


def fetch(connection: Connection, text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows that a query with `?` for its parameters gives. Raises DatabaseError."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(_marked(text, connection.dialect.paramstyle), tuple(values))
        return list(cursor.fetchall())
    except connection.dialect.dbapi.Error as error:  # type: ignore[union-attr]
        raise driver_error(connection, error) from error
    finally:
        cursor.close()


@lru_cache(maxsize=256)
def _marked(text: str, style: str) -> str:
    return text if style == "qmark" else text.replace("?", "%s")


@lru_cache(maxsize=64)
def _insertion(table: Table, style: str) -> tuple[str, tuple[str, ...]]:
    names = tuple(column.name for column in table.columns)
    marks = ", ".join("?" for _ in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    return _marked(f'INSERT INTO "{table.name}" ({quoted}) VALUES ({marks})', style), names  # noqa: S608 - names of our own tables
