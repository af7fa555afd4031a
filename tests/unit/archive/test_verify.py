"""Damage to stored bytes is found and named."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from pathlib import Path

from gateway.archive import bodies
from gateway.archive.model import Verification
from gateway.archive.store import Store
from tests.unit.archive.records import a_record

LARGE = random.Random(5).randbytes(bodies.LARGE_BYTES * 2)


def verified(folder: Path, *damages: str) -> tuple[Verification, list[tuple[int, int]]]:
    """The verification of a store of three messages after the SQL of `damages` ran on it."""
    seen: list[tuple[int, int]] = []

    async def file() -> None:
        async with await Store.open(folder, reserve_bytes=0) as store:
            for number in range(3):
                await store.file_sending(a_record(f"m-{number}", received=f"text {number}".encode()))
            await store.file_sending(a_record("m-large", received=LARGE, delivered=LARGE))

    async def verify() -> Verification:
        async with await Store.open(folder) as store:
            return await store.verify(lambda done, total: seen.append((done, total)))

    asyncio.run(file())
    with sqlite3.connect(folder / "store.sqlite") as connection:
        for damage in damages:
            connection.execute(damage)
    connection.close()
    return asyncio.run(verify()), seen


def test_a_sound_store_has_no_damage(tmp_path: Path) -> None:
    verification, seen = verified(tmp_path)
    assert (verification.bodies, verification.damages) == (8, ())
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_changed_missing_and_unreadable_bodies_are_named(tmp_path: Path) -> None:
    verification, _ = verified(
        tmp_path,
        "UPDATE bodies SET content = (SELECT content FROM bodies WHERE message_id = 'm-1' AND stage = 'received')"
        " WHERE message_id = 'm-0' AND stage = 'received'",
        "DELETE FROM bodies WHERE message_id = 'm-1' AND stage = 'delivered'",
        "UPDATE bodies SET content = x'00' WHERE message_id = 'm-2' AND stage = 'delivered'",
    )
    found = [(damage.message_id, damage.stage.value, damage.why) for damage in verification.damages]
    assert found == [
        ("m-0", "received", "changed"),
        ("m-1", "delivered", "missing"),
        ("m-2", "delivered", "unreadable"),
    ]


def test_a_large_file_that_is_gone_is_missing_in_both_forms(tmp_path: Path) -> None:
    verified(tmp_path)
    for path in (tmp_path / "large").iterdir():
        path.unlink()

    async def verify() -> Verification:
        async with await Store.open(tmp_path) as store:
            return await store.verify()

    found = [(damage.message_id, damage.why) for damage in asyncio.run(verify()).damages]
    assert found == [("m-large", "missing")] * 2
