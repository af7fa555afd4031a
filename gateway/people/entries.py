"""`people.yaml` entry by entry: workers, clients and the organisation, each with the line it stands in. No I/O.

Not the check of entries against each other (that is `people.load`, its caller). DESIGN of the file: docs/people.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.people.fields import LANGUAGES, Fields, Problems, checked_address, checked_domain
from gateway.people.model import Client, Consent, Organisation, Placement, Role, Worker

WORKER_ROLES = (Role.STUDENT, Role.WORKER, Role.SUPERVISOR, Role.STAFF, Role.FACULTY, Role.RECORDS)
STATUSES = ("current", "past")
CONSENT_PURPOSES = ("consultation", "research", "education")
"""PHOTO-2: what a photograph may be taken for."""

ValueLines = Mapping[tuple[str, str], int]
"""The line of each value of an entry, by the key that it stands under and the value (addresses canonical)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEntry:
    """A worker and where the entry and its values stand. `is_role_known` is False if the role could not be read."""

    worker: Worker
    path: str
    line: int
    supervisor_line: int
    is_role_known: bool = True
    value_lines: ValueLines = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientEntry:
    """A client and where the entry and its values stand."""

    client: Client
    path: str
    line: int
    value_lines: ValueLines = field(default_factory=dict)


def read_organisation(fields: Fields, problems: Problems) -> Organisation:
    """The organisation; its domains in canonical spelling."""
    name = fields.text("name", is_required=True) or ""
    told = len(problems.found)
    domains = _domains(fields, "professional_domains", problems)
    tag_domains = _domains(fields, "plus_tag_domains", problems)
    if not domains and len(problems.found) == told:
        problems.add(fields.line, "the organisation needs 'professional_domains': list its mail domains")
    for domain in tag_domains:
        if domain not in domains:
            what = f"{domain!r} stands under plus_tag_domains but not under professional_domains: add it there too"
            problems.add(fields.line_of("plus_tag_domains"), what)
    fields.close()
    return Organisation(name=name, professional_domains=domains, plus_tag_domains=tag_domains)


def read_worker(fields: Fields, problems: Problems) -> WorkerEntry | None:
    """The worker of one entry; None if it lacks what it needs to be told apart."""
    worker_id, name = fields.text("id", is_required=True), fields.text("name", is_required=True)
    if fields.mapping is not None and fields.entry("role") is None:
        problems.add(fields.line, f"a worker needs 'role': one of {', '.join(WORKER_ROLES)}")
    role = fields.choice("role", WORKER_ROLES, "")
    lines = {("id", worker_id or ""): fields.line_of("id")}
    placement = fields.mapping_of("placement", "a placement")
    days = placement.days() if placement else None
    entry = WorkerEntry(
        worker=Worker(
            id=worker_id or "",
            name=name or "",
            role=Role(role or Role.WORKER),
            addresses=_addresses(fields, "addresses", problems, lines),
            logins=_words(fields, "logins", lines),
            personal_addresses=_addresses(fields, "personal_addresses", problems, lines),
            supervisor=fields.text("supervisor"),
            placement=Placement(first=days[0], last=days[1]) if days else None,
            language=fields.choice("language", LANGUAGES, LANGUAGES[0]),
        ),
        path=problems.path,
        line=fields.line,
        supervisor_line=fields.line_of("supervisor"),
        is_role_known=bool(role),
        value_lines=lines,
    )
    if fields.mapping is not None and fields.entry("addresses") is None:
        problems.add(fields.line, "a worker needs 'addresses': list at least one professional address")
    fields.close()
    return entry if worker_id and name else None


def read_client(fields: Fields, problems: Problems) -> ClientEntry | None:
    """The client of one entry; None if it lacks file number or name."""
    file, name = fields.text("file", is_required=True), fields.text("name", is_required=True)
    lines = {("file", file or ""): fields.line_of("file")}
    client = Client(
        file=file or "",
        name=name or "",
        addresses=_addresses(fields, "addresses", problems, lines),
        also_known_as=tuple(word for word, _ in fields.texts("also_known_as")),
        is_past=fields.choice("status", STATUSES, STATUSES[0]) == "past",
        workers=_words(fields, "workers", lines),
        language=fields.choice("language", LANGUAGES, LANGUAGES[0]),
        consents=_consents(fields),
        born=fields.day("born"),
        retention=fields.text("retention"),
    )
    fields.close()
    if not file or not name:
        return None
    return ClientEntry(client=client, path=problems.path, line=fields.line, value_lines=lines)


def _consents(fields: Fields) -> tuple[Consent, ...]:
    consents = []
    for consent in fields.mappings("consents", "a consent"):
        kind = consent.text("kind", is_required=True)
        consent.text("purpose", is_required=True)
        purpose = consent.choice("purpose", CONSENT_PURPOSES, "")
        days = consent.days()
        if kind and purpose and days:
            consents.append(Consent(kind=kind, purpose=purpose, first=days[0], last=days[1]))
    return tuple(consents)


def _addresses(fields: Fields, key: str, problems: Problems, lines: dict[tuple[str, str], int]) -> tuple[str, ...]:
    """The addresses in canonical spelling, once each; the line of each goes to `lines`."""
    found: dict[str, int] = {}
    for word, line in fields.texts(key):
        address = checked_address(word, line, problems)
        if address:
            found.setdefault(address, line)
    lines.update(((key, address), line) for address, line in found.items())
    return tuple(found)


def _words(fields: Fields, key: str, lines: dict[tuple[str, str], int]) -> tuple[str, ...]:
    """The words of a list; the line of each goes to `lines`."""
    found = fields.texts(key)
    lines.update(((key, word), line) for word, line in found)
    return tuple(word for word, _ in found)


def _domains(fields: Fields, key: str, problems: Problems) -> tuple[str, ...]:
    checked = (checked_domain(word, line, problems) for word, line in fields.texts(key))
    return tuple(dict.fromkeys(domain for domain in checked if domain))
