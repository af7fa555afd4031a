"""Old mail in the store: filed once, provable, with who brought it; what was there is recognised."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from gateway.archive.intake.taking_in import Line, Summary, take_in
from gateway.archive.model import Record, Stage
from gateway.archive.store import Store
from gateway.message.submission import Envelope, Recipient
from gateway.people.model import Direction
from tests.unit.archive.intake.test_matching import ADA, JORDAN, NOW, a_mail
from tests.unit.archive.intake.test_matching import directory as directory_fixture
from tests.unit.archive.lives import a_client, a_life, dispose
from tests.unit.archive.records import a_record

directory = directory_fixture


def a_box(folder: Path) -> Path:
    """Two messages of a client, one of them twice, and one of nobody."""
    folder.mkdir()
    for name, raw in {
        "1.eml": a_mail(),
        "2.eml": a_mail(JORDAN, ADA, date="Tue, 06 Oct 2020 12:00:00 -0400"),
        "3.eml": b"X-UID: 7\r\n" + a_mail(),
        "4.eml": a_mail("shop@shop.example", ADA),
    }.items():
        (folder / name).write_bytes(raw)
    return folder


async def taken(store: Store, directory, source: Path, *, is_trial: bool = False) -> tuple[Summary, list[Line]]:
    lines: list[Line] = []
    done = await take_in(
        store, directory, [source], by="r-lee", purpose="old mail", at=NOW, tell=lines.append, is_trial=is_trial
    )
    return done, lines


def test_each_message_is_filed_once_and_again_never(tmp_path: Path, directory) -> None:
    box = a_box(tmp_path / "box")

    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            first, lines = await taken(store, directory, box)
            assert first.ends == Counter({"filed": 2, "already there": 1, "not filed": 1})
            assert lines[0].ref == lines[2].ref
            assert lines[3].values()["from"] == "shop@shop.example"
            again, _ = await taken(store, directory, box)
            assert again.ends == Counter({"already there": 3, "not filed": 1})
            listed = await store.client_file("C-1042")
            assert [(entry.direction, entry.listed_as) for entry in listed.entries] == [
                (Direction.OUTBOUND, "sent"), (Direction.INBOUND, "received"),
            ]  # fmt: skip
            assert [entry.what for entry in await store.audit(file="C-1042")] == ["imported", "imported"]
            assert [entry.what for entry in await store.audit() if entry.file is None] == [
                "import begun", "import ended", "import begun", "import ended",
            ]  # fmt: skip
            assert (await store.verify()).is_sound
            assert await store.told("C-1042") == ()

    asyncio.run(run())


def test_mail_of_a_destroyed_file_comes_in_again_as_another_record(tmp_path: Path, directory) -> None:
    box = a_box(tmp_path / "box")

    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            for times in range(3):
                done, lines = await taken(store, directory, box)
                assert done.ends["filed"] == 2, times
                again, same = await taken(store, directory, box)
                assert again.ends["already there"] == 3, times
                assert [line.ref for line in same] == [line.ref for line in lines]
                assert (await store.verify()).is_sound
                await dispose(a_life(store, a_client()), "C-1042", at=datetime(2050 + times, 1, 1, tzinfo=UTC))
                assert (await store.verify()).is_sound

    asyncio.run(run())


def test_a_trial_files_nothing(tmp_path: Path, directory) -> None:
    box = a_box(tmp_path / "box")

    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            done, _ = await taken(store, directory, box, is_trial=True)
            assert done.ends == Counter({"filed": 2, "already there": 1, "not filed": 1})
            assert await store.records() == ()
            assert await store.audit() == ()

    asyncio.run(run())


def test_what_the_gateway_filed_itself_is_not_filed_again(tmp_path: Path, directory) -> None:
    box = tmp_path / "box"
    box.mkdir()
    raw = a_mail(date="Mon, 05 Oct 2026 11:59:00 +0000")
    (box / "sent.eml").write_bytes(b"X-Mozilla-Status: 0001\r\n" + raw)

    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            passed: Record = a_record("m-1", received=raw, delivered=raw + b"-- \r\nthe notice\r\n")
            await store.file_sending(passed)
            await store.mark_sent("m-1", 250, NOW)
            done, lines = await taken(store, directory, box)
            assert done.ends == Counter({"already there": 1})
            assert lines[0].ref == (await store.record("m-1")).ref
            assert len(await store.records("C-1042")) == 1

    asyncio.run(run())


def test_the_bytes_and_the_envelope_are_those_that_were_found(tmp_path: Path, directory) -> None:
    box = tmp_path / "one.eml"
    box.write_bytes(a_mail().replace(b"\r\n", b"\n"))

    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await taken(store, directory, box)
            (record,) = await store.records("C-1042")
            assert await store.body(record.id, Stage.RECEIVED) == a_mail()
            assert record.envelope == Envelope(mail_from=ADA, recipients=(Recipient(address=JORDAN),))
            assert (record.verdict.policy, record.treatment, record.worker_id) == ("imported", "imported", "s-okafor")

    asyncio.run(run())
