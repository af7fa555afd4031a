"""A backup as docs/operate.md says, taken while mail is filed, and put back: whole, provable, and able to go on."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from gateway.archive.master import KeyFromFile, make_key_file
from gateway.archive.store import Store
from tests.unit.archive.records import a_record

pytestmark = pytest.mark.integration
BEFORE, MEANWHILE = 20, 40


def a_message(number: int) -> bytes:
    """Each fourth too large for the database: a file of its own."""
    filler = os.urandom(300_000).hex().encode() if number % 4 == 0 else b"See you on Tuesday."
    return b"Subject: %d\r\n\r\n" % number + filler + b"\r\n"


def back_up(store: Path, copy: Path) -> None:
    """The database by SQLite's own means, then the large messages."""
    copy.mkdir(mode=0o700)
    with sqlite3.connect(store / "store.sqlite") as source, sqlite3.connect(copy / "store.sqlite") as target:
        source.backup(target, pages=64, sleep=0.001)
    source.close()
    target.close()
    for folder in (entry for entry in store.iterdir() if entry.is_dir()):
        shutil.copytree(folder, copy / folder.name)


def test_a_backup_taken_while_mail_is_filed_opens_proves_and_goes_on(tmp_path: Path) -> None:
    key = tmp_path / "archive.key"
    make_key_file(key)
    home, copy = tmp_path / "var", tmp_path / "copy"

    async def fill() -> None:
        async with await Store.open(home, master=KeyFromFile(path=key), is_gateway=True) as store:

            async def file(number: int) -> None:
                record = a_record(f"m-{number:03d}", received=a_message(number), delivered=a_message(number))
                await store.file_sending(record)
                await store.mark_sent(record.id, 250, record.received_at)

            for number in range(BEFORE):
                await file(number)
            backup = asyncio.create_task(asyncio.to_thread(back_up, home, copy))
            for number in range(BEFORE, MEANWHILE):
                await file(number)
            await backup

    async def restore() -> None:
        async with await Store.open(copy, master=KeyFromFile(path=key), is_gateway=True) as store:
            kept = {record.id for record in await store.records()}
            assert {f"m-{number:03d}" for number in range(BEFORE)} <= kept
            assert (await store.verify()).is_sound
            await store.file_sending(a_record("m-999"))
            assert (await store.verify()).is_sound

    asyncio.run(fill())
    assert [path for path in (copy / "large").rglob("*") if path.is_file()]
    asyncio.run(restore())
