"""Who is who in one message: envelope, headers and session against the directory give `Parties`. Pure.

Not a judgement: a forged or impossible combination is classified too, and the fact rules (`gateway.policy.identity`,
`gateway.policy.recipients`) say what is wrong with it. Called by `gateway.arrive` and `gateway.policy.judge`.
[CLI-1] roles include past clients, [CLI-5] and [STM-4] who answers for a message, [TIP-E5] both directions.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.message.model import Message
from gateway.message.submission import Envelope, SessionFacts
from gateway.people.addresses import canonical
from gateway.people.directory import Directory
from gateway.people.model import Client, Direction, Parties, Party, Role, Worker

_AUTHOR_FIELDS = ("From", "Sender")
_ENVELOPE = "envelope"


def classify(envelope: Envelope, message: Message, session: SessionFacts, directory: Directory) -> Parties:
    """The parties of a message and its direction.

    Ours is a message whose login is a worker's, or whose MAIL FROM, From or Sender is professional or a worker's
    personal address. Ours goes OUTBOUND if any envelope recipient is a client, THIRD_PARTY if any is an outsider or a
    private mailbox, else INTERNAL. Not ours: INBOUND if a client wrote it, else as ours by its recipients (an
    outsider who sends to a client through us is OUTBOUND, and the identity rules refuse it). Recipients come from the
    envelope alone.
    """
    mail_from = party_of(directory, envelope.mail_from, (_ENVELOPE,)) if envelope.mail_from is not None else None
    authors = _header_parties(directory, message, ("From",))
    senders = _header_parties(directory, message, ("Sender",))
    shown = _header_parties(directory, message, _shown_fields(message))
    recipients = _recipients(directory, envelope, shown)
    reached = {party.address for party in recipients}
    writers = (*authors, *senders, *((mail_from,) if mail_from else ()))
    login_worker = directory.worker_of_login(session.login) if session.login else None
    is_ours = login_worker is not None or any(party.is_professional or party.worker for party in writers)
    direction = _direction(is_ours=is_ours, writers=writers, recipients=recipients)
    worker = (login_worker or _first_worker(writers)) if direction is not Direction.INBOUND else None
    clients = _clients(direction, writers, recipients)
    return Parties(
        direction=direction,
        mail_from=mail_from,
        authors=authors,
        recipients=recipients,
        visible=tuple(party for party in shown if party.address not in reached),
        worker=worker,
        login=session.login,
        login_worker=login_worker,
        client_files=tuple(sorted({client.file for client in clients})),
        language=clients[0].language if clients else worker.language if worker else "en",
    )


def party_of(directory: Directory, address: str, sources: tuple[str, ...] = ()) -> Party:
    """Who an address is. Worker beats client, client beats a worker's private mailbox, and that beats the domain."""
    key = canonical(address)
    if key is None:
        return Party(address=address, role=Role.OUTSIDER, sources=sources, is_readable=False)
    if worker := directory.worker_of_address(key):
        return Party(address=key, role=worker.role, worker=worker, sources=sources)
    if clients := directory.clients_of_address(key):
        is_past = all(client.is_past for client in clients)
        role = Role.PAST_CLIENT if is_past else Role.CLIENT
        return Party(address=key, role=role, clients=clients, sources=sources)
    if owner := directory.worker_of_personal(key):
        return Party(address=key, role=Role.PERSONAL, worker=owner, sources=sources)
    role = Role.COLLEAGUE if directory.is_professional(key) else Role.OUTSIDER
    return Party(address=key, role=role, sources=sources)


def _shown_fields(message: Message) -> tuple[str, ...]:
    """The address fields that a reader sees, other than the authors', once each, in the order of the message."""
    names = (entry.field.title() for entry in message.address_lists)
    return tuple(dict.fromkeys(name for name in names if name not in _AUTHOR_FIELDS))


def _header_parties(directory: Directory, message: Message, names: Iterable[str]) -> tuple[Party, ...]:
    """One party an address, with every field it stands in."""
    sources: dict[str, list[str]] = {}
    for name in names:
        for address in message.addresses(name):
            fields = sources.setdefault(canonical(address.addr_spec) or address.addr_spec, [])
            if name not in fields:
                fields.append(name)
    return tuple(party_of(directory, address, tuple(fields)) for address, fields in sources.items())


def _recipients(directory: Directory, envelope: Envelope, shown: tuple[Party, ...]) -> tuple[Party, ...]:
    fields = {party.address: party.sources for party in shown}
    addresses = dict.fromkeys(canonical(entry.address) or entry.address for entry in envelope.recipients)
    return tuple(party_of(directory, address, (_ENVELOPE, *fields.get(address, ()))) for address in addresses)


def _direction(*, is_ours: bool, writers: tuple[Party, ...], recipients: tuple[Party, ...]) -> Direction:
    if not is_ours and any(party.is_client for party in writers):
        return Direction.INBOUND
    if any(party.is_client for party in recipients):
        return Direction.OUTBOUND
    if any(not party.is_professional for party in recipients):
        return Direction.THIRD_PARTY
    return Direction.INTERNAL


def _first_worker(writers: tuple[Party, ...]) -> Worker | None:
    return next((party.worker for party in writers if party.worker), None)


def _clients(direction: Direction, writers: tuple[Party, ...], recipients: tuple[Party, ...]) -> tuple[Client, ...]:
    """The clients it comes from, then those it goes to, each once."""
    ends = (*writers, *recipients) if direction is Direction.INBOUND else recipients
    concerned = {client.file: client for party in ends for client in party.clients}
    return tuple(concerned.values()) if direction in {Direction.INBOUND, Direction.OUTBOUND} else ()
