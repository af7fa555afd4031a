"""A client's file as one printable document (PDF/A-3u): cover, index, every message as its reader saw it, page numbers.

Each message is printed in a process of its own (`rendering`), with the original embedded, and kept as a part; the parts
are bound at the end (`binding`), so that an interrupted export keeps what is printed and memory does not grow with the
pages. Called by `archive export --format pdf`, and by the bag.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.archive.bodies import disk_error
from gateway.archive.export import binding, front, staging
from gateway.archive.export.binding import Bookmark, NotPages, Original
from gateway.archive.export.eml import body_of, guarded, name_of, stages_of, write_anew
from gateway.archive.export.rendering.model import Look, Rendered, Sheet, rendered_from, report_of
from gateway.archive.export.rendering.renderer import Renderer
from gateway.archive.export.request import EVERYTHING, Choice, Exported, Request
from gateway.archive.export.staging import Staging
from gateway.archive.model import AuditEntry, Stage, StoredRecord
from gateway.archive.store import Store
from gateway.message.errors import MachineryFailed
from gateway.people.model import Direction

_WAYS = {
    Direction.OUTBOUND: "to client",
    Direction.INBOUND: "from client",
    Direction.INTERNAL: "internal",
    Direction.THIRD_PARTY: "to others",
}
_FONTS = "fonts-noto-core fonts-wqy-microhei"


async def export_pdf(
    store: Store,
    file: str,
    out: Path,
    *,
    by: str,
    purpose: str,
    at: datetime,
    organisation: str = "the agency",
    choice: Choice = EVERYTHING,
    progress: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write a client's file as the PDF file `out`, which must not exist.

    Raises ExportRefused (PrinterMissing where the machine can't print); BodyDamaged, StoreFull or MachineryFailed: what
    is printed then waits in `NAME.partial`.
    """
    request = Request(file=file, form="pdf", by=by, purpose=purpose, at=at, choice=choice)
    with Renderer() as renderer:
        await asyncio.to_thread(renderer.start)
        under_way = await staging.begin(store, request, out, is_file=True)
        try:
            target = under_way.content / "file.pdf"
            printed = await print_file(store, under_way, renderer, target, organisation, progress)
            await note_redactions(store, under_way, printed)
            digest = await asyncio.to_thread(_sha256, target)
            await staging.end(store, under_way, [(target, out)], digest)
        finally:
            staging.release(under_way)
    notes = notes_of(printed)
    return Exported(folder=out, messages=len(printed), files=1, manifest_sha256=digest, notes=notes)


async def print_file(
    store: Store,
    under_way: Staging,
    renderer: Renderer,
    target: Path,
    organisation: str,
    progress: Callable[[int, int], None] | None = None,
) -> list[Rendered]:
    """Make the document at `target`; what is to be told of each message (without its PDF)."""
    records = under_way.listed.entries
    places = asyncio.Semaphore(min(4, len(os.sched_getaffinity(0))))
    done = 0

    async def one(number: int, record: StoredRecord) -> Rendered:
        nonlocal done
        async with places:
            printed = await _print_message(store, under_way, renderer, number, record)
        done += 1
        if progress is not None:
            progress(done, len(records))
        return printed

    tasks = [asyncio.create_task(one(number, record)) for number, record in enumerate(records, start=1)]
    try:
        printed = list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    key = await _public_key(store)
    await guarded(_bind, under_way, renderer, printed, target, organisation, key)
    return printed


async def note_redactions(store: Store, under_way: Staging, printed: Sequence[Rendered]) -> None:
    """Record what was blacked out where and why; never the words."""
    request = under_way.request
    for number, redaction in enumerate(request.choice.redactions):
        found = [
            (record.ref, entry.hidden[number])
            for record, entry in zip(under_way.listed.entries, printed, strict=True)
            if entry.hidden[number]
        ]
        places = ", ".join(f"{ref}: {count}" for ref, count in found) or "nowhere"
        why = f"redaction {number + 1} ({redaction.reason}), places by message: {places}"
        entry = AuditEntry(at=request.at, who=request.by, what="redacted copy", why=why, file=request.file)
        await store.write_audit(entry)


def notes_of(printed: Sequence[Rendered]) -> tuple[str, ...]:
    """Sentences about what is not as one might expect."""
    notes = []
    if count := sum(entry.refused for entry in printed):
        notes.append(
            f"{count} picture(s) or other things from elsewhere were not fetched; nothing was asked of any network."
        )
    if count := sum(entry.look is Look.TEXT and not any(entry.hidden) for entry in printed):
        notes.append(f"{count} message(s) could not be laid out as HTML and stand as plain text.")
    if count := sum(entry.look is Look.NAMED for entry in printed):
        notes.append(f"{count} message(s) could not be put on paper and are named only; their originals are embedded.")
    if count := sum(entry.missing > 0 for entry in printed):
        notes.append(f"{count} message(s) have characters that no font of this machine has; they stand as boxes "
                     f"(Debian: {_FONTS}).")  # fmt: skip
    return tuple(notes)


async def _print_message(
    store: Store, under_way: Staging, renderer: Renderer, number: int, record: StoredRecord
) -> Rendered:
    note, path = under_way.parts / f"{number:06d}.json", under_way.parts / f"{number:06d}.pdf"
    earlier = await asyncio.to_thread(_earlier, note, path)
    if earlier is not None:
        return earlier
    contents = {stage: await store.body(record.id, stage) for stage in stages_of(record)}
    choice = under_way.request.choice
    hidden = tuple(redaction.words for redaction in choice.redactions)
    sheet = Sheet(
        look=Look.TEXT if hidden else Look.FULL,
        running=f"{record.ref} · message {number} of {len(under_way.listed.entries)} · {_moment(record.received_at)}",
        language=record.notice_language or "en",
        facts=_facts(record, is_redacted=bool(hidden)),
        hidden=hidden,
        content=contents[Stage.DELIVERED],
    )
    originals = [] if hidden else [_original(record, number, stage, content) for stage, content in contents.items()]
    try:
        printed, made = await asyncio.to_thread(_printed_part, renderer, sheet, originals)
        await asyncio.to_thread(write_anew, path, made)
        printed = replace(printed, pdf=b"")
        report = {**report_of(printed), "sha256": hashlib.sha256(made).hexdigest()}
        await asyncio.to_thread(write_anew, note, json.dumps(report).encode())
    except OSError as error:
        raise disk_error(error) from error
    return printed


def _printed_part(renderer: Renderer, sheet: Sheet, originals: list[Original]) -> tuple[Rendered, bytes]:
    """The printed message and its part; a document that can't be bound is printed anew in a plainer look."""
    look = sheet.look
    while True:
        printed = renderer.render(replace(sheet, look=look))
        try:
            return printed, binding.part(printed.pdf, printed.pages, originals)
        except NotPages:
            if printed.look is Look.NAMED:
                raise MachineryFailed("a message can't be printed in any look") from None
            look = Look.TEXT if printed.look is Look.FULL else Look.NAMED


def _earlier(note: Path, path: Path) -> Rendered | None:
    """What an interrupted export noted of a message that it had printed."""
    try:
        report = json.loads(note.read_bytes())
        if hashlib.sha256(path.read_bytes()).hexdigest() == report["sha256"]:
            return rendered_from(report, b"")
    except (OSError, ValueError, KeyError, TypeError):
        note.unlink(missing_ok=True)
    return None


def _original(record: StoredRecord, number: int, stage: Stage, content: bytes) -> Original:
    about = f"{record.ref} as {stage.value}"
    return Original(name=name_of(record, number, stage), about=about, at=record.received_at, content=content)


def _facts(record: StoredRecord, *, is_redacted: bool) -> tuple[tuple[str, str], ...]:
    """What the archive knows of a message, as lines. A redacted copy has no hash: it would betray a guess."""
    envelope = record.envelope
    rows = [
        (
            "in the archive",
            f"{record.ref}, {_moment(record.received_at)}, {_WAYS[record.direction]}, {record.listed_as}",
        ),
        ("envelope", f"{envelope.mail_from or '<>'} to {', '.join(entry.address for entry in envelope.recipients)}"),
        ("judged", f"{record.verdict.action} under {record.verdict.policy}"),
    ]
    if not is_redacted:
        rows += [(f"as {stage.value}", f"SHA-256 {body_of(record, stage).sha256}") for stage in stages_of(record)]
    return tuple(rows)


def _bind(
    under_way: Staging, renderer: Renderer, printed: list[Rendered], target: Path, organisation: str, key: str
) -> None:
    records, parts = under_way.listed.entries, under_way.parts
    request = under_way.request.handed()
    redactions = request.choice.redactions
    facts = front.CoverFacts(
        organisation=organisation,
        messages=len(records),
        left_out=under_way.left_out,
        first_at=records[0].received_at if records else None,
        last_at=records[-1].received_at if records else None,
        notes=notes_of(printed),
        redacted=tuple(
            (redaction.reason, sum(entry.hidden[number] for entry in printed))
            for number, redaction in enumerate(redactions)
        ),
        public_key=key,
    )
    first = renderer.render(_ours(front.cover(request, facts, under_way.begun_at)))
    before = first.pages + front.index_pages(len(records))
    starts = []
    for entry in printed:
        starts.append(before)
        before += entry.pages
    rows = [_row(*line) for line in zip(range(1, len(records) + 1), records, printed, starts, strict=True)]
    paths = [parts / "cover.pdf"]
    write_anew(paths[0], binding.part(first.pdf, first.pages, ()))
    for number, (html, pages) in enumerate(front.index_pieces(request, rows), start=1):
        piece = renderer.render(_ours(html))
        paths.append(parts / f"index-{number:04d}.pdf")
        write_anew(paths[-1], binding.part(piece.pdf, pages, ()))
    paths += [parts / f"{number:06d}.pdf" for number in range(1, len(records) + 1)]
    volumes = []
    for start in range(0, len(paths), binding.PARTS_A_VOLUME):
        volumes.append(parts / f"volume-{start // binding.PARTS_A_VOLUME:04d}.pdf")
        binding.volume(paths[start : start + binding.PARTS_A_VOLUME], volumes[-1])
    marks = [Bookmark(title="Cover", page=0), Bookmark(title="Index", page=first.pages)]
    marks += [Bookmark(title=f"{row.number}. {row.subject or '(no subject)'}"[:120], page=row.page - 1) for row in rows]
    total = binding.bind(
        volumes,
        target,
        title=f"Client file {request.file}",
        numbers=renderer.render(_ours(front.page_number_pieces(request.file, before))).pdf,
        bookmarks=marks,
        language="en",
        at=under_way.begun_at,
    )
    if total != before:
        raise MachineryFailed("the document has other pages than its index says", pages=total)


def _row(number: int, record: StoredRecord, printed: Rendered, start: int) -> front.Row:
    summary = dict(printed.summary)
    return front.Row(
        number=number,
        at=record.received_at,
        way=_WAYS[record.direction],
        sender=summary.get("from", ""),
        recipients=summary.get("to", ""),
        subject=summary.get("subject", ""),
        page=start + 1,
    )


def _ours(html: str) -> Sheet:
    return Sheet(look=None, running="", content=html.encode("utf-8", "replace"))


async def _public_key(store: Store) -> str:
    text = await store.checkpoint()
    return "" if text is None else text.splitlines()[5]


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
