"""An export under way: it grows in `NAME.partial` beside its final name, and gets that name when it is whole.

What was chosen is written down at the beginning, so that the same command, called again after an interruption, goes on
with the same messages and keeps what is finished. The audit entry is on disk before the first byte; a second process at
the same export is refused. `NAME.partial` has mode 0700 and is taken away at the end. Called by every form of export.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.archive.bodies import disk_error, sync_folder, write_durably
from gateway.archive.export.request import ExportRefused, Request
from gateway.archive.model import AuditEntry, ClientFile, StoredRecord
from gateway.archive.store import Store

_ASKED = "export.json"
_LOCK = "lock"
_DIGEST_OF = {"eml": "manifest ", "mbox": "manifest ", "bag": "tagmanifest "}


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """One export under way. `content` becomes the export; `parts` is room for what is needed on the way.

    `begun_at` is when it was first begun; `listed` the messages that were chosen then; `left_out` how many others
    the file has.
    """

    request: Request
    folder: Path
    begun_at: datetime
    listed: ClientFile
    left_out: int
    is_resumed: bool
    lock: int

    @property
    def content(self) -> Path:
        """The folder of finished things."""
        return self.folder / "content"

    @property
    def parts(self) -> Path:
        """The folder of things on the way."""
        return self.folder / "parts"


async def begin(
    store: Store, request: Request, out: Path, *, is_file: bool = False, needs_messages: bool = True
) -> Staging:
    """Choose the messages, record the export, and make or find its folder on the way to `out`.

    Raises ExportRefused for no name or purpose, nothing to export, `out` with content, another export under way there;
    StoreFull or MachineryFailed.
    """
    if not request.by.strip() or not request.purpose.strip():
        raise ExportRefused("an export needs who makes it and for what purpose")
    await asyncio.to_thread(_require_new, out, is_file=is_file)
    folder = out.with_name(out.name + ".partial")
    earlier = await asyncio.to_thread(_earlier, folder, request)
    whole = await store.client_file(request.file)
    listed = _chosen(whole, request, earlier)
    if not listed.entries and (needs_messages or not listed.not_sent):
        why = "in that choice of days or person" if whole.entries else "under that client file"
        raise ExportRefused(f"no message is filed {why}")
    what = "export begun" if earlier is None else "export resumed"
    why = f"{request.purpose} ({_words(request, listed)})"
    await store.write_audit(AuditEntry(at=request.at, who=request.by, what=what, why=why, file=request.file))
    try:
        lock = await asyncio.to_thread(_make, folder, request, listed, earlier)
    except OSError as error:
        raise disk_error(error) from error
    return Staging(
        request=request,
        folder=folder,
        begun_at=request.at if earlier is None else datetime.fromisoformat(earlier["at"]),
        listed=listed,
        left_out=len(whole.entries) - len(listed.entries),
        is_resumed=earlier is not None,
        lock=lock,
    )


async def end(store: Store, staging: Staging, moves: Iterable[tuple[Path, Path]], digest: str) -> None:
    """Give the finished things their final names, in that order, record the end, and take the rest away."""
    try:
        await asyncio.to_thread(_move, tuple(moves))
        await record_end(store, staging, digest)
        await asyncio.to_thread(shutil.rmtree, staging.folder)
    except OSError as error:
        raise disk_error(error) from error
    finally:
        release(staging)


async def record_end(store: Store, staging: Staging, digest: str) -> None:
    """Write that the export ended, and the digest of what was made."""
    request = staging.request
    at = max(datetime.now(tz=request.at.tzinfo), request.at)
    why = f"{_DIGEST_OF.get(request.form, '')}sha256 {digest}"
    await store.write_audit(AuditEntry(at=at, who=request.by, what="export ended", why=why, file=request.file))


def release(staging: Staging) -> None:
    """Let another process go on with the export; harmless after `end`."""
    with suppress(OSError):
        os.close(staging.lock)


def _words(request: Request, listed: ClientFile) -> str:
    """What the audit entry says of the export beside its purpose."""
    chosen = [f"{len(listed.entries)} messages"]
    if request.form != "eml":
        chosen.append(request.form)
    chosen += [f"{name} {value}" for name, value in request.choice.values().items()]
    if request.choice.redactions:
        chosen.append(f"{len(request.choice.redactions)} redactions")
    return ", ".join(chosen)


def _require_new(out: Path, *, is_file: bool = False) -> None:
    if out.is_dir() and not is_file:
        if any(out.iterdir()):
            raise ExportRefused("the folder has content already: name a new one")
    elif out.exists() or out.is_symlink():
        raise ExportRefused("the file is there already: name a new one")


def _asked(request: Request) -> dict[str, Any]:
    """What has to be the same for an export to go on."""
    redactions = [(redaction.words, redaction.reason) for redaction in request.choice.redactions]
    return {
        "file": request.file,
        "form": request.form,
        "by": request.by,
        "purpose": request.purpose,
        "choice": request.choice.values(),
        "redactions": hashlib.sha256(json.dumps(redactions).encode()).hexdigest() if redactions else None,
    }


def _earlier(folder: Path, request: Request) -> dict[str, Any] | None:
    """What an interrupted export of the same request wrote down; None if there is none."""
    if not folder.exists():
        return None
    try:
        written = json.loads((folder / _ASKED).read_bytes())
        is_same = written["asked"] == _asked(request)
        datetime.fromisoformat(written["at"])
    except FileNotFoundError:
        if {path.name for path in folder.iterdir()} <= {_LOCK, _ASKED + ".partial", "content", "parts"}:
            return None
        is_same = False
    except (OSError, ValueError, KeyError, TypeError):
        is_same = False
    if not is_same:
        raise ExportRefused(
            f"{folder} is another export that was interrupted: ask as it was asked to go on with it, or remove it"
        )
    return dict(written)


def _chosen(whole: ClientFile, request: Request, earlier: dict[str, Any] | None) -> ClientFile:
    takes = request.choice.takes
    entries = tuple(record for record in whole.entries if takes(record))
    not_sent = tuple(record for record in whole.not_sent if takes(record))
    if earlier is None:
        return ClientFile(file=whole.file, entries=entries, not_sent=not_sent)
    known: dict[str, StoredRecord] = {record.id: record for record in (*whole.entries, *whole.not_sent)}
    if not {*earlier["entries"], *earlier["not_sent"]} <= set(known):
        raise ExportRefused("messages of the interrupted export are not in the file any more: remove it, begin anew")
    return ClientFile(
        file=whole.file,
        entries=tuple(known[name] for name in earlier["entries"]),
        not_sent=tuple(known[name] for name in earlier["not_sent"]),
    )


def _make(folder: Path, request: Request, listed: ClientFile, earlier: dict[str, Any] | None) -> int:
    """The folder with all that must be in it; the descriptor of its lock."""
    for path in (folder, folder / "content", folder / "parts"):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ExportRefused("another process makes this export just now") from None
    if earlier is None:
        values = {
            "asked": _asked(request),
            "at": request.at.isoformat(),
            "entries": [record.id for record in listed.entries],
            "not_sent": [record.id for record in listed.not_sent],
        }
        write_durably(folder / _ASKED, json.dumps(values).encode())
    return lock


def _move(moves: tuple[tuple[Path, Path], ...]) -> None:
    for source, target in moves:
        if not source.exists() and target.exists():  # a process that was killed between two moves had done this one
            continue
        if _is_same_file(source, target):  # and it was made again since
            continue
        _require_new(target)
        _sync(source)
        source.rename(target)
        sync_folder(target.parent)


def _is_same_file(one: Path, other: Path) -> bool:
    if other.is_symlink() or not (one.is_file() and other.is_file()):
        return False
    return _sha256(one) == _sha256(other)


def _sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _sync(path: Path) -> None:
    """Make a file, or everything in a folder, durable."""
    for below in [*path.rglob("*"), path] if path.is_dir() else [path]:
        handle = os.open(below, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
