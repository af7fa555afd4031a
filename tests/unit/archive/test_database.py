"""Tables, migrations, modes and what errors mean."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import OperationalError

import gateway.archive.database as database_module
from gateway.archive.database import HEAD, Connection, Database, DatabaseError, metadata, told
from gateway.message.errors import GatewayError, MachineryFailed, StoreFull
from tests.unit.archive.records import a_vault


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(tmp_path / "store.sqlite", a_vault())
    database.migrate()
    return database


def pragma(connection: Connection, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_the_migrations_make_exactly_the_tables_of_the_code(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    assert database.read(differences) == []


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(database_module.__file__).with_name("migrations")))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_migrating_twice_changes_nothing(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(told.insert(), {"file": "C-1", "language": "en", "first_at": "1", "last_at": "1"})
    database.migrate()
    assert database.read(lambda c: len(c.execute(told.select()).all())) == 1


def test_a_commit_is_on_disk_before_it_returns(database: Database) -> None:
    with database.writing() as connection:
        assert pragma(connection, "journal_mode") == "wal"
        assert pragma(connection, "synchronous") == 2  # FULL
        assert pragma(connection, "foreign_keys") == 1


def test_files_are_for_their_owner_alone(database: Database, tmp_path: Path) -> None:
    with database.writing() as connection:
        connection.execute(told.insert(), {"file": "C-1", "language": "en", "first_at": "1", "last_at": "1"})
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("store.sqlite", "store.sqlite-wal", "store.sqlite-shm"), 0o600)


def test_a_reader_can_not_write(database: Database) -> None:
    with pytest.raises(MachineryFailed):
        database.read(lambda c: c.execute(told.delete()))


def test_a_store_of_a_newer_release_is_refused(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(MachineryFailed) as caught:
        database.migrate()
    assert caught.value.context == {"revision": "9999"}


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 4080])
def test_a_file_that_is_no_database_is_named_not_overwritten(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(content)
    with pytest.raises(MachineryFailed):
        Database(path, a_vault()).migrate()
    assert path.read_bytes() == content


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").mkdir()
    with pytest.raises(MachineryFailed):
        Database(tmp_path / "store.sqlite", a_vault()).migrate()


@pytest.mark.parametrize(
    ("name", "free_bytes", "expected"),
    [
        ("SQLITE_FULL", 10**9, StoreFull),
        ("SQLITE_IOERR_WRITE", 10**9, MachineryFailed),
        ("SQLITE_IOERR_WRITE", 0, StoreFull),
        ("SQLITE_IOERR_SHMSIZE", 4096, StoreFull),
        ("SQLITE_CANTOPEN", 0, StoreFull),
        ("SQLITE_CANTOPEN", 10**9, MachineryFailed),
        ("SQLITE_READONLY", 0, MachineryFailed),
        ("SQLITE_CORRUPT", 0, MachineryFailed),
        ("SQLITE_BUSY", 10**9, MachineryFailed),
    ],
)
def test_errors_of_sqlite_mean_full_or_broken(
    database: Database, monkeypatch: pytest.MonkeyPatch, name: str, free_bytes: int, expected: type[GatewayError]
) -> None:
    origin = sqlite3.OperationalError("text with an address")
    origin.sqlite_errorname = name
    origin.sqlite_errorcode = getattr(sqlite3, name)
    monkeypatch.setattr(Database, "free_bytes", lambda _: free_bytes)
    error = database.storage_error(OperationalError("SELECT", {}, origin))
    assert type(error) is expected
    assert error.context == {"fault": name}
    assert error.reply.code == (452 if expected is StoreFull else 451)


def test_parameters_are_not_in_the_text_of_an_error(database: Database) -> None:
    row = {"file": "C-secret", "language": "en", "first_at": "1", "last_at": "1"}
    with database.writing() as connection:
        connection.execute(told.insert(), row)
    with pytest.raises(DatabaseError) as caught, database.writing() as connection:
        connection.execute(told.insert(), row)
    assert "C-secret" not in str(caught.value)
