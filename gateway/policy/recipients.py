"""Recipient rules: does the message go where it must not, or seem to go where it does not? Pure facts.

Not a judgement of words, and no action: each fact is a `Finding` that the policy pack turns into what follows. Called
by `gateway.arrive` and `gateway.policy.judge`. [CLI-2] (reply addresses of social networks), [CLI-5] (private
mailboxes), [CONF-1] (clients seen by other clients, addresses that look like a client's).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from gateway.content.finding import About, Finding, Matter
from gateway.message.model import Message, ZoneKind
from gateway.people.addresses import without_tag
from gateway.people.directory import Directory
from gateway.people.model import Direction, Parties, Party, Role
from gateway.policy.facts_personal import personal_address_findings
from gateway.policy.facts_text import address_spans

_LEAVING = frozenset({Direction.OUTBOUND, Direction.THIRD_PARTY})
_BLIND_FIELDS = frozenset({"Bcc", "Resent-Bcc"})
_DESTINATION_FIELDS = frozenset({"To", "Cc", "Resent-To", "Resent-Cc"}) | _BLIND_FIELDS
_ENVELOPE = "envelope"
_MAX_GROUPS = 50


def recipient_findings(
    *,
    message: Message,
    parties: Parties,
    directory: Directory,
    relay_domains: frozenset[str] = frozenset(),
    relay_addresses: frozenset[str] = frozenset(),
) -> tuple[Finding, ...]:
    """Every fact about the recipients that a rule may object to.

    `relay_domains`: A-label domains, in lower case, at which social networks take replies by mail; a name below one of
    them counts too. `relay_addresses`: single addresses of that kind, in lower case, where `*` stands for any
    characters of the local part; the `+tag` of a recipient is not compared. Recipients are those of the envelope; what
    readers see of each other comes from the header.
    """
    found: list[Finding] = []
    if parties.direction in _LEAVING:
        found.extend(_self_copies(message, parties, directory))
        found.extend(_relays(parties, relay_domains, relay_addresses))
        found.extend(_look_alikes(parties, directory))
    if parties.direction is Direction.OUTBOUND:
        found.extend(_clients_in_view(parties))
        found.extend(personal_address_findings(message, parties, directory))
    if parties.direction is Direction.INBOUND:
        found.extend(_personal_addresses_used(message, parties, directory))
    return tuple(found)


def _self_copies(message: Message, parties: Parties, directory: Directory) -> Iterator[Finding]:
    """Client mail to a worker's private mailbox: with a client beside it in envelope or header, or quoted in the text.

    A mailbox that stands only in the header counts too: its copy travels by itself, or the client answers to all. Mail
    of a worker to a private mailbox that touches no client is nobody's matter [GEN-4].
    """
    named = [party for party in parties.visible if _DESTINATION_FIELDS.intersection(party.sources)]
    private = [party for party in (*parties.recipients, *named) if party.role is Role.PERSONAL]
    if not private:
        return
    is_beside_client = any(party.is_client for party in (*parties.recipients, *parties.visible))
    if not is_beside_client and not _quotes_client(message, directory):
        return
    is_own = any(_is_same_worker(party, parties) for party in private)
    reason = "self_copy.own" if is_own else "self_copy.colleague"
    explanation = "client mail would go to a worker's private mailbox"
    if not is_beside_client:
        reason, explanation = "self_copy.forwarded", "a message that shows a client's address goes to a private mailbox"
    yield _fact(Matter.SELF_COPY_PERSONAL, _where(private[0]), reason, explanation)


def _is_same_worker(party: Party, parties: Parties) -> bool:
    return party.worker is not None and parties.worker is not None and party.worker.id == parties.worker.id


def _quotes_client(message: Message, directory: Directory) -> bool:
    return any(
        directory.clients_of_address(text.text[start:end])
        for text in message.texts
        for start, end in address_spans(text.text)
    )


def _relays(parties: Parties, relay_domains: frozenset[str], relay_addresses: frozenset[str]) -> Iterator[Finding]:
    for party in parties.recipients:
        is_relay = _is_below(party.address.rpartition("@")[2], relay_domains) or _is_like(
            party.address, relay_addresses
        )
        if is_relay and not party.is_professional:
            explanation = "the recipient is an address at which a social network takes replies by mail"
            yield _fact(Matter.SOCIAL_RELAY_RECIPIENT, _where(party), "relay.social_network", explanation)
            return


def _is_below(domain: str, domains: frozenset[str]) -> bool:
    while domain:
        if domain in domains:
            return True
        domain = domain.partition(".")[2]
    return False


def _is_like(address: str, patterns: frozenset[str]) -> bool:
    local, _, domain = (without_tag(address) or address).rpartition("@")
    return any(
        domain == relay_domain and fnmatchcase(local, relay_local)
        for relay_local, _, relay_domain in (pattern.rpartition("@") for pattern in patterns)
    )


def _look_alikes(parties: Parties, directory: Directory) -> Iterator[Finding]:
    """One finding for each outsider among the recipients whose address looks like a client's."""
    for party in parties.recipients:
        clients = directory.clients_like(party.address) if party.role is Role.OUTSIDER else ()
        if clients:
            explanation = "a recipient's address differs little from a client's address"
            yield Finding(
                matter=Matter.RECIPIENT_RESEMBLES_CLIENT,
                where=_where(party),
                reason="recipient.look_alike",
                explanation=explanation,
                about=About.OTHER_CLIENT,
                client_file=clients[0].file,
            )


def _clients_in_view(parties: Parties) -> Iterator[Finding]:
    """Clients of different files who can see each other's address. A family in one file may.

    Bcc shows nobody: mail servers take it out, or leave it to the one who stands in it (RFC 5322 section 3.6.3).
    """
    unseen = _BLIND_FIELDS | {_ENVELOPE}
    groups = {
        frozenset(client.file for client in party.clients): party
        for party in (*parties.recipients, *parties.visible)
        if party.is_client and not unseen.issuperset(party.sources)
    }
    if len(groups) > _MAX_GROUPS or _has_strangers(list(groups)):
        explanation = "clients of different files can see each other's address"
        where = _where(next(reversed(groups.values())))
        yield _fact(Matter.CLIENTS_VISIBLE_TO_EACH_OTHER, where, "recipient.clients_in_view", explanation)


def _has_strangers(groups: Sequence[frozenset[str]]) -> bool:
    """True if two of the sets have no file in common."""
    return any(one.isdisjoint(other) for at, one in enumerate(groups) for other in groups[:at])


def _personal_addresses_used(message: Message, parties: Parties, directory: Directory) -> Iterator[Finding]:
    """A worker's private mailbox among the addresses of a client's mail, or in its text [CLI-5]."""
    explanation = "the client's message shows a worker's private mailbox"
    for party in (*parties.recipients, *parties.visible):
        if party.role is Role.PERSONAL:
            yield _fact(Matter.CLIENT_USED_PERSONAL_ADDRESS, _where(party), "inbound.personal_address", explanation)
            return
    for text in message.texts:
        for start, end in address_spans(text.text):
            if directory.worker_of_personal(text.text[start:end]) is not None:
                yield Finding(
                    matter=Matter.CLIENT_USED_PERSONAL_ADDRESS,
                    where=text.where,
                    part=text.part,
                    start=start,
                    end=end,
                    text=text.text[start:end],
                    is_quoted=text.zone_at(start) is ZoneKind.QUOTED,
                    reason="inbound.personal_address",
                    explanation=explanation,
                    about=About.COLLEAGUE,
                )
                return


def _where(party: Party) -> str:
    """The header field that shows the address, else the envelope."""
    field = next((source for source in party.sources if source != _ENVELOPE), None)
    return f"header:{field}" if field else _ENVELOPE


def _fact(matter: Matter, where: str, reason: str, explanation: str) -> Finding:
    return Finding(matter=matter, where=where, reason=reason, explanation=explanation, about=About.SENDER)
