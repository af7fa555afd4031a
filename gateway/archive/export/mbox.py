"""A client's file as one mbox file (RFC 4155), in the mboxrd quoting, with a manifest beside it.

Each message is there in the form in which its reader had it. Lines that begin with `From ` after any number of `>` get
one more `>`, so that nothing is ambiguous and the bytes can be had back; line ends stay as they are. The manifest has
size and SHA-256 of each message as it was before. Called by `archive export --format mbox`.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from gateway.archive.bodies import disk_error
from gateway.archive.export import staging
from gateway.archive.export.eml import facts_of, guarded, head_of, json_bytes, write_anew
from gateway.archive.export.growing import GrowingFile
from gateway.archive.export.request import EVERYTHING, Choice, Exported, ExportRefused, Request
from gateway.archive.model import Stage, StoredRecord
from gateway.archive.store import Store

_FROM = re.compile(rb"^(>*From )", re.MULTILINE)


async def export_mbox(
    store: Store,
    file: str,
    out: Path,
    *,
    by: str,
    purpose: str,
    at: datetime,
    choice: Choice = EVERYTHING,
    progress: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write a client's file as the file `out`, which must not exist, and `out` with `.manifest.json` after it.

    The export is recorded before the first byte. Raises ExportRefused; BodyDamaged, StoreFull or MachineryFailed: what
    is finished then waits in `NAME.partial`.
    """
    if choice.redactions:
        raise ExportRefused("a redacted copy is made with --format pdf or bag: an mbox has the original bytes")
    request = Request(file=file, form="mbox", by=by, purpose=purpose, at=at, choice=choice)
    under_way = await staging.begin(store, request, out, is_file=True)
    try:
        mbox, manifest_path = under_way.content / "mbox", under_way.content / "manifest.json"
        await _write(store, under_way, mbox, progress)
        messages = [{**facts_of(record), **_sums(record)} for record in under_way.listed.entries]
        manifest = json_bytes({**head_of(under_way), "quoting": "mboxrd", "messages": messages})
        await guarded(write_anew, manifest_path, manifest)
        digest = hashlib.sha256(manifest).hexdigest()
        moves = [(manifest_path, out.with_name(out.name + ".manifest.json")), (mbox, out)]
        await staging.end(store, under_way, moves, digest)
    finally:
        staging.release(under_way)
    return Exported(folder=out, messages=len(messages), files=2, manifest_sha256=digest)


def quoted(content: bytes) -> bytes:
    """A message as it stands in the file: mboxrd quoting, and a line end after its last line."""
    text = _FROM.sub(rb">\1", content)
    return text if text.endswith(b"\n") else text + b"\n"


async def _write(
    store: Store, under_way: staging.Staging, path: Path, progress: Callable[[int, int], None] | None
) -> None:
    entries = under_way.listed.entries
    try:
        with GrowingFile(path, under_way.parts / "mbox.json") as mbox:
            for number, record in enumerate(entries[mbox.count :], start=mbox.count + 1):
                content = await store.body(record.id, Stage.DELIVERED)
                await asyncio.to_thread(mbox.add, _separator(record) + quoted(content) + b"\n")
                if progress is not None:
                    progress(number, len(entries))
            await asyncio.to_thread(mbox.finish)
    except OSError as error:
        raise disk_error(error) from error


def _separator(record: StoredRecord) -> bytes:
    sender = re.sub(r"[^!-~]", "?", record.envelope.mail_from or "MAILER-DAEMON")
    return f"From {sender} {record.received_at.astimezone(UTC).strftime('%a %b %e %H:%M:%S %Y')}\n".encode()


def _sums(record: StoredRecord) -> dict[str, object]:
    return {"bytes": record.delivered.size, "sha256": record.delivered.sha256}
