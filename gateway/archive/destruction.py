"""The destruction of a client's file: its key, whatever the key opened, and the certificate that is left.

One transaction does all of it or nothing. A record that stands in another client's file too is kept there, and can be
opened through this file no more. The ledger keeps every leaf; an entry says which records are gone, so that `verify`
can tell destroyed from stolen. What must happen on the disk afterwards is `erasure`'s. Called by `life`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from gateway.archive import certificate, disposals, file_holds, index, keyring, lives, past, refile, writes
from gateway.archive.certificate import Leaf
from gateway.archive.codec import instant, moment, read_contents
from gateway.archive.database import (
    Connection,
    bodies,
    client_files,
    holds,
    keys,
    letters,
    messages,
    select,
    told,
    told_threads,
)
from gateway.archive.database import ledger as entries
from gateway.archive.erasure import prefixes
from gateway.archive.file_seals import known_file, note, pages, record_ids, spans
from gateway.archive.life_model import Disposal, DisposalState, DisposalStep, Disposed, LifeRefused, Person, Standing
from gateway.archive.model import AuditEntry
from gateway.archive.states import MessageState
from gateway.holding.states import OPEN_STATES
from gateway.people.model import Direction


@dataclass(slots=True)
class _Taken:
    """What is taken out, as it is taken: names of large forms, the first bytes of what was sealed."""

    objects: list[str] = field(default_factory=list)
    sealed: set[bytes] = field(default_factory=set)

    def add(self, values: Iterable[bytes | None]) -> None:
        self.sealed |= prefixes(values)


def confirm(
    connection: Connection,
    of: Standing,
    *,
    by: Person,
    day: date,
    at: datetime,
    addresses: Iterable[str],
    organisation: str,
    is_shared: bool,
) -> Disposed:
    """Another person confirms: the file is destroyed. `addresses` are those by which its client is still to be known.

    Raises LifeRefused: for whoever proposed it, for a file that is held, not due, or has a message under way.
    """
    found = of.disposal
    state = disposals.step_of(found, DisposalStep.CONFIRM, of.file)
    assert found is not None  # the table of steps has no CONFIRM from nothing
    if found.proposed_by is None or found.proposed_by.id == by.id:
        raise LifeRefused("who proposed a disposal does not confirm it: that is for another person")
    disposals.require_due(connection, of, day)
    return destroy(
        connection,
        replace(found, state=state),
        by=by,
        at=at,
        addresses=addresses,
        organisation=organisation,
        is_shared=is_shared,
    )


def repeat(
    connection: Connection,
    paper: str,
    *,
    by: Person,
    at: datetime,
    addresses_of: Callable[[str], Iterable[str]],
    organisation: str,
    is_shared: bool,
) -> Disposed:
    """Destroy a file again that a backup brought back, on the word of its certificate.

    `addresses_of` gives the addresses by which the client of a file's number is still to be known.

    Raises FileUnknown; LifeRefused for a certificate that is not this store's, a file that has anything else in it
    than what the certificate names, and one that was held since.
    """
    values = certificate.read(paper)
    if values is None or values["public_key"] != certificate.key_of(keyring.vault_of(connection)):
        raise LifeRefused("that is no certificate of this archive, or it was changed")
    of = _certified(values)
    _require_same(connection, of, values["ledger_entries"])
    addresses = addresses_of(of.file)
    numbered = disposals.begin_again(connection, of, at=at)
    return destroy(
        connection, numbered, by=by, at=at, addresses=addresses, organisation=organisation, is_shared=is_shared
    )


def _certified(values: Mapping[str, Any]) -> Disposal:
    """The disposal that a certificate tells of."""
    proposed = values["proposed_by"]
    return Disposal(
        number=0,
        file=values["file"],
        state=DisposalState.PROPOSED,
        at=datetime.fromisoformat(values["destroyed_at"]),
        kept_as=values["kept_as"],
        due=None if values["due"] is None else date.fromisoformat(values["due"]),
        proposed_by=None if proposed is None else certificate.read_person(proposed),
        proposed_at=None if values["proposed_at"] is None else datetime.fromisoformat(values["proposed_at"]),
        reason=f"again, as certified by {values['confirmed_by']}: {values['reason']}",
    )


def _require_same(connection: Connection, of: Disposal, named: Iterable[Mapping[str, Any]]) -> None:
    """Raise LifeRefused unless the file is what two people agreed to destroy then, and nobody has held it since.

    `named` are the ledger's entries in the certificate. A hold from before the destruction had ended by then.
    """
    file_id = known_file(connection, of.file)
    _, _, last = spans(connection, file_id).get(file_id, (0, "", instant(of.at)))
    if moment(last) > of.at:
        raise LifeRefused(f"{of.file} has entries that are newer than the certificate: it is another file by now")
    ids = record_ids(connection, file_id)
    own = set(ids) - _shared(connection, file_id, ids)
    leaves = _leaves(connection, sorted(own))
    certified = {(entry["entry"], entry["leaf"]) for entry in named}
    unnamed = {leaf.record_id for leaf in leaves if (leaf.seq, leaf.leaf.hex()) not in certified}
    others = unnamed | (own - {leaf.record_id for leaf in leaves})
    if others:
        raise LifeRefused(f"{of.file} has {len(others)} message(s) that the certificate does not name: propose it anew")
    held = [hold for hold in file_holds.of_file(connection, of.file) if hold.placed_at > of.at]
    if held:
        listed = ", ".join(f"{hold.kind.value} hold {hold.number}" for hold in held)
        raise LifeRefused(f"{of.file} was held after the certificate ({listed}): end the hold first")


def addresses_in(connection: Connection, file: str) -> tuple[str, ...]:
    """The addresses from which the client wrote the mail in a file. Raises FileUnknown."""
    found: dict[str, None] = {}
    for page in pages(record_ids(connection, known_file(connection, file))):
        seals = keyring.record_seals(connection, page)
        columns = (messages.c.id, messages.c.sealed)
        inbound = select(*columns).where(messages.c.id.in_(page), messages.c.direction == Direction.INBOUND.value)
        for row in connection.execute(inbound):
            seal = seals.get(row.id)
            text = None if seal is None or row.sealed is None else seal.open("row", row.sealed)
            sender = None if text is None else read_contents(text).envelope.mail_from
            if sender is not None:
                found[sender] = None
    return tuple(found)


def destroy(
    connection: Connection,
    of: Disposal,
    *,
    by: Person,
    at: datetime,
    addresses: Iterable[str],
    organisation: str,
    is_shared: bool,
) -> Disposed:
    """Destroy the file of a disposal whose right has been seen to. Raises FileUnknown, LifeRefused.

    `is_shared` for a store on servers: the certificate must not tell of their disks.
    """
    file_id = known_file(connection, of.file)
    _require_settled(connection, file_id, of.file)
    ids = record_ids(connection, file_id)
    shared = _shared(connection, file_id, ids)
    own = [record_id for record_id in ids if record_id not in shared]
    leaves = _leaves(connection, own)
    _, first, last = spans(connection, file_id).get(file_id, (0, instant(at), instant(at)))
    paper = certificate.make(
        keyring.vault_of(connection),
        of,
        organisation=organisation,
        confirmed_by=by,
        at=at,
        first_entry=moment(first),
        last_entry=moment(last),
        leaves=leaves,
        kept_elsewhere=len(shared),
        is_shared=is_shared,
    )
    past.remember(connection, of.file, addresses, at=at)
    taken = _Taken()
    _take_records(connection, own, taken)
    _take_from(connection, file_id, sorted(shared), taken)
    numbers = _take_rest(connection, file_id)
    _destroy_key(connection, file_id, at, taken)
    note(
        connection,
        "destroyed",
        str(of.number),
        {"file": file_id, "records": own, "file_holds": numbers, "certificate_sha256": certificate.digest(paper)},
    )
    done = replace(of, state=DisposalState.DONE, at=at, ended_by=by, certificate=paper)
    disposals.write(connection, done)
    why = f"{len(own)} message(s); proposed by {of.proposed_by.id if of.proposed_by else '-'}; certificate {of.number}"
    writes.add_audit(connection, AuditEntry(at=at, who=by.id, what="file destroyed", why=why, file=of.file))
    return Disposed(
        disposal=done,
        records=len(own),
        kept_elsewhere=len(shared),
        objects=tuple(taken.objects),
        sealed=frozenset(taken.sealed),
    )


def _require_settled(connection: Connection, file_id: str, file: str) -> None:
    in_file = select(client_files.c.message_id).where(client_files.c.file == file_id)
    open_states = [state.value for state in OPEN_STATES]
    held = select(holds.c.ref).where(holds.c.state.in_(open_states), holds.c.message_id.in_(in_file)).limit(1)
    sending = select(messages.c.id).where(messages.c.state == MessageState.SENDING.value, messages.c.id.in_(in_file))
    if connection.execute(held).first() is not None:
        raise LifeRefused(f"a message in {file} waits for a decision: release or return it first (`held list`)")
    if connection.execute(sending.limit(1)).first() is not None:
        raise LifeRefused(f"a message in {file} is being sent: try again when it is")


def _shared(connection: Connection, file_id: str, ids: list[str]) -> set[str]:
    """Those of the records that can be opened through another file too."""
    found: set[str] = set()
    for page in pages(ids):
        query = (
            select(client_files.c.message_id)
            .join(keys, keys.c.id == client_files.c.file)
            .where(
                client_files.c.message_id.in_(page),
                client_files.c.file != file_id,
                client_files.c.key.is_not(None),
                keys.c.wrapped.is_not(None),
            )
        )
        found |= set(connection.execute(query).scalars())
    return found


def _leaves(connection: Connection, ids: list[str]) -> list[Leaf]:
    found: list[Leaf] = []
    for page in pages(ids):
        columns = (entries.c.seq, entries.c.about, entries.c.leaf)
        query = select(*columns).where(entries.c.about.in_(page), entries.c.kind == "record")
        found += [Leaf(record_id=row.about, seq=row.seq, leaf=row.leaf) for row in connection.execute(query)]
    return sorted(found, key=lambda leaf: leaf.seq)


def _take_records(connection: Connection, ids: list[str], taken: _Taken) -> None:
    """Delete every row of records that stand in no other file."""
    for page in pages(ids):
        forms = connection.execute(select(bodies.c.content, bodies.c.file).where(bodies.c.message_id.in_(page))).all()
        taken.objects += [row.file for row in forms if row.file is not None]
        taken.add(row.content for row in forms)
        wraps = select(client_files.c.key).where(client_files.c.message_id.in_(page))
        taken.add(connection.execute(wraps).scalars())
        taken.add(connection.execute(select(messages.c.sealed).where(messages.c.id.in_(page))).scalars())
        taken.add(connection.execute(select(holds.c.sealed).where(holds.c.message_id.in_(page))).scalars())
        taken.add(connection.execute(select(letters.c.sealed).where(letters.c.about.in_(page))).scalars())
        connection.execute(letters.delete().where(letters.c.about.in_(page)))
        connection.execute(holds.delete().where(holds.c.message_id.in_(page)))
        connection.execute(bodies.delete().where(bodies.c.message_id.in_(page)))
        connection.execute(client_files.delete().where(client_files.c.message_id.in_(page)))
        connection.execute(messages.delete().where(messages.c.id.in_(page)))


def _take_from(connection: Connection, file_id: str, ids: list[str], taken: _Taken) -> None:
    """Take records out of this file that stand in another one as well."""
    for record_id in ids:
        this = (client_files.c.file == file_id) & (client_files.c.message_id == record_id)
        taken.add(connection.execute(select(client_files.c.key).where(this)).scalars())
        connection.execute(client_files.delete().where(this))
        refile.note_files(connection, record_id)


def _take_rest(connection: Connection, file_id: str) -> list[int]:
    """Delete what else was kept of the file; the numbers of its holds, which all have ended."""
    index.take_out_file(connection, file_id)
    lives.take_out(connection, file_id)
    connection.execute(told.delete().where(told.c.file == file_id))
    connection.execute(told_threads.delete().where(told_threads.c.file == file_id))
    return file_holds.take_out(connection, file_id)


def _destroy_key(connection: Connection, file_id: str, at: datetime, taken: _Taken) -> None:
    taken.add(connection.execute(select(keys.c.wrapped).where(keys.c.id == file_id)).scalars())
    refile.end_key(connection, file_id, at)
