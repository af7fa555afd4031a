"""Identity rules: whether every address that names the sender is professional, the sender's own, in force today.

Pure facts, not a judgement of words, and no action: each is a `Finding` that the policy pack turns into what follows.
Called by `gateway.arrive` and `gateway.policy.judge`. [CLI-5] [STM-4]; RFC 5322 sections 3.6.2 and 3.6.6, RFC 8098
(receipts).

Mail to clients is looked at in full. Of other mail only two things are asked: can its From be read as one sender, and
does the login own it [STM-4]; a personal From to colleagues or friends is nobody's matter here [GEN-4]. Mail from
clients is never held back; disguises in it are noted, and an origin that does not
prove to be theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gateway.content.finding import About, Finding, Matter
from gateway.message.authentication import AuthenticationResults
from gateway.message.model import Message
from gateway.message.submission import Envelope, SessionFacts
from gateway.people.classify import party_of
from gateway.people.directory import Directory
from gateway.people.model import Direction, Parties, Party, Role, Worker
from gateway.policy.facts_names import hides_characters, name_tricks

_SENDER_FIELDS = ("Sender", "Resent-From", "Resent-Sender")
_REPLY_FIELDS = ("Reply-To", "Resent-Reply-To")
_RECEIPT_FIELDS = ("Disposition-Notification-To", "Return-Receipt-To", "X-Confirm-Reading-To")


def identity_findings(
    *,
    message: Message,
    envelope: Envelope,
    session: SessionFacts,
    parties: Parties,
    directory: Directory,
    today: date,
    origin: AuthenticationResults | None = None,
) -> tuple[Finding, ...]:
    """Every fact about the sender of a message that a rule may object to, in the order of the fields looked at.

    `today` is the agency's local day; `origin` what SPF, DKIM and DMARC say, None for mail that was not checked. A
    finding's `reason` is a key of the pack's words; no explanation holds an address.
    """
    is_outbound = parties.direction is Direction.OUTBOUND
    found: list[Finding] = []
    if parties.direction is not Direction.INBOUND and (is_outbound or envelope.mail_from is not None):
        found.extend(_from_form(message, parties, is_outbound=is_outbound))
    found.extend(_disguises(message, parties, directory, is_outbound=is_outbound))
    if is_outbound:
        found.extend(_not_professional(message, parties, directory))
        found.extend(_replies_elsewhere(message, directory))
        found.extend(_placements(parties, today))
    if parties.direction is Direction.INBOUND and origin is not None:
        found.extend(_unauthenticated(origin))
    if parties.direction is not Direction.INBOUND:
        found.extend(_not_owned(message, session, parties, directory, is_outbound=is_outbound))
    return tuple(found)


def _from_form(message: Message, parties: Parties, *, is_outbound: bool) -> Iterator[Finding]:
    """From must stand once, be readable, and name one mailbox (to colleagues, several of one domain are fine)."""
    where = "header:From"
    lists = message.lists("From")
    if not lists:
        yield _fact(Matter.FROM_UNREADABLE, where, "from.missing", "the message has no From field")
    elif len(lists) > 1:
        yield _fact(Matter.FROM_UNREADABLE, where, "from.repeated", "the From field stands more than once")
    elif not lists[0].is_valid:
        yield _fact(Matter.FROM_UNREADABLE, where, "from.unparsable", "the From field can't be read as an address")
    elif not lists[0].addresses:
        yield _fact(Matter.FROM_UNREADABLE, where, "from.nobody", "the From field names no mailbox")
    elif not all(author.is_readable for author in parties.authors):
        yield _fact(
            Matter.FROM_UNREADABLE, where, "from.invalid", "the From address has letters that no address may have"
        )
    addresses = message.addresses("From")
    domains = {author.address.rpartition("@")[2] for author in parties.authors}
    if len(addresses) > 1 and (is_outbound or len(domains) > 1):
        yield _fact(Matter.FROM_SEVERAL, where, "from.several", "the From field names several mailboxes")


def _disguises(message: Message, parties: Parties, directory: Directory, *, is_outbound: bool) -> Iterator[Finding]:
    found: dict[str, str] = {}
    if any(hides_characters(field) for field in message.fields("From")):
        found["from.hidden_characters"] = "the From field holds control characters or overrides of text direction"
    for address in message.addresses("From"):
        author = party_of(directory, address.addr_spec)
        if parties.direction is not Direction.INBOUND or not author.is_client:
            found |= dict(name_tricks(address, author, directory, is_outbound=is_outbound))
    for reason, explanation in found.items():
        yield _fact(Matter.FROM_DISGUISED, "header:From", reason, explanation)


def _not_professional(message: Message, parties: Parties, directory: Directory) -> Iterator[Finding]:
    matter = Matter.SENDER_NOT_PROFESSIONAL
    if parties.mail_from is not None and not parties.mail_from.is_professional:
        yield _fact(matter, "envelope", *_not_professional_words(parties.mail_from, "the envelope sender"))
    outside = next((author for author in parties.authors if not author.is_professional), None)
    if outside is not None:
        yield _fact(matter, "header:From", *_not_professional_words(outside, "the From address"))
    for name in _SENDER_FIELDS:
        if not all(entry.is_valid for entry in message.lists(name)):
            yield _fact(matter, f"header:{name}", "sender.unreadable", f"the {name} field can't be read")
        outside = next((party for party in _named(message, name, directory) if not party.is_professional), None)
        if outside is not None:
            yield _fact(matter, f"header:{name}", *_not_professional_words(outside, f"the {name} address"))


def _not_professional_words(party: Party, what: str) -> tuple[str, str]:
    if party.role is Role.PERSONAL:
        return "sender.personal", f"{what} is a worker's personal address"
    return "sender.outside", f"{what} is not in a professional domain"


def _replies_elsewhere(message: Message, directory: Directory) -> Iterator[Finding]:
    """Answers and receipts must come back to the agency [CLI-5]; they may go to a colleague or a shared mailbox."""
    for name in _REPLY_FIELDS:
        if _leads_outside(message, name, directory):
            explanation = "the client's answer would go to an address that is not professional"
            yield _fact(Matter.REPLY_TO_NOT_PROFESSIONAL, f"header:{name}", "reply_to.outside", explanation)
    for name in _RECEIPT_FIELDS:
        if _leads_outside(message, name, directory):
            explanation = "a receipt would go to an address that is not professional"
            yield _fact(Matter.RECEIPT_NOT_PROFESSIONAL, f"header:{name}", "receipt.outside", explanation)


def _leads_outside(message: Message, name: str, directory: Directory) -> bool:
    is_unreadable = not all(entry.is_valid for entry in message.lists(name))
    return is_unreadable or any(not party.is_professional for party in _named(message, name, directory))


def _placements(parties: Parties, today: date) -> Iterator[Finding]:
    """Whoever answers for the message, and whoever it names as author, must be in placement today if they have one."""
    writers = (parties.worker, *(author.worker for author in parties.authors))
    for worker in {worker.id: worker for worker in writers if worker is not None}.values():
        if worker.placement is not None and not worker.placement.is_active(today):
            is_early = today < worker.placement.first
            reason = "placement.not_begun" if is_early else "placement.ended"
            explanation = "the placement has not begun" if is_early else "the placement has ended"
            yield _fact(Matter.PLACEMENT_NOT_ACTIVE, "header:From", reason, explanation)


def _not_owned(
    message: Message, session: SessionFacts, parties: Parties, directory: Directory, *, is_outbound: bool
) -> Iterator[Finding]:
    """Addresses of ours that are not the sender's own.

    To clients nobody writes in another's name. Among colleagues and to outsiders a Sender field of one's own makes it
    honest (RFC 5322 section 3.6.2), and without a login nothing is asked.
    """
    if is_outbound:
        named = [("envelope", parties.mail_from)] if parties.mail_from is not None else []
        named += [("header:From", author) for author in parties.authors]
        named += [(f"header:{name}", party) for name in _SENDER_FIELDS for party in _named(message, name, directory)]
    elif session.login is None or _is_sender_owned(message, parties, directory):
        return
    else:
        named = [("header:From", author) for author in parties.authors]
    told: set[str] = set()
    for where, party in named:
        wrong = _not_owned_words(where, party, session, parties, is_outbound=is_outbound)
        if wrong is not None and where not in told:
            told.add(where)
            yield _fact(Matter.SENDER_NOT_OWNED, where, *wrong)


def _not_owned_words(
    where: str, party: Party, session: SessionFacts, parties: Parties, *, is_outbound: bool
) -> tuple[str, str] | None:
    """Why this address is not the sender's own, or None if it is, or if nothing is known against it."""
    worker = party.worker if party.is_professional else None
    if parties.login_worker is not None:
        if worker is not None and worker.id != parties.login_worker.id:
            return "owner.other_worker", "the address belongs to another worker than the login"
        if is_outbound and party.role is Role.COLLEAGUE and where != "envelope":
            return "owner.unknown_mailbox", "the directory does not name the address as the login's"
        return None
    if worker is None:
        return None
    if session.login is not None and worker.logins:
        return "owner.other_login", "the login is none of those that the directory names for this worker"
    author = _first_owner(parties)
    if is_outbound and author is not None and worker.id != author.id:
        return "owner.several_workers", "envelope and header name different workers as sender"
    return None


def _unauthenticated(origin: AuthenticationResults) -> Iterator[Finding]:
    """A client's name and address over mail that nobody vouches for: it may be somebody else's [CONF-1]."""
    matter, where = Matter.CLIENT_UNAUTHENTICATED, "header:From"
    if origin.is_contradicted:
        yield _fact(matter, where, "origin.failed", "the domain of From says that its mail looks otherwise (DMARC)")
    elif origin.is_unproven:
        yield _fact(matter, where, "origin.unproven", "neither SPF nor DKIM vouches for the domain of From")


def _first_owner(parties: Parties) -> Worker | None:
    """The worker whom From names, else MAIL FROM, by a professional address."""
    writers = (*parties.authors, *((parties.mail_from,) if parties.mail_from else ()))
    return next((party.worker for party in writers if party.worker and party.is_professional), None)


def _is_sender_owned(message: Message, parties: Parties, directory: Directory) -> bool:
    """True if a readable Sender field names the login's worker and nobody else."""
    senders = _named(message, "Sender", directory)
    owner = parties.login_worker
    return (
        owner is not None and len(senders) == 1 and senders[0].worker is not None and senders[0].worker.id == owner.id
    )


def _named(message: Message, name: str, directory: Directory) -> tuple[Party, ...]:
    return tuple(party_of(directory, address.addr_spec) for address in message.addresses(name))


def _fact(matter: Matter, where: str, reason: str, explanation: str) -> Finding:
    return Finding(matter=matter, where=where, reason=reason, explanation=explanation, about=About.SENDER)
