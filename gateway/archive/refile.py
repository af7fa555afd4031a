"""A message moved to the client's file where it belongs, and two files of one client merged. Both leave a trace.

A record's key is wrapped by the keys of its files; to move it is to wrap it anew. The ledger's entry of the record
stays as it is, and a newer entry says in which files it stands since. Called by `life` inside a transaction.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime

from gateway.archive import file_holds, index, keyring, ledger, lives, past, writes
from gateway.archive.codec import instant
from gateway.archive.database import Connection, client_files, keys, messages, select, told, told_threads
from gateway.archive.disposals import open_of, take_back
from gateway.archive.erasure import prefixes
from gateway.archive.file_seals import known_file, note, record_ids
from gateway.archive.keyring import wrapped_for
from gateway.archive.life_model import HoldKind, LifeRefused
from gateway.archive.model import AuditEntry, StoredRecord
from gateway.people.model import Client


def move(
    connection: Connection, record: StoredRecord, source: str, target: str, *, by: str, reason: str, at: datetime
) -> frozenset[bytes]:
    """Move a record from one client's file to another, which is made if it is new.

    Returns the first bytes of its key as the first file's key had wrapped it. Raises LifeRefused, FileUnknown.
    """
    if not reason.strip():
        raise LifeRefused("a move needs a reason, with --reason: it stands in both files")
    source_id, target_id = known_file(connection, source), keyring.file_id(connection, target)
    if source_id == target_id:
        raise LifeRefused(f"{record.ref} is in {source} already")
    if any(hold.kind is HoldKind.LEGAL for hold in file_holds.of_file(connection, source)):
        raise LifeRefused(f"{source} is under a legal hold: nothing is taken out of it")
    if source not in record.client_files:
        raise LifeRefused(f"{record.ref} is not in {source}, but in {', '.join(record.client_files) or 'no file'}")
    _wrap_for(connection, (record.id,), target, at)
    index.take_out_record(connection, source_id, record.id)
    gone = _unwrap_from(connection, source_id, record.id)
    note_files(connection, record.id)
    for what, file, other in (("moved out", source, f"to {target}"), ("moved in", target, f"from {source}")):
        why = f"{other}: {reason}"
        entry = AuditEntry(at=at, who=by, what=what, why=why, message_id=record.id, ref=record.ref, file=file)
        writes.add_audit(connection, entry)
    _take_back_disposal(connection, target, at)
    return prefixes([gone])


def merge(
    connection: Connection, source: str, into: str, client: Client | None, *, by: str, reason: str, at: datetime
) -> tuple[int, frozenset[bytes]]:
    """Put every record of one file into another, with its holds, and destroy the key of the first.

    Returns the count, and the first bytes of the key and of all that it had wrapped.

    `client` is the first file's in people.yaml: birth and chosen class go with it, where the other has none.
    Raises LifeRefused, FileUnknown.
    """
    if not reason.strip():
        raise LifeRefused("a merge needs a reason, with --reason: it stands in both files")
    source_id, into_id = known_file(connection, source), known_file(connection, into)
    if source_id == into_id:
        raise LifeRefused("a file is not merged into itself")
    ids = record_ids(connection, source_id)
    _wrap_for(connection, ids, into, at)
    sealed = [connection.execute(select(keys.c.wrapped).where(keys.c.id == source_id)).scalar()]
    for record_id in ids:
        sealed.append(_unwrap_from(connection, source_id, record_id))
        note_files(connection, record_id)
    held = file_holds.move_all(connection, source, into, at=at)
    numbers = file_holds.take_out(connection, source_id)
    index.take_out_file(connection, source_id)
    lives.carry(connection, source_id, into_id, client, at=at)
    lives.take_out(connection, source_id)
    _join_told(connection, source_id, into_id)
    past.merge(connection, source_id, into_id, at=at)
    for file in (source, into):
        _take_back_disposal(connection, file, at)
    end_key(connection, source_id, at)
    gone: dict[str, object] = {"file": source_id, "records": [], "file_holds": numbers, "certificate_sha256": None}
    note(connection, "destroyed", f"merge {source_id}", gone)
    for what, file, other in (("merged out", source, f"into {into}"), ("merged in", into, f"from {source}")):
        why = f"{other}, {len(ids)} message(s), {held} hold(s): {reason}"
        writes.add_audit(connection, AuditEntry(at=at, who=by, what=what, why=why, file=file))
    return len(ids), prefixes(sealed)


def note_files(connection: Connection, record_id: str) -> None:
    """Note for the ledger in which files a record stands now."""
    query = select(client_files).where(client_files.c.message_id == record_id)
    wraps = [dict(row) for row in connection.execute(query).mappings()]
    key = connection.execute(select(messages.c.key).where(messages.c.id == record_id)).scalar()
    note(connection, "files", record_id, {"id": record_id, **ledger.file_facts(wraps, key)})


def end_key(connection: Connection, file_id: str, at: datetime) -> None:
    """Overwrite a file's wrapped key in its place, then take it out. Nothing must need it any more."""
    this = keys.c.id == file_id
    size = len(connection.execute(select(keys.c.wrapped).where(this)).scalar_one())
    connection.execute(keys.update().where(this).values(wrapped=os.urandom(size)))
    connection.execute(keys.update().where(this).values(wrapped=None, destroyed_at=instant(at)))
    row = connection.execute(select(keys).where(this)).mappings().one()
    note(connection, "key", file_id, ledger.facts(dict(row), ledger.KEY_COLUMNS, row["name"]))


def _wrap_for(connection: Connection, ids: Iterable[str], target: str, at: datetime) -> None:
    """Wrap the keys of those records by the key of another file, where they are not in it already."""
    ((target_id, target_key),) = keyring.file_keys(connection, (target,), at).items()
    seals = keyring.record_seals(connection, ids)
    for record_id in ids:
        seal = seals.get(record_id)
        if seal is None:
            raise LifeRefused("a message of the file can't be opened: `archive verify` says which")
        this = (client_files.c.file == target_id) & (client_files.c.message_id == record_id)
        if connection.execute(select(client_files.c.file).where(this)).first() is None:
            row = {"file": target_id, "message_id": record_id}
            row["key"] = wrapped_for(target_id, target_key, record_id, seal.key)  # type: ignore[assignment]
            connection.execute(client_files.insert(), row)


def _unwrap_from(connection: Connection, file_id: str, record_id: str) -> bytes | None:
    """Take a record out of a file; its key as the file's key had wrapped it."""
    this = (client_files.c.file == file_id) & (client_files.c.message_id == record_id)
    wrapped: bytes | None = connection.execute(select(client_files.c.key).where(this)).scalar()
    connection.execute(client_files.delete().where(this))
    return wrapped


def _join_told(connection: Connection, source_id: str, into_id: str) -> None:
    """What the client was told under the first number counts under the second, too."""
    for table, columns in ((told, ("language",)), (told_threads, ("language", "thread"))):
        rows = connection.execute(select(table).where(table.c.file == source_id)).mappings().all()
        for row in rows:
            same = table.c.file == into_id
            for name in columns:
                same &= table.c[name] == row[name]
            if connection.execute(select(table.c.file).where(same)).first() is None:
                connection.execute(table.insert(), {**row, "file": into_id})
        connection.execute(table.delete().where(table.c.file == source_id))


def _take_back_disposal(connection: Connection, file: str, at: datetime) -> None:
    found = open_of(connection, file)
    if found is not None:
        take_back(connection, found, why="messages were moved into or out of the file", at=at)
