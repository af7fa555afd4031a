"""A store copied into another home: between two folders here, between a folder and servers in the integration tests."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.archive.homes import open_folder
from gateway.archive.indexing import Indexing
from gateway.archive.life_model import HoldKind
from gateway.archive.master import KeyFromFile
from gateway.archive.model import AuditEntry, Stage
from gateway.archive.moving import CopyDiffers, Moved, copy_store
from gateway.archive.search import Query
from gateway.archive.store import Store
from gateway.content.documents.reader import NOTHING, Attachments
from gateway.message.errors import MachineryFailed
from gateway.message.model import Message
from tests.unit.archive.lives import LUC, NOW, TODAY, a_client, a_life, an_old_record, dispose, file
from tests.unit.archive.records import NOON, a_hold, a_letter, a_record

LARGE = os.urandom(300_000)


async def fill(folder: Path) -> str | None:
    async with await Store.open(folder, reserve_bytes=0) as store:
        await store.file_sending(a_record("m-1", files=("C-1", "C-2"), thread="t", notice_language="en"))
        await store.mark_sent("m-1", 250, NOON)
        held = a_record("m-2", received=LARGE)
        await store.hold(held, a_hold(held), [a_letter(about="m-2")])
        await store.file_sending(a_record("m-3", files=()))
        await store.write_audit(AuditEntry(at=NOON, who="r-lee", what="viewed", file="C-1"))
        return await store.checkpoint()


async def checked(folder: Path) -> str | None:
    async with await Store.open(folder, is_gateway=True, reserve_bytes=0) as store:
        head = await store.checkpoint()
        assert (await store.verify()).is_sound
        assert await store.body("m-2", Stage.RECEIVED) == LARGE
        assert [record.id for record in await store.records("C-2")] == ["m-1"]
        assert (await store.recover(NOON)).stray_files == 0
        assert len(await store.audit(file="C-1")) == 1
    return head


def copied(
    source: Path, target: Path, progress: Callable[[int, int], None] | None = None, key: str = "archive.key"
) -> Moved:
    ours = open_folder(source, KeyFromFile(path=source.parent / "archive.key"), is_gateway=True)
    try:
        theirs = open_folder(target, KeyFromFile(path=source.parent / key), is_gateway=True, may_be_unfinished=True)
        try:
            return copy_store(ours, theirs, progress)
        finally:
            theirs.close()
    finally:
        ours.close()


@contextmanager
def changed(folder: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(folder / "store.sqlite")
    yield connection
    connection.commit()
    connection.close()


def test_a_copy_is_the_store_under_the_same_head(tmp_path: Path) -> None:
    head = asyncio.run(fill(tmp_path / "var"))
    moved = copied(tmp_path / "var", tmp_path / "copy")
    assert moved.rows["messages"] == 3
    assert moved.verification.bodies == 6
    assert asyncio.run(checked(tmp_path / "copy")) == head
    assert asyncio.run(checked(tmp_path / "var")) is not None


def test_a_copy_that_was_cut_off_can_only_be_gone_on_with(tmp_path: Path) -> None:
    def cut_off(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    asyncio.run(fill(tmp_path / "var"))
    with pytest.raises(KeyboardInterrupt):
        copied(tmp_path / "var", tmp_path / "copy", cut_off)
    with pytest.raises(MachineryFailed, match="not wholly copied"):
        asyncio.run(Store.open(tmp_path / "copy"))
    moved = copied(tmp_path / "var", tmp_path / "copy")
    assert 0 < moved.written < sum(moved.rows.values())
    asyncio.run(checked(tmp_path / "copy"))


def test_what_the_store_did_between_two_attempts_is_in_the_copy(tmp_path: Path) -> None:
    def cut_off(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    async def go_on() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await store.mark_sent("m-3", 250, NOON)

    asyncio.run(fill(tmp_path / "var"))
    with pytest.raises(KeyboardInterrupt):
        copied(tmp_path / "var", tmp_path / "copy", cut_off)
    asyncio.run(go_on())
    copied(tmp_path / "var", tmp_path / "copy")
    asyncio.run(checked(tmp_path / "copy"))


def test_a_store_in_use_is_not_written_into(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "var"))
    asyncio.run(fill(tmp_path / "other"))
    with pytest.raises(MachineryFailed, match="in use"):
        copied(tmp_path / "var", tmp_path / "other")
    asyncio.run(checked(tmp_path / "other"))


def test_another_master_key_is_refused(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "var"))
    with pytest.raises(MachineryFailed, match="master key"):
        copied(tmp_path / "var", tmp_path / "copy", key="other.key")


def test_a_row_too_many_in_the_copy_is_found(tmp_path: Path) -> None:
    def cut_off(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    asyncio.run(fill(tmp_path / "var"))
    with pytest.raises(KeyboardInterrupt):
        copied(tmp_path / "var", tmp_path / "copy", cut_off)
    with changed(tmp_path / "copy") as connection:
        connection.execute("INSERT INTO told VALUES ('x', 'en', '1', '1')")
    with pytest.raises(CopyDiffers, match="told"):
        copied(tmp_path / "var", tmp_path / "copy")


def test_damage_in_the_store_does_not_pass_as_a_copy(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path / "var"))
    with changed(tmp_path / "var") as connection:
        connection.execute("UPDATE bodies SET content = zeroblob(40) WHERE message_id = 'm-1'")
    with pytest.raises(CopyDiffers, match="ledger"):
        copied(tmp_path / "var", tmp_path / "copy")
    with pytest.raises(MachineryFailed, match="not wholly copied"):
        asyncio.run(Store.open(tmp_path / "copy"))


def test_a_store_that_others_may_open_is_not_copied(tmp_path: Path) -> None:
    key = KeyFromFile(path=tmp_path / "archive.key")
    ours, theirs = open_folder(tmp_path / "var", key), open_folder(tmp_path / "copy", key, is_gateway=True)
    with pytest.raises(MachineryFailed, match="alone"):
        copy_store(ours, theirs)
    ours.close()
    theirs.close()


def test_the_index_of_words_is_not_copied_but_made_anew(tmp_path: Path) -> None:
    async def no_attachments(_message: Message) -> Attachments:
        return NOTHING

    async def found(folder: Path) -> list[str]:
        async with await Store.open(folder, reserve_bytes=0) as store:
            query = Query(phrases=(("zephyrine",),))
            return [record.id for record in (await Indexing(store, no_attachments).find(query)).records]

    async def file_lamp() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await store.file_sending(a_record("m-9", received=b"Subject: lamp\r\n\r\nThe zephyrine lamp.\r\n"))
            await store.mark_sent("m-9", 250, NOON)

    asyncio.run(fill(tmp_path / "var"))
    asyncio.run(file_lamp())
    assert asyncio.run(found(tmp_path / "var")) == ["m-9"]
    moved = copied(tmp_path / "var", tmp_path / "copy")
    assert moved.rows.keys().isdisjoint({"words", "word_owners", "index_state"})
    with changed(tmp_path / "copy") as connection:
        assert connection.execute("SELECT count(*) FROM words").fetchone() == (0,)
    assert asyncio.run(found(tmp_path / "copy")) == ["m-9"]


def test_the_number_of_a_hold_that_went_with_its_file_is_not_given_again(tmp_path: Path) -> None:
    async def destroyed() -> int:
        async with await Store.open(tmp_path / "var", reserve_bytes=0, is_gateway=True) as store:
            await file(store, an_old_record("m-1"), an_old_record("m-2", files=("C-2",)))
            life = a_life(store, a_client(), a_client("C-2"))
            hold = await life.hold("C-1042", kind=HoldKind.LEGAL, reason="r", by=LUC, at=NOW)
            await life.end_hold("C-1042", hold.number, reason="settled", by=LUC, at=NOW)
            await life.suggest(day=TODAY, at=NOW)
            await dispose(life, "C-1042")
            return hold.number

    async def held_then() -> int:
        async with await Store.open(tmp_path / "copy", reserve_bytes=0, is_gateway=True) as store:
            life = a_life(store, a_client("C-2"))
            hold = await life.hold("C-2", kind=HoldKind.LEGAL, reason="r", by=LUC, at=NOW)
            assert (await store.verify()).is_sound
            return hold.number

    gone = asyncio.run(destroyed())
    copied(tmp_path / "var", tmp_path / "copy")
    later = asyncio.run(held_then())
    assert later > gone
    with changed(tmp_path / "copy") as connection:
        connection.execute("DELETE FROM file_holds")

    async def verified() -> bool:
        async with await Store.open(tmp_path / "copy", reserve_bytes=0) as store:
            return (await store.verify()).is_sound

    assert not asyncio.run(verified())
