"""The directory: who each address, login and file number belongs to. Immutable, look-ups in constant time.

Not a reader of files (`people.load` makes it) and not a judge of messages (`people.classify`). Read by classify, the
fact rules, the recognizers and the command line. Swapped whole on reload. [CLI-1] past clients stay clients for ever.

How an address is looked up: first as it is (canonical), then without its `+tag`. A worker's professional address is
found without the tag only at the domains in `plus_tag_domains`, because there it grants something; a client's or a
worker's personal address is found without the tag everywhere, because there it only adds care.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from gateway.people.addresses import canonical, without_tag
from gateway.people.model import Client, Organisation, Worker
from gateway.people.past import NOBODY, PastClients
from gateway.people.resemblance import Resemblance

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """The tables behind the look-ups: by canonical address, case-folded login or name, id, file number."""

    worker_by_id: dict[str, Worker]
    worker_by_address: dict[str, Worker]
    worker_by_personal: dict[str, Worker]
    worker_by_login: dict[str, Worker]
    worker_by_name: dict[str, Worker]
    client_by_file: dict[str, Client]
    clients_by_address: dict[str, tuple[Client, ...]]
    clients_by_name: dict[str, tuple[Client, ...]]
    clients_by_worker: dict[str, tuple[Client, ...]]
    domains: frozenset[str]
    tag_domains: frozenset[str]
    resemblance: Resemblance


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Everyone whom the gateway knows. The tables are made once, from values that `load` has checked.

    `past` knows the addresses of clients whose file was destroyed.
    """

    organisation: Organisation
    workers: tuple[Worker, ...] = field(repr=False)
    clients: tuple[Client, ...] = field(repr=False)
    past: PastClients = field(default=NOBODY, repr=False)
    _index: _Index = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", _index(self.organisation, self.workers, self.clients))

    def worker(self, worker_id: str) -> Worker | None:
        """The worker of that id."""
        return self._index.worker_by_id.get(worker_id)

    def worker_of_address(self, address: str) -> Worker | None:
        """The worker whose professional address this is, in any spelling."""
        key = canonical(address)
        if key is None:
            return None
        found = self._index.worker_by_address.get(key)
        if found is None and key.rpartition("@")[2] in self._index.tag_domains:
            return self._index.worker_by_address.get(without_tag(key) or "")
        return found

    def worker_of_login(self, login: str) -> Worker | None:
        """The worker of an authenticated name, in any case; a professional address is its owner's login too."""
        return self._index.worker_by_login.get(login.casefold()) or self.worker_of_address(login)

    def worker_of_personal(self, address: str) -> Worker | None:
        """The worker whose personal address this is, with or without a tag."""
        return _with_or_without_tag(self._index.worker_by_personal, canonical(address))

    def worker_of_name(self, name: str) -> Worker | None:
        """The worker of that full name, in any case and spacing (the first, of several)."""
        return self._index.worker_by_name.get(_name_key(name))

    def clients_of_address(self, address: str) -> tuple[Client, ...]:
        """The clients whose address this is, with or without a tag; several, where a family shares one."""
        key = canonical(address)
        if key is None:
            return ()
        return _with_or_without_tag(self._index.clients_by_address, key) or self.past.of_address(key)

    def clients_of_name(self, name: str) -> tuple[Client, ...]:
        """The clients of that full name or alias, in any case and spacing."""
        return self._index.clients_by_name.get(_name_key(name), ())

    def client(self, file: str) -> Client | None:
        """The client of that file number."""
        return self._index.client_by_file.get(file)

    def clients_of_worker(self, worker_id: str) -> tuple[Client, ...]:
        """The clients whose file names this worker, current and past."""
        return self._index.clients_by_worker.get(worker_id, ())

    def supervisor_of(self, worker: Worker) -> Worker | None:
        """The worker's supervisor, or None where the directory names none."""
        return self.worker(worker.supervisor) if worker.supervisor is not None else None

    def is_professional(self, address: str) -> bool:
        """True for a worker's professional address, and for any other at a professional domain that is not a client's.

        Only the domains listed count: a subdomain of a professional domain is not professional by itself [CLI-5].
        """
        key = canonical(address)
        if key is None:
            return False
        is_ours = key.rpartition("@")[2] in self._index.domains and not self.clients_of_address(key)
        return is_ours or self.worker_of_address(key) is not None

    def clients_like(self, address: str) -> tuple[Client, ...]:
        """The clients of an address that this one resembles without being a client's itself; () for none."""
        if self.clients_of_address(address):
            return ()
        known = self._index.resemblance.like(address)
        return self._index.clients_by_address.get(known, ()) if known is not None else ()


def _with_or_without_tag(table: dict[str, Kept], key: str | None) -> Kept | None:
    if key is None:
        return None
    found = table.get(key)
    return found if found is not None else table.get(without_tag(key) or "")


def _index(organisation: Organisation, workers: tuple[Worker, ...], clients: tuple[Client, ...]) -> _Index:
    by_address: dict[str, tuple[Client, ...]] = {}
    by_name: dict[str, tuple[Client, ...]] = {}
    by_worker: dict[str, list[Client]] = {}
    for client in clients:
        for address in dict.fromkeys(client.addresses):
            by_address[address] = (*by_address.get(address, ()), client)
        for key in {_name_key(name) for name in (client.name, *client.also_known_as)}:
            by_name[key] = (*by_name.get(key, ()), client)
        for worker_id in dict.fromkeys(client.workers):
            by_worker.setdefault(worker_id, []).append(client)
    return _Index(
        worker_by_id={worker.id: worker for worker in workers},
        worker_by_address={address: worker for worker in workers for address in worker.addresses},
        worker_by_personal={address: worker for worker in workers for address in worker.personal_addresses},
        worker_by_login={login.casefold(): worker for worker in workers for login in worker.logins},
        worker_by_name={_name_key(worker.name): worker for worker in reversed(workers)},
        client_by_file={client.file: client for client in clients},
        clients_by_address=by_address,
        clients_by_name=by_name,
        clients_by_worker={worker_id: tuple(theirs) for worker_id, theirs in by_worker.items()},
        domains=frozenset(organisation.professional_domains),
        tag_domains=frozenset(organisation.plus_tag_domains),
        resemblance=Resemblance(by_address),
    )


def _name_key(name: str) -> str:
    return " ".join(name.casefold().split())
