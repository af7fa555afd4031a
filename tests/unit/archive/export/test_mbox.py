"""The mbox export: every message comes back byte for byte, by our reading and by Python's."""

from __future__ import annotations

import asyncio
import hashlib
import json
import mailbox
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.archive.export.eml import ExportRefused
from gateway.archive.export.mbox import export_mbox, quoted
from gateway.archive.store import Store
from tests.unit.archive.records import NOON, a_record, later

HOSTILE = (
    b"Subject: one\r\n\r\nFrom here on.\r\n>From there\r\n>>From both\r\n",
    b"Subject: two\r\n\r\n\r\n\nFrom ada Mon Oct  5 12:00:00 2026\nSubject: forged\r\n\r\n",
    b"Subject: three\r\n\r\nno line end",
    b"From the first line on\r\n",
    b"Subject: \xff\r\n\r\n\x00\r\n\r\n\r\n",
)


def messages_in(mbox: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The messages of an mboxrd file as they were, cut to the sizes that the manifest has."""
    separators = list(re.finditer(rb"(?:\A|\n\n)From [^\n]*\n", mbox))
    ends = [*(match.start() + 1 for match in separators[1:]), len(mbox) - 1]
    for match, end, size in zip(separators, ends, sizes, strict=True):
        yield re.sub(rb"^>(>*From )", rb"\1", mbox[match.end() : end], flags=re.MULTILINE)[:size]


def exported(tmp_path: Path, out: Path) -> tuple[list[str], int]:
    async def run() -> tuple[list[str], int]:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            for number, content in enumerate(HOSTILE):
                await store.file_sending(a_record(f"m-{number}", minutes=number, received=content, delivered=content))
                await store.mark_sent(f"m-{number}", 250, later(9))
            done = await export_mbox(store, "C-1042", out, by="r-lee", purpose="access", at=NOON)
            return [entry.what for entry in await store.audit(file="C-1042")], done.messages

    return asyncio.run(run())


def test_every_message_comes_back_byte_for_byte(tmp_path: Path) -> None:
    out = tmp_path / "out" / "C-1042.mbox"
    assert exported(tmp_path, out) == (["export begun", "export ended"], 5)
    manifest = json.loads((tmp_path / "out" / "C-1042.mbox.manifest.json").read_text())
    found = list(messages_in(out.read_bytes(), [entry["bytes"] for entry in manifest["messages"]]))
    assert found == list(HOSTILE)
    assert [hashlib.sha256(content).hexdigest() for content in found] == [
        entry["sha256"] for entry in manifest["messages"]
    ]
    assert {path.stat().st_mode & 0o777 for path in out.parent.iterdir()} == {0o600}


def test_another_reader_counts_the_same_messages(tmp_path: Path) -> None:
    out = tmp_path / "C-1042.mbox"
    exported(tmp_path, out)
    assert [message["Subject"] is not None for message in mailbox.mbox(out)] == [True, True, True, False, True]


def test_only_lines_that_begin_with_from_are_quoted() -> None:
    assert quoted(b"From a\n>From b\n From c\nFromd\nx From \n") == b">From a\n>>From b\n From c\nFromd\nx From \n"


@pytest.mark.parametrize(("file", "by"), [("C-none", "r-lee"), ("C-1042", " ")])
def test_an_export_of_nothing_or_by_nobody_is_refused(tmp_path: Path, file: str, by: str) -> None:
    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await store.file_sending(a_record())
            await store.mark_sent("m-1", 250, later(1))
            with pytest.raises(ExportRefused):
                await export_mbox(store, file, tmp_path / "x.mbox", by=by, purpose="access", at=NOON)

    asyncio.run(run())
    assert not (tmp_path / "x.mbox").exists()


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "x.mbox").write_bytes(b"mine")
    with pytest.raises(ExportRefused):
        exported(tmp_path, tmp_path / "x.mbox")
    assert (tmp_path / "x.mbox").read_bytes() == b"mine"


def names_beside(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.glob(f"{out.name}.*"))


def test_an_export_that_was_cut_off_between_its_two_names_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "C-1042.mbox"
    rename = Path.rename

    def cut_off(path: Path, target: Path) -> Path:
        if path.name == "mbox":
            raise KeyboardInterrupt
        return rename(path, target)

    async def run() -> None:
        async with await Store.open(tmp_path / "var", reserve_bytes=0) as store:
            await store.file_sending(a_record())
            await store.mark_sent("m-1", 250, later(1))
            with monkeypatch.context() as patch:
                patch.setattr(Path, "rename", cut_off)
                with pytest.raises(KeyboardInterrupt):
                    await export_mbox(store, "C-1042", out, by="r-lee", purpose="access", at=NOON)
            assert names_beside(out) == ["C-1042.mbox.manifest.json", "C-1042.mbox.partial"]
            done = await export_mbox(store, "C-1042", out, by="r-lee", purpose="access", at=later(2))
            manifest = out.with_name("C-1042.mbox.manifest.json").read_bytes()
            assert done.manifest_sha256 == hashlib.sha256(manifest).hexdigest()
            assert out.exists()

    asyncio.run(run())
