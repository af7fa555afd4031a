"""A client's file as the transactions of its life see it: its id, its key, its records. Raises where there is none.

Called by `lives`, `file_holds`, `disposal`, `refile`, `index` and `search`, inside a transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.archive import keyring, ledger
from gateway.archive.codec import storable
from gateway.archive.database import Connection, client_files, func, keys, messages, select
from gateway.archive.keyring import KeyDamaged
from gateway.archive.life_model import LifeRefused
from gateway.archive.sealing import Seal
from gateway.archive.vault import STORE_KEY

PAGE = 500


class FileUnknown(LifeRefused):
    """There is no client's file of that number, or its key is destroyed."""

    def __init__(self, file: str, *, is_destroyed: bool = False) -> None:
        if is_destroyed:
            super().__init__(f"client file {file} was destroyed; `archive certificate {file}` says when and by whom")
        else:
            super().__init__(f"there is no client file {file} in the store")


def known_file(connection: Connection, file: str) -> str:
    """The id of a client's file that has a key. Raises FileUnknown."""
    found = keyring.file_id(connection, file)
    row = connection.execute(select(keys.c.wrapped, keys.c.destroyed_at).where(keys.c.id == found)).first()
    if row is None or row.wrapped is None:
        raise FileUnknown(storable(file)[:64], is_destroyed=row is not None and row.destroyed_at is not None)
    return found


def file_key(connection: Connection, file_id: str) -> bytes | None:
    """The key of the file of that id; None if it has none any more. Raises KeyDamaged."""
    wrapped = connection.execute(select(keys.c.wrapped).where(keys.c.id == file_id)).scalar()
    if wrapped is None:
        return None
    key = keyring.vault_of(connection).unwrapped(file_id, wrapped)
    if key is None:
        raise KeyDamaged(file_id)
    return key


def file_seal(connection: Connection, file_id: str, what: str) -> Seal:
    """The seal of one kind of thing under the file's key. Raises FileUnknown, KeyDamaged."""
    key = file_key(connection, file_id)
    if key is None:
        raise FileUnknown("of that number")
    return Seal(key, what.encode())


def living_files(connection: Connection) -> Mapping[str, str]:
    """The number of every file that has a key, by its id."""
    query = select(keys.c.id).where(keys.c.wrapped.is_not(None), keys.c.id != STORE_KEY)
    ids = list(connection.execute(query).scalars())
    return keyring.file_names(connection, ids)


def record_ids(connection: Connection, file_id: str) -> list[str]:
    """The ids of the records in a file, in the order in which they came."""
    query = (
        select(client_files.c.message_id)
        .join(messages, messages.c.id == client_files.c.message_id)
        .where(client_files.c.file == file_id)
        .order_by(messages.c.received_at, messages.c.id)
    )
    return list(connection.execute(query).scalars())


def spans(connection: Connection, file_id: str | None = None) -> Mapping[str, tuple[int, str, str]]:
    """Count, first and last moment of the records of each file, or of one."""
    at = messages.c.received_at
    query = (
        select(client_files.c.file, func.count(), func.min(at), func.max(at))
        .join(messages, messages.c.id == client_files.c.message_id)
        .group_by(client_files.c.file)
    )
    if file_id is not None:
        query = query.where(client_files.c.file == file_id)
    return {file: (count, first, last) for file, count, first, last in connection.execute(query)}


def pages(ids: list[str]) -> Iterator[list[str]]:
    """The ids in pages that a query takes."""
    for start in range(0, len(ids), PAGE):
        yield ids[start : start + PAGE]


def note(connection: Connection, kind: str, about: str, facts: Mapping[str, object]) -> None:
    """Note an entry for the ledger under the store's seal: it must tell nothing of text or people."""
    ledger.append(connection, kind, about, keyring.vault_of(connection).store, facts)
