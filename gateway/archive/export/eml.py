"""A client's file as a folder of .eml files, both directions in order, with a manifest of their SHA-256.

The audit entry is on disk before the first byte is given out; without it there is no export. Bytes are proved against
their hash on the way. What was not sent is listed in the manifest and not given out: it is not in the client's file
[TIP-E5]. Called by `archive export`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec

from gateway.archive.bodies import disk_error, write_durably
from gateway.archive.model import AuditEntry, ClientFile, Stage, StoredRecord
from gateway.archive.store import Store
from gateway.people.model import Direction

MANIFEST = "manifest.json"
P = ParamSpec("P")
_TOWARDS = {
    Direction.OUTBOUND: "to-client",
    Direction.INBOUND: "from-client",
    Direction.INTERNAL: "internal",
    Direction.THIRD_PARTY: "to-others",
}


class ExportRefused(Exception):
    """The export can't be made as asked; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export wrote: the folder, how many messages and files, and the SHA-256 of its manifest."""

    folder: Path
    messages: int
    files: int
    manifest_sha256: str


async def export_eml(
    store: Store,
    file: str,
    out_dir: Path,
    *,
    by: str,
    purpose: str,
    at: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write a client's file into `out_dir`, which must be absent or empty.

    `by` and `purpose` stand in the audit entry. `progress(done, total)` counts messages. Raises ExportRefused for a
    file without records, a folder with content, or no name or purpose. Raises BodyDamaged, StoreFull or MachineryFailed
    otherwise: the folder then lacks its manifest and is not to be handed over.
    """
    if not by.strip() or not purpose.strip():
        raise ExportRefused("an export needs who makes it and for what purpose")
    listed = await store.client_file(file)
    if not listed.entries and not listed.not_sent:
        raise ExportRefused("no message is filed under that client file")
    await _guarded(_make_folder, out_dir)
    count = f"{len(listed.entries)} messages"
    await store.write_audit(AuditEntry(at=at, who=by, what="export begun", why=f"{purpose} ({count})", file=file))
    entries = []
    for number, record in enumerate(listed.entries, start=1):
        entries.append(await _export_one(store, record, number, out_dir))
        if progress is not None:
            progress(number, len(listed.entries))
    manifest = _manifest(listed, entries, by=by, purpose=purpose, at=at)
    await _guarded(write_durably, out_dir / MANIFEST, manifest)
    digest = hashlib.sha256(manifest).hexdigest()
    done = AuditEntry(at=at, who=by, what="export ended", why=f"manifest sha256 {digest}", file=file)
    await store.write_audit(done)
    files = sum(len(entry.files) for entry in entries) + 1
    return Exported(folder=out_dir, messages=len(entries), files=files, manifest_sha256=digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    record: StoredRecord
    files: tuple[tuple[str, Stage], ...]


def _make_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ExportRefused("the folder has content already: name a new one")


async def _export_one(store: Store, record: StoredRecord, number: int, folder: Path) -> _Entry:
    """Both forms if they differ, else one: what the client read, or what came from the client."""
    stages = (Stage.RECEIVED, Stage.DELIVERED) if record.is_amended else (Stage.DELIVERED,)
    files = []
    for stage in stages:
        name = _name(record, number, stage)
        await _guarded(write_durably, folder / name, await store.body(record.id, stage))
        files.append((name, stage))
    return _Entry(record=record, files=tuple(files))


def _name(record: StoredRecord, number: int, stage: Stage) -> str:
    moment = record.received_at.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    form = f"_{stage.value}" if record.is_amended else ""
    return f"{number:05d}_{moment}_{_TOWARDS[record.direction]}_{record.ref}{form}.eml"


def _manifest(listed: ClientFile, entries: list[_Entry], *, by: str, purpose: str, at: datetime) -> bytes:
    manifest = {
        "client_file": listed.file,
        "exported_at": at.astimezone(UTC).isoformat(),
        "exported_by": by,
        "purpose": purpose,
        "messages": [{**_facts(entry.record), "files": _files(entry)} for entry in entries],
        "not_sent": [_facts(record) for record in listed.not_sent],
    }
    return (json.dumps(manifest, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _files(entry: _Entry) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = []
    for name, stage in entry.files:
        body = entry.record.received if stage is Stage.RECEIVED else entry.record.delivered
        listed.append({"name": name, "form": stage.value, "bytes": body.size, "sha256": body.sha256})
    return listed


def _facts(record: StoredRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "ref": record.ref,
        "received_at": record.received_at.isoformat(),
        "direction": record.direction.value,
        "listed_as": record.listed_as,
        "worker": record.worker_id,
        "envelope_from": record.envelope.mail_from,
        "envelope_to": [recipient.address for recipient in record.envelope.recipients],
        "policy": record.verdict.policy,
        "verdict": record.verdict.action,
    }


async def _guarded(work: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """File work in a thread; what the disk refuses becomes StoreFull or MachineryFailed."""
    try:
        await asyncio.to_thread(work, *args, **kwargs)
    except OSError as error:
        raise disk_error(error) from error
