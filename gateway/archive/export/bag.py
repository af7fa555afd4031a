"""A client's file as a bag (BagIt 1.0, RFC 8493): messages, a printable document, access log, proofs, README, verifier.

On request it is one file that only its recipient can open (age). The messages are those of the eml export, the document
that of the pdf export. The proofs tie each message to the archive's signed checkpoint. A redacted bag has texts instead
of messages, and no proof of one. Called by `archive export --format bag`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gateway import __version__
from gateway.archive.bodies import disk_error
from gateway.archive.export import staging
from gateway.archive.export.eml import MANIFEST, guarded, json_bytes, manifest_of, write_anew, write_messages
from gateway.archive.export.printed import note_redactions, notes_of, print_file
from gateway.archive.export.redact import Redactor
from gateway.archive.export.redacted import write_redacted
from gateway.archive.export.rendering.renderer import Renderer
from gateway.archive.export.request import EVERYTHING, Choice, Exported, Request
from gateway.archive.export.sealed import read_recipients, seal_folder
from gateway.archive.export.staging import Staging
from gateway.archive.model import AuditEntry, LedgerProofs
from gateway.archive.store import Store

_README = """\
This folder is a client's e-mail file, as {organisation} keeps it: {messages} message(s) of file {file}.
It was made on {at} by {by}, for: {purpose}
{chosen}
data/messages/                each message in order as an .eml file, which any mail program opens. Where a message was
                              changed on its way (a notice was added), both forms are there: received and delivered.
data/messages/manifest.json   what each file is; and, by name only, what was written and not sent
{pdf}data/access-log.json          who looked at these messages, exported or decided on them, when and why
data/proofs.json              the proof that each message is in the archive, unaltered, since it was filed
data/verify_export.py         checks all of this: python3 data/verify_export.py
                              (it needs Python 3.8 or later and its package `cryptography`, and nothing else)

It says OK if nothing was changed, taken out or added since the export. To know that it was this archive that signed
it, ask the sender for the archive's public key by another way than this folder, and compare. Here it is
{key}
The folder follows BagIt (RFC 8493), so that any archive's tools can take it in. These messages are confidential.
"""
_REDACTED_README = """\
This folder is a REDACTED COPY of a client's e-mail file, as {organisation} keeps it:
{messages} message(s) of file {file}.
It was made on {at} by {by}, for: {purpose}
{chosen}
Words about other persons are blacked out. Each bar has the number of its reason:
{reasons}
The originals are in the archive, unaltered, and are not in this folder. Attachments are named and withheld, because
they can't be blacked out for certain.

data/messages/                each message in order as text
data/messages/manifest.json   what each file is; and, by name only, what was written and not sent
{pdf}data/access-log.json          who looked at these messages, exported or decided on them, when and why
data/proofs.json              the archive's signed checkpoint. It does not prove these texts: a proof would need the
                              originals, and would help to guess what is blacked out
data/verify_export.py         checks that nothing was changed since the export: python3 data/verify_export.py

The folder follows BagIt (RFC 8493), so that any archive's tools can take it in. These messages are confidential.
"""
_PDF_LINE = """\
data/file.pdf                 the whole file as one document to read or print, with page numbers and an index{more}
"""


async def export_bag(
    store: Store,
    file: str,
    out: Path,
    *,
    by: str,
    purpose: str,
    at: datetime,
    organisation: str = "the agency",
    choice: Choice = EVERYTHING,
    has_pdf: bool = True,
    encrypt_to: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write a client's file as a bag: a folder, which must be absent or empty; encrypted, a file that must not exist.

    `encrypt_to` are age public keys. The digest in the answer is that of `tagmanifest-sha256.txt`, which covers every
    other file. Raises as `export_eml` and, with `has_pdf`, PrinterMissing.
    """
    read_recipients(encrypt_to)
    request = Request(file=file, form="bag", by=by, purpose=purpose, at=at, choice=choice)
    with Renderer() as renderer:
        if has_pdf:
            await asyncio.to_thread(renderer.start)
        under_way = await staging.begin(store, request, out, is_file=bool(encrypt_to), needs_messages=False)
        try:
            return await _export(
                store, under_way, out, renderer if has_pdf else None, organisation, encrypt_to, progress
            )
        finally:
            staging.release(under_way)


async def _export(
    store: Store,
    under_way: Staging,
    out: Path,
    renderer: Renderer | None,
    organisation: str,
    encrypt_to: Sequence[str],
    progress: Callable[[int, int], None] | None,
) -> Exported:
    bag = under_way.content / "bag"
    data, total = bag / "data", len(under_way.listed.entries)
    steps = 1 if renderer is None else 2

    def count(done: int, before: int) -> None:
        if progress is not None:
            progress(before + done, steps * total)

    if under_way.request.choice.redactions:
        manifest = await write_redacted(store, under_way, data / "messages", lambda done, _: count(done, 0))
    else:
        entries = await write_messages(store, under_way, data / "messages", lambda done, _: count(done, 0))
        manifest = manifest_of(under_way, entries)
    await guarded(write_anew, data / "messages" / MANIFEST, manifest)
    notes: tuple[str, ...] = ()
    if renderer is not None and total:
        printed = await print_file(
            store, under_way, renderer, data / "file.pdf", organisation, lambda done, _: count(done, total)
        )
        await note_redactions(store, under_way, printed)
        notes = notes_of(printed)
    payload = await _payload(store, under_way, organisation, has_pdf=renderer is not None and total > 0)
    try:
        digest, files = await asyncio.to_thread(_finish, bag, payload, under_way)
        source = bag
        if encrypt_to:
            source = under_way.content / "bag.tar.age"
            await asyncio.to_thread(seal_folder, bag, _folder_name(under_way.request.file), source, encrypt_to)
    except OSError as error:
        raise disk_error(error) from error
    await staging.end(store, under_way, [(source, out)], digest)
    return Exported(folder=out, messages=total, files=files, manifest_sha256=digest, notes=notes)


async def _payload(store: Store, under_way: Staging, organisation: str, *, has_pdf: bool) -> dict[str, bytes]:
    """The files beside messages and document."""
    request, listed = under_way.request, under_way.listed
    redactions = request.choice.redactions
    hidden = Redactor([redaction.words for redaction in redactions])
    log = list(await store.audit(file=request.file))
    for record in (*listed.entries, *listed.not_sent):
        log += [entry for entry in await store.audit(message_id=record.id) if entry.file != request.file]
    proofs = await store.proofs([] if redactions else [record.id for record in listed.entries])
    chosen = ", ".join(f"{name} {value}" for name, value in request.choice.values().items())
    more = (
        ""
        if redactions
        else "; the .eml\n" + 30 * " " + "files are embedded in it, and listed by a PDF reader among the attachments"
    )
    words = (_REDACTED_README if redactions else _README).format(
        organisation=organisation,
        messages=len(listed.entries),
        file=request.file,
        by=request.by,
        purpose=request.purpose,
        at=under_way.begun_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        key=base64.b64encode(proofs.public_key).decode(),
        pdf=_PDF_LINE.format(more=more) if has_pdf else "",
        chosen=f"Chosen: {chosen}; {under_way.left_out} other message(s) of the file are left out.\n" if chosen else "",
        reasons="\n".join(f"[{number}] {redaction.reason}" for number, redaction in enumerate(redactions, start=1)),
    )
    entries = [hidden.hide_in(_entry_values(entry)) for entry in sorted(log, key=lambda entry: entry.at)]
    return {
        "README.txt": hidden.hide(words).encode("utf-8", "replace"),
        "access-log.json": json_bytes(entries),
        "proofs.json": json_bytes(_proof_values(proofs)),
        "verify_export.py": Path(__file__).with_name("verify_export.py").read_bytes(),
    }


def _finish(folder: Path, payload: dict[str, bytes], under_way: Staging) -> tuple[str, int]:
    """Write the payload's last files and the tag files (RFC 8493 section 2); the last one's digest, and a count."""
    data = folder / "data"
    for name, content in payload.items():
        write_anew(data / name, content)
    paths = sorted(path for path in data.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in paths)
    info = {
        "Bag-Software-Agent": f"practicum-gateway {__version__}",
        "Bagging-Date": under_way.begun_at.astimezone(UTC).strftime("%Y-%m-%d"),
        "External-Identifier": "".join(char if char.isprintable() else "?" for char in under_way.request.file),
        "Payload-Oxum": f"{size}.{len(paths)}",
    }
    tags = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": "".join(f"{name}: {value}\n" for name, value in info.items()).encode("utf-8", "replace"),
        "manifest-sha256.txt": _listing(folder, paths),
    }
    for name, content in tags.items():
        write_anew(folder / name, content)
    last = _listing(folder, [folder / name for name in sorted(tags)])
    write_anew(folder / "tagmanifest-sha256.txt", last)
    return hashlib.sha256(last).hexdigest(), len(paths) + len(tags) + 1


def _listing(folder: Path, paths: list[Path]) -> bytes:
    lines = []
    for path in paths:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder).as_posix()}\n")
    return "".join(lines).encode()


def _folder_name(file: str) -> str:
    """The name of the folder in an encrypted bag."""
    return "file-" + re.sub(r"[^A-Za-z0-9._-]", "_", file)


def _entry_values(entry: AuditEntry) -> dict[str, str | None]:
    return {
        "at": entry.at.isoformat(),
        "who": entry.who,
        "what": entry.what,
        "why": entry.why,
        "ref": entry.ref,
        "message": entry.message_id,
    }


def _proof_values(proofs: LedgerProofs) -> dict[str, object]:
    def text(value: bytes) -> str:
        return base64.b64encode(value).decode()

    return {
        "checkpoint": {
            "size": proofs.size,
            "root": text(proofs.root),
            "at": proofs.at,
            "public_key": text(proofs.public_key),
            "signature": text(proofs.signature),
        },
        "records": [
            {
                "id": proof.record_id,
                "index": proof.index,
                "entry": text(proof.entry),
                "path": [text(step) for step in proof.path],
            }
            for proof in proofs.records
        ],
    }  # fmt: skip
