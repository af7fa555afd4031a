"""The deep proof of the store: its rows compared with the ledger, and the ledger with its signed checkpoint.

Runs in one read transaction, so that a serving gateway may write meanwhile. Finds what was changed, taken out, added,
put in another order or, against a checkpoint that was kept outside, rolled back. Called by `verify`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.archive import codec, keyring, ledger, life_tables
from gateway.archive import database as tables
from gateway.archive.database import Connection, RowMapping, func, select
from gateway.archive.ledger import Checkpoint
from gateway.archive.merkle import (
    HASH_BYTES,
    consistency_proof,
    is_consistent,
    leaf_hash,
    levels_of,
    path_in,
    root_of,
    root_of_peaks,
)
from gateway.archive.model import Break, LedgerProof, LedgerProofs
from gateway.archive.sealing import Seal
from gateway.archive.vault import STORE_KEY
from gateway.holding.refs import ref_of
from gateway.message.errors import MachineryFailed

_PAGE = 500
_ROWS: tuple[tuple[str, Any, Sequence[str], Sequence[str]], ...] = (
    ("hold", tables.holds, ledger.HOLD_COLUMNS, ("ref",)),
    ("audit", tables.audit, ledger.AUDIT_COLUMNS, ("id",)),
    ("file hold", life_tables.file_holds, ledger.FILE_HOLD_COLUMNS, ("id",)),
    ("file life", life_tables.file_lives, ledger.LIFE_COLUMNS, ("file",)),
    ("disposal", life_tables.disposals, ledger.DISPOSAL_COLUMNS, ("id",)),
    ("merge", life_tables.merges, ledger.MERGE_COLUMNS, ("file",)),
    ("past address", life_tables.past_addresses, ledger.PAST_COLUMNS, ("address", "file")),
    ("master key", life_tables.master_keys, ledger.MASTER_KEY_COLUMNS, ("id",)),
)
"""What else is compared row by row: kind of the entries, table, columns, and those by which an entry names its row."""


@dataclass(slots=True)
class _Gone:
    """What the ledger tells to have been destroyed: records, files, and holds on these files."""

    records: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    file_holds: set[str] = field(default_factory=set)

    def has(self, kind: str, about: str) -> bool:
        """True if a row about that was rightly taken away."""
        match kind:
            case "record" | "state" | "files":
                return about in self.records
            case "hold":
                return about in {ref_of(record_id) for record_id in self.records}
            case "file life":
                return about in self.files
            case "file hold":
                return about in self.file_holds
            case _:
                return False


@dataclass(slots=True)
class _Told:
    """What the ledger tells: the newest entry about each thing, and what is wrong with the ledger itself."""

    newest: dict[tuple[str, str], bytes] = field(default_factory=dict)
    leaves: list[bytes] = field(default_factory=list)
    breaks: list[Break] = field(default_factory=list)
    unreadable: set[tuple[str, str]] = field(default_factory=set)
    closed: list[tuple[int, str]] = field(default_factory=list)
    gone: _Gone = field(default_factory=_Gone)


def ledger_breaks(connection: Connection, kept: Checkpoint | None = None) -> tuple[Break, ...]:
    """Everything in the store that is not as the ledger has it; `kept` is an earlier checkpoint from outside."""
    told = _told(connection)
    told.breaks += _head_breaks(connection, told.leaves, kept)
    told.breaks += _record_breaks(connection, told)
    for kind, table, columns, key in _ROWS:
        told.breaks += _row_breaks(connection, told, kind, table, columns, key)
    told.breaks += _key_breaks(connection, told)
    return tuple(told.breaks)


def checkpoint_of(connection: Connection) -> Checkpoint | None:
    """The head of the ledger as the store has it; None for a store that holds nothing."""
    row = connection.execute(select(tables.checkpoints).where(tables.checkpoints.c.id == 1)).mappings().first()
    return (
        None
        if row is None
        else Checkpoint(size=row["size"], root=row["root"], at=row["at"], signature=row["signature"])
    )


def _peaks(connection: Connection) -> list[bytes]:
    peaks = bytes(
        connection.execute(select(tables.checkpoints.c.peaks).where(tables.checkpoints.c.id == 1)).scalar() or b""
    )
    return [peaks[start : start + HASH_BYTES] for start in range(0, len(peaks), HASH_BYTES)]


def proofs(connection: Connection, record_ids: Sequence[str]) -> LedgerProofs:
    """Proofs of those records against the present head. Raises MachineryFailed for a damaged ledger."""
    head = checkpoint_of(connection)
    leaves = [
        bytes(leaf) for leaf in connection.execute(select(tables.ledger.c.leaf).order_by(tables.ledger.c.seq)).scalars()
    ]
    if head is None or head.size != len(leaves) or head.root != root_of(leaves):
        raise MachineryFailed("the ledger is damaged: `archive verify` says where")
    levels = levels_of(leaves)
    found = []
    for start in range(0, len(record_ids), _PAGE):
        ids = list(record_ids[start : start + _PAGE])
        seals = keyring.record_seals(connection, ids)
        entry = tables.ledger.c
        query = select(tables.ledger).where(entry.about.in_(ids), entry.kind == "record").order_by(entry.seq)
        for row in connection.execute(query).mappings():
            seal = seals.get(row["about"])
            salted = None if seal is None else entry_at(seal, row)
            if salted is None:
                raise MachineryFailed("a ledger entry is damaged: `archive verify` says which", seq=row["seq"])
            index = row["seq"] - 1
            path = path_in(levels, index)
            found.append(LedgerProof(record_id=row["about"], index=index, entry=salted, path=path))
    if len(found) != len(record_ids):
        raise MachineryFailed("a record is not in the ledger: `archive verify` says which")
    key = ledger.public_key(keyring.vault_of(connection))
    return LedgerProofs(
        size=head.size, root=head.root, at=head.at, public_key=key, signature=head.signature, records=tuple(found)
    )


def entry_at(seal: Seal, row: RowMapping) -> bytes | None:
    """Salt and entry of a ledger row; None if it does not open."""
    return seal.open(ledger.part(row["seq"], row["kind"], row["about"]), row["sealed"])


def _told(connection: Connection) -> _Told:
    told = _Told()
    expected = 1
    for page in _pages(connection):
        seals = keyring.record_seals(connection, [row["about"] for row in page if row["kind"] == "record"])
        for row in page:
            for absent in range(expected, min(row["seq"], expected + 1000)):
                told.breaks.append(Break(kind="ledger", about=str(absent), why="missing"))
            expected = row["seq"] + 1
            told.leaves.append(bytes(row["leaf"]))
            _tell(told, row, seals.get(row["about"]) if row["kind"] == "record" else keyring.vault_of(connection).store)
    for seq, about in told.closed:
        if about not in told.gone.records:
            told.breaks.append(Break(kind="ledger", about=str(seq), why="unreadable"))
            told.unreadable.add(("record", about))
    return told


def _tell(told: _Told, row: RowMapping, seal: Seal | None) -> None:
    key = (row["kind"], row["about"])
    if seal is None:
        told.closed.append((row["seq"], row["about"]))  # destroyed, if a later entry says so
        return
    salted = entry_at(seal, row)
    if salted is None or leaf_hash(salted) != row["leaf"]:
        told.breaks.append(Break(kind="ledger", about=str(row["seq"]), why="changed"))
        told.unreadable.add(key)
        return
    if row["kind"] == "destroyed":
        _tell_gone(told.gone, salted[ledger.SALT_BYTES :])
    if row["kind"] in {"record", "audit"} and key in told.newest:
        told.breaks.append(Break(kind="ledger", about=str(row["seq"]), why="added"))
    told.newest[key] = salted[ledger.SALT_BYTES :]


def _tell_gone(gone: _Gone, entry: bytes) -> None:
    facts = json.loads(entry)
    gone.records |= set(facts["records"])
    gone.files.add(facts["file"])
    gone.file_holds |= {str(number) for number in facts["file_holds"]}


def _head_breaks(connection: Connection, leaves: Sequence[bytes], kept: Checkpoint | None) -> Iterator[Break]:
    head = checkpoint_of(connection)
    key = ledger.public_key(keyring.vault_of(connection))
    if head is None:
        if leaves or kept is not None:
            yield Break(kind="checkpoint", about="", why="missing")
        return
    if connection.execute(select(func.count()).select_from(tables.checkpoints)).scalar() != 1:
        yield Break(kind="checkpoint", about="", why="added")
    if not ledger.is_signed(head, key):
        yield Break(kind="checkpoint", about=str(head.size), why="changed")
    if root_of_peaks(_peaks(connection)) != head.root:
        yield Break(kind="checkpoint", about=str(head.size), why="its peaks were changed")
    if head.size != len(leaves):
        yield Break(kind="checkpoint", about=str(head.size), why=f"the ledger has {len(leaves)} entries")
    elif head.root != root_of(leaves):
        yield Break(kind="checkpoint", about=str(head.size), why="the ledger's entries are others, or in another order")
    if kept is None:
        return
    if not ledger.is_signed(kept, key):
        yield Break(kind="kept checkpoint", about=str(kept.size), why="not signed by this store")
    elif kept.size > len(leaves):
        yield Break(kind="kept checkpoint", about=str(kept.size), why="rolled back: the store is older")
    elif kept.size and not is_consistent(
        kept.size, kept.root, len(leaves), root_of(leaves), consistency_proof(leaves, kept.size)
    ):
        yield Break(kind="kept checkpoint", about=str(kept.size), why="rolled back: the store went another way since")


def _record_breaks(connection: Connection, told: _Told) -> Iterator[Break]:
    seen = set()
    last = ""
    while True:
        query = select(tables.messages).where(tables.messages.c.id > last).order_by(tables.messages.c.id).limit(_PAGE)
        page = connection.execute(query).mappings().all()
        if not page:
            break
        last = page[-1]["id"]
        ids = [row["id"] for row in page]
        seals, files, stages = keyring.record_seals(connection, ids), _files(connection, ids), _stages(connection, ids)
        for row in page:
            seen.add(row["id"])
            of_row = files.get(row["id"], []), sorted(stages.get(row["id"], []))
            yield from _one_record(told, row, seals.get(row["id"]), *of_row)
    for kind, about in told.newest:
        if kind == "record" and about not in seen and not told.gone.has(kind, about):
            yield Break(kind="record", about=about, why="missing")
    for kind, about in told.unreadable - set(told.newest):
        if kind == "record" and about not in seen:
            yield Break(kind="record", about=about, why="missing")


def _one_record(
    told: _Told, row: RowMapping, seal: Seal | None, files: list[Mapping[str, Any]], stages: list[str]
) -> Iterator[Break]:
    about = row["id"]
    text = None if seal is None or row["sealed"] is None else seal.open("row", row["sealed"])
    if text is None:
        yield Break(kind="record", about=about, why="changed or unreadable")
        return
    contents = codec.read_contents(text)
    if stages != (["received"] if contents.received == contents.delivered else ["delivered", "received"]):
        yield Break(kind="record", about=about, why="a form is missing or added")
    sums = contents.received.sha256, contents.delivered.sha256
    facts = ledger.record_facts(dict(row), text, files, *sums)
    yield from _files_compared(told, about, facts)
    yield from _compared(told, "record", about, ledger.entry_bytes("record", facts))
    yield from _compared(
        told, "state", about, ledger.entry_bytes("state", ledger.facts(dict(row), ledger.STATE_COLUMNS))
    )


def _files_compared(told: _Told, about: str, facts: dict[str, Any]) -> Iterator[Break]:
    """Of a record that changed its files, those of the newest entry count; the record's own has those of its first day.

    Compares them, and puts those of the first day into `facts`, with which the record's own entry is compared.
    """
    newest, first = told.newest.get(("files", about)), told.newest.get(("record", about))
    if newest is None or first is None:
        if ("files", about) in told.unreadable:
            yield Break(kind="record", about=about, why="not proved: its ledger entry is damaged")
        return
    names = ("files", "key_sha256")
    wanted = ledger.entry_bytes("files", {"id": about, **{name: facts[name] for name in names}})
    if newest != wanted:
        yield Break(kind="record", about=about, why="changed: it stands in other files than it should")
    facts.update({name: json.loads(first)[name] for name in names})


def _row_breaks(
    connection: Connection, told: _Told, kind: str, table: Any, columns: Sequence[str], key: Sequence[str]
) -> Iterator[Break]:
    seen = set()
    for row in connection.execute(select(table)).mappings():
        about = ":".join(str(row[name]) for name in key)
        seen.add(about)
        wanted = ledger.facts(dict(row), columns, (row["sealed"] or b"") if "sealed" in row else None)
        yield from _compared(told, kind, about, ledger.entry_bytes(kind, wanted))
    for name, about in told.newest:
        if name == kind and about not in seen and not told.gone.has(kind, about):
            yield Break(kind=kind, about=about, why="missing")


def _compared(told: _Told, kind: str, about: str, wanted: bytes) -> Iterator[Break]:
    found = told.newest.get((kind, about))
    if found is None:
        why = "not proved: its ledger entry is damaged" if (kind, about) in told.unreadable else "added"
        yield Break(kind=kind, about=about, why=why)
    elif found != wanted:
        yield Break(kind=kind, about=about, why="changed")


def _files(connection: Connection, ids: list[str]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    entry = tables.client_files.c
    for row in connection.execute(select(tables.client_files).where(entry.message_id.in_(ids))).mappings():
        found.setdefault(row["message_id"], []).append(dict(row))
    return found


def _stages(connection: Connection, ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    form = tables.bodies.c
    for row in connection.execute(select(form.message_id, form.stage).where(form.message_id.in_(ids))):
        found.setdefault(row.message_id, []).append(row.stage)
    return found


def _key_breaks(connection: Connection, told: _Told) -> Iterator[Break]:
    vault = keyring.vault_of(connection)
    seen = set()
    for row in connection.execute(select(tables.keys)).mappings():
        if row["id"] == STORE_KEY:
            if (row["name"], row["created_at"], row["destroyed_at"]) != (None, "", None):
                yield Break(kind="key", about=STORE_KEY, why="changed")
            continue
        seen.add(row["id"])
        wanted = ledger.facts(dict(row), ledger.KEY_COLUMNS, row["name"] or b"")
        yield from _compared(told, "key", row["id"], ledger.entry_bytes("key", wanted))
        if (row["wrapped"] is None) is not (row["destroyed_at"] is not None):
            why = "missing" if row["wrapped"] is None else "put back after its destruction"
            yield Break(kind="key", about=row["id"], why=why)
        elif row["wrapped"] is not None and vault.unwrapped(row["id"], row["wrapped"]) is None:
            yield Break(kind="key", about=row["id"], why="changed")
    for kind, about in told.newest:
        if kind == "key" and about not in seen:
            yield Break(kind="key", about=about, why="missing")


def _pages(connection: Connection) -> Iterator[Sequence[RowMapping]]:
    last = None
    while True:
        query = select(tables.ledger).order_by(tables.ledger.c.seq).limit(_PAGE)
        page = connection.execute(query if last is None else query.where(tables.ledger.c.seq > last)).mappings().all()
        if not page:
            return
        yield page
        last = page[-1]["seq"]
