"""Who is who: workers, clients, and what each address is to a message. Values only; `load` and `classify` make them.

[STM-4] (accountable sender), [CLI-1] (past clients stay clients), [CLI-5] (professional addresses).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Role(StrEnum):
    """What an address is. The first six are roles of `people.yaml`; the others follow from the directory."""

    STUDENT = "student"
    WORKER = "worker"
    SUPERVISOR = "supervisor"
    STAFF = "staff"
    FACULTY = "faculty"
    RECORDS = "records"
    COLLEAGUE = "colleague"
    CLIENT = "client"
    PAST_CLIENT = "past_client"
    PERSONAL = "personal"
    OUTSIDER = "outsider"


PROFESSIONAL_ROLES = frozenset(
    {Role.STUDENT, Role.WORKER, Role.SUPERVISOR, Role.STAFF, Role.FACULTY, Role.RECORDS, Role.COLLEAGUE}
)
CLIENT_ROLES = frozenset({Role.CLIENT, Role.PAST_CLIENT})


class Direction(StrEnum):
    """Which way a message goes, seen from the agency (DESIGN section 4.3)."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"
    INTERNAL = "internal"
    THIRD_PARTY = "third_party"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """First and last day of a practicum, both included. `last` is None while no end is known."""

    first: date
    last: date | None

    def is_active(self, day: date) -> bool:
        """True on every day from first to last."""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A person who writes for the agency. Addresses are canonical (see `gateway.people.addresses.canonical`).

    `placement` is None for people who need none (staff, supervisors). `language` is `en` or `fr`.
    """

    id: str
    name: str
    role: Role
    addresses: tuple[str, ...]
    logins: tuple[str, ...] = ()
    personal_addresses: tuple[str, ...] = ()
    supervisor: str | None = None
    placement: Placement | None = None
    language: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A client's written consent (PHOTO-1, PHOTO-2), valid from first to last day."""

    kind: str
    purpose: str
    first: date
    last: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client's file. `workers` are ids of `Worker`; `is_past` never expires [CLI-1].

    `born` is None where nobody wrote it down; `retention` is a class of the policy pack (`gateway.policy.retention`),
    None for the one that follows from the age.
    """

    file: str
    name: str
    addresses: tuple[str, ...]
    also_known_as: tuple[str, ...] = ()
    is_past: bool = False
    workers: tuple[str, ...] = ()
    language: str = "en"
    consents: tuple[Consent, ...] = ()
    born: date | None = None
    retention: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """The agency or school: its name and its professional domains, as A-labels in lower case.

    In `plus_tag_domains`, some of these, `name+tag@` is the same mailbox as `name@`.
    """

    name: str
    professional_domains: tuple[str, ...]
    plus_tag_domains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One address of a message and who it is.

    `address` is canonical, or as written if it can't be made canonical (`is_readable` False: then its role is OUTSIDER
    and rules treat it with suspicion).
    `worker` is set for a worker's professional or personal address, `clients` for a client's (one address may stand in
    several files, as of a family). `sources` says where the address stood: `envelope`, or names of header fields.
    """

    address: str
    role: Role
    worker: Worker | None = None
    clients: tuple[Client, ...] = ()
    sources: tuple[str, ...] = ()
    is_readable: bool = True

    @property
    def is_professional(self) -> bool:
        """True for an address of the agency or the school."""
        return self.role in PROFESSIONAL_ROLES

    @property
    def is_client(self) -> bool:
        """True for a client's address, current or past."""
        return self.role in CLIENT_ROLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Everyone in a message.

    `mail_from` is None for the null reverse-path; `authors` are the From addresses; `recipients` the envelope's;
    `visible` those of To, Cc, Reply-To, Resent-* and the like that the envelope lacks.
    `worker` is the person who answers for a message of ours: the login's owner, else the owner of From, else of
    MAIL FROM; None if nobody of ours sent it. `client_files` are file numbers, sorted, of the clients it goes to or
    comes from.
    `language` is the language of the client (the first, of several), else of the worker, else `en`.
    """

    direction: Direction
    mail_from: Party | None
    authors: tuple[Party, ...]
    recipients: tuple[Party, ...]
    visible: tuple[Party, ...]
    worker: Worker | None
    login: str | None
    login_worker: Worker | None
    client_files: tuple[str, ...]
    language: str
