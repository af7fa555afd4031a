"""Disposals as rows: suggested by the gateway, proposed by a person, withdrawn, done. Destroys nothing (`destruction`).

What is said of a disposal is sealed under the store's own key, for it outlives the file. Each state is an entry of the
ledger. Called by `lives` and `life` inside a transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from gateway.archive import file_holds, keyring, ledger, writes
from gateway.archive.codec import instant, moment, storable
from gateway.archive.database import Connection, RowMapping, select
from gateway.archive.file_seals import note
from gateway.archive.life_model import (
    OPEN_DISPOSALS,
    STEPS,
    Disposal,
    DisposalState,
    DisposalStep,
    LifeRefused,
    Person,
    Standing,
)
from gateway.archive.life_tables import disposals
from gateway.archive.model import AuditEntry
from gateway.archive.writes import GATEWAY


def suggest(connection: Connection, of: Standing, *, at: datetime) -> Disposal:
    """The gateway's word that a file's time is over."""
    return _add(connection, of, DisposalState.SUGGESTED, at=at, proposed_by=None, reason="")


def propose(connection: Connection, of: Standing, *, by: Person, reason: str, day: date, at: datetime) -> Disposal:
    """A person proposes the disposal of a file whose time is over. Raises LifeRefused."""
    if not reason.strip():
        raise LifeRefused("a disposal needs a reason, with --reason")
    require_due(connection, of, day)
    step_of(of.disposal, DisposalStep.PROPOSE, of.file)
    if of.disposal is None:
        found = _add(connection, of, DisposalState.PROPOSED, at=at, proposed_by=by, reason=storable(reason))
    else:
        found = replace(
            of.disposal, state=DisposalState.PROPOSED, at=at, proposed_by=by, proposed_at=at, reason=storable(reason)
        )
        write(connection, found)
    why = f"kept as {of.kept_as} until {of.due}; {reason}"
    writes.add_audit(connection, AuditEntry(at=at, who=by.id, what="disposal proposed", why=why, file=of.file))
    return found


def withdraw(connection: Connection, file: str, *, by: Person, reason: str, at: datetime) -> Disposal:
    """A person says that a file is not to be disposed of now. Raises LifeRefused."""
    if not reason.strip():
        raise LifeRefused("to withdraw a disposal needs a reason, with --reason")
    found = open_of(connection, file)
    state = step_of(found, DisposalStep.WITHDRAW, file)
    assert found is not None  # the table of steps has no WITHDRAW from nothing
    ended = replace(found, state=state, at=at, ended_by=by)
    write(connection, ended)
    entry = AuditEntry(at=at, who=by.id, what="disposal withdrawn", why=reason, file=file)
    writes.add_audit(connection, entry)
    return ended


def take_back(connection: Connection, found: Disposal, *, why: str, at: datetime) -> None:
    """The gateway takes a disposal back that is not due any more."""
    write(connection, replace(found, state=DisposalState.WITHDRAWN, at=at))
    entry = AuditEntry(at=at, who=GATEWAY, what="disposal withdrawn", why=why, file=found.file)
    writes.add_audit(connection, entry)


def require_due(connection: Connection, of: Standing, day: date) -> None:
    """Raise LifeRefused unless the file's time is over on that day and nothing holds it."""
    if of.due is None:
        raise LifeRefused(f"{of.file} is kept for ever (class {of.kept_as}): it is not disposed of")
    if of.due > day:
        raise LifeRefused(f"{of.file} is kept until {of.due} (class {of.kept_as}, last entry {of.last_entry})")
    held = file_holds.of_file(connection, of.file)
    if held:
        listed = ", ".join(f"{hold.kind.value} hold {hold.number}" for hold in held)
        raise LifeRefused(f"{of.file} is held ({listed}): end the hold first, if its reason is gone")


def step_of(found: Disposal | None, step: DisposalStep, file: str) -> DisposalState:
    """The state that the step leads to. Raises LifeRefused where the table has none."""
    state = STEPS.get((None if found is None else found.state, step))
    if state is None:
        words = "no disposal is proposed" if found is None else f"its disposal is {found.state.value}"
        raise LifeRefused(f"{file}: {words}, so it can't be {_PAST[step]}; `archive dispose list` shows all")
    return state


_PAST: Mapping[DisposalStep, str] = {
    DisposalStep.PROPOSE: "proposed",
    DisposalStep.CONFIRM: "confirmed",
    DisposalStep.WITHDRAW: "withdrawn",
}


def open_of(connection: Connection, file: str) -> Disposal | None:
    """The disposal of a file that is suggested or proposed."""
    found = [entry for entry in of_file(connection, file) if entry.state in OPEN_DISPOSALS]
    return found[-1] if found else None


def of_file(connection: Connection, file: str) -> tuple[Disposal, ...]:
    """Every disposal of a file, oldest first."""
    query = select(disposals).where(disposals.c.file == keyring.file_id(connection, file)).order_by(disposals.c.id)
    return tuple(_disposal(connection, row) for row in connection.execute(query).mappings())


def listed(connection: Connection, states: frozenset[DisposalState]) -> tuple[Disposal, ...]:
    """Every disposal in one of the states, oldest first."""
    names = sorted(state.value for state in states)
    query = select(disposals).where(disposals.c.state.in_(names)).order_by(disposals.c.id)
    return tuple(_disposal(connection, row) for row in connection.execute(query).mappings())


def begin_again(connection: Connection, of: Disposal, *, at: datetime) -> Disposal:
    """A disposal as a certificate tells of it, under a number of this store: for a file that a backup brought back."""
    row = {"file": keyring.file_id(connection, of.file), "state": of.state.value, "at": instant(at), "sealed": b""}
    written = connection.execute(disposals.insert(), row).inserted_primary_key
    return replace(of, number=int(written[0]) if written else 0)


def write(connection: Connection, found: Disposal) -> None:
    """Write a disposal as it is now, and its entry in the ledger."""
    file_id = keyring.file_id(connection, found.file)
    sealed = _close(connection, found)
    row = {"id": found.number, "file": file_id, "state": found.state.value, "at": instant(found.at), "sealed": sealed}
    connection.execute(disposals.update().where(disposals.c.id == found.number).values(row))
    note(connection, "disposal", str(found.number), ledger.facts(row, ledger.DISPOSAL_COLUMNS, sealed))


def _add(
    connection: Connection, of: Standing, state: DisposalState, *, at: datetime, proposed_by: Person | None, reason: str
) -> Disposal:
    row = {"file": keyring.file_id(connection, of.file), "state": state.value, "at": instant(at), "sealed": b""}
    written = connection.execute(disposals.insert(), row).inserted_primary_key
    found = Disposal(
        number=int(written[0]) if written else 0,
        file=of.file,
        state=state,
        at=at,
        kept_as=of.kept_as,
        due=of.due,
        proposed_by=proposed_by,
        proposed_at=None if proposed_by is None else at,
        reason=reason,
    )
    write(connection, found)
    return found


def _close(connection: Connection, found: Disposal) -> bytes:
    said = {
        "file": found.file,
        "kept_as": found.kept_as,
        "due": None if found.due is None else found.due.isoformat(),
        "proposed_by": _person_values(found.proposed_by),
        "proposed_at": None if found.proposed_at is None else instant(found.proposed_at),
        "reason": found.reason,
        "ended_by": _person_values(found.ended_by),
        "certificate": found.certificate,
    }
    return keyring.vault_of(connection).store.close(f"disposal\n{found.number}", json.dumps(said).encode())


def _disposal(connection: Connection, row: RowMapping) -> Disposal:
    text = keyring.vault_of(connection).store.open(f"disposal\n{row['id']}", row["sealed"])
    if text is None:
        raise LifeRefused(f"disposal {row['id']} was changed in the store: `archive verify`")
    said: Mapping[str, Any] = json.loads(text)
    return Disposal(
        number=row["id"],
        file=said["file"],
        state=DisposalState(row["state"]),
        at=moment(row["at"]),
        kept_as=said["kept_as"],
        due=None if said["due"] is None else date.fromisoformat(said["due"]),
        proposed_by=_person(said["proposed_by"]),
        proposed_at=None if said["proposed_at"] is None else moment(said["proposed_at"]),
        reason=said["reason"],
        ended_by=_person(said["ended_by"]),
        certificate=said["certificate"],
    )


def _person_values(person: Person | None) -> list[str] | None:
    return None if person is None else [storable(person.id), storable(person.name)]


def _person(values: list[str] | None) -> Person | None:
    return None if values is None else Person(id=values[0], name=values[1])
