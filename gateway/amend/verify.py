"""The origin of a message checked: SPF, DKIM, DMARC and ARC of mail that comes from outside.

Composes the checks and decides nothing. Machinery never stops mail here: what can't be asked is temperror, what can't
be read permerror. Called by `gateway.arrive`. RFC 7208, RFC 6376, RFC 7489, RFC 8617, RFC 8601.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from gateway.amend.dkim_check import SignedMessage
from gateway.amend.lookups import Budget, NoDns, Resolver
from gateway.amend.verify_arc import verify_arc
from gateway.amend.verify_dkim import verify_dkim
from gateway.amend.verify_dmarc import verify_dmarc
from gateway.amend.verify_spf import verify_spf
from gateway.message.authentication import NOTHING_CHECKED, AuthenticationResults
from gateway.message.model import Message
from gateway.message.submission import Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyLimits:
    """What the checks of one message may cost: DNS questions, and seconds of waiting for them altogether."""

    max_lookups: int = 60
    total_s: float = 10.0


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
