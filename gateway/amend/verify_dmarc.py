"""DMARC: whether what SPF and DKIM vouch for is the domain that the reader sees in From.

Called by `gateway.amend.verify` with the results of the other checks. Says nothing of what to do: the domain's policy
is told, and the gateway's own rules decide. RFC 7489 sections 3.1, 6.6, and RFC 9091 for np=.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gateway.amend.dkim_tags import SignatureInvalid, read_tags
from gateway.amend.lookups import Found, RecordKind, Resolver
from gateway.amend.public_suffix import organisational_domain
from gateway.message.addresses import domain_of
from gateway.message.authentication import AuthResult, DkimResult, DmarcResult, SpfResult
from gateway.message.model import Message
from gateway.people.addresses import canonical_domain

MAX_AUTHORS = 5
_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
_POLICIES = frozenset({"none", "quarantine", "reject"})
_WORST_FIRST = (
    AuthResult.FAIL,
    AuthResult.PERMERROR,
    AuthResult.TEMPERROR,
    AuthResult.NONE,
    AuthResult.PASS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """A DMARC record: policies, and whether alignment is strict."""

    policy: str
    subdomain_policy: str
    missing_policy: str
    is_dkim_strict: bool
    is_spf_strict: bool


async def verify_dmarc(
    message: Message, spf: SpfResult, dkim: tuple[DkimResult, ...], *, resolver: Resolver
) -> DmarcResult:
    """The result for the From field; of several authors' domains the worst one (RFC 7489 section 6.6.1)."""
    lists = message.lists("From")
    domains = {canonical_domain(domain_of(author.addr_spec)) for author in message.addresses("From")}
    if not domains or None in domains or not all(entry.is_valid for entry in lists):
        return DmarcResult(result=AuthResult.PERMERROR, reason="From can't be read")
    if len(domains) > MAX_AUTHORS:
        return DmarcResult(result=AuthResult.PERMERROR, reason="too many authors")
    results = [await _for_domain(domain, spf, dkim, resolver) for domain in sorted(filter(None, domains))]
    return min(results, key=lambda entry: _WORST_FIRST.index(entry.result))


async def _for_domain(domain: str, spf: SpfResult, dkim: tuple[DkimResult, ...], resolver: Resolver) -> DmarcResult:
    relaxed = _vouched(domain, spf, dkim, is_dkim_strict=False, is_spf_strict=False)
    found, is_own = await _find_record(domain, resolver)
    if isinstance(found, AuthResult):
        return DmarcResult(result=found, domain=domain, reason=_WHY.get(found, ""), is_aligned=relaxed)
    policy = await _policy(found, domain, resolver, is_own=is_own)
    aligned = _vouched(domain, spf, dkim, is_dkim_strict=found.is_dkim_strict, is_spf_strict=found.is_spf_strict)
    if aligned:
        return DmarcResult(result=AuthResult.PASS, domain=domain, policy=policy, is_aligned=True)
    if _is_unsettled(domain, spf, dkim):
        reason = "no answer from the DNS"
        return DmarcResult(result=AuthResult.TEMPERROR, domain=domain, policy=policy, reason=reason)
    if not spf.is_evaluated:
        reason = "the client's address is not known"
        return DmarcResult(result=AuthResult.NONE, domain=domain, policy=policy, reason=reason)
    return DmarcResult(result=AuthResult.FAIL, domain=domain, policy=policy, reason="neither SPF nor DKIM is aligned")


_WHY = {
    AuthResult.NONE: "the domain has no DMARC record",
    AuthResult.TEMPERROR: "no answer from the DNS",
    AuthResult.PERMERROR: "the DMARC record can't be read",
}


async def _find_record(domain: str, resolver: Resolver) -> tuple[_Record | AuthResult, bool]:
    """The record of the domain itself (True) or of its organisation (False), or a result that ends the check."""
    for name in dict.fromkeys((domain, organisational_domain(domain))):
        answer = await resolver.lookup(f"_dmarc.{name}", RecordKind.TXT)
        if answer.found is Found.NO_ANSWER:
            return AuthResult.TEMPERROR, name == domain
        texts = [text for text in answer.records if _VERSION.match(text)]
        if len(texts) > 1:
            return AuthResult.NONE, name == domain
        if texts:
            return _read_record(texts[0]), name == domain
    return AuthResult.NONE, True


def _read_record(text: str) -> _Record | AuthResult:
    """The record; PERMERROR for one that is malformed. A bad policy with an address for reports counts as none."""
    try:
        tags = {name.lower(): value for name, value in read_tags(text).items()}
    except SignatureInvalid:
        return AuthResult.PERMERROR
    policy = tags.get("p", "").lower()
    if policy not in _POLICIES or tags.get("sp", policy).lower() not in _POLICIES:
        if "rua" not in tags:
            return AuthResult.PERMERROR
        policy = "none"
        tags.pop("sp", None)
    subdomain_policy = tags.get("sp", policy).lower()
    missing_policy = tags.get("np", "").lower()
    return _Record(
        policy=policy,
        subdomain_policy=subdomain_policy,
        missing_policy=missing_policy if missing_policy in _POLICIES else subdomain_policy,
        is_dkim_strict=tags.get("adkim", "r").lower() == "s",
        is_spf_strict=tags.get("aspf", "r").lower() == "s",
    )


async def _policy(record: _Record, domain: str, resolver: Resolver, *, is_own: bool) -> str:
    """What the domain asks for: p= of its own record, sp= of the organisation's, np= for a name that does not exist."""
    if is_own:
        return record.policy
    if record.missing_policy != record.subdomain_policy:
        answer = await resolver.lookup(domain, RecordKind.A)
        if answer.found is Found.NO_NAME:
            return record.missing_policy
    return record.subdomain_policy


def _vouched(
    domain: str, spf: SpfResult, dkim: Iterable[DkimResult], *, is_dkim_strict: bool, is_spf_strict: bool
) -> bool:
    if spf.result is AuthResult.PASS and _is_aligned(spf.domain, domain, is_strict=is_spf_strict):
        return True
    signers = (entry.domain for entry in dkim if entry.result is AuthResult.PASS)
    return any(_is_aligned(signer, domain, is_strict=is_dkim_strict) for signer in signers)


def _is_unsettled(domain: str, spf: SpfResult, dkim: Iterable[DkimResult]) -> bool:
    """True if a check that could have vouched for the domain had no answer."""
    checks = ((spf.result, spf.domain), *((entry.result, entry.domain) for entry in dkim))
    return any(result is AuthResult.TEMPERROR and _is_aligned(name, domain, is_strict=False) for result, name in checks)


def _is_aligned(name: str, domain: str, *, is_strict: bool) -> bool:
    if is_strict or not name:
        return name == domain
    return organisational_domain(name) == organisational_domain(domain)
