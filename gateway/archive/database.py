"""The database: tables, engines, migrations, and what its errors mean.

The module that imports SQLAlchemy and Alembic (the migrations, `life_tables`, `search` and `index` do, too).
SQLite with a write-ahead log and synchronous=FULL: a COMMIT that returned is on disk. One connection writes (see
`committer`), any number read beside it, in this process and in others. What the tables mean: docs/archive.md.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote

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
    RootTransaction,
    RowMapping,
    Table,
    Text,
    create_engine,
    event,
    func,
    inspect,
    select,
    text,
    tuple_,
)
from sqlalchemy.exc import DBAPIError as DatabaseError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from gateway.archive.vault import STORE_KEY, Vault
from gateway.message.errors import GatewayError, MachineryFailed, StoreFull

__all__ = [
    "HEAD", "Connection", "Database", "DatabaseError", "RowMapping", "Table", "audit", "bodies", "checkpoints",
    "client_files", "driver_error", "func", "has_keys", "holds", "is_conflict", "keys", "ledger", "letters", "messages",
    "metadata", "select", "told", "told_threads", "tuple_",
]  # fmt: skip

HEAD = "0008"
BUSY_TIMEOUT_S = 10.0
_NO_ROOM_BYTES = 1024 * 1024  # an I/O error with less than this free is taken for a full disk
UNFINISHED = -1  # the size of the ledger while a store is copied into this one (`moving`)
_LOG_PAGES = 4000  # of 4 KiB, after which the log is folded into the file: a page written often is then written once
_LEAST_LOG_PAGES = 128
_SCRUBBED = 4  # PRAGMA user_version of a file whose pages never held, or hold no more, anything unsealed
_MIGRATIONS = Path(__file__).with_name("migrations")
# The last number that a hold on a file ever had (`life_tables.file_holds`), in either database's SQL.
LAST_HOLD = "SELECT coalesce(max(CAST(about AS INTEGER)), 0) FROM ledger WHERE kind = 'file hold'"
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
    Column("action", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("treatment", Text, nullable=False),
    Column("notice_language", Text),
    Column("received_size", Integer, nullable=False),
    Column("delivered_size", Integer, nullable=False),
    Column("thread", Text),
    Column("key", LargeBinary),
    Column("sealed", LargeBinary),
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
    Index("ix_bodies_file", "file", sqlite_where=text("file IS NOT NULL"), postgresql_where=text("file IS NOT NULL")),
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("wrapped", LargeBinary),
    Column("name", LargeBinary),
    Column("created_at", Text, nullable=False),
    Column("destroyed_at", Text),
)

client_files = Table(
    "client_files",
    metadata,
    Column("file", Text, primary_key=True),
    Column("message_id", Text, ForeignKey("messages.id"), primary_key=True),
    Column("key", LargeBinary),
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
    Column("rules", Text, nullable=False),
    Column("decided_at", Text),
    Column("sealed", LargeBinary),
    Index("ix_holds_state", "state"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("message_id", Text),
    Column("ref", Text),
    Column("file", Text),
    Column("sealed", LargeBinary, nullable=False),
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
    Column("sealed", LargeBinary, nullable=False),
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

ledger = Table(
    "ledger",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index("ix_ledger_about", "about"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("at", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("peaks", LargeBinary, nullable=False),
)


class Database:
    """One SQLite file: a writer connection for the committer, a small pool of readers, and the migrations."""

    def __init__(self, path: Path, vault: Vault) -> None:
        self._path = path
        self.vault = vault
        self.may_be_unfinished = False  # `moving` alone opens such a store
        self._writer = _engine(path, vault, is_writer=True)
        self._reader = _engine(path, vault, is_writer=False)
        self._written: Connection | None = None

    def migrate(self) -> None:
        """Bring the tables to this release and open the store's key. The caller holds the store's lock.

        Raises MachineryFailed (MasterKeyWrong among them) or StoreFull.

        The file is made with mode 0600 first; SQLite gives its companions (-wal, -shm) the same mode.
        """
        self.reset_writer()
        try:
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            with self._writer.connect() as connection:
                self._upgrade(connection, self._path.parent / "large")
                self._unlock(connection)
                connection.rollback()
            self._scrub()
        except DatabaseError as error:
            raise self.storage_error(error) from error
        except OSError as error:
            raise MachineryFailed("store can't be opened", errno=error.errno or 0) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its first statement (BEGIN IMMEDIATE) and commits at the end.

        One at a time. Its connection stays open for the next one, until `reset_writer`.
        """
        connection, transaction = self._begun()
        with transaction:
            connection.info["pending"] = []  # entries for the ledger, which the committer closes before COMMIT
            yield connection

    def _begun(self) -> tuple[Connection, RootTransaction]:
        if self._written is None:
            self._written = self._writer.connect()
        try:
            return self._written, self._written.begin()
        except DatabaseError as error:
            if not error.connection_invalidated:
                raise
        self.reset_writer()  # the server was restarted since: nothing of this transaction was lost with it
        self._written = self._writer.connect()
        return self._written, self._written.begin()

    def reset_writer(self) -> None:
        """Close the writer's connection after an error, so that the next write starts on a new one."""
        written, self._written = self._written, None
        if written is not None:
            with suppress(DatabaseError):
                written.close()
        self._writer.dispose()

    def fold_log(self) -> None:
        """Move what the write-ahead log holds into the file, as far as readers let it, so that the log starts anew.

        Not needed for safety: a failure is left to the next COMMIT to tell.
        """
        if self._written is not None:
            with suppress(DatabaseError, sqlite3.Error):
                self._written.connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def read(self, query: Callable[[Connection], Answer]) -> Answer:
        """The answer of a query, in one transaction that sees one moment of the store. Raises MachineryFailed."""
        try:
            with self._reader.connect() as connection:
                return query(connection)
        except DatabaseError as error:
            raise self.storage_error(error) from error
        except PoolTimeout as error:
            raise MachineryFailed("store busy") from error

    def close(self) -> None:
        """Close every connection; the last one of all processes folds the write-ahead log into the file."""
        self._reader.dispose()
        self.reset_writer()

    def after_copy(self, connection: Connection) -> None:
        """No number of a hold on a file is given twice: the ledger knows those that are gone with their file."""
        last = connection.exec_driver_sql(LAST_HOLD).scalar()
        connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = 'file_holds'")
        connection.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES ('file_holds', ?)", (last,))

    def is_down(self) -> bool:
        """True if the database does not answer now."""
        try:
            self.read(lambda connection: connection.execute(select(checkpoints.c.id)).first())
        except GatewayError:
            return True
        return False

    def free_bytes(self) -> int | None:
        """Bytes that the store's disk still takes; None if it is another machine's. Raises OSError."""
        disk = os.statvfs(self._path.parent)
        return disk.f_bavail * disk.f_frsize

    def has_less_than(self, size: int) -> bool:
        """True if the disk has less than `size` bytes free; False if that can't be told."""
        try:
            free = self.free_bytes()
        except OSError:
            return False
        return free is not None and free < size

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

    def _unlock(self, connection: Connection) -> None:
        self.vault.unlock(_store_key(connection))
        size = connection.execute(select(checkpoints.c.size).where(checkpoints.c.id == 1)).scalar()
        if size == UNFINISHED and not self.may_be_unfinished:
            raise MachineryFailed("this store was not wholly copied: run `store migrate` again")

    def _upgrade(self, connection: Connection, large: Path) -> None:
        revision = _revision(connection)
        connection.rollback()
        if revision == HEAD:
            return
        if revision is not None and revision > HEAD:
            raise MachineryFailed("store was written by a newer release", revision=revision)
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        config.attributes["vault"] = self.vault
        config.attributes["large"] = large
        command.upgrade(config, "head")
        connection.commit()

    def _scrub(self) -> None:
        """Once after the store was sealed: write the file anew, so that no page keeps what was plain before."""
        with closing(self._writer.raw_connection()) as connection:
            cursor = connection.cursor()
            if cursor.execute("PRAGMA user_version").fetchone() == (_SCRUBBED,):
                return
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.execute(f"PRAGMA user_version = {_SCRUBBED}")


def driver_error(connection: Connection, error: Exception) -> DatabaseError:
    """The driver's error as SQLAlchemy would raise it, without statement and parameters: they may hold text."""
    base = cast("type[Exception]", connection.dialect.dbapi.Error)  # type: ignore[union-attr]
    return cast("DatabaseError", DatabaseError.instance(None, None, error, base, hide_parameters=True))


def is_conflict(error: DatabaseError) -> bool:
    """True if a constraint refused the statement: the statement is undone, the transaction stands."""
    return isinstance(error, IntegrityError)


def has_keys(path: Path) -> bool:
    """True if the store in that file has sealed anything: then no master key but the one that it has will do."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'keys'").fetchone() is not None
    except sqlite3.Error:
        return True  # what can't be read may have been sealed


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if revision is None else str(revision)


def _store_key(connection: Connection) -> bytes:
    return bytes(connection.execute(select(keys.c.wrapped).where(keys.c.id == STORE_KEY)).scalar_one())


def _engine(path: Path, vault: Vault, *, is_writer: bool) -> Engine:
    # isolation_level None: the driver starts no transaction by itself; the listener below says how they begin.
    engine = create_engine(
        f"sqlite+pysqlite:///{path}",
        poolclass=QueuePool,
        pool_size=1 if is_writer else 4,
        max_overflow=0,
        pool_reset_on_return="rollback",
        hide_parameters=True,
        execution_options={"vault": vault},  # `keyring.vault_of` takes it from there
        connect_args={"timeout": BUSY_TIMEOUT_S, "isolation_level": None, "check_same_thread": False},
    )

    def prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        if is_writer:
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten, not left in a free page
            cursor.execute("PRAGMA journal_size_limit=67108864")
            cursor.execute(f"PRAGMA wal_autocheckpoint={_log_pages(path)}")
        else:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def _log_pages(path: Path) -> int:
    """Pages of 4 KiB after which the log is folded into the file: a fortieth of the disk at most, for both grow."""
    disk = os.statvfs(path.parent)
    return min(_LOG_PAGES, max(_LEAST_LOG_PAGES, disk.f_blocks * disk.f_frsize // 40 // 4096))
