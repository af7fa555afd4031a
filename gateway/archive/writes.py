"""The store's transactions: each function changes the rows of one durable step.

No commit here and no thread: the committer gives the connection. A function either does all of its step or raises a
GatewayError, and its savepoint is undone.
States change only as the tables of `gateway.archive.states` and `gateway.holding.states` say.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from gateway.archive import codec
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
    told,
    told_threads,
)
from gateway.archive.model import AuditEntry, Letter, LetterState, Record
from gateway.archive.states import MessageEvent, MessageState, RecordUnknown
from gateway.archive.states import state_after as message_state_after
from gateway.holding.model import Hold, Outcome, cut_off, merged
from gateway.holding.refs import ref_of
from gateway.holding.states import HoldAct, HoldState, HoldUnknown
from gateway.holding.states import state_after as hold_state_after

GATEWAY = "gateway"  # the `who` of acts that no person did


def file_record(connection: Connection, record: Record, packed: PackedBodies, state: MessageState) -> None:
    """File a message in its first state: the row, both forms, the client files. An id or ref twice is a conflict."""
    connection.execute(messages.insert(), _message_row(record, packed, state))
    if packed.bodies:
        connection.execute(
            bodies.insert(),
            [
                {"message_id": record.id, "stage": body.stage.value, "content": body.content, "file": body.file}
                for body in packed.bodies
            ],
        )
    files = sorted(set(record.client_files))
    if files:
        connection.execute(client_files.insert(), [{"file": file, "message_id": record.id} for file in files])


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
    columns = (messages.c.state, messages.c.notice_language, messages.c.thread)
    row = connection.execute(select(*columns).where(messages.c.id == record_id)).first()
    if row is None:
        raise RecordUnknown(record_id)
    state = message_state_after(record_id, MessageState(row.state), event)
    values: dict[str, object] = {"state": state.value, "state_at": codec.instant(at)}
    if code is not None:
        values["reply_code"] = code
    connection.execute(messages.update().where(messages.c.id == record_id).values(values))
    if has_reached_all and row.notice_language is not None and state in (MessageState.SENT, MessageState.RELEASED):
        _mark_told(connection, record_id, row.notice_language, row.thread, at)


def enqueue(connection: Connection, queue: Iterable[Letter]) -> None:
    """Put letters into the queue, due at once."""
    rows = [_letter_row(letter) for letter in queue]
    if rows:
        connection.execute(letters.insert(), rows)


def add_hold(connection: Connection, record: Record, packed: PackedBodies, hold: Hold, queue: Iterable[Letter]) -> None:
    """File a message as held, with its hold and the letters that tell of it."""
    file_record(connection, record, packed, MessageState.HELD)
    rules = dict.fromkeys(reason.rule for reason in record.verdict.reasons if not reason.is_simulated)
    connection.execute(
        holds.insert(),
        {
            "ref": hold.ref,
            "message_id": record.id,
            "state": HoldState.HELD.value,
            "created_at": codec.instant(hold.created_at),
            "expires_at": None if hold.expires_at is None else codec.instant(hold.expires_at),
            "supervisor": hold.supervisor,
            "rules": codec.names_json(rules),
            "outcomes": codec.outcomes_json(()),
        },
    )
    enqueue(connection, queue)
    what = AuditEntry(at=hold.created_at, who=GATEWAY, what="held", message_id=record.id, ref=hold.ref)
    add_audit(connection, what)


def begin_release(connection: Connection, ref: str, *, by: str, why: str, at: datetime) -> None:
    """A person releases: the hold is RELEASING until the next hop has answered."""
    message_id, _ = _act(connection, ref, HoldAct.BEGIN_RELEASE, by=by, why=why, at=at)
    _audit_hold(connection, ref, message_id, who=by, what="release begun", why=why, at=at)


def end_content(connection: Connection, ref: str, *, at: datetime, outcomes: Iterable[Outcome]) -> None:
    """The final dot is about to be written: from now on a release that is cut off may have been delivered."""
    message_id, earlier = _act(connection, ref, HoldAct.END_CONTENT, at=at)
    _keep(connection, ref, merged(earlier, outcomes))
    _audit_hold(connection, ref, message_id, who=GATEWAY, what="content sent", why="", at=at)


def finish_release(connection: Connection, ref: str, *, at: datetime, outcomes: Iterable[Outcome]) -> None:
    """The next hop has given its final answers: the hold is RELEASED and the message stands in the client's file.

    If it took the message for no recipient at all, the message is filed as refused by the next hop, not as sent; as
    unconfirmed, if an earlier release may have brought it to one of them.
    """
    message_id, earlier = _act(connection, ref, HoldAct.FINISH_RELEASE, at=at)
    known = cut_off(merged(earlier, outcomes))
    _keep(connection, ref, known)
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
    message_id, earlier = _act(connection, ref, HoldAct.ABANDON_RELEASE, at=at)
    known = cut_off(merged(earlier, outcomes))
    _keep(connection, ref, known)
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
    connection.execute(
        audit.insert(),
        {
            "at": codec.instant(entry.at),
            "who": codec.storable(entry.who),
            "what": codec.storable(entry.what),
            "why": codec.storable(entry.why),
            "message_id": entry.message_id,
            "ref": entry.ref,
            "file": entry.file,
        },
    )


def leave_unconfirmed(connection: Connection, at: datetime) -> int:
    """Every message that a killed process left SENDING becomes UNCONFIRMED; the count."""
    rows = connection.execute(select(messages.c.id).where(messages.c.state == MessageState.SENDING.value)).all()
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


def _message_row(record: Record, packed: PackedBodies, state: MessageState) -> dict[str, object]:
    received_at = codec.instant(record.received_at)
    return {
        "id": record.id,
        "ref": ref_of(record.id),
        "received_at": received_at,
        "direction": record.direction.value,
        "state": state.value,
        "state_at": received_at,
        "worker_id": record.worker_id,
        "envelope": codec.envelope_json(record.envelope),
        "session": codec.session_json(record.session),
        "action": record.verdict.action.value,
        "policy": record.verdict.policy,
        "digest": record.verdict.digest,
        "reasons": codec.verdict_json(record.verdict),
        "treatment": record.treatment,
        "notice_language": record.notice_language,
        "authentication": record.authentication,
        "thread": record.thread,
        "received_size": packed.received.size,
        "received_sha256": packed.received.sha256,
        "delivered_size": packed.delivered.size,
        "delivered_sha256": packed.delivered.sha256,
    }


def _mark_told(connection: Connection, record_id: str, language: str, thread: str | None, at: datetime) -> None:
    files = (
        connection.execute(select(client_files.c.file).where(client_files.c.message_id == record_id)).scalars().all()
    )
    for file in files:
        known = (told.c.file == file) & (told.c.language == language)
        changed = connection.execute(told.update().where(known).values(last_at=codec.instant(at)))
        if changed.rowcount == 0:
            moment = codec.instant(at)
            row = {"file": file, "language": language, "first_at": moment, "last_at": moment}
            connection.execute(told.insert(), row)
        if thread is not None:
            row = {"file": file, "language": language, "thread": thread, "first_at": codec.instant(at)}
            connection.execute(told_threads.insert().prefix_with("OR IGNORE"), row)


def _letter_row(letter: Letter) -> dict[str, object]:
    return {
        "id": letter.id,
        "kind": letter.kind,
        "about": letter.about,
        "envelope": codec.envelope_json(letter.envelope),
        "content": deflate(letter.content),
        "size": len(letter.content),
        "state": LetterState.WAITING.value,
        "tries": 0,
        "next_try": codec.instant(letter.created_at),
        "created_at": codec.instant(letter.created_at),
        "expires_at": codec.instant(letter.expires_at),
    }


def _act(
    connection: Connection, ref: str, act: HoldAct, *, at: datetime, by: str | None = None, why: str = ""
) -> tuple[str, tuple[Outcome, ...]]:
    """Change a hold's state; the message's id and the outcomes so far. `by` None leaves who decided as it is."""
    columns = (holds.c.message_id, holds.c.state, holds.c.outcomes)
    row = connection.execute(select(*columns).where(holds.c.ref == ref)).first()
    if row is None:
        raise HoldUnknown(ref)
    values: dict[str, object] = {"state": hold_state_after(ref, HoldState(row.state), act).value}
    if by is not None:
        values |= {
            "decided_at": codec.instant(at),
            "decided_by": codec.storable(by),
            "why": codec.storable(why),
        }
    connection.execute(holds.update().where(holds.c.ref == ref).values(values))
    return row.message_id, codec.read_outcomes(row.outcomes)


def _keep(connection: Connection, ref: str, outcomes: tuple[Outcome, ...]) -> None:
    values = {"outcomes": codec.outcomes_json(outcomes)}
    connection.execute(holds.update().where(holds.c.ref == ref).values(values))


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
