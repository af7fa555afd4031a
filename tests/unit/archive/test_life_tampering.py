"""Whoever changes, takes out or adds a row of a file's life by other means is found by `verify`."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from gateway.archive import master
from gateway.archive.life_model import HoldKind
from gateway.archive.master import KeyFromFile
from gateway.archive.model import Verification
from gateway.archive.store import Store
from tests.unit.archive.lives import LUC, NOW, TODAY, a_client, a_life, an_old_record, dispose, file
from tests.unit.archive.records import a_record
from tests.unit.archive.test_ledger import changed_value

TABLES = {
    "file_holds": ("id", "id + 50"), "file_lives": ("file", "'f-x'"), "disposals": ("id", "id + 50"),
    "merges": ("file", "'f-x'"), "past_addresses": ("address", "'a-x'"), "master_keys": ("id", "'k-x'"),
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose every table of the life of files has rows, one file destroyed, one merged, its key changed."""
    base = tmp_path_factory.mktemp("sound")
    old, new = KeyFromFile(path=base / "old.key"), base / "archive.key"
    master.make_key_file(new)

    async def fill() -> None:
        async with await Store.open(base / "var", reserve_bytes=0, is_gateway=True, master=old) as store:
            await file(
                store, an_old_record("m-1"), an_old_record("m-2", files=("C-2",)), a_record("m-3", files=("C-3",))
            )
            await file(store, a_record("m-4", files=("C-4",)))
            life = a_life(store, a_client(), a_client("C-2"), a_client("C-3"))
            await life.suggest(day=TODAY, at=NOW)
            await life.hold("C-3", kind=HoldKind.LEGAL, reason="a suit", by=LUC, at=NOW)
            await dispose(life, "C-1042")
            await life.merge("C-4", "C-3", by="r", reason="r", at=NOW)
            await store.rotate(KeyFromFile(path=new))
            assert (await store.verify()).is_sound

    asyncio.run(fill())
    return base


def verified(folder: Path) -> Verification:
    async def run() -> Verification:
        async with await Store.open(folder, reserve_bytes=0) as store:
            return await store.verify()

    return asyncio.run(run())


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_column_of_every_row_counts(sound: Path, tmp_path: Path, table: str) -> None:
    dice = random.Random(15)
    key, other = TABLES[table]
    with sqlite3.connect(sound / "var" / "store.sqlite") as connection:
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        (name, *_) = connection.execute(f"SELECT {key} FROM {table}").fetchone()
        values = dict(zip(columns, connection.execute(f"SELECT * FROM {table}").fetchone(), strict=True))
    connection.close()
    changes: list[tuple[str, tuple[object, ...]]] = [
        (f'UPDATE {table} SET "{column}" = ? WHERE {key} = ?', (changed_value(value, dice), name))
        for column, value in values.items()
    ]
    names = ", ".join(f'"{column}"' for column in columns)
    others = ", ".join(other if column == key else f'"{column}"' for column in columns)
    changes.append((f"DELETE FROM {table} WHERE {key} = ?", (name,)))
    changes.append((f"INSERT INTO {table} ({names}) SELECT {others} FROM {table} WHERE {key} = ?", (name,)))
    for number, (statement, arguments) in enumerate(changes):
        base = shutil.copytree(sound, tmp_path / str(number))
        with sqlite3.connect(base / "var" / "store.sqlite") as connection:
            connection.execute(statement, arguments)
        connection.close()
        assert not verified(base / "var").is_sound, statement


def test_a_record_taken_out_without_a_disposal_is_missing_and_a_destroyed_one_is_not(
    sound: Path, tmp_path: Path
) -> None:
    base = shutil.copytree(sound, tmp_path / "base")
    with sqlite3.connect(base / "var" / "store.sqlite") as connection:
        for table in ("bodies", "client_files"):
            connection.execute(f"DELETE FROM {table} WHERE message_id = 'm-2'")
        connection.execute("DELETE FROM messages WHERE id = 'm-2'")
        connection.execute(
            "UPDATE keys SET wrapped = NULL WHERE id IN (SELECT file FROM disposals WHERE state <> 'done')"
        )
    connection.close()
    found = {(entry.kind, entry.about) for entry in verified(base / "var").breaks}
    assert ("record", "m-2") in found
    assert ("record", "m-1") not in found
    assert any(kind == "key" for kind, _ in found)
