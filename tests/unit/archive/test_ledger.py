"""Tampering with the store is found: 200 random changes to rows, objects and ledger nodes, and a store put back."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.archive import ledger
from gateway.archive.ledger import Checkpoint, read_checkpoint
from gateway.archive.model import AuditEntry, Verification
from gateway.archive.store import Store
from gateway.holding.model import Outcome
from tests.unit.archive.records import JORDAN, NOON, a_hold, a_record, later

TABLES = {
    "messages": "id", "bodies": "rowid", "client_files": "rowid", "holds": "ref", "audit": "id", "ledger": "seq",
    "checkpoints": "id", "keys": "id",
}  # fmt: skip
SEED = 6962


async def fill(folder: Path) -> None:
    async with await Store.open(folder, reserve_bytes=0) as store:
        for number in range(12):
            files = (("C-1",), ("C-2",), ("C-1", "C-2"), ())[number % 4]
            content = os.urandom(400_000) if number == 5 else b"Subject: %d\r\n\r\ntext\r\n" % number
            record = a_record(f"m-{number:02d}", minutes=number, files=files, received=content, thread=f"t-{number}")
            if number % 3:
                await store.file_sending(record)
                await store.mark_sent(record.id, 250, later(number + 1))
            else:
                await store.hold(record, a_hold(record))
        (first, *_) = await store.holds()
        await store.begin_release(first.ref, by="w-tremblay", why="fine", at=later(20))
        await store.finish_release(first.ref, at=later(21), outcomes=[Outcome(address=JORDAN, code=250)])
        for number in range(4):
            await store.write_audit(AuditEntry(at=NOON, who="w-1", what="viewed", why=f"case {number}", file="C-1"))


def verified(folder: Path, kept: Checkpoint | None = None) -> Verification:
    async def run() -> Verification:
        async with await Store.open(folder, reserve_bytes=0) as store:
            return await store.verify(kept=kept)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("sound")
    asyncio.run(fill(base / "var"))
    assert verified(base / "var").is_sound
    return base


def copy_of(sound: Path, base: Path) -> Path:
    shutil.copytree(sound, base, dirs_exist_ok=True)
    return base / "var"


def changed_value(value: object, dice: random.Random) -> object:
    """Another value of the same kind."""
    match value:
        case bytes():
            flipped = bytearray(value or b"\0")
            flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(8)
            return bytes(flipped)
        case int():
            return value + 1000 + dice.randrange(5)
        case str():
            return value[:-1] + ("x" if value[-1:] != "x" else "y")
        case _:
            return "x"


def flip(connection: sqlite3.Connection, table: str, dice: random.Random) -> str:
    key = TABLES[table]
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    column = dice.choice(columns)
    rows = connection.execute(f"SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL").fetchall()
    if table == "keys":
        rows = [row for row in rows if row[0] != "store"]
    name, value = dice.choice(rows or connection.execute(f"SELECT {key}, {column} FROM {table}").fetchall())
    new = changed_value(value, dice)
    connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (new, name))
    return f"flip {table}.{column} of {name}"


def delete(connection: sqlite3.Connection, table: str, dice: random.Random) -> str:
    key = TABLES[table]
    name = dice.choice([row[0] for row in connection.execute(f"SELECT {key} FROM {table}") if row[0] != "store"])
    connection.execute(f"DELETE FROM {table} WHERE {key} = ?", (name,))
    return f"delete {name} of {table}"


def insert(connection: sqlite3.Connection, table: str, dice: random.Random) -> str:
    """A row as one that is there, under another key."""
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    row = dict(zip(columns, dice.choice(connection.execute(f"SELECT * FROM {table}").fetchall()), strict=True))
    given = {"messages": {"id": "m-x", "ref": "R-x"}, "bodies": {"message_id": "m-00", "stage": "other"},
             "client_files": {"file": "f-x"}, "holds": {"ref": "H-x", "message_id": "m-x"}, "audit": {"id": 99},
             "ledger": {"seq": 999}, "checkpoints": {"id": 2, "size": 1}, "keys": {"id": "k-x"}}[table]  # fmt: skip
    row |= given
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))
    return f"insert into {table}"


def swap(connection: sqlite3.Connection, table: str, dice: random.Random) -> str:
    """Two rows exchange everything but their keys."""
    keys = {"messages": {"id", "ref"}, "bodies": {"message_id", "stage"}, "client_files": {"file", "message_id"},
            "holds": {"ref", "message_id"}}.get(table, {TABLES[table]})  # fmt: skip
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] not in keys]
    key = TABLES[table]
    names = [row[0] for row in connection.execute(f"SELECT {key} FROM {table}") if row[0] != "store"]
    if len(names) < 2:
        return flip(connection, table, dice)
    pair = dice.sample(names, 2)
    query = f"SELECT {', '.join(columns)} FROM {table} WHERE {key} = ?"
    values = [connection.execute(query, (name,)).fetchone() for name in pair]
    assert values[0] != values[1]
    for name, value in zip(pair, reversed(values), strict=True):
        marks = ", ".join(f"{column} = ?" for column in columns)
        connection.execute(f"UPDATE {table} SET {marks} WHERE {key} = ?", (*value, name))
    return f"swap {pair} of {table}"


def spoil_object(folder: Path, dice: random.Random) -> str:
    """A large object changed, cut or taken away."""
    path = dice.choice(sorted((folder / "large").iterdir()))
    content = bytearray(path.read_bytes())
    match dice.randrange(3):
        case 0:
            path.unlink()
        case 1:
            path.write_bytes(content[: len(content) // 2])
        case _:
            content[dice.randrange(len(content))] ^= 1
            path.write_bytes(content)
    return f"object {path.name}"


WAYS: tuple[Callable[[sqlite3.Connection, str, random.Random], str], ...] = (flip, flip, delete, insert, swap)


@pytest.mark.slow
def test_of_200_random_tamperings_none_stays_undetected(sound: Path, tmp_path: Path) -> None:
    dice = random.Random(SEED)
    undetected = []
    for number in range(200):
        folder = copy_of(sound, tmp_path / str(number))
        if number % 20 == 0:
            what = spoil_object(folder, dice)
        else:
            with sqlite3.connect(folder / "store.sqlite") as connection:
                table = dice.choice(sorted(TABLES))
                what = dice.choice(WAYS)(connection, table, dice)
            connection.close()
        if verified(folder).is_sound:
            undetected.append(what)
        shutil.rmtree(tmp_path / str(number))
    assert undetected == []


@pytest.mark.parametrize(
    ("statement", "kind", "about", "why"),
    [
        ("UPDATE messages SET action = 'hold' WHERE id = 'm-01'", "record", "m-01", "changed"),
        ("UPDATE messages SET state = 'refused' WHERE id = 'm-01'", "state", "m-01", "changed"),
        ("DELETE FROM client_files WHERE message_id = 'm-02' AND rowid % 2", "record", "m-02", "changed"),
        ("UPDATE holds SET state = 'returned' WHERE message_id = 'm-03'", "hold", None, "changed"),
        ("UPDATE audit SET at = '2020' WHERE id = 2", "audit", "2", "changed"),
        ("DELETE FROM audit WHERE id = 2", "audit", "2", "missing"),
        ("DELETE FROM ledger WHERE seq = 3", "ledger", "3", "missing"),
        ("UPDATE ledger SET leaf = randomblob(32) WHERE seq = 3", "ledger", "3", "changed"),
    ],
)
def test_what_was_done_is_named(
    sound: Path, tmp_path: Path, statement: str, kind: str, about: str | None, why: str
) -> None:
    folder = copy_of(sound, tmp_path / "base")
    with sqlite3.connect(folder / "store.sqlite") as connection:
        connection.execute(statement)
    connection.close()
    found = [(entry.kind, entry.about, entry.why) for entry in verified(folder).breaks]
    assert any(entry[0] == kind and about in (None, entry[1]) and entry[2] == why for entry in found), found


def test_a_whole_message_taken_out_with_all_its_rows_is_named(sound: Path, tmp_path: Path) -> None:
    folder = copy_of(sound, tmp_path / "base")
    with sqlite3.connect(folder / "store.sqlite") as connection:
        for table in ("bodies", "client_files"):
            connection.execute(f"DELETE FROM {table} WHERE message_id = 'm-01'")
        connection.execute("DELETE FROM messages WHERE id = 'm-01'")
    connection.close()
    assert ("record", "m-01", "missing") in [(e.kind, e.about, e.why) for e in verified(folder).breaks]


def test_a_store_that_was_put_back_is_found_against_a_kept_checkpoint(sound: Path, tmp_path: Path) -> None:
    folder = copy_of(sound, tmp_path / "now")
    before = copy_of(sound, tmp_path / "before")

    async def go_on(path: Path, name: str) -> str:
        async with await Store.open(path, reserve_bytes=0) as store:
            await store.file_sending(a_record(name))
            text = await store.checkpoint()
            assert text is not None
            return text

    read = read_checkpoint(asyncio.run(go_on(folder, "m-new")))
    assert read is not None
    assert verified(folder, read[0]).is_sound
    asyncio.run(go_on(folder, "m-newer"))
    assert verified(folder, read[0]).is_sound
    assert verified(before).is_sound
    assert [found.why for found in verified(before, read[0]).breaks] == ["rolled back: the store is older"]
    asyncio.run(go_on(before, "m-other"))
    asyncio.run(go_on(before, "m-another"))
    assert [found.why for found in verified(before, read[0]).breaks] == [
        "rolled back: the store went another way since"
    ]


def test_a_checkpoint_of_another_store_is_told(sound: Path, tmp_path: Path) -> None:
    folder = copy_of(sound, tmp_path / "base")
    foreign = Checkpoint(size=1, root=b"r" * 32, at="2026", signature=b"s" * 64)
    assert [found.why for found in verified(folder, foreign).breaks] == ["not signed by this store"]


@pytest.mark.parametrize("text", ["", "one\ntwo", "practicum-gateway archive\nx\n!!\nat\n\nk\ns\n"])
def test_what_is_no_checkpoint_is_not_read_as_one(text: str) -> None:
    assert read_checkpoint(text) is None


def test_what_a_refused_write_noted_does_not_enter_the_ledger(tmp_path: Path) -> None:
    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await store.file_sending(a_record("m-1"))
            results = await asyncio.gather(
                *(store.file_sending(a_record(name)) for name in ("m-2", "m-1", "m-3")), return_exceptions=True
            )
            assert [type(result).__name__ for result in results] == ["NoneType", "MachineryFailed", "NoneType"]
            assert (await store.verify()).is_sound

    asyncio.run(run())


def test_a_leaf_hides_its_entry_behind_a_salt() -> None:
    assert ledger.SALT_BYTES == 16
    one, two = (ledger.entry_bytes("record", {"id": "m-1", "x": None}) for _ in range(2))
    assert one == two == b'{"id":"m-1","kind":"record","x":null}'
