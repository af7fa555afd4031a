"""The resolver: questions to the DNS servers that the administrator names, with a cache and time limits.

The one module that imports dnspython. It never asks a server that is not configured, and never raises: what goes wrong
is NO_ANSWER. Built by `gateway.service.wiring`; asked through `gateway.amend.lookups.Budget`. RFC 1035, RFC 2308.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from gateway.amend.lookups import NO_ANSWER, Answer, Found, RecordKind, is_query_name

MAX_RECORDS = 100
_LONGEST_S = 3600
_VOID_S = 60
_NO_ANSWER_S = 5

Ask = Callable[[dns.name.Name, RecordKind], Awaitable[dns.resolver.Answer]]


class DnsResolver:
    """A caching resolver for the whole gateway.

    `servers` are host (an IP address) and port; `timeout_s` is for one question with all its retries; `cache_entries`
    how many answers are kept, each no longer than its TTL and an hour.
    """

    def __init__(
        self,
        servers: tuple[tuple[str, int], ...],
        *,
        timeout_s: float = 3.0,
        cache_entries: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        asked = dns.asyncresolver.Resolver(configure=False)
        asked.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in servers]
        asked.lifetime = timeout_s
        asked.timeout = max(timeout_s / 2, 0.1)
        self._asked = asked
        self._timeout_s = timeout_s
        self._cache_entries = cache_entries
        self._clock = clock
        self._cache: OrderedDict[tuple[str, RecordKind], tuple[float, Answer]] = OrderedDict()

    async def lookup(self, name: str, kind: RecordKind) -> Answer:
        """The answer, from the cache while it is fresh. A name that the DNS can't hold does not exist."""
        key = (name.lower().removesuffix("."), kind)
        kept = self._cache.get(key)
        if kept is not None and kept[0] > self._clock():
            self._cache.move_to_end(key)
            return kept[1]
        answer, seconds = await self._fresh(*key)
        if self._cache_entries:
            self._cache[key] = (self._clock() + seconds, answer)
            self._cache.move_to_end(key)
            while len(self._cache) > self._cache_entries:
                self._cache.popitem(last=False)
        return answer

    async def _fresh(self, name: str, kind: RecordKind) -> tuple[Answer, float]:
        """An answer from a server, and for how many seconds it may be kept."""
        if not is_query_name(name):
            return Answer(found=Found.NO_NAME), _LONGEST_S
        labels = [label.encode("ascii") for label in name.split(".")]
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self.ask(dns.name.Name([*labels, b""]), kind)
            records = _records(answer, kind)
        except dns.resolver.NXDOMAIN:
            return Answer(found=Found.NO_NAME), _VOID_S
        except dns.resolver.NoAnswer:
            return Answer(found=Found.NO_RECORDS), _VOID_S
        except (dns.exception.DNSException, OSError, ValueError, EOFError):
            return NO_ANSWER, _NO_ANSWER_S
        ttl = min(max(float(answer.rrset.ttl if answer.rrset else 0), 0.0), _LONGEST_S)
        return Answer(found=Found.RECORDS if records else Found.NO_RECORDS, records=records), ttl

    async def ask(self, name: dns.name.Name, kind: RecordKind) -> dns.resolver.Answer:
        """The servers' answer; raises what dnspython raises."""
        return await self._asked.resolve(name, dns.rdatatype.from_text(kind.value), search=False)


def _records(answer: Any, kind: RecordKind) -> tuple[str, ...]:
    found = list(answer)[:MAX_RECORDS]
    match kind:
        case RecordKind.TXT:
            return tuple(b"".join(record.strings).decode("latin-1") for record in found)
        case RecordKind.MX:
            ranked = sorted(found, key=lambda record: record.preference)
            return tuple(_host(record.exchange) for record in ranked)
        case RecordKind.PTR:
            return tuple(_host(record.target) for record in found)
        case _:
            return tuple(str(record.address) for record in found)


def _host(name: dns.name.Name) -> str:
    """The name as text without escapes or final dot; bytes beyond ASCII as Latin-1, so that they match nothing."""
    return b".".join(label for label in name.labels if label).decode("latin-1")
