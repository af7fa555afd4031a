"""SPF: whether the client's host may send mail for the domain of MAIL FROM, or of HELO for the null reverse-path.

The evaluation alone: it asks an injected resolver and ends within its limits. Explanations (exp=) are not fetched, for
they would reach nobody. Called by `gateway.amend.verify`. RFC 7208.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from gateway.amend.lookups import Answer, Found, RecordKind, Resolver, is_query_name
from gateway.amend.spf_macros import Address, MacroFacts, expanded_domain, needs_validated_name
from gateway.amend.spf_record import Mechanism, SpfRecord, SpfSyntaxError, is_spf_record, read_record
from gateway.message.authentication import AuthResult, SpfResult
from gateway.people.addresses import canonical_domain

MAX_TERMS = 10
MAX_VOID_LOOKUPS = 2
MAX_NAMES = 10
"""RFC 7208 section 4.6.4: terms that ask the DNS, lookups without an answer, and hosts of one MX or PTR answer."""


async def verify_spf(
    *, client_ip: str | None, helo: str | None, mail_from: str | None, resolver: Resolver
) -> SpfResult:
    """The result for one client and its reverse-path; `mail_from` None is the null reverse-path.

    `client_ip` None, or one that is no address, is NONE and not evaluated. Never raises for any text.
    """
    ip = _address(client_ip)
    identity = "helo" if mail_from is None else "mailfrom"
    domain = _ascii_domain((helo or "") if mail_from is None else mail_from.rpartition("@")[2])
    if ip is None:
        reason = "the client's address is not known"
        return SpfResult(result=AuthResult.NONE, domain=domain, identity=identity, reason=reason, is_evaluated=False)
    local = mail_from.rpartition("@")[0] if mail_from else ""
    check = _Check(ip=ip, sender=f"{local or 'postmaster'}@{domain}", helo=helo or "unknown", resolver=resolver)
    try:
        result, reason = await check.host(domain)
    except _Stop as stop:
        result, reason = stop.result, stop.reason
    return SpfResult(result=result, domain=domain, identity=identity, reason=reason)


class _Stop(Exception):
    """The evaluation ends at once, however deep it is, with an error as its result."""

    def __init__(self, result: AuthResult, reason: str) -> None:
        super().__init__(reason)
        self.result = result
        self.reason = reason


class _Check:
    """One evaluation: the facts of the session and what has been used up of the limits."""

    def __init__(self, *, ip: Address, sender: str, helo: str, resolver: Resolver) -> None:
        self._ip = ip
        self._sender = sender
        self._helo = helo
        self._resolver = resolver
        self._terms_left = MAX_TERMS
        self._voids_left = MAX_VOID_LOOKUPS

    async def host(self, domain: str) -> tuple[AuthResult, str]:
        """check_host() of RFC 7208 section 4 for one domain, called again by include and redirect."""
        if not is_query_name(domain) or "." not in domain or domain.startswith("["):
            return AuthResult.NONE, "no domain to ask"
        record = await self._record(domain)
        if record is None:
            return AuthResult.NONE, "no SPF record"
        for mechanism in record.mechanisms:
            if await self._matches(mechanism, domain):
                return mechanism.result, f"matched {mechanism.name}"
        if record.redirect is None:
            return AuthResult.NEUTRAL, "nothing matched"
        self._take_term()
        result, reason = await self.host(await self._target(record.redirect, domain))
        if result is AuthResult.NONE:
            raise _Stop(AuthResult.PERMERROR, "redirect to a domain without SPF")
        return result, reason

    async def _record(self, domain: str) -> SpfRecord | None:
        answer = await self._resolver.lookup(domain, RecordKind.TXT)
        if answer.found is Found.NO_ANSWER:
            raise _Stop(AuthResult.TEMPERROR, "no answer from the DNS")
        texts = [text for text in answer.records if is_spf_record(text)]
        if len(texts) > 1:
            raise _Stop(AuthResult.PERMERROR, "several SPF records")
        try:
            return read_record(texts[0]) if texts else None
        except SpfSyntaxError as error:
            raise _Stop(AuthResult.PERMERROR, f"syntax error: {error}") from None

    async def _matches(self, mechanism: Mechanism, domain: str) -> bool:
        match mechanism.name:
            case "all":
                return True
            case "ip4" | "ip6":
                network = mechanism.network
                return network is not None and network.version == self._ip.version and self._ip in network
        self._take_term()
        target = await self._target(mechanism.domain, domain)
        match mechanism.name:
            case "include":
                return await self._includes(target)
            case "a":
                return self._is_among(await self._addresses(target), mechanism)
            case "mx":
                return await self._is_mail_host(target, mechanism)
            case "ptr":
                return await self._validated_name(target) is not None
            case _:
                answer = await self._ask(target, RecordKind.A)
                return answer.found is Found.RECORDS

    async def _includes(self, target: str) -> bool:
        result, _ = await self.host(target)
        if result is AuthResult.NONE:
            raise _Stop(AuthResult.PERMERROR, "include of a domain without SPF")
        return result is AuthResult.PASS

    async def _is_mail_host(self, target: str, mechanism: Mechanism) -> bool:
        hosts = (await self._ask(target, RecordKind.MX)).records
        if len(hosts) > MAX_NAMES:
            raise _Stop(AuthResult.PERMERROR, "more than ten mail hosts")
        for host in hosts:
            if self._is_among(await self._addresses(host, counts_void=False), mechanism):
                return True
        return False

    async def _addresses(self, name: str, *, counts_void: bool = True) -> tuple[str, ...]:
        kind = RecordKind.A if self._ip.version == 4 else RecordKind.AAAA
        return (await self._ask(name, kind, counts_void=counts_void)).records

    def _is_among(self, addresses: Iterable[str], mechanism: Mechanism) -> bool:
        prefix = mechanism.prefix4 if self._ip.version == 4 else mechanism.prefix6
        for text in addresses:
            try:
                if self._ip in ipaddress.ip_network(f"{text}/{prefix}", strict=False):
                    return True
            except ValueError:
                continue
        return False

    async def _validated_name(self, target: str) -> str | None:
        """The client's proven host name that is `target` or below it; the target itself first (section 5.5)."""
        answer = await self._resolver.lookup(self._ip.reverse_pointer, RecordKind.PTR)
        self._count_void(answer)
        names = [name for name in answer.records[:MAX_NAMES] if _is_below(name, target)]
        for name in sorted(names, key=lambda name: name.lower() != target.lower()):
            kind = RecordKind.A if self._ip.version == 4 else RecordKind.AAAA
            proof = await self._resolver.lookup(name, kind)
            if str(self._ip) in {str(_address(text)) for text in proof.records}:
                return name
        return None

    async def _target(self, spec: str, domain: str) -> str:
        """The domain that a domain-spec names, the current one for an absent spec."""
        if not spec:
            return domain
        name = "unknown"
        if needs_validated_name(spec):
            name = await self._validated_name(domain) or await self._validated_name("") or name
        facts = MacroFacts(ip=self._ip, sender=self._sender, helo=self._helo, domain=domain, validated_name=name)
        return expanded_domain(spec, facts)

    async def _ask(self, name: str, kind: RecordKind, *, counts_void: bool = True) -> Answer:
        if not is_query_name(name):
            answer = Answer(found=Found.NO_NAME)
        else:
            answer = await self._resolver.lookup(name, kind)
        if answer.found is Found.NO_ANSWER:
            raise _Stop(AuthResult.TEMPERROR, "no answer from the DNS")
        if counts_void:
            self._count_void(answer)
        return answer

    def _take_term(self) -> None:
        self._terms_left -= 1
        if self._terms_left < 0:
            raise _Stop(AuthResult.PERMERROR, "more than ten terms that ask the DNS")

    def _count_void(self, answer: Answer) -> None:
        self._voids_left -= answer.is_void
        if self._voids_left < 0:
            raise _Stop(AuthResult.PERMERROR, "more than two lookups without an answer")


def _address(text: str | None) -> Address | None:
    """The address, an IPv4 one mapped into IPv6 as itself (RFC 7208 section 5); None for none."""
    try:
        ip = ipaddress.ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if isinstance(ip, ipaddress.IPv6Address) else ip


def _ascii_domain(domain: str) -> str:
    return domain.lower() if domain.isascii() else canonical_domain(domain) or ""


def _is_below(name: str, target: str) -> bool:
    low, base = name.lower(), target.lower()
    return not base or low == base or low.endswith(f".{base}")
