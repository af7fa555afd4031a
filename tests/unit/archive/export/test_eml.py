"""The export of a client's file: complete, in order, proved, recorded first."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gateway.archive.bodies import BodyDamaged
from gateway.archive.export.eml import MANIFEST, Exported, ExportRefused, export_eml
from gateway.archive.model import AuditEntry
from gateway.archive.store import Store
from gateway.message.errors import StoreFull
from gateway.people.model import Direction
from tests.unit.archive.records import ADA, JORDAN, NOON, a_hold, a_record, later


def run(folder: Path, test: Callable[[Store], Awaitable[None]]) -> None:
    async def opened() -> None:
        async with await Store.open(folder / "var", reserve_bytes=0) as store:
            await test(store)

    asyncio.run(opened())


async def fill(store: Store) -> None:
    """Two sent, one received in between, one held; one of another client."""
    await store.file_sending(a_record("m-3", minutes=3, received=b"third"))
    await store.file_sending(a_record("m-1", minutes=1, received=b"first"))
    await store.file_sending(
        a_record("m-2", minutes=2, received=b"second", delivered=b"second", direction=Direction.INBOUND)
    )
    await store.file_sending(a_record("m-4", minutes=4, files=("C-7",), received=b"of another"))
    for number in range(1, 5):
        await store.mark_sent(f"m-{number}", 250, later(10))
    draft = a_record("m-5", minutes=5, received=b"draft")
    await store.hold(draft, a_hold(draft))


async def export(store: Store, out: Path, **changes: str) -> Exported:
    words = {"by": "r-lee", "purpose": "access request"} | changes
    return await export_eml(store, "C-1042", out, by=words["by"], purpose=words["purpose"], at=NOON)


def test_both_directions_are_there_in_order_and_in_both_forms(tmp_path: Path) -> None:
    out = tmp_path / "out" / "C-1042"

    async def test(store: Store) -> None:
        await fill(store)
        exported = await export(store, out)
        assert (exported.messages, exported.files) == (3, 6)
        assert exported.manifest_sha256 == hashlib.sha256((out / MANIFEST).read_bytes()).hexdigest()

    run(tmp_path, test)
    names = sorted(path.name for path in out.glob("*.eml"))
    assert [(out / name).read_bytes() for name in names] == [
        b"first-- notice\r\n", b"first", b"second", b"third-- notice\r\n", b"third"
    ]  # fmt: skip
    assert names[0].startswith("00001_2026-10-05T120100Z_to-client_")
    assert names[0].endswith("_delivered.eml")
    assert "_from-client_" in names[2]
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}


def test_the_manifest_proves_each_file_and_names_what_was_not_sent(tmp_path: Path) -> None:
    out = tmp_path / "out"

    async def test(store: Store) -> None:
        await fill(store)
        await export(store, out)

    run(tmp_path, test)
    manifest = json.loads((out / MANIFEST).read_text())
    listed = [file for message in manifest["messages"] for file in message["files"]]
    assert {file["name"] for file in listed} == {path.name for path in out.glob("*.eml")}
    for file in listed:
        content = (out / file["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
    assert [message["id"] for message in manifest["messages"]] == ["m-1", "m-2", "m-3"]
    assert [(draft["id"], draft["listed_as"]) for draft in manifest["not_sent"]] == [("m-5", "not sent: held")]
    assert {message["envelope_from"] for message in manifest["messages"]} == {ADA}
    assert [message["envelope_to"] for message in manifest["messages"]] == [[JORDAN]] * 3
    assert (manifest["exported_by"], manifest["purpose"]) == ("r-lee", "access request")


def test_an_export_is_recorded_before_and_after(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        await fill(store)
        exported = await export(store, tmp_path / "out")
        begun, ended = await store.audit(file="C-1042")
        assert (begun.who, begun.what, begun.why) == ("r-lee", "export begun", "access request (3 messages)")
        assert (ended.what, ended.why) == ("export ended", f"manifest sha256 {exported.manifest_sha256}")

    run(tmp_path, test)


def test_without_its_audit_entry_nothing_is_given_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_store: Store, _entry: AuditEntry) -> None:
        raise StoreFull

    async def test(store: Store) -> None:
        await fill(store)
        monkeypatch.setattr(Store, "write_audit", full)
        with pytest.raises(StoreFull):
            await export(store, tmp_path / "out")

    run(tmp_path, test)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive.key", "var"]


def test_a_folder_with_content_is_left_as_it_is(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / MANIFEST).write_text("mine")

    async def test(store: Store) -> None:
        await fill(store)
        with pytest.raises(ExportRefused):
            await export(store, out)
        assert await store.audit(file="C-1042") == ()

    run(tmp_path, test)
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [(MANIFEST, "mine")]


@pytest.mark.parametrize("changes", [{"by": " "}, {"purpose": ""}])
def test_an_export_without_name_or_purpose_is_refused(changes: dict[str, str], tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        await fill(store)
        with pytest.raises(ExportRefused):
            await export(store, tmp_path / "out", **changes)

    run(tmp_path, test)
    assert not (tmp_path / "out").exists()


def test_a_file_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        with pytest.raises(ExportRefused):
            await export(store, tmp_path / "out")

    run(tmp_path, test)


def test_a_damaged_message_stops_the_export_without_a_manifest(tmp_path: Path) -> None:
    async def test(store: Store) -> None:
        await fill(store)
        with sqlite3.connect(tmp_path / "var" / "store.sqlite") as connection:
            connection.execute("UPDATE bodies SET content = x'00' WHERE message_id = 'm-3'")
        connection.close()
        with pytest.raises(BodyDamaged):
            await export(store, tmp_path / "out")

    run(tmp_path, test)
    assert not (tmp_path / "out").exists()


def test_progress_counts_messages(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    async def test(store: Store) -> None:
        await fill(store)
        await export_eml(
            store, "C-1042", tmp_path / "out", by="r-lee", purpose="x", at=NOON,
            progress=lambda done, total: seen.append((done, total)),
        )  # fmt: skip

    run(tmp_path, test)
    assert seen == [(1, 3), (2, 3), (3, 3)]
