"""The messages of a redacted copy as text files, with a manifest that has no hash of an original.

A hash of the original would let anybody try names until one fits. The originals stay in the archive, untouched; what
was blacked out where, and why, goes to the access log. Called by the bag.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

from gateway.archive.export.eml import facts_of, guarded, head_of, json_bytes, name_of, write_anew
from gateway.archive.export.redact import Redactor
from gateway.archive.export.rendering.view import view_of
from gateway.archive.export.staging import Staging
from gateway.archive.model import Stage, StoredRecord
from gateway.archive.store import Store
from gateway.message.parse import parse


async def write_redacted(
    store: Store, under_way: Staging, folder: Path, progress: Callable[[int, int], None] | None
) -> bytes:
    """Write every chosen message into `folder` as redacted text; the manifest."""
    await guarded(folder.mkdir, 0o700, parents=True, exist_ok=True)
    redactions = under_way.request.choice.redactions
    words = [redaction.words for redaction in redactions]
    totals = Redactor(words)
    messages = []
    for number, record in enumerate(under_way.listed.entries, start=1):
        redactor = Redactor(words)
        content = await store.body(record.id, Stage.DELIVERED)
        text = await asyncio.to_thread(_text, content, redactor)
        totals.counts = [total + count for total, count in zip(totals.counts, redactor.counts, strict=True)]
        name = _name(record, number)
        await guarded(write_anew, folder / name, text)
        facts = Redactor(words).hide_in(facts_of(record))
        listed = {"name": name, "form": "redacted", "bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}
        messages.append({**facts, "files": [listed]})
        if progress is not None:
            progress(number, len(under_way.listed.entries))
    told = [
        {"number": number, "reason": Redactor(words).hide(redaction.reason), "places": count}
        for number, (redaction, count) in enumerate(zip(redactions, totals.counts, strict=True), start=1)
    ]
    hidden = Redactor(words)
    not_sent = [hidden.hide_in(facts_of(record)) for record in under_way.listed.not_sent]
    return json_bytes(
        {**hidden.hide_in(head_of(under_way)), "redactions": told, "messages": messages, "not_sent": not_sent}
    )


def text_view(content: bytes, redactor: Redactor) -> str:
    """A message as text: header lines, what the reader saw, names of the attachments; blacked out."""
    view = view_of(parse(content))
    lines = [f"{name}: {redactor.hide(value)}" for name, value in view.headers]
    lines += ["", *(redactor.hide(segment.text) for segment in view.segments)]
    if view.attachments:
        lines += ["", "Attachments, withheld from this redacted copy:"]
        lines += [
            f"  {redactor.hide(part.name)} ({part.content_type}, {len(part.octets)} bytes)" for part in view.attachments
        ]
    return "\n".join(lines) + "\n"


def _text(content: bytes, redactor: Redactor) -> bytes:
    return text_view(content, redactor).encode("utf-8", "replace")


def _name(record: StoredRecord, number: int) -> str:
    return name_of(record, number, Stage.DELIVERED, "txt").replace("_delivered.", "_redacted.")
