"""SQL for the driver: the same text for both databases, errors as SQLAlchemy's and without parameters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.archive.database import Connection, Database, DatabaseError, is_conflict, told
from gateway.archive.postgres import dialect_url
from gateway.archive.statements import _insertion, _marked, change, fetch, insert
from tests.unit.archive.records import a_vault

ROW = {"file": "C-secret", "language": "en", "first_at": "1", "last_at": "1"}


def test_rows_are_written_changed_and_found(tmp_path: Path) -> None:
    database = Database(tmp_path / "store.sqlite", a_vault())
    database.migrate()
    with database.writing() as connection:
        insert(connection, told, [ROW, {**ROW, "language": "fr"}])
        assert change(connection, "UPDATE told SET last_at = ? WHERE file = ?", ("2", "C-secret")) == 2
        assert fetch(connection, "SELECT language, last_at FROM told ORDER BY language") == [("en", "2"), ("fr", "2")]
    database.close()


def twice(connection: Connection) -> None:
    insert(connection, told, [ROW])
    insert(connection, told, [ROW])


@pytest.mark.parametrize(
    ("work", "is_a_conflict"),
    [
        (twice, True),
        (lambda c: change(c, "UPDATE nowhere SET x = ?", ("C-secret",)), False),
        (lambda c: fetch(c, "SELECT ? FROM nowhere", ("C-secret",)), False),
    ],
    ids=["insert", "change", "fetch"],
)
def test_an_error_tells_no_parameter(tmp_path: Path, work: Callable[[Connection], object], is_a_conflict: bool) -> None:
    database = Database(tmp_path / "store.sqlite", a_vault())
    database.migrate()
    with pytest.raises(DatabaseError) as caught, database.writing() as connection:
        work(connection)
    assert "C-secret" not in str(caught.value)
    assert is_conflict(caught.value) is is_a_conflict
    database.close()


def test_the_mark_of_a_parameter_is_the_drivers() -> None:
    assert _marked("WHERE id = ? AND at < ?", "pyformat") == "WHERE id = %s AND at < %s"
    assert _insertion(told, "pyformat")[0].endswith("VALUES (%s, %s, %s, %s)")
    assert _insertion(told, "qmark")[0].endswith("VALUES (?, ?, ?, ?)")


def test_a_url_gets_the_name_of_the_driver_and_keeps_the_rest() -> None:
    url = "postgresql://gateway@db.agency.example:5433/archive?sslmode=verify-full"
    assert dialect_url(url) == url.replace("postgresql:", "postgresql+psycopg:")
    for wrong in ("mysql://db/archive", "archive", "postgresql://gateway@db:no-port/x"):
        with pytest.raises(ValueError, match="not a postgresql"):
            dialect_url(wrong)
