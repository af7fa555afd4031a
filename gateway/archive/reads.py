"""The store's queries: rows as the values of `gateway.archive.model` and `gateway.holding.model`.

Each runs on a reader's connection in one transaction, so that it sees one moment. Called through `Store`, in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from gateway.archive import codec, keyring
from gateway.archive.bodies import BodyDamaged, PackedBody, inflate, unpack
from gateway.archive.database import (
    Connection,
    RowMapping,
    audit,
    bodies,
    client_files,
    func,
    holds,
    ledger,
    letters,
    messages,
    select,
    told,
    told_threads,
)
from gateway.archive.model import (
    AuditEntry,
    ClientFile,
    Letter,
    LetterState,
    QueuedLetter,
    Stage,
    StoredBody,
    StoredRecord,
    Told,
)
from gateway.archive.places import Place
from gateway.archive.states import MessageState, RecordUnknown
from gateway.holding.model import StoredHold
from gateway.holding.refs import read_ref
from gateway.holding.states import HoldState, HoldUnknown
from gateway.people.model import Direction
from gateway.policy.memory import Telling

_MAX_ENVELOPE_BYTES = 1024 * 1024  # of a letter of the gateway's own
_PAGE = 500  # rows a query, so that the list of variables stays under SQLite's limit


def record(connection: Connection, id_or_ref: str) -> StoredRecord:
    """The record of that id, or of the reference that a person typed. Raises RecordUnknown."""
    key = _key(connection, id_or_ref)
    found = _records(connection, select(messages).where(messages.c.id == key))
    if not found:
        raise RecordUnknown(key)
    return found[0]


def records(connection: Connection, file: str | None, limit: int | None) -> tuple[StoredRecord, ...]:
    """Records in the order in which they came, of one client's file or all; the newest `limit` of them."""
    query = select(messages).order_by(messages.c.received_at.desc(), messages.c.id.desc())
    if file is not None:
        of_file = select(client_files.c.message_id).where(client_files.c.file == keyring.file_id(connection, file))
        query = query.where(messages.c.id.in_(of_file))
    if limit is not None:
        query = query.limit(limit)
    return tuple(reversed(_records(connection, query)))


def records_by_ids(connection: Connection, ids: Sequence[str]) -> list[StoredRecord]:
    """The records of at most 500 ids, in the order of the ids; those that can't be opened are left out."""
    found = {entry.id: entry for entry in _records(connection, select(messages).where(messages.c.id.in_(ids)))}
    return [found[record_id] for record_id in ids if record_id in found]


def received(connection: Connection, ids: Sequence[str], place: Place) -> list[tuple[StoredRecord, bytes]]:
    """The records of at most 500 ids with their bytes as they came, but for those that can't be opened or proved."""
    found = []
    for entry in records_by_ids(connection, ids):
        with suppress(BodyDamaged):
            found.append((entry, body(connection, entry.id, Stage.RECEIVED, place)))
    return found


def client_file(connection: Connection, file: str) -> ClientFile:
    """A client's file: mail sent and received in order, and apart from it what was not sent."""
    listed = records(connection, file, None)
    entries = tuple(entry for entry in listed if entry.is_in_client_file)
    not_sent = tuple(entry for entry in listed if not entry.is_in_client_file)
    return ClientFile(file=file, entries=entries, not_sent=not_sent)


def body(connection: Connection, id_or_ref: str, stage: Stage, place: Place) -> bytes:
    """One form of a message, proved against its hash. Raises RecordUnknown or BodyDamaged."""
    key = _key(connection, id_or_ref)
    seal = keyring.record_seal(connection, key)
    sealed = connection.execute(select(messages.c.sealed).where(messages.c.id == key)).scalar()
    text = None if seal is None or sealed is None else seal.open("row", sealed)
    if text is None:
        raise BodyDamaged(key, stage, "unreadable" if seal is None or sealed is None else "changed")
    contents = codec.read_contents(text)
    expected = _sum_of(contents, stage)
    kept_as = Stage.RECEIVED if expected == contents.received else stage
    found = connection.execute(
        select(bodies.c.content, bodies.c.file).where(bodies.c.message_id == key, bodies.c.stage == kept_as.value)
    ).first()
    packed = None if found is None else PackedBody(stage=kept_as, content=found.content, file=found.file)
    return unpack(seal, key, stage, packed, expected, place.get)


def holds_in(connection: Connection, states: frozenset[HoldState]) -> tuple[StoredHold, ...]:
    """Every hold in one of the states, oldest first."""
    names = sorted(state.value for state in states)
    query = select(holds).where(holds.c.state.in_(names)).order_by(holds.c.created_at, holds.c.ref)
    return _holds(connection, query)


def held(connection: Connection, ref: str) -> StoredHold:
    """The hold of that reference as a person typed it, or of that message id. Raises HoldUnknown."""
    typed = codec.storable(ref)
    for column, value in ((holds.c.message_id, typed), (holds.c.ref, read_ref(typed))):
        found = () if value is None else _holds(connection, select(holds).where(column == value))
        if found:
            return found[0]
    raise HoldUnknown(typed[:64])


def due_letters(connection: Connection, now: str, limit: int) -> tuple[QueuedLetter, ...]:
    """Letters whose next try is due, the longest due first."""
    due = (letters.c.state == LetterState.WAITING.value) & (letters.c.next_try <= now)
    rows = connection.execute(select(letters).where(due).order_by(letters.c.next_try, letters.c.id).limit(limit))
    return _letters(connection, rows.mappings().all())


def letters_about(connection: Connection, message_id: str) -> tuple[QueuedLetter, ...]:
    """Every letter that tells about a message, oldest first."""
    query = select(letters).where(letters.c.about == message_id).order_by(letters.c.created_at, letters.c.id)
    return _letters(connection, connection.execute(query).mappings().all())


def audit_entries(
    connection: Connection, *, ref: str | None, message_id: str | None, file: str | None
) -> tuple[AuditEntry, ...]:
    """Audit entries in order, about a hold, a message or a client's file; all of them if none is named."""
    query = select(audit).order_by(audit.c.id)
    about = None if file is None else keyring.file_id(connection, file)
    for column, value in ((audit.c.ref, ref), (audit.c.message_id, message_id), (audit.c.file, about)):
        if value is not None:
            query = query.where(column == codec.storable(value))
    return tuple(_audit_entry(connection, row) for row in connection.execute(query).mappings())


def told_about(connection: Connection, file: str) -> tuple[Told, ...]:
    """When the client of that file was sent the notice, an entry a language [CLI-8]."""
    rows = connection.execute(
        select(told).where(told.c.file == keyring.file_id(connection, file)).order_by(told.c.language)
    ).mappings()
    return tuple(
        Told(
            file=file,
            language=row["language"],
            first_at=codec.moment(row["first_at"]),
            last_at=codec.moment(row["last_at"]),
        )
        for row in rows
    )


def tellings(connection: Connection, files: tuple[str, ...], thread: str | None) -> tuple[Telling, ...]:
    """What the clients of those files have been told, an entry a file and language; of threads, that one alone."""
    found: list[Telling] = []
    hashed = None if thread is None else keyring.vault_of(connection).hashed("thread", thread)
    for start in range(0, len(files), _PAGE):
        page = {keyring.file_id(connection, file): file for file in files[start : start + _PAGE]}
        columns = (told_threads.c.file, told_threads.c.language)
        in_thread = select(*columns).where(told_threads.c.file.in_(page), told_threads.c.thread == hashed)
        known = set() if thread is None else {(row.file, row.language) for row in connection.execute(in_thread)}
        for row in connection.execute(select(told).where(told.c.file.in_(page))):
            threads = frozenset((thread,)) if thread and (row.file, row.language) in known else frozenset[str]()
            last_at = codec.moment(row.last_at)
            found.append(Telling(file=page[row.file], language=row.language, last_at=last_at, threads=threads))
    return tuple(sorted(found, key=lambda entry: (entry.file, entry.language)))


def counts(connection: Connection) -> dict[str, int]:
    """How many messages, holds and letters stand in each state, as `messages.sent`, `holds.held`, `letters.waiting`."""
    found: dict[str, int] = {}
    for table in (messages, holds, letters):
        query = select(table.c.state, func.count()).group_by(table.c.state)
        found |= {f"{table.name}.{state}": count for state, count in connection.execute(query)}
    return found


def message_ids(connection: Connection, after: str, limit: int) -> list[tuple[str, str]]:
    """The next ids and references after an id, in the order of ids: for a walk over the whole store."""
    query = select(messages.c.id, messages.c.ref).where(messages.c.id > after).order_by(messages.c.id).limit(limit)
    return [(row.id, row.ref) for row in connection.execute(query)]


def is_destroyed(connection: Connection, record_id: str) -> bool:
    """True if the ledger tells of a record of that id, and there is none any more."""
    known = select(ledger.c.seq).where(ledger.c.about == record_id, ledger.c.kind == "record").limit(1)
    there = select(messages.c.id).where(messages.c.id == record_id)
    return connection.execute(known).first() is not None and connection.execute(there).first() is None


def named_bodies(connection: Connection, names: Sequence[str]) -> frozenset[str]:
    """Which of those loose bodies a row names."""
    found: set[str] = set()
    for start in range(0, len(names), _PAGE):
        page = bodies.c.file.in_(names[start : start + _PAGE]) & bodies.c.file.is_not(None)
        found |= set(connection.execute(select(bodies.c.file).where(page)).scalars())
    return frozenset(found)


def _key(connection: Connection, id_or_ref: str) -> str:
    typed = codec.storable(id_or_ref)
    for column, value in ((messages.c.id, typed), (messages.c.ref, read_ref(typed))):
        key = None if value is None else connection.execute(select(messages.c.id).where(column == value)).scalar()
        if key is not None:
            return str(key)
    raise RecordUnknown(typed[:64])


def _records(connection: Connection, query: Any) -> list[StoredRecord]:
    """The records of those rows that can be opened; one whose key was destroyed is no record any more."""
    rows = connection.execute(query).mappings().all()
    ids = [row["id"] for row in rows]
    files = _files_of(connection, ids)
    seals = keyring.record_seals(connection, ids)
    found = []
    for row in rows:
        seal = seals.get(row["id"])
        text = None if seal is None or row["sealed"] is None else seal.open("row", row["sealed"])
        if text is not None:
            found.append(_record(row, codec.read_contents(text), tuple(sorted(files.get(row["id"], ())))))
    return found


def _files_of(connection: Connection, ids: list[str]) -> dict[str, list[str]]:
    found: list[tuple[str, str]] = []
    for start in range(0, len(ids), _PAGE):
        page = ids[start : start + _PAGE]
        query = select(client_files.c.message_id, client_files.c.file).where(client_files.c.message_id.in_(page))
        found += [(row.message_id, row.file) for row in connection.execute(query)]
    names = keyring.file_names(connection, (file for _, file in found))
    files: dict[str, list[str]] = {}
    for message_id, file in found:
        files.setdefault(message_id, []).append(names[file])
    return files


def _record(row: RowMapping, contents: codec.Contents, files: tuple[str, ...]) -> StoredRecord:
    return StoredRecord(
        id=row["id"],
        ref=row["ref"],
        received_at=codec.moment(row["received_at"]),
        direction=Direction(row["direction"]),
        state=MessageState(row["state"]),
        state_at=codec.moment(row["state_at"]),
        reply_code=row["reply_code"],
        client_files=files,
        worker_id=contents.worker_id,
        envelope=contents.envelope,
        session=contents.session,
        verdict=codec.read_verdict(row["action"], row["policy"], row["digest"], contents.reasons),
        treatment=row["treatment"],
        notice_language=row["notice_language"],
        received=contents.received,
        delivered=contents.delivered,
        authentication=contents.authentication,
    )


def _sum_of(contents: codec.Contents, stage: Stage) -> StoredBody:
    return contents.received if stage is Stage.RECEIVED else contents.delivered


def _audit_entry(connection: Connection, row: RowMapping) -> AuditEntry:
    text = keyring.vault_of(connection).store.open(f"audit\n{row['at']}\n{row['what']}", row["sealed"])
    who, why, file = ("?", "this entry was changed", None) if text is None else codec.read_audit(text)
    return AuditEntry(
        at=codec.moment(row["at"]),
        who=who,
        what=row["what"],
        why=why,
        message_id=row["message_id"],
        ref=row["ref"],
        file=file,
    )


def _holds(connection: Connection, query: Any) -> tuple[StoredHold, ...]:
    rows = connection.execute(query).mappings().all()
    ids = [row["message_id"] for row in rows]
    of_id: dict[str, StoredRecord] = {}
    for start in range(0, len(ids), _PAGE):
        page = select(messages).where(messages.c.id.in_(ids[start : start + _PAGE]))
        of_id |= {entry.id: entry for entry in _records(connection, page)}
    seals = keyring.record_seals(connection, ids)
    found = []
    for row in rows:
        seal = seals.get(row["message_id"])
        text = None if seal is None or row["sealed"] is None else seal.open("hold", row["sealed"])
        if text is not None and row["message_id"] in of_id:
            found.append(_hold(row, codec.read_hold(text), of_id[row["message_id"]]))
    return tuple(found)


def _hold(row: RowMapping, contents: codec.HoldContents, of: StoredRecord) -> StoredHold:
    return StoredHold(
        ref=row["ref"],
        state=HoldState(row["state"]),
        created_at=codec.moment(row["created_at"]),
        expires_at=None if row["expires_at"] is None else codec.moment(row["expires_at"]),
        supervisor=contents.supervisor,
        rules=codec.read_names(row["rules"]),
        decided_at=None if row["decided_at"] is None else codec.moment(row["decided_at"]),
        decided_by=contents.decided_by,
        why=contents.why,
        outcomes=contents.outcomes,
        record=of,
    )


def _letters(connection: Connection, rows: Sequence[RowMapping]) -> tuple[QueuedLetter, ...]:
    """The letters of those rows that can be opened: one that can't is not to be sent."""
    seals = keyring.record_seals(connection, [row["about"] for row in rows if row["about"] is not None])
    store = keyring.vault_of(connection).store
    found = []
    for row in rows:
        opened = (seals.get(row["about"] or "") or store).open(f"letter\n{row['id']}", row["sealed"])
        text = None if opened is None else inflate(opened, row["size"] + _MAX_ENVELOPE_BYTES)
        if text is not None:
            found.append(_letter(row, text))
    return tuple(found)


def _letter(row: RowMapping, text: bytes) -> QueuedLetter:
    envelope, content = codec.read_letter(text)
    letter = Letter(
        id=row["id"],
        kind=row["kind"],
        about=row["about"],
        envelope=envelope,
        content=content,
        created_at=codec.moment(row["created_at"]),
        expires_at=codec.moment(row["expires_at"]),
    )
    return QueuedLetter(
        letter=letter, state=LetterState(row["state"]), tries=row["tries"], next_try=codec.moment(row["next_try"])
    )
