"""A client's file as a FHIR R4B Bundle (collection): a Patient, and for each message a Communication and documents.

A DocumentReference has the message byte for byte as message/rfc822, with its SHA-256 as a name of RFC 6920; the
Communication says who wrote to whom when, about what, and points to it. The Patient has the file's number and nothing
else: names are not the archive's to give. Written message by message, so that memory does not grow.
https://hl7.org/fhir/R4B. Called by `archive export --format fhir`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from gateway.archive.bodies import disk_error
from gateway.archive.export import staging
from gateway.archive.export.eml import name_of, stages_of
from gateway.archive.export.growing import GrowingFile
from gateway.archive.export.request import EVERYTHING, Choice, Exported, ExportRefused, Request
from gateway.archive.export.staging import Staging
from gateway.archive.model import Stage, StoredRecord
from gateway.archive.states import MessageState
from gateway.archive.store import Store
from gateway.message.parse import parse
from gateway.people.model import Direction

_NAMES = UUID("6f1c1d0e-54cb-5f0b-9d2e-6b0a1c9e4f10")
_FILES, _REFERENCES = "urn:practicum-gateway:client-file", "urn:practicum-gateway:message"
_MODES = "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode"
_MAX_TOPIC_CHARS = 1000


async def export_fhir(
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
    """Write a client's file as the JSON file `out`, which must not exist; the digest in the answer is that file's.

    Raises as `export_mbox`.
    """
    if choice.redactions:
        raise ExportRefused("a redacted copy is made with --format pdf or bag: a bundle has the original bytes")
    request = Request(file=file, form="fhir", by=by, purpose=purpose, at=at, choice=choice)
    under_way = await staging.begin(store, request, out, is_file=True)
    try:
        bundle = under_way.content / "bundle.json"
        digest = await _write(store, under_way, bundle, progress)
        await staging.end(store, under_way, [(bundle, out)], digest)
    finally:
        staging.release(under_way)
    return Exported(folder=out, messages=len(under_way.listed.entries), files=1, manifest_sha256=digest)


def head_of_bundle(file: str, at: datetime) -> str:
    """The bundle up to its first message: its own fields, and the Patient."""
    bundle = {"resourceType": "Bundle", "type": "collection", "timestamp": _instant(at)}
    patient = {"resourceType": "Patient", "id": _id("patient", file), "identifier": [_identifier(_FILES, file)]}
    return f"{json.dumps(bundle)[:-1]}, {json.dumps('entry')}: [\n{_entry(patient)}"


def entries_of(record: StoredRecord, number: int, contents: dict[Stage, bytes], file: str) -> list[dict[str, Any]]:
    """The resources of one message: a document for each form, and the communication."""
    documents = [_document(record, number, stage, content, file) for stage, content in contents.items()]
    return [*documents, _communication(record, contents[Stage.DELIVERED], documents, file)]


async def _write(store: Store, under_way: Staging, path: Path, progress: Callable[[int, int], None] | None) -> str:
    request, records = under_way.request, under_way.listed.entries
    try:
        with GrowingFile(path, under_way.parts / "fhir.json") as bundle:
            for number, record in enumerate(records[bundle.count :], start=bundle.count + 1):
                contents = {stage: await store.body(record.id, stage) for stage in stages_of(record)}
                head = head_of_bundle(request.file, under_way.begun_at) if number == 1 else ""
                text = await asyncio.to_thread(_text, record, number, contents, request.file)
                await asyncio.to_thread(bundle.add, (head + text).encode())
                if progress is not None:
                    progress(number, len(records))
            await asyncio.to_thread(bundle.finish, b"\n]}\n")
            return await asyncio.to_thread(bundle.sha256)
    except OSError as error:
        raise disk_error(error) from error


def _text(record: StoredRecord, number: int, contents: dict[Stage, bytes], file: str) -> str:
    return "".join(",\n" + _entry(resource) for resource in entries_of(record, number, contents, file))


def _document(record: StoredRecord, number: int, stage: Stage, content: bytes, file: str) -> dict[str, Any]:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    attachment: dict[str, Any] = {
        "contentType": "message/rfc822",
        "size": len(content),
        "hash": base64.b64encode(hashlib.sha1(content).digest()).decode(),  # noqa: S324 - FHIR asks for SHA-1 here
        "title": name_of(record, number, stage),
        "creation": _instant(record.received_at),
    }
    if content:
        attachment["data"] = base64.b64encode(content).decode()
    return {
        "resourceType": "DocumentReference",
        "id": _id("document", record.id, stage.value),
        "identifier": [
            _identifier(_REFERENCES, record.ref),
            _identifier("urn:ietf:rfc:3986", f"ni:///sha-256;{digest}"),
        ],
        "status": "current",
        "docStatus": "final",
        "type": {"text": f"e-mail as {stage.value}"},
        "subject": _patient(file),
        "date": _instant(record.received_at),
        "content": [{"attachment": attachment}],
    }


def _communication(record: StoredRecord, content: bytes, documents: list[dict[str, Any]], file: str) -> dict[str, Any]:
    envelope = record.envelope
    is_inbound = record.direction is Direction.INBOUND
    sender = {"display": _word(envelope.mail_from or "<>")}
    recipients = [{"display": _word(recipient.address)} for recipient in envelope.recipients]
    if is_inbound:
        sender |= _patient(file)
    elif record.direction is Direction.OUTBOUND:
        recipients.insert(0, _patient(file))
    found: dict[str, Any] = {
        "resourceType": "Communication",
        "id": _id("communication", record.id),
        "identifier": [_identifier(_REFERENCES, record.ref)],
        "status": "unknown" if record.state is MessageState.UNCONFIRMED else "completed",
        "category": [{"text": record.direction.value}],
        "medium": [{"coding": [{"system": _MODES, "code": "EMAILWRIT", "display": "email"}]}],
        "subject": _patient(file),
        "received" if is_inbound else "sent": _instant(record.received_at),
        "sender": sender,
        "recipient": recipients,
        "payload": [{"contentReference": {"reference": f"urn:uuid:{document['id']}"}} for document in documents],
    }
    subject = next((_word(entry.value[:_MAX_TOPIC_CHARS]) for entry in parse(content).fields("Subject")), "")
    return found | {"topic": {"text": subject}} if subject.strip() else found


def _entry(resource: dict[str, Any]) -> str:
    return json.dumps({"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}, ensure_ascii=True)


def _patient(file: str) -> dict[str, str]:
    return {"reference": f"urn:uuid:{_id('patient', file)}"}


def _identifier(system: str, value: str) -> dict[str, str]:
    return {"system": system, "value": _word(value)}


def _id(*names: str) -> str:
    """The same resource has the same id in every export."""
    return str(uuid5(_NAMES, "\n".join(names)))


def _word(text: str) -> str:
    """A string as FHIR allows it: no control characters, no surrogates, something in it."""
    kept = "".join(char for char in text if char.isprintable() or char == " ").strip()
    return kept.encode("utf-8", "replace").decode() or "-"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
