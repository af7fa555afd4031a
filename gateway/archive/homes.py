"""Where a store is at home: a folder of this machine (SQLite and files), or a server (PostgreSQL and S3 objects).

What a store needs of either, opened, migrated and unlocked: the database, the place of loose bodies, the seat of a
serving gateway. Called by `Store.open`, `Store.open_scaled` and `moving`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gateway.archive import bodies, ledger
from gateway.archive.bucket import Address, Bucket
from gateway.archive.database import Database, has_keys
from gateway.archive.erasure import erase
from gateway.archive.life_model import Traces
from gateway.archive.master import MasterKeySource
from gateway.archive.places import Folder, Place
from gateway.archive.postgres import PostgresDatabase
from gateway.archive.vault import Vault
from gateway.message.errors import MachineryFailed

PLACE_TAKEN = "another gateway serves this store"
MAX_RESERVE_BYTES = 8 * 1024 * 1024


class Seat(Protocol):
    """The place of a serving gateway."""

    is_alone: bool

    @property
    def descriptor(self) -> int | None:
        """What keeps the place in every process that has it; None where that is a session with the server."""
        ...

    def leads(self) -> bool:
        """True for the one of the serving gateways that does what must be done by one. Raises MachineryFailed."""
        ...

    def release(self) -> None:
        """Give it back."""
        ...


@dataclass(slots=True, kw_only=True)
class Home:
    """The parts of an open store. `reserve_bytes` of the disk stay free for what must follow a filing."""

    database: Database
    place: Place
    seat: Seat | None
    reserve_bytes: int = 0
    is_shared: bool = False
    file: Path | None = None

    def erase(self, sealed: frozenset[bytes], objects: Iterable[str]) -> Traces:
        """Take away what a destruction left. On a server only the objects: its own log and free pages are not ours."""
        if self.file is not None and isinstance(self.place, Folder):
            return erase(self.file, self.place.path, sealed, objects)
        names = tuple(objects)
        left = len(names) - self.place.discard(names)
        return Traces(places=0, is_log_empty=None, was_rewritten=False, objects_left=left)

    def close(self) -> None:
        """Close the database and give the seat back."""
        self.database.close()
        if self.seat is not None:
            self.seat.release()
            self.seat = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """Where a scaled store is: URLs without passwords, and the secrets that go with them.

    A secret that is None is looked for where libpq and S3 clients look: PGPASSWORD, a passfile, AWS_ACCESS_KEY_ID.
    """

    database: str
    objects: str
    password: str | None = field(default=None, repr=False)
    key_id: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)


class FolderSeat:
    """A lock on a file, which ends with the process."""

    is_alone = True

    def __init__(self, path: Path) -> None:
        self._handle = locked(path, wait=False)

    @property
    def descriptor(self) -> int | None:
        """The lock's."""
        return self._handle

    def leads(self) -> bool:
        """True: there is no other."""
        return True

    def release(self) -> None:
        """Give it back."""
        os.close(self._handle)


def open_folder(
    path: Path,
    master: MasterKeySource,
    *,
    is_gateway: bool = False,
    reserve_bytes: int | None = None,
    may_be_unfinished: bool = False,
) -> Home:
    """The store in that folder, made and migrated as needed (mode 0700, files 0600).

    Raises StoreFull or MachineryFailed.
    """
    try:
        with ExitStack() as undo:
            _make_folder(path / "large")
            seat = FolderSeat(path / "serving.lock") if is_gateway else None
            if seat is not None:
                undo.callback(seat.release)
            migrating = locked(path / "migrating.lock", wait=True)
            try:
                file = path / "store.sqlite"
                database = Database(file, Vault(master.load(may_make=not has_keys(file))))
                undo.callback(database.close)
                database.may_be_unfinished = may_be_unfinished
                database.migrate()
            finally:
                os.close(migrating)
            bodies.sync_folder(path)
            disk = os.statvfs(path)
            undo.pop_all()
    except OSError as error:
        raise bodies.disk_error(error) from error
    fifth = disk.f_blocks * disk.f_frsize // 5
    reserve = min(MAX_RESERVE_BYTES, fifth) if reserve_bytes is None else reserve_bytes
    return Home(
        database=database, place=Folder(path / "large"), seat=seat, reserve_bytes=reserve, file=path / "store.sqlite"
    )


def open_scaled(
    where: Scaled,
    master: MasterKeySource,
    *,
    is_gateway: bool = False,
    is_alone: bool = False,
    may_be_unfinished: bool = False,
) -> Home:
    """The store on those servers, its tables made and migrated as needed.

    `is_gateway` takes a seat among the serving gateways, `is_alone` the only one. Raises MachineryFailed.
    """
    bucket = Bucket(Address.of(where.objects), key_id=where.key_id, secret=where.secret)
    with ExitStack() as undo:
        vault = Vault(b"")
        database = PostgresDatabase(where.database, vault, password=where.password)
        undo.callback(database.close)
        vault.adopt(Vault(master.load(may_make=not database.has_keys())))
        database.may_be_unfinished = may_be_unfinished
        database.migrate()
        seat = database.seat(alone=is_alone) if is_gateway or is_alone else None
        if seat is not None:
            undo.callback(seat.release)
            bucket.probe()
            if not may_be_unfinished:
                bucket.claim(ledger.public_key(vault).hex())
        undo.pop_all()
    return Home(database=database, place=bucket, seat=seat, is_shared=True)


def locked(path: Path, *, wait: bool) -> int:
    """A lock that ends with the process; its descriptor. Raises MachineryFailed if another process has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise MachineryFailed(PLACE_TAKEN) from error
    return handle


def _make_folder(path: Path) -> None:
    """Make a folder and those above it, for their owner alone, and make each new name durable."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        bodies.sync_folder(folder.parent)
