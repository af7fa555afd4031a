"""The bytes of messages on disk: zstd, hashed, small ones for the database, large ones as files of their own.

A large body would block the group commit and swell the write-ahead log, so it is written first: file, fsync, rename,
fsync of the folder; the row that names it follows in the transaction. A file without a row is a stray that
`Store.recover` takes away. Knows no SQL. Called by `store` (pack) and `reads` (unpack).
"""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

from gateway.archive.model import Record, Stage, StoredBody
from gateway.holding.refs import ref_of
from gateway.message.errors import GatewayError, MachineryFailed, StoreFull

LARGE_BYTES = 256 * 1024  # compressed; above it a body is a file
_LEVEL = 3
_OUT_OF_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
_of_thread = threading.local()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedBody:
    """One form of a message, ready to store: either `content` or the name of a `file` in the folder of large bodies."""

    stage: Stage
    content: bytes | None = field(repr=False)
    file: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedBodies:
    """Both forms of a message. `bodies` has one entry if the delivered bytes are the received ones."""

    received: StoredBody
    delivered: StoredBody
    bodies: tuple[PackedBody, ...]


class BodyDamaged(MachineryFailed):
    """A stored body is not what was filed; `why` is `changed`, `missing` or `unreadable`."""

    def __init__(self, message_id: str, stage: Stage, why: str) -> None:
        super().__init__("body damaged", id=message_id, stage=stage.value, why=why)
        self.why = why


def pack(record: Record, folder: Path) -> PackedBodies:
    """Both forms of the record compressed and hashed; large ones are on disk in `folder` when this returns.

    Raises StoreFull or MachineryFailed; then no file of this record is left.
    """
    received = _measure(record.received)
    delivered = received if record.delivered == record.received else _measure(record.delivered)
    forms = [(Stage.RECEIVED, record.received)]
    if delivered is not received:
        forms.append((Stage.DELIVERED, record.delivered))
    bodies: list[PackedBody] = []
    try:
        for stage, content in forms:
            bodies.append(_pack_one(record.id, stage, content, folder))
    except OSError as error:
        discard(bodies, folder)
        raise disk_error(error) from error
    return PackedBodies(received=received, delivered=delivered, bodies=tuple(bodies))


def unpack(message_id: str, stage: Stage, body: PackedBody | None, expected: StoredBody, folder: Path) -> bytes:
    """The bytes of a stored body, proved by size and SHA-256. Raises BodyDamaged."""
    if body is None:
        raise BodyDamaged(message_id, stage, "missing")
    packed = body.content if body.file is None else _read_file(message_id, stage, folder / body.file)
    if packed is None:
        raise BodyDamaged(message_id, stage, "missing")
    content = inflate(packed, expected.size)
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


def discard(bodies: Iterable[PackedBody], folder: Path) -> None:
    """Take away the files of bodies whose row was not written; what can't be taken away is left to `remove_strays`."""
    for body in bodies:
        if body.file is not None:
            _remove(folder / body.file)


def remove_strays(folder: Path, known: frozenset[str]) -> int:
    """Take away every file in `folder` that no row names; the count. Only while no other process writes."""
    strays = [path for path in folder.iterdir() if path.name not in known]
    return sum(_remove(path) for path in strays)


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


def _pack_one(message_id: str, stage: Stage, content: bytes, folder: Path) -> PackedBody:
    packed = deflate(content)
    if len(packed) <= LARGE_BYTES:
        return PackedBody(stage=stage, content=packed, file=None)
    name = f"{ref_of(message_id)}-{stage.value}.zst"
    write_durably(folder / name, packed)
    return PackedBody(stage=stage, content=None, file=name)


def _measure(content: bytes) -> StoredBody:
    return StoredBody(size=len(content), sha256=hashlib.sha256(content).hexdigest())


def _read_file(message_id: str, stage: Stage, path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BodyDamaged(message_id, stage, "unreadable") from error


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
