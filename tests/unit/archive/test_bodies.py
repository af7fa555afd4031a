"""Bytes of messages: packed, proved, large ones loose."""

from __future__ import annotations

import asyncio
import errno
import json
import random
from pathlib import Path

import pytest
import zstandard

from gateway.archive import bodies
from gateway.archive.bodies import BodyDamaged, PackedBody
from gateway.archive.model import Stage, StoredBody
from gateway.archive.places import Folder
from gateway.archive.sealing import Seal, new_key, record_header
from gateway.message.errors import MachineryFailed, StoreFull
from tests.unit.archive.records import a_record

SEAL = Seal(new_key(), b"m-1")
LARGE = random.Random(7).randbytes(bodies.LARGE_BYTES + 1)


@pytest.mark.parametrize("content", [b"", b"x", b"Subject: \xff\x00\r\n\r\n" * 99, LARGE])
def test_packed_bytes_come_back_exactly(content: bytes, tmp_path: Path) -> None:
    packed, place = bodies.pack(a_record(received=content)), Folder(tmp_path)
    asyncio.run(place.put(packed.loose))
    for body, expected in zip(packed.bodies, (packed.received, packed.delivered), strict=True):
        back = bodies.unpack(packed.seal, "m-1", body.stage, body, expected, place.get)
        assert back == (content if body.stage is Stage.RECEIVED else content + b"-- notice\r\n")


def test_delivered_bytes_equal_to_the_received_are_kept_once() -> None:
    packed = bodies.pack(a_record(received=b"same", delivered=b"same"))
    assert [body.stage for body in packed.bodies] == [Stage.RECEIVED]
    assert packed.received == packed.delivered


def test_a_large_body_is_loose_and_says_what_it_is() -> None:
    record = a_record(received=LARGE)
    packed = bodies.pack(record)
    assert [body.file for body in packed.bodies] == [body.name for body in packed.loose]
    assert all(body.content is None for body in packed.bodies)
    head, _, sealed = packed.loose[0].content.partition(b"\n")
    word, _, facts = head.partition(b" ")
    record_id, moment, direction, stage = json.loads(facts)
    assert (word, stage) == (b"practicum-body-1", "received")
    seal = Seal(packed.seal.key, record_header(record_id, moment, direction))
    opened = seal.open(stage, sealed)
    assert opened is not None
    assert bodies.inflate(opened, len(LARGE)) == LARGE


def test_every_body_is_loose_where_none_belongs_into_the_database() -> None:
    packed = bodies.pack(a_record(), inline_bytes=-1)
    assert len(packed.loose) == len(packed.bodies) == 2


def test_loose_bodies_of_older_releases_have_no_line_before_them() -> None:
    sealed = SEAL.close("received", b"text\nof a body")
    assert bodies.sealed_of(sealed) == sealed
    assert bodies.sealed_of(bodies.loosened("R", b"m-1\nnow\nin", Stage.RECEIVED, sealed).content) == sealed


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
        (PackedBody(stage=Stage.RECEIVED, content=b"not sealed", file=None), "unreadable"),
        (PackedBody(stage=Stage.RECEIVED, content=bodies.deflate(b"hello" * 100), file=None), "unreadable"),
        (PackedBody(stage=Stage.RECEIVED, content=SEAL.close("received", b"no zstd"), file=None), "unreadable"),
        (
            PackedBody(stage=Stage.RECEIVED, content=SEAL.close("delivered", bodies.deflate(b"hello")), file=None),
            "changed",
        ),
        (
            PackedBody(stage=Stage.RECEIVED, content=SEAL.close("received", bodies.deflate(b"hellx")), file=None),
            "changed",
        ),
        (
            PackedBody(stage=Stage.RECEIVED, content=SEAL.close("received", bodies.deflate(b"hell")), file=None),
            "changed",
        ),
        (
            PackedBody(
                stage=Stage.RECEIVED, content=SEAL.close("received", bodies.deflate(b"hello" * 1000)), file=None
            ),
            "unreadable",
        ),
    ],
)
def test_damage_is_named(body: PackedBody | None, why: str, tmp_path: Path) -> None:
    expected = bodies.pack(a_record(received=b"hello")).received
    with pytest.raises(BodyDamaged) as caught:
        bodies.unpack(SEAL, "m-1", Stage.RECEIVED, body, expected, Folder(tmp_path).get)
    assert caught.value.why == why


def test_a_folder_in_the_place_of_a_file_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "x.zst").mkdir()
    body = PackedBody(stage=Stage.RECEIVED, content=None, file="x.zst")
    with pytest.raises(BodyDamaged) as caught:
        bodies.unpack(SEAL, "m-1", Stage.RECEIVED, body, StoredBody(size=1, sha256=""), Folder(tmp_path).get)
    assert caught.value.why == "unreadable"


def test_a_frame_that_does_not_declare_its_size_can_not_swell_without_limit() -> None:
    stream = zstandard.ZstdCompressor().compressobj()
    bomb = stream.compress(b"\0" * 50_000_000) + stream.flush()
    assert bodies.inflate(bomb, 1000) is None


def test_a_body_without_a_key_is_unreadable(tmp_path: Path) -> None:
    packed = bodies.pack(a_record(received=b"hello"))
    with pytest.raises(BodyDamaged) as caught:
        bodies.unpack(None, "m-1", Stage.RECEIVED, packed.bodies[0], packed.received, Folder(tmp_path).get)
    assert caught.value.why == "unreadable"
