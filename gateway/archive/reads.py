"""The store's queries: rows as the values of `gateway.archive.model` and `gateway.holding.model`.

Each runs on a reader's connection in one transaction, so that it sees one moment. Called through `Store`, in a thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gateway.archive import codec
from gateway.archive.bodies import PackedBody, inflate, unpack
from gateway.archive.database import (
    Connection,
    RowMapping,
    audit,
    bodies,
    client_files,
    func,
    holds,
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
from gateway.archive.states import MessageState, RecordUnknown
from gateway.holding.model import StoredHold
from gateway.holding.refs import read_ref
from gateway.holding.states import HoldState, HoldUnknown
from gateway.people.model import Direction
from gateway.policy.memory import Telling

_PAGE = 500  # rows a query, so that the list of variables stays under SQLite's limit


def record(connection: Connection, id_or_ref: str) -> StoredRecord:
    """The record of that id, or of the reference that a person typed. Raises RecordUnknown."""
    key = _key(connection, id_or_ref)
    return _records(connection, select(messages).where(messages.c.id == key))[0]


def records(connection: Connection, file: str | None, limit: int | None) -> tuple[StoredRecord, ...]:
    """Records in the order in which they came, of one client's file or all; the newest `limit` of them."""
    query = select(messages).order_by(messages.c.received_at.desc(), messages.c.id.desc())
    if file is not None:
        of_file = select(client_files.c.message_id).where(client_files.c.file == codec.storable(file))
        query = query.where(messages.c.id.in_(of_file))
    if limit is not None:
        query = query.limit(limit)
    return tuple(reversed(_records(connection, query)))


def client_file(connection: Connection, file: str) -> ClientFile:
    """A client's file: mail sent and received in order, and apart from it what was not sent."""
    listed = records(connection, file, None)
    entries = tuple(entry for entry in listed if entry.is_in_client_file)
    not_sent = tuple(entry for entry in listed if not entry.is_in_client_file)
    return ClientFile(file=file, entries=entries, not_sent=not_sent)


def body(connection: Connection, id_or_ref: str, stage: Stage, folder: Path) -> bytes:
    """One form of a message, proved against its hash. Raises RecordUnknown or BodyDamaged."""
    key = _key(connection, id_or_ref)
    sums = (
        messages.c.received_size,
        messages.c.received_sha256,
        messages.c.delivered_size,
        messages.c.delivered_sha256,
    )
    row = connection.execute(select(*sums).where(messages.c.id == key)).mappings().one()
    expected = _sum_of(row, stage)
    kept_as = Stage.RECEIVED if expected == _sum_of(row, Stage.RECEIVED) else stage
    found = connection.execute(
        select(bodies.c.content, bodies.c.file).where(bodies.c.message_id == key, bodies.c.stage == kept_as.value)
    ).first()
    packed = None if found is None else PackedBody(stage=kept_as, content=found.content, file=found.file)
    return unpack(key, stage, packed, expected, folder)


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
    return tuple(_letter(row) for row in rows.mappings())


def letters_about(connection: Connection, message_id: str) -> tuple[QueuedLetter, ...]:
    """Every letter that tells about a message, oldest first."""
    query = select(letters).where(letters.c.about == message_id).order_by(letters.c.created_at, letters.c.id)
    return tuple(_letter(row) for row in connection.execute(query).mappings())


def audit_entries(
    connection: Connection, *, ref: str | None, message_id: str | None, file: str | None
) -> tuple[AuditEntry, ...]:
    """Audit entries in order, about a hold, a message or a client's file; all of them if none is named."""
    query = select(audit).order_by(audit.c.id)
    for column, value in ((audit.c.ref, ref), (audit.c.message_id, message_id), (audit.c.file, file)):
        if value is not None:
            query = query.where(column == codec.storable(value))
    return tuple(
        AuditEntry(
            at=codec.moment(row["at"]),
            who=row["who"],
            what=row["what"],
            why=row["why"],
            message_id=row["message_id"],
            ref=row["ref"],
            file=row["file"],
        )
        for row in connection.execute(query).mappings()
    )


def told_about(connection: Connection, file: str) -> tuple[Told, ...]:
    """When the client of that file was sent the notice, an entry a language [CLI-8]."""
    rows = connection.execute(
        select(told).where(told.c.file == codec.storable(file)).order_by(told.c.language)
    ).mappings()
    return tuple(
        Told(
            file=row["file"],
            language=row["language"],
            first_at=codec.moment(row["first_at"]),
            last_at=codec.moment(row["last_at"]),
        )
        for row in rows
    )


def tellings(connection: Connection, files: tuple[str, ...], thread: str | None) -> tuple[Telling, ...]:
    """What the clients of those files have been told, an entry a file and language; of threads, that one alone."""
    found: list[Telling] = []
    for start in range(0, len(files), _PAGE):
        page = [codec.storable(file) for file in files[start : start + _PAGE]]
        columns = (told_threads.c.file, told_threads.c.language)
        in_thread = select(*columns).where(told_threads.c.file.in_(page), told_threads.c.thread == thread)
        known = set() if thread is None else {(row.file, row.language) for row in connection.execute(in_thread)}
        for row in connection.execute(select(told).where(told.c.file.in_(page))):
            threads = frozenset((thread,)) if thread and (row.file, row.language) in known else frozenset[str]()
            last_at = codec.moment(row.last_at)
            found.append(Telling(file=row.file, language=row.language, last_at=last_at, threads=threads))
    return tuple(found)


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


def body_files(connection: Connection) -> frozenset[str]:
    """The names of all large bodies."""
    return frozenset(connection.execute(select(bodies.c.file).where(bodies.c.file.is_not(None))).scalars())


def _key(connection: Connection, id_or_ref: str) -> str:
    typed = codec.storable(id_or_ref)
    for column, value in ((messages.c.id, typed), (messages.c.ref, read_ref(typed))):
        key = None if value is None else connection.execute(select(messages.c.id).where(column == value)).scalar()
        if key is not None:
            return str(key)
    raise RecordUnknown(typed[:64])


def _records(connection: Connection, query: Any) -> list[StoredRecord]:
    rows = connection.execute(query).mappings().all()
    files = _files_of(connection, [row["id"] for row in rows])
    return [_record(row, tuple(files.get(row["id"], ()))) for row in rows]


def _files_of(connection: Connection, ids: list[str]) -> dict[str, list[str]]:
    files: dict[str, list[str]] = {}
    for start in range(0, len(ids), _PAGE):
        page = ids[start : start + _PAGE]
        query = select(client_files).where(client_files.c.message_id.in_(page)).order_by(client_files.c.file)
        for row in connection.execute(query):
            files.setdefault(row.message_id, []).append(row.file)
    return files


def _record(row: RowMapping, files: tuple[str, ...]) -> StoredRecord:
    return StoredRecord(
        id=row["id"],
        ref=row["ref"],
        received_at=codec.moment(row["received_at"]),
        direction=Direction(row["direction"]),
        state=MessageState(row["state"]),
        state_at=codec.moment(row["state_at"]),
        reply_code=row["reply_code"],
        client_files=files,
        worker_id=row["worker_id"],
        envelope=codec.read_envelope(row["envelope"]),
        session=codec.read_session(row["session"]),
        verdict=codec.read_verdict(row["action"], row["policy"], row["digest"], row["reasons"]),
        treatment=row["treatment"],
        notice_language=row["notice_language"],
        received=_sum_of(row, Stage.RECEIVED),
        delivered=_sum_of(row, Stage.DELIVERED),
        authentication=row["authentication"],
    )


def _sum_of(row: RowMapping, stage: Stage) -> StoredBody:
    return StoredBody(size=row[f"{stage.value}_size"], sha256=row[f"{stage.value}_sha256"])


def _holds(connection: Connection, query: Any) -> tuple[StoredHold, ...]:
    rows = connection.execute(query).mappings().all()
    ids = [row["message_id"] for row in rows]
    of_id: dict[str, StoredRecord] = {}
    for start in range(0, len(ids), _PAGE):
        page = select(messages).where(messages.c.id.in_(ids[start : start + _PAGE]))
        of_id |= {entry.id: entry for entry in _records(connection, page)}
    return tuple(_hold(row, of_id[row["message_id"]]) for row in rows)


def _hold(row: RowMapping, of: StoredRecord) -> StoredHold:
    return StoredHold(
        ref=row["ref"],
        state=HoldState(row["state"]),
        created_at=codec.moment(row["created_at"]),
        expires_at=None if row["expires_at"] is None else codec.moment(row["expires_at"]),
        supervisor=row["supervisor"],
        rules=codec.read_names(row["rules"]),
        decided_at=None if row["decided_at"] is None else codec.moment(row["decided_at"]),
        decided_by=row["decided_by"],
        why=row["why"],
        outcomes=codec.read_outcomes(row["outcomes"]),
        record=of,
    )


def _letter(row: RowMapping) -> QueuedLetter:
    letter = Letter(
        id=row["id"],
        kind=row["kind"],
        about=row["about"],
        envelope=codec.read_envelope(row["envelope"]),
        content=inflate(row["content"], row["size"]) or b"",
        created_at=codec.moment(row["created_at"]),
        expires_at=codec.moment(row["expires_at"]),
    )
    return QueuedLetter(
        letter=letter, state=LetterState(row["state"]), tries=row["tries"], next_try=codec.moment(row["next_try"])
    )
