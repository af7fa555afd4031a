"""People checked against each other: what no single entry can show. Pure; called by `people.load`.

Each problem has the line of the value to mend, not only of its entry. Duplicates, supervisors that are not there or
can't be ones, addresses on the wrong side of the professional domains.
A family may share an address: several client files with one address are fine, and so is a client at a professional
domain (a school's own student, say), who is then a client and not a colleague. [CLI-1] [CLI-5] [CONF-2] [STM-4]
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from gateway.message.errors import ConfigProblem
from gateway.people.entries import ClientEntry, WorkerEntry
from gateway.people.model import Organisation, Role

SUPERVISING_ROLES = frozenset({Role.SUPERVISOR, Role.FACULTY})
"""Who may decide on a student's held message."""


def crosscheck(
    organisation: Organisation, workers: tuple[WorkerEntry, ...], clients: tuple[ClientEntry, ...]
) -> Iterator[ConfigProblem]:
    """Every problem between entries."""
    yield from _duplicates(workers, clients)
    yield from _logins(workers)
    yield from _supervisors(workers)
    yield from _sides(organisation, workers)
    yield from _client_addresses(workers, clients)
    yield from _client_workers(workers, clients)


def _duplicates(workers: tuple[WorkerEntry, ...], clients: tuple[ClientEntry, ...]) -> Iterator[ConfigProblem]:
    first_worker: dict[str, WorkerEntry] = {}
    for worker_entry in workers:
        found = first_worker.setdefault(worker_entry.worker.id, worker_entry)
        if found is not worker_entry:
            line = _line(found, "id", found.worker.id)
            what = f"the id {worker_entry.worker.id!r} stands in line {line} too: give each worker one id"
            yield _at(worker_entry, what, "id", worker_entry.worker.id)
    first: dict[str, ClientEntry] = {}
    for client_entry in clients:
        file = client_entry.client.file
        other = first.setdefault(file.casefold(), client_entry)
        if other is not client_entry:
            line = _line(other, "file", other.client.file)
            what = f"the file {file!r} stands in line {line} too: one entry a file"
            if other.client.file != file:
                what = (
                    f"the file {file!r} differs only in capital letters from {other.client.file!r} in line {line}: "
                    "people take them for one; give it another number"
                )
            yield _at(client_entry, what, "file", file)
    owner: dict[str, WorkerEntry] = {}
    for worker_entry in workers:
        worker = worker_entry.worker
        keyed = [("addresses", address) for address in worker.addresses]
        keyed += [("personal_addresses", address) for address in worker.personal_addresses]
        for key, address in keyed:
            holder = owner.setdefault(address, worker_entry)
            if holder is not worker_entry:
                what = f"{address!r} is the address of {holder.worker.id!r} too: leave it with one worker"
                yield _at(worker_entry, what, key, address)
        for address in sorted(set(worker.addresses) & set(worker.personal_addresses)):
            what = f"{address!r} is professional and personal: leave it in one list"
            yield _at(worker_entry, what, "personal_addresses", address)


def _logins(workers: tuple[WorkerEntry, ...]) -> Iterator[ConfigProblem]:
    owner: dict[str, WorkerEntry] = {}
    mailbox = {address: entry for entry in workers for address in entry.worker.addresses}
    for entry in workers:
        for login in entry.worker.logins:
            holder = owner.setdefault(login.casefold(), entry)
            other = mailbox.get(login.casefold(), entry)
            if holder is not entry:
                what = f"the login {login!r} is that of {holder.worker.id!r} too: a login has one owner"
                yield _at(entry, what, "logins", login)
            elif other is not entry:
                what = f"the login {login!r} is the address of {other.worker.id!r}: a login has one owner"
                yield _at(entry, what, "logins", login)


def _supervisors(workers: tuple[WorkerEntry, ...]) -> Iterator[ConfigProblem]:
    by_id = {entry.worker.id: entry for entry in workers}
    for entry in workers:
        name = entry.worker.supervisor
        if name is None:
            if entry.worker.role is Role.STUDENT:
                what = f"the student {entry.worker.id!r} has no supervisor, so nobody could review held mail: add one"
                yield _at(entry, what)
            continue
        supervisor = by_id.get(name)
        if supervisor is None:
            close = difflib.get_close_matches(name, by_id, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "add that worker, or name one of the list"
            yield ConfigProblem(entry.path, entry.supervisor_line, f"there is no worker {name!r}: {hint}")
        elif name == entry.worker.id:
            yield ConfigProblem(entry.path, entry.supervisor_line, f"{name!r} supervises itself: name someone else")
        elif supervisor.is_role_known and supervisor.worker.role not in SUPERVISING_ROLES:
            what = f"{name!r} is {supervisor.worker.role}, not supervisor or faculty: name someone who may supervise"
            yield ConfigProblem(entry.path, entry.supervisor_line, what)


def _sides(organisation: Organisation, workers: tuple[WorkerEntry, ...]) -> Iterator[ConfigProblem]:
    domains = set(organisation.professional_domains)
    if not domains:
        return
    told = {address for entry in workers for address in entry.worker.addresses}
    for entry in workers:
        for address in entry.worker.addresses:
            if address.rpartition("@")[2] not in domains:
                what = "is outside professional_domains: add its domain there, or move it to personal_addresses"
                yield _at(entry, f"{address!r} {what}", "addresses", address)
        for address in entry.worker.personal_addresses:
            if address.rpartition("@")[2] in domains and address not in told:
                what = "is inside professional_domains: move it to addresses, or mend it"
                yield _at(entry, f"{address!r} {what}", "personal_addresses", address)


def _client_addresses(workers: tuple[WorkerEntry, ...], clients: tuple[ClientEntry, ...]) -> Iterator[ConfigProblem]:
    owner = {
        address: entry.worker.id
        for entry in workers
        for address in (*entry.worker.addresses, *entry.worker.personal_addresses)
    }
    for entry in clients:
        for address in entry.client.addresses:
            if address in owner:
                what = f"{address!r} is an address of the worker {owner[address]!r} too: a client needs another one"
                yield _at(entry, what, "addresses", address)


def _client_workers(workers: tuple[WorkerEntry, ...], clients: tuple[ClientEntry, ...]) -> Iterator[ConfigProblem]:
    ids = {entry.worker.id for entry in workers}
    for entry in clients:
        for name in entry.client.workers:
            if name not in ids:
                close = difflib.get_close_matches(name, ids, n=1)
                hint = f"did you mean {close[0]!r}?" if close else "add that worker, or take it out"
                yield _at(entry, f"there is no worker {name!r}: {hint}", "workers", name)


def _at(entry: WorkerEntry | ClientEntry, what: str, key: str = "", value: str = "") -> ConfigProblem:
    return ConfigProblem(entry.path, _line(entry, key, value), what)


def _line(entry: WorkerEntry | ClientEntry, key: str, value: str) -> int:
    """The line of a value, or of the entry where it is not known (a row of a table has one line)."""
    return entry.value_lines.get((key, value), entry.line)
