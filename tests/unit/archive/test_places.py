"""Loose bodies in a folder: durable, whole, never over another."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from pathlib import Path

import pytest

from gateway.archive.bodies import Loose
from gateway.archive.bucket import STRAY_AGE
from gateway.archive.places import Folder
from gateway.message.errors import MachineryFailed, StoreFull

A, B = Loose(name="a.sealed", content=b"a" * 99), Loose(name="b.sealed", content=b"b")


def put(folder: Path, *bodies: Loose) -> None:
    asyncio.run(Folder(folder).put(bodies))


def test_a_body_is_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    put(tmp_path, A, B)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.sealed", "b.sealed"]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    assert Folder(tmp_path).get("a.sealed") == A.content
    assert Folder(tmp_path).get("c.sealed") is None


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    put(tmp_path, A)
    with pytest.raises(MachineryFailed):
        put(tmp_path, B, Loose(name=A.name, content=b"other"))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [A.content]


def test_a_full_disk_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fsync(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 3:  # the first body's file and folder are durable, the second's file is not
            raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StoreFull) as caught:
        put(tmp_path, A, B)
    assert caught.value.reply.code == 452
    assert list(tmp_path.iterdir()) == []


def test_what_is_discarded_is_gone_and_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    put(tmp_path, A, B)
    assert Folder(tmp_path).discard(["a.sealed", "never.sealed"]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["b.sealed"]


def test_only_old_files_are_strays(tmp_path: Path) -> None:
    put(tmp_path, A, B)
    (tmp_path / "c.sealed.partial").write_bytes(b"c")
    old = time.time() - STRAY_AGE.total_seconds() - 60
    os.utime(tmp_path / "a.sealed", (old, old))
    (tmp_path / "unsealed.zst").write_bytes(b"d")
    assert sorted(next(Folder(tmp_path).strays())) == ["a.sealed", "unsealed.zst"]


def test_a_folder_that_is_gone_is_down(tmp_path: Path) -> None:
    assert not Folder(tmp_path).is_down()
    assert Folder(tmp_path / "none").is_down()
