"""A client's file as a folder of .eml files, both directions in order, with a manifest of their SHA-256.

Bytes are proved against their hash on the way. What was not sent is listed in the manifest and not given out: it is not
in the client's file [TIP-E5]. Called by `archive export`, and by the bag for its messages.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec

from gateway.archive.bodies import disk_error
from gateway.archive.export import staging
from gateway.archive.export.request import EVERYTHING, Choice, Exported, ExportRefused, Request
from gateway.archive.export.staging import Staging
from gateway.archive.model import Stage, StoredBody, StoredRecord
from gateway.archive.store import Store
from gateway.people.model import Direction

__all__ = ["MANIFEST", "ExportRefused", "Exported", "export_eml"]

MANIFEST = "manifest.json"
P = ParamSpec("P")
_TOWARDS = {
    Direction.OUTBOUND: "to-client",
    Direction.INBOUND: "from-client",
    Direction.INTERNAL: "internal",
    Direction.THIRD_PARTY: "to-others",
}


async def export_eml(
    store: Store,
    file: str,
    out_dir: Path,
    *,
    by: str,
    purpose: str,
    at: datetime,
    choice: Choice = EVERYTHING,
    progress: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write a client's file into `out_dir`, which must be absent or empty.

    `by` and `purpose` stand in the audit entry. `progress(done, total)` counts messages. Raises ExportRefused for a
    file without records, a folder with content, no name or purpose, or redactions (an .eml has the original bytes).
    Raises BodyDamaged, StoreFull or MachineryFailed otherwise: what is finished then waits in `NAME.partial`.
    """
    if choice.redactions:
        raise ExportRefused("a redacted copy is made with --format pdf or bag: an .eml has the original bytes")
    request = Request(file=file, form="eml", by=by, purpose=purpose, at=at, choice=choice)
    under_way = await staging.begin(store, request, out_dir, needs_messages=False)
    try:
        entries = await write_messages(store, under_way, under_way.content, progress)
        manifest = manifest_of(under_way, entries)
        await guarded(write_anew, under_way.content / MANIFEST, manifest)
        digest = hashlib.sha256(manifest).hexdigest()
        await staging.end(store, under_way, [(under_way.content, out_dir)], digest)
    finally:
        staging.release(under_way)
    files = sum(len(entry.files) for entry in entries) + 1
    return Exported(folder=out_dir, messages=len(entries), files=files, manifest_sha256=digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A message that was written: its record, and the names of its files with the form that each has."""

    record: StoredRecord
    files: tuple[tuple[str, Stage], ...]


async def write_messages(
    store: Store, under_way: Staging, folder: Path, progress: Callable[[int, int], None] | None
) -> list[Entry]:
    """Write every chosen message into `folder`, or find it there; both forms if they differ.

    Else one: what the client read, or what came from the client.
    """
    await guarded(folder.mkdir, 0o700, parents=True, exist_ok=True)
    entries = []
    total = len(under_way.listed.entries)
    for number, record in enumerate(under_way.listed.entries, start=1):
        files = []
        for stage in stages_of(record):
            name = name_of(record, number, stage)
            path = folder / name
            if not (under_way.is_resumed and await asyncio.to_thread(_is_there, path, body_of(record, stage))):
                await guarded(write_anew, path, await store.body(record.id, stage))
            files.append((name, stage))
        entries.append(Entry(record=record, files=tuple(files)))
        if progress is not None:
            progress(number, total)
    return entries


def stages_of(record: StoredRecord) -> tuple[Stage, ...]:
    """The forms of a message that differ."""
    return (Stage.RECEIVED, Stage.DELIVERED) if record.is_amended else (Stage.DELIVERED,)


def body_of(record: StoredRecord, stage: Stage) -> StoredBody:
    """Size and hash of one form."""
    return record.received if stage is Stage.RECEIVED else record.delivered


def name_of(record: StoredRecord, number: int, stage: Stage, ending: str = "eml") -> str:
    """The name of a message's file: number, time, direction, reference, and the form where there are two."""
    moment = record.received_at.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    form = f"_{stage.value}" if record.is_amended else ""
    return f"{number:05d}_{moment}_{_TOWARDS[record.direction]}_{record.ref}{form}.{ending}"


def manifest_of(under_way: Staging, entries: list[Entry]) -> bytes:
    """The manifest: who exported what and why, every message with its files, and what was not sent by name only."""
    return json_bytes(
        {
            **head_of(under_way),
            "messages": [{**facts_of(entry.record), "files": _files(entry)} for entry in entries],
            "not_sent": [facts_of(record) for record in under_way.listed.not_sent],
        }
    )


def head_of(under_way: Staging) -> dict[str, object]:
    """What every manifest says first."""
    request = under_way.request
    head: dict[str, object] = {
        "client_file": request.file,
        "exported_at": under_way.begun_at.astimezone(UTC).isoformat(),
        "exported_by": request.by,
        "purpose": request.purpose,
    }
    if request.choice.values():
        head |= {"chosen": request.choice.values(), "left_out": under_way.left_out}
    return head


def facts_of(record: StoredRecord) -> dict[str, object]:
    """What a manifest says of a message."""
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


def json_bytes(values: object) -> bytes:
    """Values as JSON for people and programs."""
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


async def guarded(work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """File work in a thread; what the disk refuses becomes StoreFull or MachineryFailed."""
    try:
        await asyncio.to_thread(work, *args, **kwargs)
    except OSError as error:
        raise disk_error(error) from error


def write_anew(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 in the place of what an interrupted export left there.

    It is synced with all others at the end (`staging.end`); what goes on after an interruption looks at hashes.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _is_there(path: Path, body: StoredBody) -> bool:
    if not path.is_file() or path.stat().st_size != body.size:
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == body.sha256


def _files(entry: Entry) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = []
    for name, stage in entry.files:
        body = body_of(entry.record, stage)
        listed.append({"name": name, "form": stage.value, "bytes": body.size, "sha256": body.sha256})
    return listed
