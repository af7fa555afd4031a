"""The bytes of messages as they are kept: hashed, zstd, sealed; small ones for the database, others loose (`places`).

A loose body says what it is: before its sealed bytes stands a line with the record's id, moment, direction and the
stage, which with the record's key open it without any row. Pure but for `write_durably` and `sync_folder`. Knows no
SQL. Called by `store` (pack) and `reads` (unpack).
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

from gateway.archive.model import Record, Stage, StoredBody
from gateway.archive.sealing import Seal, is_sealed, new_key, record_header
from gateway.holding.refs import ref_of
from gateway.message.errors import GatewayError, MachineryFailed, StoreFull

LARGE_BYTES = 256 * 1024  # compressed and sealed; above it a body is a file
SUFFIX = ".sealed"  # of the names of loose bodies
_LOOSE = b"practicum-body-1 "
_LEVEL = 3
_NAME_DIGITS = 12  # hexadecimal
_OUT_OF_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_of_thread = threading.local()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedBody:
    """One form of a message, ready to store: either `content` or the name of the loose body (column `file`)."""

    stage: Stage
    content: bytes | None = field(repr=False)
    file: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Loose:
    """A body that lies outside the database: its name and all its bytes."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedBodies:
    """Both forms of a message. `bodies` has one entry if the delivered bytes are the received ones.

    `loose` are to be put in their place before the row is written.

    `seal` has the record's new key: the caller stores it wrapped, or the bodies can never be read again.
    """

    seal: Seal = field(repr=False)
    received: StoredBody
    delivered: StoredBody
    bodies: tuple[PackedBody, ...]
    loose: tuple[Loose, ...] = ()


class BodyDamaged(MachineryFailed):
    """A stored body is not what was filed; `why` is `changed`, `missing` or `unreadable`."""

    def __init__(self, message_id: str, stage: Stage, why: str) -> None:
        super().__init__("body damaged", id=message_id, stage=stage.value, why=why)
        self.why = why


def pack(record: Record, inline_bytes: int = LARGE_BYTES) -> PackedBodies:
    """Both forms of the record hashed, compressed and sealed under a new key.

    Those of more than `inline_bytes` then (-1: all) are loose.
    """
    received = _measure(record.received)
    delivered = received if record.delivered == record.received else _measure(record.delivered)
    forms = [(Stage.RECEIVED, record.received)]
    if delivered is not received:
        forms.append((Stage.DELIVERED, record.delivered))
    header = record_header(record.id, record.received_at, record.direction.value)
    seal = Seal(new_key(), header)
    bodies: list[PackedBody] = []
    loose: list[Loose] = []
    for stage, content in forms:
        sealed = seal.close(stage.value, deflate(content))
        if len(sealed) <= inline_bytes:
            bodies.append(PackedBody(stage=stage, content=sealed, file=None))
        else:
            loose.append(loosened(ref_of(record.id), header, stage, sealed))
            bodies.append(PackedBody(stage=stage, content=None, file=loose[-1].name))
    return PackedBodies(seal=seal, received=received, delivered=delivered, bodies=tuple(bodies), loose=tuple(loose))


def loosened(ref: str, header: bytes, stage: Stage, sealed: bytes) -> Loose:
    """A sealed body as it lies outside the database.

    Its name ends with a hash of what is sealed, so that what a killed process put for the same message under another
    key is not in the way, and what was put already has the same name.
    """
    facts = json.dumps([*header.decode("utf-8", "replace").split("\n"), stage.value], separators=(",", ":"))
    name = f"{ref}-{stage.value}-{hashlib.sha256(sealed).hexdigest()[:_NAME_DIGITS]}{SUFFIX}"
    return Loose(name=name, content=_LOOSE + facts.encode() + b"\n" + sealed)


def sealed_of(loose: bytes) -> bytes:
    """The sealed bytes of a loose body; those of releases that wrote no line before them are as they are."""
    return loose[loose.index(b"\n") + 1 :] if loose.startswith(_LOOSE) and b"\n" in loose else loose


def unpack(
    seal: Seal | None,
    message_id: str,
    stage: Stage,
    body: PackedBody | None,
    expected: StoredBody,
    get: Callable[[str], bytes | None],
) -> bytes:
    """The bytes of a stored body, opened and proved by size and SHA-256; `seal` None if no key opens the record.

    `get` gives a loose body by its name. Raises BodyDamaged.
    """
    if body is None:
        raise BodyDamaged(message_id, stage, "missing")
    packed = body.content if body.file is None else _loose(message_id, stage, body.file, get)
    if packed is None:
        raise BodyDamaged(message_id, stage, "missing")
    opened = None if seal is None else seal.open(body.stage.value, packed)
    if opened is None:
        raise BodyDamaged(message_id, stage, "changed" if seal is not None and is_sealed(packed) else "unreadable")
    content = inflate(opened, expected.size)
    if content is None:
        raise BodyDamaged(message_id, stage, "unreadable")
    if _measure(content) != expected:
        raise BodyDamaged(message_id, stage, "changed")
    return content


def deflate(content: bytes) -> bytes:
    """The bytes as one zstd frame."""
    compressor = getattr(_of_thread, "compressor", None)
    if compressor is None:
        compressor = _of_thread.compressor = zstandard.ZstdCompressor(level=_LEVEL)
    packed: bytes = compressor.compress(content)
    return packed


def inflate(packed: bytes, max_bytes: int) -> bytes | None:
    """The bytes of a zstd frame of at most `max_bytes` content; None if it is none or would be longer."""
    try:
        declared = zstandard.frame_content_size(packed)
        if declared > max_bytes:
            return None
        return zstandard.ZstdDecompressor().decompress(packed, max_output_size=max(max_bytes, 1))
    except zstandard.ZstdError:
        return None


def disk_error(error: OSError) -> GatewayError:
    """StoreFull if the disk or quota is full, otherwise MachineryFailed; neither carries a path."""
    if error.errno in _OUT_OF_ROOM:
        return StoreFull()
    if error.errno == errno.EEXIST:
        return MachineryFailed("already in the store")
    return MachineryFailed("store input/output error", errno=error.errno or 0)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, content: bytes) -> None:
    """Write a new file of mode 0600 so that it is there whole, name included, or not at all.

    Raises OSError; FileExistsError rather than write over what is there.
    """
    if path.exists():
        raise FileExistsError(errno.EEXIST, "already there")
    partial = path.with_name(path.name + ".partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    except OSError:
        _remove(partial)
        raise
    sync_folder(path.parent)


def _measure(content: bytes) -> StoredBody:
    return StoredBody(size=len(content), sha256=hashlib.sha256(content).hexdigest())


def _loose(message_id: str, stage: Stage, name: str, get: Callable[[str], bytes | None]) -> bytes | None:
    try:
        found = get(name)
    except OSError as error:
        raise BodyDamaged(message_id, stage, "unreadable") from error
    return None if found is None else sealed_of(found)


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
