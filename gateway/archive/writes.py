"""The store's transactions: each function changes the rows of one durable step.

No commit here and no thread: the committer gives the connection. A function either does all of its step or raises a
GatewayError, and its savepoint is undone.
What a row has of text, people and addresses is sealed before it is written (`keyring`).
States change only as the tables of `gateway.archive.states` and `gateway.holding.states` say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from gateway.archive import codec, keyring, ledger
from gateway.archive.bodies import PackedBodies, deflate
from gateway.archive.database import (
    Connection,
    audit,
    bodies,
    client_files,
    holds,
    letters,
    messages,
    select,
)
from gateway.archive.model import AuditEntry, Letter, LetterState, Record
from gateway.archive.sealing import Seal
from gateway.archive.statements import change, fetch, insert
from gateway.archive.states import MessageEvent, MessageState, RecordUnknown
from gateway.archive.states import state_after as message_state_after
from gateway.holding.model import Hold, Outcome, cut_off, merged
from gateway.holding.refs import ref_of
from gateway.holding.states import HoldAct, HoldState, HoldUnknown
from gateway.holding.states import state_after as hold_state_after
from gateway.message.errors import MachineryFailed

GATEWAY = "gateway"  # the `who` of acts that no person did
_STATE_OF = "SELECT state, reply_code, notice_language, thread FROM messages WHERE id = ?"
_SET_STATE = "UPDATE messages SET state = ?, state_at = ?, reply_code = ? WHERE id = ?"
_TELL = """INSERT INTO told (file, language, first_at, last_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (file, language) DO UPDATE SET last_at = excluded.last_at"""
_TELL_THREAD = """INSERT INTO told_threads (file, language, thread, first_at) VALUES (?, ?, ?, ?)
    ON CONFLICT DO NOTHING"""


def file_record(connection: Connection, record: Record, packed: PackedBodies, state: MessageState) -> None:
    """File a message in its first state: the row, both forms, the client files. An id or ref twice is a conflict."""
    opened = keyring.file_keys(connection, record.client_files, record.received_at)
    contents = codec.contents_bytes(record, packed.received, packed.delivered)
    row = _message_row(connection, record, packed, state, contents)
    if not opened:
        row["key"] = keyring.store_wrapped(connection, record.id, packed.seal.key)
    forms = [
        {"message_id": record.id, "stage": body.stage.value, "content": body.content, "file": body.file}
        for body in packed.bodies
    ]
    wraps = [
        {"file": file, "message_id": record.id, "key": keyring.wrapped_for(file, key, record.id, packed.seal.key)}
        for file, key in sorted(opened.items())
    ]
    insert(connection, messages, [row])
    insert(connection, bodies, forms)
    if wraps:
        insert(connection, client_files, wraps)
    _note_record(connection, row, record, packed, contents, wraps)


def file_past(connection: Connection, record: Record, packed: PackedBodies, entry: AuditEntry) -> None:
    """File a message that was sent or received before the gateway was there, and who brought it."""
    file_record(connection, record, packed, MessageState.SENDING)
    mark(connection, record.id, MessageEvent.ACCEPTED, code=None, at=record.received_at, has_reached_all=False)
    add_audit(connection, entry)


def mark(
    connection: Connection,
    record_id: str,
    event: MessageEvent,
    *,
    code: int | None,
    at: datetime,
    has_reached_all: bool = True,
) -> None:
    """Take a message to the state that the event leads to.

    One that went out with the notice counts as told, unless some recipient did not get it: who that was is not kept.
    """
    found = fetch(connection, _STATE_OF, (record_id,))
    if not found:
        raise RecordUnknown(record_id)
    was, reply_code, language, thread = found[0]
    state = message_state_after(record_id, MessageState(was), event)
    moment = codec.instant(at)
    reply_code = reply_code if code is None else code
    change(connection, _SET_STATE, (state.value, moment, reply_code, record_id))
    facts = {"id": record_id, "reply_code": reply_code, "state": state.value, "state_at": moment}
    _note(connection, "state", record_id, facts)
    if has_reached_all and language is not None and state in (MessageState.SENT, MessageState.RELEASED):
        _mark_told(connection, record_id, language, thread, moment)


def enqueue(connection: Connection, queue: Iterable[Letter]) -> None:
    """Put letters into the queue, due at once."""
    given = list(queue)
    if not given:
        return
    seals = keyring.record_seals(connection, [letter.about for letter in given if letter.about is not None])
    store = keyring.vault_of(connection).store
    rows = [_letter_row(letter, seals.get(letter.about or "") or store) for letter in given]
    insert(connection, letters, rows)


def add_hold(connection: Connection, record: Record, packed: PackedBodies, hold: Hold, queue: Iterable[Letter]) -> None:
    """File a message as held, with its hold and the letters that tell of it."""
    file_record(connection, record, packed, MessageState.HELD)
    rules = dict.fromkeys(reason.rule for reason in record.verdict.reasons if not reason.is_simulated)
    sealed = packed.seal.close("hold", codec.hold_bytes(codec.HoldContents(supervisor=hold.supervisor)))
    row = {
        "ref": hold.ref,
        "message_id": record.id,
        "state": HoldState.HELD.value,
        "created_at": codec.instant(hold.created_at),
        "expires_at": None if hold.expires_at is None else codec.instant(hold.expires_at),
        "rules": codec.names_json(rules),
        "decided_at": None,
        "sealed": sealed,
    }
    connection.execute(holds.insert(), row)
    _note(connection, "hold", hold.ref, ledger.facts(row, ledger.HOLD_COLUMNS, sealed))
    enqueue(connection, queue)
    what = AuditEntry(at=hold.created_at, who=GATEWAY, what="held", message_id=record.id, ref=hold.ref)
    add_audit(connection, what)


def begin_release(connection: Connection, ref: str, *, by: str, why: str, at: datetime) -> None:
    """A person releases: the hold is RELEASING until the next hop has answered."""
    message_id, _ = _act(connection, ref, HoldAct.BEGIN_RELEASE, by=by, why=why, at=at)
    _audit_hold(connection, ref, message_id, who=by, what="release begun", why=why, at=at)


def end_content(connection: Connection, ref: str, *, at: datetime, outcomes: Iterable[Outcome]) -> None:
    """The final dot is about to be written: from now on a release that is cut off may have been delivered."""
    message_id, _ = _act(connection, ref, HoldAct.END_CONTENT, at=at, learn=lambda earlier: merged(earlier, outcomes))
    _audit_hold(connection, ref, message_id, who=GATEWAY, what="content sent", why="", at=at)


def finish_release(connection: Connection, ref: str, *, at: datetime, outcomes: Iterable[Outcome]) -> None:
    """The next hop has given its final answers: the hold is RELEASED and the message stands in the client's file.

    If it took the message for no recipient at all, the message is filed as refused by the next hop, not as sent; as
    unconfirmed, if an earlier release may have brought it to one of them.
    """
    message_id, known = _act(
        connection, ref, HoldAct.FINISH_RELEASE, at=at, learn=lambda earlier: cut_off(merged(earlier, outcomes))
    )
    accepted = [outcome.code for outcome in known if outcome.is_accepted]
    if accepted or not known:
        code = accepted[0] if accepted else None
        is_whole = len(accepted) == len(known)
        mark(connection, message_id, MessageEvent.RELEASED, code=code, at=at, has_reached_all=is_whole)
    else:
        end = _end_of_message(known, MessageEvent.REFUSED)
        mark(connection, message_id, end, code=known[0].code if end is MessageEvent.REFUSED else None, at=at)
    _audit_hold(connection, ref, message_id, who=GATEWAY, what="released", why=_counts(known), at=at)


def abandon_release(connection: Connection, ref: str, *, why: str, at: datetime, outcomes: Iterable[Outcome]) -> None:
    """The release did not come to its end: back to HELD. Recipients with a final answer are not tried again.

    Those whose content was under way may have the message, and the hold says so from then on.
    """
    message_id, known = _act(
        connection, ref, HoldAct.ABANDON_RELEASE, at=at, learn=lambda earlier: cut_off(merged(earlier, outcomes))
    )
    if any(outcome.is_uncertain for outcome in known):
        why = f"{why}; it may have been delivered"
    _audit_hold(connection, ref, message_id, who=GATEWAY, what="release abandoned", why=why, at=at)


def return_hold(connection: Connection, ref: str, *, by: str, why: str, at: datetime) -> None:
    """A person returns the message to its sender."""
    message_id, outcomes = _act(connection, ref, HoldAct.RETURN, by=by, why=why, at=at)
    end = _end_of_message(outcomes, MessageEvent.RETURNED)
    mark(connection, message_id, end, code=None, at=at, has_reached_all=False)
    _audit_hold(connection, ref, message_id, who=by, what="returned", why=why, at=at)


def expire_hold(connection: Connection, ref: str, *, at: datetime) -> None:
    """Nobody decided in time."""
    message_id, outcomes = _act(connection, ref, HoldAct.EXPIRE, by=GATEWAY, why="nobody decided in time", at=at)
    end = _end_of_message(outcomes, MessageEvent.EXPIRED)
    mark(connection, message_id, end, code=None, at=at, has_reached_all=False)
    _audit_hold(connection, ref, message_id, who=GATEWAY, what="expired", why="nobody decided in time", at=at)


def end_letter(connection: Connection, letter_id: str, state: LetterState, *, code: int | None) -> None:
    """A letter has left the queue: sent, refused or expired."""
    values = {"state": state.value, "tries": letters.c.tries + 1, "last_code": code}
    connection.execute(letters.update().where(letters.c.id == letter_id).values(values))


def postpone_letter(connection: Connection, letter_id: str, next_try: datetime, *, code: int | None) -> None:
    """A letter could not be sent now."""
    values = {"tries": letters.c.tries + 1, "next_try": codec.instant(next_try), "last_code": code}
    connection.execute(letters.update().where(letters.c.id == letter_id).values(values))


def add_audit(connection: Connection, entry: AuditEntry) -> None:
    """Write who did what, when and why."""
    at, what = codec.instant(entry.at), codec.storable(entry.what)
    sealed = keyring.vault_of(connection).store.close(f"audit\n{at}\n{what}", codec.audit_bytes(entry))
    row = {
        "at": at,
        "what": what,
        "message_id": entry.message_id,
        "ref": entry.ref,
        "file": None if entry.file is None else keyring.file_id(connection, entry.file),
        "sealed": sealed,
    }
    written = connection.execute(audit.insert(), row).inserted_primary_key
    number = int(written[0]) if written else 0
    facts = ledger.facts({"id": number, **row}, ledger.AUDIT_COLUMNS, sealed)
    _note(connection, "audit", str(number), facts)


def leave_unconfirmed(connection: Connection, at: datetime, *, begun_before: datetime | None = None) -> int:
    """Every message that a killed process left SENDING (before that moment) becomes UNCONFIRMED; the count."""
    left = messages.c.state == MessageState.SENDING.value
    if begun_before is not None:
        left &= messages.c.state_at < codec.instant(begun_before)
    rows = connection.execute(select(messages.c.id).where(left)).all()
    for row in rows:
        mark(connection, row.id, MessageEvent.LOST, code=None, at=at)
    return len(rows)


def give_back_releases(connection: Connection, *, begun_before: datetime, at: datetime) -> int:
    """Every release begun before that moment and never ended goes back to HELD; the count."""
    begun = holds.c.decided_at < codec.instant(begun_before)
    stale = select(holds.c.ref).where(holds.c.state == HoldState.RELEASING.value, begun)
    refs = [row.ref for row in connection.execute(stale).all()]
    for ref in refs:
        abandon_release(connection, ref, why="the process that released it ended", at=at, outcomes=())
    return len(refs)


def _message_row(
    connection: Connection, record: Record, packed: PackedBodies, state: MessageState, contents: bytes
) -> dict[str, object]:
    received_at = codec.instant(record.received_at)
    return {
        "id": record.id,
        "ref": ref_of(record.id),
        "received_at": received_at,
        "direction": record.direction.value,
        "state": state.value,
        "state_at": received_at,
        "action": record.verdict.action.value,
        "policy": record.verdict.policy,
        "digest": record.verdict.digest,
        "treatment": record.treatment,
        "notice_language": record.notice_language,
        "thread": None if record.thread is None else keyring.vault_of(connection).hashed("thread", record.thread),
        "received_size": packed.received.size,
        "delivered_size": packed.delivered.size,
        "key": None,
        "sealed": packed.seal.close("row", contents),
    }


def _note_record(
    connection: Connection,
    row: Mapping[str, object],
    record: Record,
    packed: PackedBodies,
    contents: bytes,
    wraps: Iterable[Mapping[str, Any]],
) -> None:
    sums = packed.received.sha256, packed.delivered.sha256
    ledger.append(connection, "record", record.id, packed.seal, ledger.record_facts(row, contents, wraps, *sums))
    _note(connection, "state", record.id, ledger.facts({"reply_code": None, **row}, ledger.STATE_COLUMNS))


def _note(connection: Connection, kind: str, about: str, facts: Mapping[str, object]) -> None:
    """Note an entry for the ledger that tells nothing of text or people."""
    ledger.append(connection, kind, about, keyring.vault_of(connection).store, facts)


def _mark_told(connection: Connection, record_id: str, language: str, thread: str | None, moment: str) -> None:
    for (file,) in fetch(connection, "SELECT file FROM client_files WHERE message_id = ?", (record_id,)):
        change(connection, _TELL, (file, language, moment, moment))
        if thread is not None:
            change(connection, _TELL_THREAD, (file, language, thread, moment))


def _letter_row(letter: Letter, seal: Seal) -> dict[str, object]:
    return {
        "id": letter.id,
        "kind": letter.kind,
        "about": letter.about,
        "sealed": seal.close(f"letter\n{letter.id}", deflate(codec.letter_bytes(letter))),
        "size": len(letter.content),
        "state": LetterState.WAITING.value,
        "tries": 0,
        "next_try": codec.instant(letter.created_at),
        "created_at": codec.instant(letter.created_at),
        "expires_at": codec.instant(letter.expires_at),
    }


def _act(
    connection: Connection,
    ref: str,
    act: HoldAct,
    *,
    at: datetime,
    by: str | None = None,
    why: str = "",
    learn: Callable[[tuple[Outcome, ...]], tuple[Outcome, ...]] | None = None,
) -> tuple[str, tuple[Outcome, ...]]:
    """Change a hold's state; the message's id and the outcomes so far, with what `learn` makes of them.

    `by` None leaves who decided as it is.
    """
    row = connection.execute(select(holds).where(holds.c.ref == ref)).mappings().first()
    if row is None:
        raise HoldUnknown(ref)
    message_id = str(row["message_id"])
    values: dict[str, object] = {"state": hold_state_after(ref, HoldState(row["state"]), act).value}
    seal = keyring.record_seal(connection, message_id)
    text = None if seal is None or row["sealed"] is None else seal.open("hold", row["sealed"])
    if seal is None or text is None:
        raise MachineryFailed("hold can't be opened", ref=ref)
    contents = codec.read_hold(text)
    if by is not None:
        values["decided_at"] = codec.instant(at)
        contents = replace(contents, decided_by=codec.storable(by), why=codec.storable(why))
    if learn is not None:
        contents = replace(contents, outcomes=learn(contents.outcomes))
    if by is not None or learn is not None:
        values["sealed"] = seal.close("hold", codec.hold_bytes(contents))
    connection.execute(holds.update().where(holds.c.ref == ref).values(values))
    now = {**row, **values}
    _note(connection, "hold", ref, ledger.facts(now, ledger.HOLD_COLUMNS, now["sealed"]))
    return message_id, contents.outcomes


def _end_of_message(outcomes: tuple[Outcome, ...], event: MessageEvent) -> MessageEvent:
    """What becomes of a message that a release cut short brought to some, or may have, whatever else is decided."""
    if any(outcome.is_accepted for outcome in outcomes):
        return MessageEvent.RELEASED
    return MessageEvent.LOST if any(outcome.is_uncertain for outcome in outcomes) else event


def _counts(outcomes: tuple[Outcome, ...]) -> str:
    accepted = sum(outcome.is_accepted for outcome in outcomes)
    uncertain = sum(outcome.is_uncertain for outcome in outcomes)
    words = f"{accepted} of {len(outcomes)} recipients accepted"
    return f"{words}, {uncertain} may have it" if uncertain else words


def _audit_hold(
    connection: Connection, ref: str, message_id: str, *, who: str, what: str, why: str, at: datetime
) -> None:
    add_audit(connection, AuditEntry(at=at, who=who, what=what, why=why, message_id=message_id, ref=ref))
