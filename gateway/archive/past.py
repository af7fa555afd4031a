"""What the people file may have forgotten: addresses of clients whose file was destroyed, and files that were merged.

Addresses are keyed hashes (`gateway.people.past`); the key is made from the store's own. Called by `destruction` and
`refile` inside a transaction, and read by `life` for the directory of the serving gateway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from gateway.archive import keyring, ledger
from gateway.archive.codec import instant
from gateway.archive.database import Connection, select
from gateway.archive.file_seals import note
from gateway.archive.life_tables import merges, past_addresses
from gateway.people.past import PastClients, hashes_of

_PURPOSE = "past addresses"


def remember(connection: Connection, file: str, addresses: Iterable[str], *, at: datetime) -> int:
    """Keep the hashes of a client's addresses with the number of the file; how many are new."""
    file_id = keyring.file_id(connection, file)
    known = set(connection.execute(select(past_addresses.c.address).where(past_addresses.c.file == file_id)).scalars())
    key = keyring.vault_of(connection).derived(_PURPOSE)
    new = [address for address in hashes_of(key, addresses) if address not in known]
    for address in new:
        row = {"address": address, "file": file_id, "at": instant(at)}
        connection.execute(past_addresses.insert(), row)
        note(connection, "past address", f"{address}:{file_id}", ledger.facts(row, ledger.PAST_COLUMNS))
    return len(new)


def past_clients(connection: Connection) -> PastClients:
    """The files of past clients by the keyed hash of an address."""
    rows = connection.execute(select(past_addresses.c.address, past_addresses.c.file)).all()
    names = keyring.file_names(connection, (row.file for row in rows))
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        if row.file in names:
            found[row.address] = (*found.get(row.address, ()), names[row.file])
    return PastClients(key=keyring.vault_of(connection).derived(_PURPOSE), files=found)


def merge(connection: Connection, file_id: str, into: str, *, at: datetime) -> None:
    """Note that a file went into another, and that whatever went into it before goes there, too."""
    row = {"file": file_id, "into": into, "at": instant(at)}
    connection.execute(merges.delete().where(merges.c.file == file_id))
    connection.execute(merges.insert(), row)
    note(connection, "merge", file_id, ledger.facts(row, ledger.MERGE_COLUMNS))


def merged_files(connection: Connection) -> Mapping[str, str]:
    """The number of the file into which each merged file went in the end, by its number."""
    steps = {row.file: row.into for row in connection.execute(select(merges.c.file, merges.c.into))}
    names = keyring.file_names(connection, {*steps, *steps.values()})
    found = {}
    for file in steps:
        into, seen = file, set()
        while into in steps and into not in seen:
            seen.add(into)
            into = steps[into]
        if into not in seen and file in names and into in names:
            found[names[file]] = names[into]
    return found
