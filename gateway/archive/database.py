"""The database: tables, engines, migrations, and what its errors mean.

The one module that imports SQLAlchemy and Alembic (the migrations do, too).
SQLite with a write-ahead log and synchronous=FULL: a COMMIT that returned is on disk. One connection writes (see
`committer`), any number read beside it, in this process and in others. What the tables mean: docs/archive.md.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    RowMapping,
    Table,
    Text,
    create_engine,
    event,
    func,
    inspect,
    select,
)
from sqlalchemy.exc import DBAPIError as DatabaseError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import QueuePool

from gateway.message.errors import GatewayError, MachineryFailed, StoreFull

__all__ = [
    "HEAD", "Connection", "Database", "DatabaseError", "RowMapping", "audit", "bodies", "client_files", "func", "holds",
    "is_conflict", "letters", "messages", "metadata", "select", "told", "told_threads",
]  # fmt: skip

HEAD = "0003"
BUSY_TIMEOUT_S = 10.0
_NO_ROOM_BYTES = 1024 * 1024  # an I/O error with less than this free is taken for a full disk
_MIGRATIONS = Path(__file__).with_name("migrations")
Answer = TypeVar("Answer")

metadata = MetaData()

messages = Table(
    "messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("ref", Text, nullable=False, unique=True),
    Column("received_at", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_at", Text, nullable=False),
    Column("reply_code", Integer),
    Column("worker_id", Text),
    Column("envelope", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("treatment", Text, nullable=False),
    Column("notice_language", Text),
    Column("received_size", Integer, nullable=False),
    Column("received_sha256", Text, nullable=False),
    Column("delivered_size", Integer, nullable=False),
    Column("delivered_sha256", Text, nullable=False),
    Column("authentication", Text),
    Column("thread", Text),
    Index("ix_messages_received_at", "received_at"),
    Index("ix_messages_state", "state"),
)

bodies = Table(
    "bodies",
    metadata,
    Column("message_id", Text, ForeignKey("messages.id"), primary_key=True),
    Column("stage", Text, primary_key=True),
    Column("content", LargeBinary),
    Column("file", Text),
)

client_files = Table(
    "client_files",
    metadata,
    Column("file", Text, primary_key=True),
    Column("message_id", Text, ForeignKey("messages.id"), primary_key=True),
    Index("ix_client_files_message_id", "message_id"),
)

holds = Table(
    "holds",
    metadata,
    Column("ref", Text, primary_key=True),
    Column("message_id", Text, ForeignKey("messages.id"), nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text),
    Column("supervisor", Text),
    Column("rules", Text, nullable=False),
    Column("decided_at", Text),
    Column("decided_by", Text),
    Column("why", Text),
    Column("outcomes", Text, nullable=False),
    Index("ix_holds_state", "state"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("message_id", Text),
    Column("ref", Text),
    Column("file", Text),
    Index("ix_audit_message_id", "message_id"),
    Index("ix_audit_ref", "ref"),
    Index("ix_audit_file", "file"),
)

letters = Table(
    "letters",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("about", Text),
    Column("envelope", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("expires_at", Text, nullable=False),
    Column("last_code", Integer),
    Index("ix_letters_state_next_try", "state", "next_try"),
    Index("ix_letters_about", "about"),
)

told = Table(
    "told",
    metadata,
    Column("file", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("first_at", Text, nullable=False),
    Column("last_at", Text, nullable=False),
)

told_threads = Table(
    "told_threads",
    metadata,
    Column("file", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("thread", Text, primary_key=True),
    Column("first_at", Text, nullable=False),
)


class Database:
    """One SQLite file: a writer connection for the committer, a small pool of readers, and the migrations."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = _engine(path, is_writer=True)
        self._reader = _engine(path, is_writer=False)

    def migrate(self) -> None:
        """Bring the tables to this release. The caller holds the store's lock. Raises MachineryFailed or StoreFull.

        The file is made with mode 0600 first; SQLite gives its companions (-wal, -shm) the same mode.
        """
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            with self._writer.connect() as connection:
                self._upgrade(connection)
        except DatabaseError as error:
            raise self.storage_error(error) from error
        except OSError as error:
            raise MachineryFailed("store can't be opened", errno=error.errno or 0) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement (BEGIN IMMEDIATE) and commits at the end."""
        with self._writer.begin() as connection:
            yield connection

    def reset_writer(self) -> None:
        """Close the writer's connection after an error, so that the next write starts on a new one."""
        self._writer.dispose()

    def fold_log(self) -> None:
        """Move what the write-ahead log holds into the file, as far as readers let it, so that the log starts anew.

        Not needed for safety: a failure is left to the next COMMIT to tell.
        """
        with suppress(DatabaseError, sqlite3.Error), closing(self._writer.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def read(self, query: Callable[[Connection], Answer]) -> Answer:
        """The answer of a query, in one transaction that sees one moment of the store. Raises MachineryFailed."""
        try:
            with self._reader.connect() as connection:
                return query(connection)
        except DatabaseError as error:
            raise self.storage_error(error) from error

    def close(self) -> None:
        """Close every connection; the last one of all processes folds the write-ahead log into the file."""
        self._reader.dispose()
        self._writer.dispose()

    def free_bytes(self) -> int:
        """Bytes that the store's disk still takes from this process."""
        disk = os.statvfs(self._path.parent)
        return disk.f_bavail * disk.f_frsize

    def has_less_than(self, size: int) -> bool:
        """True if the disk has less than `size` bytes free; False if that can't be told."""
        try:
            return self.free_bytes() < size
        except OSError:
            return False

    def storage_error(self, error: DatabaseError) -> GatewayError:
        """What an error of the database means to a sender: 452 for no room, else 451; by SQLite's name for it alone."""
        origin = error.orig
        name = getattr(origin, "sqlite_errorname", type(origin).__name__)
        code = getattr(origin, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return StoreFull(fault=name)
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and self.has_less_than(_NO_ROOM_BYTES):
            return StoreFull(fault=name)
        return MachineryFailed("store failed", fault=name)

    def _upgrade(self, connection: Connection) -> None:
        revision = _revision(connection)
        connection.rollback()
        if revision == HEAD:
            return
        if revision is not None and revision > HEAD:
            raise MachineryFailed("store was written by a newer release", revision=revision)
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def is_conflict(error: DatabaseError) -> bool:
    """True if a constraint refused the statement: the statement is undone, the transaction stands."""
    return isinstance(error, IntegrityError)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if revision is None else str(revision)


def _engine(path: Path, *, is_writer: bool) -> Engine:
    # isolation_level None: the driver starts no transaction by itself; the listener below says how they begin.
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        poolclass=QueuePool,
        pool_size=1 if is_writer else 4,
        max_overflow=0,
        pool_reset_on_return="rollback",
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": None, "check_same_thread": False},
    )

    def prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        if is_writer:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA journal_size_limit=67108864")
        else:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine
