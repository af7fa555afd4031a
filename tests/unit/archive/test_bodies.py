"""Bytes on disk: packed, proved, large ones as files."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

import pytest
import zstandard

from gateway.archive import bodies
from gateway.archive.bodies import BodyDamaged, PackedBody
from gateway.archive.model import Stage, StoredBody
from gateway.message.errors import MachineryFailed, StoreFull
from tests.unit.archive.records import a_record

LARGE = random.Random(7).randbytes(bodies.LARGE_BYTES + 1)


@pytest.mark.parametrize("content", [b"", b"x", b"Subject: \xff\x00\r\n\r\n" * 99, LARGE])
def test_packed_bytes_come_back_exactly(content: bytes, tmp_path: Path) -> None:
    packed = bodies.pack(a_record(received=content), tmp_path)
    for body, expected in zip(packed.bodies, (packed.received, packed.delivered), strict=True):
        back = bodies.unpack("m-1", body.stage, body, expected, tmp_path)
        assert back == (content if body.stage is Stage.RECEIVED else content + b"-- notice\r\n")


def test_delivered_bytes_equal_to_the_received_are_kept_once(tmp_path: Path) -> None:
    packed = bodies.pack(a_record(received=b"same", delivered=b"same"), tmp_path)
    assert [body.stage for body in packed.bodies] == [Stage.RECEIVED]
    assert packed.received == packed.delivered


def test_a_large_body_is_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    packed = bodies.pack(a_record(received=LARGE), tmp_path)
    names = sorted(str(body.file) for body in packed.bodies)
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert all(body.content is None for body in packed.bodies)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    bodies.pack(a_record(received=LARGE), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(MachineryFailed):
        bodies.pack(a_record(received=LARGE + b"other"), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_full_disk_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fsync(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 3:  # the first body's file and folder are durable, the second's file is not
            raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StoreFull) as caught:
        bodies.pack(a_record(received=LARGE), tmp_path)
    assert caught.value.reply.code == 452
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "expected"), [(errno.ENOSPC, StoreFull), (errno.EDQUOT, StoreFull), (errno.EIO, MachineryFailed)]
)
def test_disk_errors_name_what_they_mean_and_no_path(error: int, expected: type[Exception]) -> None:
    mapped = bodies.disk_error(OSError(error, "text", "/secret/path"))
    assert type(mapped) is expected
    assert "secret" not in str(mapped) + str(mapped.context)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (None, "missing"),
        (PackedBody(stage=Stage.RECEIVED, content=None, file=None), "missing"),
        (PackedBody(stage=Stage.RECEIVED, content=None, file="gone.zst"), "missing"),
        (PackedBody(stage=Stage.RECEIVED, content=b"no zstd", file=None), "unreadable"),
        (PackedBody(stage=Stage.RECEIVED, content=bodies.deflate(b"hellx"), file=None), "changed"),
        (PackedBody(stage=Stage.RECEIVED, content=bodies.deflate(b"hell"), file=None), "changed"),
        (PackedBody(stage=Stage.RECEIVED, content=bodies.deflate(b"hello" * 1000), file=None), "unreadable"),
    ],
)
def test_damage_is_named(body: PackedBody | None, why: str, tmp_path: Path) -> None:
    expected = bodies.pack(a_record(received=b"hello"), tmp_path).received
    with pytest.raises(BodyDamaged) as caught:
        bodies.unpack("m-1", Stage.RECEIVED, body, expected, tmp_path)
    assert caught.value.why == why


def test_a_folder_in_the_place_of_a_file_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "x.zst").mkdir()
    body = PackedBody(stage=Stage.RECEIVED, content=None, file="x.zst")
    with pytest.raises(BodyDamaged) as caught:
        bodies.unpack("m-1", Stage.RECEIVED, body, StoredBody(size=1, sha256=""), tmp_path)
    assert caught.value.why == "unreadable"


def test_a_frame_that_does_not_declare_its_size_can_not_swell_without_limit() -> None:
    stream = zstandard.ZstdCompressor().compressobj()
    bomb = stream.compress(b"\0" * 50_000_000) + stream.flush()
    assert bodies.inflate(bomb, 1000) is None


def test_only_files_that_no_row_names_are_strays(tmp_path: Path) -> None:
    for name in ("kept.zst", "stray.zst", "stray.zst.partial"):
        (tmp_path / name).write_bytes(b"x")
    assert bodies.remove_strays(tmp_path, frozenset({"kept.zst"})) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["kept.zst"]
