"""The origin of a message checked: SPF, DKIM, DMARC and ARC of mail that comes from outside.

Composes the checks and decides nothing. Machinery never stops mail here: what can't be asked is temperror, what can't
be read permerror. Called by `gateway.arrive`. RFC 7208, RFC 6376, RFC 7489, RFC 8617, RFC 8601.
"""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass

from gateway.amend.dkim_check import SignedMessage
from gateway.amend.lookups import Budget, NoDns, Resolver
from gateway.amend.results_field import results_field
from gateway.amend.verify_arc import verify_arc
from gateway.amend.verify_dkim import verify_dkim
from gateway.amend.verify_dmarc import verify_dmarc
from gateway.amend.verify_spf import verify_spf
from gateway.message.authentication import NOTHING_CHECKED, AuthenticationResults
from gateway.message.model import Message
from gateway.message.submission import Submission
from gateway.people.model import Direction, Parties


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyLimits:
    """What the checks of one message may cost: DNS questions, and seconds of waiting for them altogether."""

    max_lookups: int = 60
    total_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """How this gateway checks where mail comes from.

    `authserv_id` is our name in Authentication-Results. `resolver` None: nothing is checked. `relays` are our own mail
    servers: a client address among them is not the sender's, so that SPF has nothing to go by.
    """

    authserv_id: str
    resolver: Resolver | None = None
    relays: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    limits: VerifyLimits = VerifyLimits()

    async def origin_of(
        self, submission: Submission, message: Message, parties: Parties
    ) -> AuthenticationResults | None:
        """What the checks say of mail from outside; None for mail of our own people, and where checking is off."""
        if self.resolver is None or not is_from_outside(parties):
            return None
        client_ip = submission.session.client_ip
        is_known = client_ip is not None and not any(_holds(network, client_ip) for network in self.relays)
        return await verify(
            submission,
            message,
            resolver=self.resolver,
            limits=self.limits,
            client_ip=client_ip if is_known else None,
        )

    def fields(self, origin: AuthenticationResults | None) -> tuple[bytes, ...]:
        """The header fields that tell of these results: one, or none where nothing was asked to be checked."""
        return () if origin is None else (results_field(origin, self.authserv_id),)


def is_from_outside(parties: Parties) -> bool:
    """True for mail that neither a login nor a sender's address makes ours."""
    if parties.direction is Direction.INBOUND:
        return True
    writers = (*parties.authors, *((parties.mail_from,) if parties.mail_from else ()))
    return parties.login is None and parties.worker is None and not any(writer.is_professional for writer in writers)


async def verify(
    submission: Submission,
    message: Message,
    *,
    resolver: Resolver,
    limits: VerifyLimits | None = None,
    client_ip: str | None = None,
) -> AuthenticationResults:
    """Every result for one message; without DNS nothing is checked and every result is none.

    `client_ip` is the host that sent the mail to the agency, None where it is not known (SPF is then not evaluated).
    Signatures are dated against `submission.received_at`. Never raises for any message.
    """
    if isinstance(resolver, NoDns):
        return NOTHING_CHECKED
    bounds = limits or VerifyLimits()
    budget = Budget(resolver, max_lookups=bounds.max_lookups, total_s=bounds.total_s)
    signed = SignedMessage(message)
    spf, dkim, arc = await asyncio.gather(
        verify_spf(
            client_ip=client_ip,
            helo=submission.session.helo,
            mail_from=submission.envelope.mail_from,
            resolver=budget,
        ),
        verify_dkim(message, signed, resolver=budget, now_s=submission.received_at.timestamp()),
        verify_arc(message, signed, resolver=budget),
    )
    dmarc = await verify_dmarc(message, spf, dkim, resolver=budget)
    return AuthenticationResults(spf=spf, dkim=dkim, dmarc=dmarc, arc=arc)


def _holds(network: ipaddress.IPv4Network | ipaddress.IPv6Network, text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address in network or (mapped is not None and mapped in network)
