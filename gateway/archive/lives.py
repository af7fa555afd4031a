"""Where each client's file stands: class, last entry, the day from which it may be disposed of, holds, disposal.

The last entry is read from the entries themselves and never kept beside them, so that a new entry moves the day by
itself. What only the people file knows (birth, a chosen class) is kept under the file's key, for the day when the
client stands there no more. Called by `life` inside a transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from gateway.archive import disposals, file_holds, ledger
from gateway.archive.codec import instant, moment
from gateway.archive.database import Connection, select
from gateway.archive.file_seals import file_seal, known_file, living_files, note, spans
from gateway.archive.life_model import OPEN_DISPOSALS, Standing
from gateway.archive.life_tables import file_lives
from gateway.people.model import Client
from gateway.people.past import joined_retention
from gateway.policy.retention import RetentionRules

_HEADER = "file life"
ClientOf = Callable[[str], Client | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    born: date | None = None
    chosen: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What is kept of a file: its own facts, as people.yaml had them last, and those of files merged into it."""

    own: _Facts = _Facts()
    merged: _Facts = _Facts()


def standings(connection: Connection, rules: RetentionRules, client_of: ClientOf) -> tuple[Standing, ...]:
    """Where every file with entries stands, by number. `client_of` gives the client of a number, or None."""
    found = spans(connection)
    held = file_holds.open_files(connection)
    ending = {entry.file: entry for entry in disposals.listed(connection, OPEN_DISPOSALS)}
    listed = []
    for file_id, file in living_files(connection).items():
        if file_id in found:
            entry = _standing(connection, file_id, file, found[file_id], rules, client_of(file))
            holds = file_holds.of_file(connection, file) if file_id in held else ()
            listed.append(replace(entry, holds=holds, disposal=ending.get(file)))
    return tuple(sorted(listed, key=lambda entry: entry.file))


def standing(connection: Connection, file: str, rules: RetentionRules, client: Client | None) -> Standing | None:
    """Where one file stands; None for a file without entries. Raises FileUnknown."""
    file_id = known_file(connection, file)
    span = spans(connection, file_id).get(file_id)
    if span is None:
        return None
    entry = _standing(connection, file_id, file, span, rules, client)
    return replace(entry, holds=file_holds.of_file(connection, file), disposal=disposals.open_of(connection, file))


def unremembered(connection: Connection, client_of: ClientOf) -> tuple[Client, ...]:
    """The clients with a file, whose birth or chosen class is not yet kept as people.yaml has it."""
    known = {row.file: row.sealed for row in connection.execute(select(file_lives.c.file, file_lives.c.sealed))}
    found = []
    for file_id, file in living_files(connection).items():
        client = client_of(file)
        if client is not None:
            kept = _kept(connection, file_id, known.get(file_id))
            if kept is None or kept.own != _facts_of(client):
                found.append(client)
    return tuple(found)


def remember(connection: Connection, client: Client, *, at: datetime) -> None:
    """Keep birth and chosen class of a client under the key of the file. Raises FileUnknown."""
    file_id = known_file(connection, client.file)
    kept = _kept_of(connection, file_id)
    if kept is None or kept.own != _facts_of(client):
        _keep(connection, file_id, replace(kept or _Kept(), own=_facts_of(client)), at)


def carry(connection: Connection, source_id: str, into_id: str, client: Client | None, *, at: datetime) -> None:
    """Keep birth and chosen class of a file with the one into which it is merged. `client` is the first's, or None."""
    gone = _facts(_kept_of(connection, source_id), client)
    if gone != _Facts():
        kept = _kept_of(connection, into_id) or _Kept()
        _keep(connection, into_id, replace(kept, merged=_joined(kept.merged, gone)), at)


def suggest(
    connection: Connection, file: str, rules: RetentionRules, client: Client | None, *, day: date, at: datetime
) -> bool:
    """Suggest the disposal of a file whose time is over, or take back what is over no more; True if that is new.

    Nothing is destroyed: a person proposes, and another confirms. Raises FileUnknown.
    """
    entry = standing(connection, file, rules, client)
    if entry is None:
        return False
    if entry.is_due(day) and entry.disposal is None:
        disposals.suggest(connection, entry, at=at)
        return True
    if not entry.is_due(day) and entry.disposal is not None:
        disposals.take_back(connection, entry.disposal, why="the file is not due any more", at=at)
        return True
    return False


def take_out(connection: Connection, file_id: str) -> None:
    """Delete what is kept of a file whose key goes."""
    connection.execute(file_lives.delete().where(file_lives.c.file == file_id))


def _standing(
    connection: Connection,
    file_id: str,
    file: str,
    span: tuple[int, str, str],
    rules: RetentionRules,
    client: Client | None,
) -> Standing:
    count, first, last = span
    first_entry, last_entry = moment(first).date(), moment(last).date()
    facts = _facts(_kept_of(connection, file_id), client)
    kept_as = rules.class_of(born=facts.born, chosen=facts.chosen, last_entry=last_entry)
    return Standing(
        file=file,
        entries=count,
        first_entry=first_entry,
        last_entry=last_entry,
        born=facts.born,
        kept_as=kept_as.name,
        due=rules.due_day(kept_as, born=facts.born, last_entry=last_entry),
    )


def _facts(kept: _Kept | None, client: Client | None) -> _Facts:
    """What counts for a file: its own facts, those of people.yaml first, and what merged files brought."""
    kept = kept or _Kept()
    return _joined(kept.own if client is None else _facts_of(client), kept.merged)


def _facts_of(client: Client) -> _Facts:
    return _Facts(born=client.born, chosen=client.retention)


def _joined(kept: _Facts, gone: _Facts) -> _Facts:
    return _Facts(born=kept.born or gone.born, chosen=joined_retention(kept.chosen, gone.chosen))


def _kept_of(connection: Connection, file_id: str) -> _Kept | None:
    sealed = connection.execute(select(file_lives.c.sealed).where(file_lives.c.file == file_id)).scalar()
    return _kept(connection, file_id, sealed)


def _kept(connection: Connection, file_id: str, sealed: bytes | None) -> _Kept | None:
    text = None if sealed is None else file_seal(connection, file_id, _HEADER).open(file_id, sealed)
    if text is None:
        return None
    said: Mapping[str, Any] = json.loads(text)
    return _Kept(own=_read(said), merged=_read(said.get("merged", {})))


def _keep(connection: Connection, file_id: str, kept: _Kept, at: datetime) -> None:
    said = _values(kept.own) | {"merged": _values(kept.merged)}
    sealed = file_seal(connection, file_id, _HEADER).close(file_id, json.dumps(said).encode())
    row = {"file": file_id, "at": instant(at), "sealed": sealed}
    take_out(connection, file_id)
    connection.execute(file_lives.insert(), row)
    note(connection, "file life", file_id, ledger.facts(row, ledger.LIFE_COLUMNS, sealed))


def _values(facts: _Facts) -> dict[str, object]:
    return {"born": None if facts.born is None else facts.born.isoformat(), "chosen": facts.chosen}


def _read(said: Mapping[str, Any]) -> _Facts:
    born = said.get("born")
    return _Facts(born=None if born is None else date.fromisoformat(born), chosen=said.get("chosen"))
