"""A whole store copied into another home, from a folder to servers or back: sealed as it is, byte for byte, and proved.

Rows go page by page, bodies before their rows; what is there already is passed over, so that a copy that was cut off is
gone on with. Until the last row is compared and every body proved against the ledger, the copy is marked as unfinished
and nobody but this can open it. Both homes must be open alone and under one master key. Called by `store migrate`.
The index of words is left out: it is no evidence, larger than the records' rows, and made anew from them (`indexing`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.archive import bodies, index
from gateway.archive.database import (
    UNFINISHED,
    Connection,
    Database,
    Table,
    checkpoints,
    func,
    keys,
    ledger,
    messages,
    metadata,
    select,
    tuple_,
)
from gateway.archive.database import bodies as body_rows
from gateway.archive.homes import Home
from gateway.archive.ledger import public_key
from gateway.archive.life_tables import index_state, word_owners, words
from gateway.archive.model import Stage, Verification
from gateway.archive.sealing import record_header
from gateway.archive.statements import change, insert
from gateway.archive.vault import STORE_KEY
from gateway.archive.verify import verification
from gateway.message.errors import MachineryFailed

_PAGE = 200
_LEFT_OUT = frozenset({checkpoints, words, word_owners, index_state})  # the head comes last, the index is made anew
_MARK = "INSERT INTO checkpoints (id, size, root, at, signature, peaks) VALUES (1, ?, ?, '', ?, ?)"
Row = dict[str, Any]
Progress = Callable[[int, int], None]


class CopyDiffers(MachineryFailed):
    """The copy is not what the source is; `where` names the table."""

    def __init__(self, where: str) -> None:
        super().__init__(f"the copy differs from the store in {where}: begin again with an empty one", where=where)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a copy came to: rows by table, how many of them this run wrote, and the proof of the copy."""

    rows: Mapping[str, int]
    written: int
    verification: Verification


def copy_store(source: Home, target: Home, progress: Progress | None = None) -> Moved:
    """Copy and prove; `progress(done, total)` counts rows.

    Raises MachineryFailed: a home is not open alone, the keys differ, the target holds another store, CopyDiffers.
    """
    for home in (source, target):
        if home.seat is None or not home.seat.is_alone:
            raise MachineryFailed("both stores must be open alone: stop every gateway first")
    _begin(source.database, target.database)
    target.place.claim(public_key(target.database.vault).hex())
    tables = [table for table in metadata.sorted_tables if table not in _LEFT_OUT]
    total = sum(_count(source.database, table) for table in tables)
    done = written = 0
    for table in tables:
        for page in _pages(source.database, table):
            written += _copy(source, target, table, page)
            done += len(page)
            if progress is not None:
                progress(done, total)
    for table in tables:
        _compare(source, target, table)
    _end(source.database, target.database)
    proof = verification(target.database, target.place, None)
    if not proof.is_sound:
        _mark(target.database)
        raise CopyDiffers("its proof against the ledger")
    return Moved(rows={table.name: _count(target.database, table) for table in tables}, written=written,
                 verification=proof)  # fmt: skip


def _begin(source: Database, target: Database) -> None:
    """Mark the target as unfinished and give it the store's own key. Raises MachineryFailed for one that is in use."""
    head = target.read(_head)
    is_new = head is None and target.read(partial(_is_empty, tables=(messages, ledger)))
    if not is_new and (head is None or head["size"] != UNFINISHED):
        raise MachineryFailed("the other store is in use: give an empty database and an empty folder or prefix")
    wrapped = source.read(lambda c: c.execute(select(keys.c.wrapped).where(keys.c.id == STORE_KEY)).scalar_one())
    target.vault.unlock(wrapped)  # MasterKeyWrong, if it is another master key
    with target.writing() as connection:
        change(connection, "UPDATE keys SET wrapped = ? WHERE id = ?", (wrapped, STORE_KEY))
    if is_new:
        _mark(target)


def _mark(target: Database) -> None:
    with target.writing() as connection:
        change(connection, "DELETE FROM checkpoints")
        change(connection, _MARK, (UNFINISHED, b"", b"", b""))


def _end(source: Database, target: Database) -> None:
    """The ledger's head, last of all: from here on the copy is a store."""
    heads = source.read(lambda c: [dict(row) for row in c.execute(select(checkpoints)).mappings()])
    with target.writing() as connection:
        change(connection, "DELETE FROM checkpoints")
        if heads:
            insert(connection, checkpoints, heads)
        index.clear(connection)  # an unfinished copy by an older release has some of it
        target.after_copy(connection)


def _copy(source: Home, target: Home, table: Table, page: list[Row]) -> int:
    """Write the rows of that page that the target has not, or has otherwise; the count."""
    there = target.database.read(partial(_same_keys, table=table, page=page))
    if table is body_rows:
        page = [row for row in page if _key(table, row) not in there]
        rows = _placed(source, target, page)
    else:
        rows = [row for row in page if there.get(_key(table, row)) != row]
    if rows:
        with target.database.writing() as connection:
            for row in rows:
                if _key(table, row) in there:
                    _update(connection, table, row)
            new = [row for row in rows if _key(table, row) not in there]
            if new:
                insert(connection, table, new)
    return len(rows)


def _placed(source: Home, target: Home, page: list[Row]) -> list[Row]:
    """Rows of bodies as the target has them; what is to be loose there is durable when this returns."""
    if not page:
        return []
    ids = {row["message_id"] for row in page}
    columns = (messages.c.id, messages.c.ref, messages.c.received_at, messages.c.direction)
    query = select(*columns).where(messages.c.id.in_(ids))
    of_id = {row.id: row for row in source.database.read(lambda c: c.execute(query).all())}
    rows: list[Row] = []
    loose: list[bodies.Loose] = []
    for row in page:
        sealed = _sealed(source, row)
        if sealed is None or len(sealed) <= target.place.inline_bytes:
            rows.append({**row, "content": sealed, "file": None})
            continue
        of = of_id[row["message_id"]]
        header = record_header(of.id, of.received_at, of.direction)
        loose.append(bodies.loosened(of.ref, header, Stage(row["stage"]), sealed))
        rows.append({**row, "content": None, "file": loose[-1].name})
    fresh = [body for body in loose if target.place.get(body.name) != body.content]
    if fresh:
        asyncio.run(target.place.put(fresh))
    return rows


def _compare(source: Home, target: Home, table: Table) -> None:
    """Every row of the source is in the target as it is, and no other. Raises CopyDiffers."""
    if _count(source.database, table) != _count(target.database, table):
        raise CopyDiffers(table.name)
    for page in _pages(source.database, table):
        there = target.database.read(partial(_same_keys, table=table, page=page))
        for row in page:
            copied = there.get(_key(table, row))
            if copied is None or (table is not body_rows and copied != row):
                raise CopyDiffers(table.name)
            if table is body_rows and _sealed(source, row) != _sealed(target, copied):
                raise CopyDiffers(table.name)


def _sealed(home: Home, row: Row) -> bytes | None:
    if row["file"] is None:
        content: bytes | None = row["content"]
        return content
    found = home.place.get(row["file"])
    return None if found is None else bodies.sealed_of(found)


def _pages(database: Database, table: Table) -> Iterator[list[Row]]:
    """All rows in the order of their keys. The page is the last one that is not full."""
    order = list(table.primary_key.columns)
    offset: Row | None = None
    while True:
        query = select(table).order_by(*order).limit(_PAGE)
        if offset is not None:
            query = query.where(tuple_(*order) > tuple_(*(offset[column.name] for column in order)))
        page = [dict(row) for row in database.read(lambda c, q=query: c.execute(q).mappings().all())]  # type: ignore[misc]
        if page:
            yield page
        if len(page) < _PAGE:
            return
        offset = page[-1]


def _same_keys(connection: Connection, table: Table, page: list[Row]) -> dict[tuple[Any, ...], Row]:
    """The rows of the target whose keys are those of the page, by key."""
    first = next(iter(table.primary_key.columns))
    wanted = {_key(table, row) for row in page}
    query = select(table).where(first.in_({row[first.name] for row in page}))
    found = (dict(row) for row in connection.execute(query).mappings())
    return {_key(table, row): row for row in found if _key(table, row) in wanted}


def _update(connection: Connection, table: Table, row: Row) -> None:
    statement = table.update().values(row)
    for column in table.primary_key.columns:
        statement = statement.where(column == row[column.name])
    connection.execute(statement)


def _key(table: Table, row: Row) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key.columns)


def _count(database: Database, table: Table) -> int:
    return int(database.read(lambda c: c.execute(select(func.count()).select_from(table)).scalar_one()))


def _head(connection: Connection) -> Row | None:
    row = connection.execute(select(checkpoints).where(checkpoints.c.id == 1)).mappings().first()
    return None if row is None else dict(row)


def _is_empty(connection: Connection, tables: tuple[Table, ...]) -> bool:
    return all(connection.execute(select(table).limit(1)).first() is None for table in tables)
