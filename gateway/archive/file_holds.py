"""Holds on a client's file: placed, ended and listed. A held file is not disposed of.

What is said of a hold is sealed under the file's key. Each is an entry of the ledger, so that one that is taken out of
the table by other means is found. Called by `life` inside a transaction.
"""

from __future__ import annotations

import json
from datetime import datetime

from gateway.archive import ledger, writes
from gateway.archive.codec import instant, moment, storable
from gateway.archive.database import Connection, RowMapping, select
from gateway.archive.file_seals import file_seal, known_file, note
from gateway.archive.life_model import FileHold, HoldKind, LifeRefused
from gateway.archive.life_tables import file_holds
from gateway.archive.model import AuditEntry
from gateway.archive.sealing import Seal

_HEADER = "file hold"


def place(connection: Connection, file: str, *, kind: HoldKind, reason: str, by: str, at: datetime) -> FileHold:
    """Place a hold on a file. Raises FileUnknown, LifeRefused without a reason."""
    if not reason.strip():
        raise LifeRefused("a hold needs its reason, with --reason")
    file_id = known_file(connection, file)
    number = add(connection, file_id, _contents(kind, reason, by), at)
    _audit(connection, "file held", by=by, why=f"{kind.value} hold {number}", file=file, at=at)
    return one(connection, file, number)


def end(connection: Connection, file: str, number: int, *, reason: str, by: str, at: datetime) -> FileHold:
    """End a hold. Raises FileUnknown, LifeRefused for one that is not there or ended already, or without a reason."""
    if not reason.strip():
        raise LifeRefused("to end a hold needs a reason, with --reason")
    found = one(connection, file, number)
    if found.ended_at is not None:
        raise LifeRefused(f"hold {number} on {file} was ended already, by {found.ended_by}")
    file_id = known_file(connection, file)
    contents = _contents(found.kind, found.reason, found.placed_by) | {"ended_by": by, "end_reason": storable(reason)}
    sealed = _close(file_seal(connection, file_id, _HEADER), number, contents)
    values = {"ended_at": instant(at), "sealed": sealed}
    connection.execute(file_holds.update().where(file_holds.c.id == number).values(values))
    _note(connection, number, file_id, instant(found.placed_at), instant(at), sealed)
    _audit(connection, "hold on file ended", by=by, why=f"{found.kind.value} hold {number}", file=file, at=at)
    return one(connection, file, number)


def of_file(connection: Connection, file: str, *, is_open: bool = True) -> tuple[FileHold, ...]:
    """The holds on a file, oldest first; only those not ended, if `is_open`. Raises FileUnknown."""
    file_id = known_file(connection, file)
    query = select(file_holds).where(file_holds.c.file == file_id).order_by(file_holds.c.id)
    if is_open:
        query = query.where(file_holds.c.ended_at.is_(None))
    seal = file_seal(connection, file_id, _HEADER)
    return tuple(_hold(row, file, seal) for row in connection.execute(query).mappings())


def one(connection: Connection, file: str, number: int) -> FileHold:
    """The hold of that number on that file. Raises FileUnknown, LifeRefused."""
    found = [hold for hold in of_file(connection, file, is_open=False) if hold.number == number]
    if not found:
        raise LifeRefused(f"there is no hold {number} on {file}: `archive holds --client {file}` lists them")
    return found[0]


def open_files(connection: Connection) -> frozenset[str]:
    """The ids of all files that are held."""
    return frozenset(connection.execute(select(file_holds.c.file).where(file_holds.c.ended_at.is_(None))).scalars())


def move_all(connection: Connection, file: str, into: str, *, at: datetime) -> int:
    """The open holds of one file placed on another into which it is merged; the count."""
    target = known_file(connection, into)
    held = of_file(connection, file)
    for hold in held:
        reason = f"{hold.reason} (placed on {file} on {hold.placed_at.date()})"
        add(connection, target, _contents(hold.kind, reason, hold.placed_by), at)
    return len(held)


def take_out(connection: Connection, file_id: str) -> list[int]:
    """Delete every hold of a file whose key goes; their numbers."""
    numbers = list(connection.execute(select(file_holds.c.id).where(file_holds.c.file == file_id)).scalars())
    connection.execute(file_holds.delete().where(file_holds.c.file == file_id))
    return numbers


def add(connection: Connection, file_id: str, contents: dict[str, str | None], at: datetime) -> int:
    """Write a hold's row and its entry in the ledger; its number."""
    row = {"file": file_id, "placed_at": instant(at), "ended_at": None, "sealed": b""}
    written = connection.execute(file_holds.insert(), row).inserted_primary_key
    number = int(written[0]) if written else 0
    sealed = _close(file_seal(connection, file_id, _HEADER), number, contents)
    connection.execute(file_holds.update().where(file_holds.c.id == number).values(sealed=sealed))
    _note(connection, number, file_id, instant(at), None, sealed)
    return number


def _contents(kind: HoldKind, reason: str, by: str) -> dict[str, str | None]:
    return {"kind": kind.value, "reason": storable(reason), "by": storable(by), "ended_by": None, "end_reason": ""}


def _close(seal: Seal, number: int, contents: dict[str, str | None]) -> bytes:
    return seal.close(str(number), json.dumps(contents).encode())


def _note(
    connection: Connection, number: int, file_id: str, placed_at: str, ended_at: str | None, sealed: bytes
) -> None:
    row = {"id": number, "file": file_id, "placed_at": placed_at, "ended_at": ended_at}
    note(connection, "file hold", str(number), ledger.facts(row, ledger.FILE_HOLD_COLUMNS, sealed))


def _hold(row: RowMapping, file: str, seal: Seal) -> FileHold:
    text = seal.open(str(row["id"]), row["sealed"])
    said = (
        {"kind": HoldKind.LEGAL, "reason": "this hold was changed: `archive verify`", "by": "?"}
        if text is None
        else json.loads(text)
    )
    return FileHold(
        number=row["id"],
        file=file,
        kind=HoldKind(said["kind"]),
        reason=said["reason"],
        placed_by=said["by"],
        placed_at=moment(row["placed_at"]),
        ended_by=said.get("ended_by"),
        ended_at=None if row["ended_at"] is None else moment(row["ended_at"]),
        end_reason=said.get("end_reason", ""),
    )


def _audit(connection: Connection, what: str, *, by: str, why: str, file: str, at: datetime) -> None:
    writes.add_audit(connection, AuditEntry(at=at, who=by, what=what, why=why, file=file))
