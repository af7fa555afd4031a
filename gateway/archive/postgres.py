"""The database of a scaled store: PostgreSQL through psycopg 3, with the same tables, migrations and SQL as SQLite.

Several gateways may write. Each takes one advisory lock at the beginning of a transaction and keeps it until COMMIT, as
BEGIN IMMEDIATE does: a group of one gateway waits for that of another, the ledger has one order, and what is true of
one writer stays true (ADR 0017). What takes time, the objects, is outside of it. Made by `homes`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool, QueuePool

from gateway.archive.database import LAST_HOLD, Database, DatabaseError
from gateway.archive.vault import Vault
from gateway.message.errors import GatewayError, MachineryFailed, StoreFull

_LOCKS = 0x50474154  # the first half of our advisory locks: "PGAT"
_WRITE, _SERVE, _LEAD = 1, 2, 3
# Tables that number their rows, and the column.
_NUMBERED = {"audit": "id", "file_holds": "id", "disposals": "id", "word_owners": "owner"}
_CONNECT_TIMEOUT_S = 5
_READERS = 8
# Durations in milliseconds. A gateway that hangs inside a transaction must not stop the others for long.
_OF_SESSION = {"synchronous_commit": "on", "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5",
               "tcp_keepalives_count": "3", "client_min_messages": "error"}  # fmt: skip
_OF_WRITER = {"statement_timeout": "30000", "idle_in_transaction_session_timeout": "30000", "lock_timeout": "20000"}
_MUST_BE_ON = ("fsync", "full_page_writes")
_OUT_OF_ROOM = frozenset({"53100", "53200"})  # disk_full, out_of_memory


class PostgresDatabase(Database):
    """One PostgreSQL database, shared by gateways: a writer connection, a pool of readers, the migrations."""

    def __init__(self, url: str, vault: Vault, *, password: str | None = None) -> None:
        self._url, self._password = url, password
        self.vault = vault
        self.may_be_unfinished = False
        self._written: Connection | None = None
        self._writer = self._engine(_OF_SESSION | _OF_WRITER, poolclass=QueuePool, pool_size=1, max_overflow=0)
        self._reader = self._engine(
            _OF_SESSION,
            poolclass=QueuePool,
            pool_size=_READERS,
            max_overflow=0,
            pool_pre_ping=True,
            isolation_level="REPEATABLE READ",
        )
        event.listen(self._writer, "begin", _lock_writing)
        event.listen(self._reader, "begin", _read_only)

    def has_keys(self) -> bool:
        """True if the store in this database has sealed anything. Raises MachineryFailed."""
        try:
            with self._reader.connect() as connection:
                return bool(inspect(connection).has_table("keys"))
        except DatabaseError as error:
            raise self.storage_error(error) from error

    def migrate(self) -> None:
        """Bring the tables to this release and open the store's key; two that do so at once come one after the other.

        Raises MachineryFailed, also for a server that is not set to keep what it was given.
        """
        self.reset_writer()
        try:
            with self._writer.connect() as connection:
                for name in _MUST_BE_ON:
                    if connection.execute(text(f"SHOW {name}")).scalar() != "on":
                        raise MachineryFailed(f"the database server has `{name}` turned off: it may lose what it took")
                connection.rollback()
                self._upgrade(connection, Path())
                self._unlock(connection)
                connection.rollback()
        except DatabaseError as error:
            raise self.storage_error(error) from error

    def seat(self, *, alone: bool) -> Seat:
        """The place of a serving gateway. Raises MachineryFailed if it is not to be had."""
        engine = self._engine(_OF_SESSION, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        return Seat(engine, alone=alone, error=self.storage_error, check=self._check_key)

    def after_copy(self, connection: Connection) -> None:
        """The next number that a table gives by itself follows the last one ever given."""
        for table, column in _NUMBERED.items():
            gone = LAST_HOLD if table == "file_holds" else "SELECT 0"
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'),"  # noqa: S608 - names of our own
                f" 1 + greatest((SELECT coalesce(max({column}), 0) FROM {table}), ({gone})), false)"
            )

    def fold_log(self) -> None:
        """Nothing: the server does it."""

    def free_bytes(self) -> int | None:
        """None: the disk is the server's."""
        return None

    def storage_error(self, error: DatabaseError) -> GatewayError:
        """What an error of the server means to a sender, by its SQLSTATE or the driver's name for it alone."""
        state = getattr(error.orig, "sqlstate", None)
        name = state or type(error.orig).__name__
        return StoreFull(fault=name) if state in _OUT_OF_ROOM else MachineryFailed("database failed", fault=name)

    def _check_key(self) -> None:
        with self._reader.connect() as connection:
            self._unlock(connection)

    def _engine(self, settings: dict[str, str], **options: Any) -> Engine:
        arguments: dict[str, Any] = {
            "connect_timeout": _CONNECT_TIMEOUT_S,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
            "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        }
        if self._password is not None:
            arguments["password"] = self._password
        execution = {"vault": self.vault}
        return create_engine(
            dialect_url(self._url), hide_parameters=True, connect_args=arguments, execution_options=execution, **options
        )


class Seat:
    """What makes a gateway one of those that serve: locks that end with its session, so that nobody waits for the dead.

    Shared with other gateways, or `alone` for what may not be done beside them. One of those that share leads: it
    does what must be done by one.
    """

    def __init__(
        self, engine: Engine, *, alone: bool, error: Callable[[DatabaseError], GatewayError], check: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._error = error
        self._check = check
        self._guard = threading.Lock()
        self._session: Connection | None = None
        self._leads = False
        self.is_alone = alone
        self._take()

    @property
    def descriptor(self) -> int | None:
        """None: a session can't be handed to another process; each takes a seat of its own."""
        return None

    def leads(self) -> bool:
        """True for one of the gateways that serve. Raises MachineryFailed."""
        with self._guard:
            try:
                if self._session is None or not self._lives():
                    self._release()
                    self._take()
                    self._check()
                if not self._leads:
                    self._leads = self._locked("pg_try_advisory_lock", _LEAD)
            except DatabaseError as error:
                raise self._error(error) from error
            return self._leads

    def release(self) -> None:
        """Give the place back."""
        with self._guard:
            self._release()
            self._engine.dispose()

    def _take(self) -> None:
        try:
            self._session = self._engine.connect()
            if self._locked("pg_try_advisory_lock" if self.is_alone else "pg_try_advisory_lock_shared", _SERVE):
                return
        except DatabaseError as error:
            raise self._error(error) from error
        self._release()
        what = "another gateway serves this store" if self.is_alone else "this store is being worked on by one alone"
        raise MachineryFailed(what)

    def _lives(self) -> bool:
        assert self._session is not None
        try:
            self._session.execute(text("SELECT 1"))
        except DatabaseError:
            return False
        return True

    def _locked(self, function: str, lock: int) -> bool:
        assert self._session is not None
        asked = text(f"SELECT {function}(:ours, :lock)")
        return bool(self._session.execute(asked, {"ours": _LOCKS, "lock": lock}).scalar())

    def _release(self) -> None:
        session, self._session, self._leads = self._session, None, False
        if session is not None:
            session.invalidate()
            session.close()


def dialect_url(url: str) -> str:
    """The URL with the driver's name, as SQLAlchemy wants it. Raises ValueError, without the URL, if it is none."""
    if urlsplit(url).scheme not in {"postgresql", "postgres"}:
        raise ValueError("not a postgresql:// URL")
    try:
        return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    except (ArgumentError, ValueError):
        raise ValueError("not a postgresql:// URL") from None


def _lock_writing(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCKS}, {_WRITE})")


def _read_only(connection: Connection) -> None:
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
