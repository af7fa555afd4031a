"""The resolver: what each answer of a server becomes, and what is kept for how long. No socket is opened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import dns.exception
import dns.message
import dns.name
import dns.rdatatype
import dns.resolver
import pytest

from gateway.amend.dns import DnsResolver
from gateway.amend.lookups import NO_ANSWER, Answer, Found, RecordKind

SERVERS = (("192.0.2.53", 53),)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Asked(DnsResolver):
    """The resolver with a server's words put in."""

    def __init__(self, reply: Callable[[dns.name.Name, RecordKind], object], clock: Clock, entries: int = 10) -> None:
        super().__init__(SERVERS, timeout_s=0.2, cache_entries=entries, clock=clock)
        self._reply = reply
        self.names: list[str] = []

    async def ask(self, name: dns.name.Name, kind: RecordKind) -> dns.resolver.Answer:
        self.names.append(name.to_text())
        given = self._reply(name, kind)
        if isinstance(given, BaseException):
            raise given
        assert isinstance(given, dns.resolver.Answer)
        return given


def zone_file(*lines: str) -> Callable[[dns.name.Name, RecordKind], object]:
    """An answer with these records, as a server gives it."""

    def reply(name: dns.name.Name, kind: RecordKind) -> object:
        text = "\n".join(f"{name} {line}" for line in lines)
        head = f"id 1\nopcode QUERY\nrcode NOERROR\nflags QR RD RA\n;QUESTION\n{name} IN {kind}\n;ANSWER\n{text}\n"
        return dns.resolver.Answer(name, dns.rdatatype.from_text(kind), 1, dns.message.from_text(head))  # type: ignore[arg-type]

    return reply


def answer(resolver: DnsResolver, kind: RecordKind, name: str = "mail.example") -> Answer:
    return asyncio.run(resolver.lookup(name, kind))


@pytest.mark.parametrize(
    ("kind", "lines", "records"),
    [
        (RecordKind.TXT, ['60 IN TXT "v=spf1 " "-all"'], ("v=spf1 -all",)),
        (RecordKind.TXT, ['60 IN TXT "caf\\195\\169"'], ("caf\u00c3\u00a9",)),
        (RecordKind.A, ["60 IN A 192.0.2.1"], ("192.0.2.1",)),
        (RecordKind.AAAA, ["60 IN AAAA 2001:db8::1"], ("2001:db8::1",)),
        (RecordKind.MX, ["60 IN MX 20 b.example.", "60 IN MX 10 a.example."], ("a.example", "b.example")),
        (RecordKind.PTR, ["60 IN PTR host.example."], ("host.example",)),
    ],
)
def test_records_become_plain_text(kind: RecordKind, lines: list[str], records: tuple[str, ...]) -> None:
    assert answer(Asked(zone_file(*lines), Clock()), kind) == Answer(found=Found.RECORDS, records=records)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (dns.resolver.NXDOMAIN(), Answer(found=Found.NO_NAME)),
        (dns.resolver.NoNameservers(), NO_ANSWER),
        (dns.exception.Timeout(), NO_ANSWER),
        (dns.exception.FormError(), NO_ANSWER),
        (ConnectionRefusedError(), NO_ANSWER),
        (TimeoutError(), NO_ANSWER),
    ],
)
def test_a_failure_is_an_answer_not_an_exception(failure: Exception, expected: Answer) -> None:
    assert answer(Asked(lambda *_: failure, Clock()), RecordKind.TXT) == expected


def test_an_answer_is_kept_as_long_as_it_says_and_no_longer_than_an_hour() -> None:
    clock = Clock()
    resolver = Asked(zone_file("86400 IN A 192.0.2.1"), clock)
    for later_s in (0, 3599, 2):
        clock.now_s += later_s
        answer(resolver, RecordKind.A)
    assert len(resolver.names) == 2


def test_a_failure_is_forgotten_after_seconds() -> None:
    clock = Clock()
    resolver = Asked(lambda *_: dns.exception.Timeout(), clock)
    for later_s in (0, 4, 2):
        clock.now_s += later_s
        answer(resolver, RecordKind.A)
    assert len(resolver.names) == 2


def test_names_are_one_in_any_case_and_kinds_are_not() -> None:
    resolver = Asked(zone_file(), Clock())
    resolver._reply = lambda *_: dns.resolver.NXDOMAIN()
    for name, kind in (("A.example", RecordKind.A), ("a.example.", RecordKind.A), ("a.example", RecordKind.TXT)):
        answer(resolver, kind, name)
    assert resolver.names == ["a.example.", "a.example."]


def test_the_cache_forgets_what_was_not_asked_for_longest() -> None:
    resolver = Asked(lambda *_: dns.resolver.NXDOMAIN(), Clock(), entries=2)
    for name in ("a.example", "b.example", "a.example", "c.example", "a.example", "b.example"):
        answer(resolver, RecordKind.A, name)
    assert resolver.names == ["a.example.", "b.example.", "c.example.", "b.example."]


def test_a_cache_of_no_entries_keeps_nothing() -> None:
    resolver = Asked(lambda *_: dns.resolver.NXDOMAIN(), Clock(), entries=0)
    for _ in range(3):
        answer(resolver, RecordKind.A)
    assert len(resolver.names) == 3


def test_a_backslash_in_a_name_is_no_escape() -> None:
    resolver = Asked(lambda *_: dns.resolver.NXDOMAIN(), Clock())
    answer(resolver, RecordKind.A, "evil\\046com.example")
    assert resolver.names == ["evil\\\\046com.example."]


def test_a_name_that_the_dns_can_not_hold_does_not_exist() -> None:
    resolver = Asked(lambda *_: dns.resolver.NXDOMAIN(), Clock())
    assert answer(resolver, RecordKind.A, "a..example").found is Found.NO_NAME
    assert resolver.names == []


def test_only_the_named_servers_are_asked() -> None:
    resolver = DnsResolver((("192.0.2.53", 5353), ("2001:db8::53", 53)))
    assert [(server.address, server.port) for server in resolver._asked.nameservers] == [  # type: ignore[union-attr]
        ("192.0.2.53", 5353), ("2001:db8::53", 53),
    ]  # fmt: skip
