"""People checked against each other: what no single entry can show. Pure; called by `people.load`.

Duplicates, supervisors that are not there or can't be ones, addresses on the wrong side of the professional domains.
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
            what = f"the id {worker_entry.worker.id!r} stands in line {found.line} too: give each worker one id"
            yield _at(worker_entry, what)
    first: dict[str, ClientEntry] = {}
    for client_entry in clients:
        other = first.setdefault(client_entry.client.file, client_entry)
        if other is not client_entry:
            what = f"the file {client_entry.client.file!r} stands in line {other.line} too: one entry a file"
            yield _at(client_entry, what)
    owner: dict[str, WorkerEntry] = {}
    for worker_entry in workers:
        for address in (*worker_entry.worker.addresses, *worker_entry.worker.personal_addresses):
            holder = owner.setdefault(address, worker_entry)
            if holder is not worker_entry:
                yield _at(
                    worker_entry, f"{address!r} is the address of {holder.worker.id!r} too: leave it with one worker"
                )
        for address in set(worker_entry.worker.addresses) & set(worker_entry.worker.personal_addresses):
            yield _at(worker_entry, f"{address!r} is professional and personal: leave it in one list")


def _logins(workers: tuple[WorkerEntry, ...]) -> Iterator[ConfigProblem]:
    owner: dict[str, WorkerEntry] = {}
    mailbox = {address: entry for entry in workers for address in entry.worker.addresses}
    for entry in workers:
        for login in entry.worker.logins:
            holder = owner.setdefault(login.casefold(), entry)
            other = mailbox.get(login.casefold(), entry)
            if holder is not entry:
                yield _at(entry, f"the login {login!r} is that of {holder.worker.id!r} too: a login has one owner")
            elif other is not entry:
                yield _at(entry, f"the login {login!r} is the address of {other.worker.id!r}: a login has one owner")


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
    for entry in workers:
        for address in entry.worker.addresses:
            if address.rpartition("@")[2] not in domains:
                what = "is outside professional_domains: add its domain there, or move it to personal_addresses"
                yield _at(entry, f"{address!r} {what}")
        for address in entry.worker.personal_addresses:
            if address.rpartition("@")[2] in domains:
                yield _at(entry, f"{address!r} is inside professional_domains: move it to addresses, or mend it")


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
                yield _at(entry, what)


def _client_workers(workers: tuple[WorkerEntry, ...], clients: tuple[ClientEntry, ...]) -> Iterator[ConfigProblem]:
    ids = {entry.worker.id for entry in workers}
    for entry in clients:
        for name in entry.client.workers:
            if name not in ids:
                close = difflib.get_close_matches(name, ids, n=1)
                hint = f"did you mean {close[0]!r}?" if close else "add that worker, or take it out"
                yield _at(entry, f"there is no worker {name!r}: {hint}")


def _at(entry: WorkerEntry | ClientEntry, what: str) -> ConfigProblem:
    return ConfigProblem(entry.path, entry.line, what)
