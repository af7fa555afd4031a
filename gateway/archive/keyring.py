"""The keys of clients' files and of records, in the database: made, found, opened, destroyed, wrapped anew.

A record that stands in several files can be opened through each of them: its key is wrapped once for each. One that
stands in none is wrapped by the store's own key. Keys are looked up in every transaction and never kept in memory, so
that a key that another process destroyed is gone at once. Called by `reads` and `writes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import cast

from gateway.archive import codec, ledger
from gateway.archive.database import Connection, client_files, keys, messages, select
from gateway.archive.sealing import Seal, record_header
from gateway.archive.statements import fetch
from gateway.archive.vault import STORE_KEY, MasterKeyWrong, Vault
from gateway.message.errors import MachineryFailed

_PAGE = 500
_WRAP = b"record key"


def vault_of(connection: Connection) -> Vault:
    """The open keys of the store that the connection belongs to."""
    return cast("Vault", connection.get_execution_options()["vault"])


def file_id(connection: Connection, file: str) -> str:
    """The keyed hash under which a client's file stands in the tables."""
    return vault_of(connection).hashed("file", codec.storable(file))


def file_keys(connection: Connection, files: Iterable[str], at: datetime) -> Mapping[str, bytes]:
    """The key of each of those files by the file's id, made where there is none. Raises MasterKeyWrong, KeyDamaged."""
    vault = vault_of(connection)
    names = {file_id(connection, file): codec.storable(file) for file in files}
    opened: dict[str, bytes] = {}
    for name, file in names.items():
        found = fetch(connection, "SELECT wrapped FROM keys WHERE id = ?", (name,))
        wrapped = found[0][0] if found else None
        if wrapped is None:
            require_present_master(connection)
            wrapped = vault.new_wrapped_key(name)
            _write_key(connection, name, file, wrapped, at, is_known=bool(found))
        key = vault.unwrapped(name, wrapped)
        if key is None:
            require_present_master(connection)
            raise KeyDamaged(name)
        opened[name] = key
    return opened


def require_present_master(connection: Connection) -> None:
    """Raises MasterKeyWrong if another process has changed the master key: nothing may be wrapped by the old one."""
    wrapped = connection.execute(select(keys.c.wrapped).where(keys.c.id == STORE_KEY)).scalar_one()
    if vault_of(connection).unwrapped(STORE_KEY, wrapped) is None:
        raise MasterKeyWrong


def not_opened(connection: Connection) -> int:
    """How many keys the present master key does not open: one that was replaced may be the only one that does."""
    vault = vault_of(connection)
    rows = connection.execute(select(keys.c.id, keys.c.wrapped).where(keys.c.wrapped.is_not(None)))
    return sum(vault.unwrapped(row.id, row.wrapped) is None for row in rows)


class KeyDamaged(MachineryFailed):
    """The wrapped key of a client's file was changed in the store."""

    def __init__(self, file: str) -> None:
        super().__init__("key of a client file damaged", file=file)


def wrapped_for(file: str, key: bytes, record_id: str, record_key: bytes) -> bytes:
    """A record's key wrapped by the key of a client's file, for that pair alone."""
    return Seal(key, _WRAP).close(f"{file}\n{record_id}", record_key)


def store_wrapped(connection: Connection, record_id: str, record_key: bytes) -> bytes:
    """The key of a record that stands in no client's file, wrapped by the store's own."""
    return vault_of(connection).store.close(f"record key\n{record_id}", record_key)


def file_names(connection: Connection, ids: Iterable[str]) -> dict[str, str]:
    """The numbers of client files by their ids in the tables."""
    vault = vault_of(connection)
    wanted = sorted(set(ids))
    named: dict[str, str] = {}
    for start in range(0, len(wanted), _PAGE):
        query = select(keys.c.id, keys.c.name).where(keys.c.id.in_(wanted[start : start + _PAGE]))
        for row in connection.execute(query):
            name = None if row.name is None else vault.store.open(f"file\n{row.id}", row.name)
            named[row.id] = "?" if name is None else name.decode()
    return named


def record_seals(connection: Connection, record_ids: Iterable[str]) -> Mapping[str, Seal]:
    """The seal of each of those records that can still be opened: through any of its files, or the store's key."""
    ids = sorted(set(record_ids))
    found: dict[str, Seal] = {}
    for start in range(0, len(ids), _PAGE):
        found |= _seals_of_page(connection, ids[start : start + _PAGE])
    return MappingProxyType(found)


def record_seal(connection: Connection, record_id: str) -> Seal | None:
    """The seal of one record; None if there is no such record, or no key opens it any more."""
    return record_seals(connection, (record_id,)).get(record_id)


def rewrap(connection: Connection, new: Vault) -> int:
    """Wrap every key anew with another master key; the count. Nothing else in the store changes."""
    vault = vault_of(connection)
    rows = connection.execute(select(keys.c.id, keys.c.wrapped).where(keys.c.wrapped.is_not(None))).all()
    for row in rows:
        values = {"wrapped": vault.rewrapped(row.id, row.wrapped, new)}
        connection.execute(keys.update().where(keys.c.id == row.id).values(values))
    return len(rows)


def _seals_of_page(connection: Connection, ids: list[str]) -> dict[str, Seal]:
    vault = vault_of(connection)
    columns = (messages.c.id, messages.c.received_at, messages.c.direction, messages.c.key)
    headers: dict[str, bytes] = {}
    record_keys: dict[str, bytes] = {}
    for row in connection.execute(select(*columns).where(messages.c.id.in_(ids))):
        headers[row.id] = record_header(row.id, row.received_at, row.direction)
        key = None if row.key is None else vault.store.open(f"record key\n{row.id}", row.key)
        if key is not None:
            record_keys[row.id] = key
    opened: dict[str, Seal] = {}
    wraps = (
        select(client_files.c.message_id, client_files.c.file, client_files.c.key, keys.c.wrapped)
        .join(keys, keys.c.id == client_files.c.file)
        .where(client_files.c.message_id.in_(ids), client_files.c.key.is_not(None), keys.c.wrapped.is_not(None))
    )
    for row in connection.execute(wraps):
        if row.message_id in record_keys:
            continue
        if row.file not in opened:
            file_key = vault.unwrapped(row.file, row.wrapped)
            if file_key is None:
                continue
            opened[row.file] = Seal(file_key, _WRAP)
        key = opened[row.file].open(f"{row.file}\n{row.message_id}", row.key)
        if key is not None:
            record_keys[row.message_id] = key
    return {record_id: Seal(key, headers[record_id]) for record_id, key in record_keys.items() if record_id in headers}


def _write_key(connection: Connection, name: str, file: str, wrapped: bytes, at: datetime, *, is_known: bool) -> None:
    store = vault_of(connection).store
    sealed = store.close(f"file\n{name}", file.encode())
    values = {"wrapped": wrapped, "name": sealed, "created_at": codec.instant(at), "destroyed_at": None}
    if is_known:  # a file that was destroyed, and whose client writes again
        connection.execute(keys.update().where(keys.c.id == name).values(values))
    else:
        connection.execute(keys.insert(), {"id": name, **values})
    ledger.append(connection, "key", name, store, ledger.facts({"id": name, **values}, ledger.KEY_COLUMNS, sealed))
