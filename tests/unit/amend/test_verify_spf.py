"""SPF: the examples of RFC 7208 (appendix A and section 7.4), its limits, and what is not evaluated."""

from __future__ import annotations

import asyncio

import pytest

from gateway.amend.lookups import Budget, Resolver
from gateway.amend.verify_spf import verify_spf
from gateway.message.authentication import AuthResult, SpfResult
from tests.shared_data import data_dir
from tests.unit.amend.zone import SILENT, Raising, Zone

PASS, FAIL, SOFTFAIL, NEUTRAL = AuthResult.PASS, AuthResult.FAIL, AuthResult.SOFTFAIL, AuthResult.NEUTRAL
NONE, TEMPERROR, PERMERROR = AuthResult.NONE, AuthResult.TEMPERROR, AuthResult.PERMERROR

HOSTS: dict[str, dict[str, list[str] | str]] = {
    "example.com": {"A": ["192.0.2.10", "192.0.2.11"], "MX": ["mail-a.example.com", "mail-b.example.com"]},
    "amy.example.com": {"A": ["192.0.2.65"]},
    "bob.example.com": {"A": ["192.0.2.66"]},
    "mail-a.example.com": {"A": ["192.0.2.129"]},
    "mail-b.example.com": {"A": ["192.0.2.130"]},
    "example.org": {"MX": ["mail-c.example.org"]},
    "mail-c.example.org": {"A": ["192.0.2.140"]},
    "10.2.0.192.in-addr.arpa": {"PTR": ["example.com"]},
    "65.2.0.192.in-addr.arpa": {"PTR": ["amy.example.com"]},
    "4.0.0.10.in-addr.arpa": {"PTR": ["bob.example.com"]},
}
"""The zone of RFC 7208 appendix A."""


def check(
    record: str | list[str] | None,
    *,
    ip: str | None = "192.0.2.65",
    mail_from: str | None = "strong-bad@example.com",
    helo: str = "amy.example.com",
    more: dict[str, dict[str, list[str] | str]] | None = None,
    resolver: Resolver | None = None,
) -> SpfResult:
    async def run() -> SpfResult:
        own = {} if record is None else {"TXT": record if isinstance(record, list) else [record]}
        names = {**HOSTS, **(more or {})}
        names["example.com"] = {**names["example.com"], **own}
        asked = resolver or Zone(names)
        budget = Budget(asked, max_lookups=100, total_s=5)
        return await verify_spf(client_ip=ip, helo=helo, mail_from=mail_from, resolver=budget)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("record", "passing", "failing"),
    [
        ("v=spf1 +all", ["192.0.2.1", "203.0.113.9"], []),
        ("v=spf1 a -all", ["192.0.2.10", "192.0.2.11"], ["192.0.2.65"]),
        ("v=spf1 a:example.org -all", [], ["192.0.2.10"]),
        ("v=spf1 mx -all", ["192.0.2.129", "192.0.2.130"], ["192.0.2.140"]),
        ("v=spf1 mx:example.org -all", ["192.0.2.140"], ["192.0.2.129"]),
        ("v=spf1 mx mx:example.org -all", ["192.0.2.129", "192.0.2.130", "192.0.2.140"], ["192.0.2.10"]),
        ("v=spf1 mx/30 mx:example.org/30 -all", ["192.0.2.131", "192.0.2.143"], ["192.0.2.132"]),
        ("v=spf1 ptr -all", ["192.0.2.65", "192.0.2.10"], ["10.0.0.4"]),
        ("v=spf1 ip4:192.0.2.128/28 -all", ["192.0.2.129"], ["192.0.2.65"]),
        ("v=spf1 ip6:2001:db8::/32 -all", ["2001:db8:1::7"], ["2001:db9::1", "192.0.2.65"]),
        ("v=spf1 ip4:192.0.2.65 -all", ["::ffff:192.0.2.65"], ["::ffff:192.0.2.66"]),
    ],
)
def test_the_examples_of_the_standard_pass_and_fail_as_it_says(
    record: str, passing: list[str], failing: list[str]
) -> None:
    assert {ip: check(record, ip=ip).result for ip in passing} == dict.fromkeys(passing, PASS)
    assert {ip: check(record, ip=ip).result for ip in failing} == dict.fromkeys(failing, FAIL)


MACROS = {
    "%{s}": "strong-bad@email.example.com",
    "%{o}": "email.example.com",
    "%{d}": "email.example.com",
    "%{d4}": "email.example.com",
    "%{d3}": "email.example.com",
    "%{d2}": "example.com",
    "%{d1}": "com",
    "%{dr}": "com.example.email",
    "%{d2r}": "example.email",
    "%{l}": "strong-bad",
    "%{l-}": "strong.bad",
    "%{lr}": "strong-bad",
    "%{lr-}": "bad.strong",
    "%{l1r-}": "strong",
    "%{ir}.%{v}._spf.%{d2}": "3.2.0.192.in-addr._spf.example.com",
    "%{lr-}.lp._spf.%{d2}": "bad.strong.lp._spf.example.com",
    "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}": "3.2.0.192.in-addr.strong.lp._spf.example.com",
    "%{d2}.trusted-domains.example.net": "example.com.trusted-domains.example.net",
    "%{S}": "strong-bad%40email.example.com",
    "%{h}": "amy.example.com",
    "%{p}": "unknown",
    "a%%b%_c%-.%{d}": "a%b c%20.email.example.com",
}
"""RFC 7208 section 7.4."""


@pytest.mark.parametrize(("spec", "name"), MACROS.items())
def test_the_macros_of_the_standard_stand_for_what_it_says(spec: str, name: str) -> None:
    zone = Zone({"email.example.com": {"TXT": [f"v=spf1 exists:{spec} -all"]}, name: {"A": ["127.0.0.2"]}})
    if name == "email.example.com":
        zone = Zone({name: {"TXT": [f"v=spf1 exists:{spec} -all"], "A": ["127.0.0.2"]}})
    found = check(None, ip="192.0.2.3", mail_from="strong-bad@email.example.com", resolver=zone)
    assert found.result is PASS


def test_macros_spell_an_ipv6_address_in_nibbles() -> None:
    name = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
    found = check("v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all", ip="2001:db8::cb01", more={name: {"A": ["127.0.0.2"]}})
    assert found.result is PASS


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("v=spf1", NEUTRAL),
        ("V=SPF1 ?ALL", NEUTRAL),
        ("v=spf1 ~all", SOFTFAIL),
        ("v=spf1 -all", FAIL),
        ("v=spf10 -all", NONE),
        ("v=spf1 moo -all", PERMERROR),
        ("v=spf1 all:x", PERMERROR),
        ("v=spf1 ip4:192.0.2.256 -all", PERMERROR),
        ("v=spf1 ip4:192.0.2.0/33 -all", PERMERROR),
        ("v=spf1 ip6:zz -all", PERMERROR),
        ("v=spf1 a/33 -all", PERMERROR),
        ("v=spf1 a:%{z}.com -all", PERMERROR),
        ("v=spf1 a:%{d0}.com -all", PERMERROR),
        ("v=spf1 a:example -all", PERMERROR),
        ("v=spf1 include -all", PERMERROR),
        ("v=spf1 redirect=a.com redirect=b.com", PERMERROR),
        ("v=spf1 unknown=%{z} -all", PERMERROR),
        ("v=spf1 unknown=%{d} -all", FAIL),
        ("v=spf1 -all caf\u00e9", PERMERROR),
    ],
)
def test_a_record_is_read_whole_before_it_is_used(record: str, expected: AuthResult) -> None:
    assert check(record).result is expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [("v=spf1 ip4:192.0.2.65 -all", PASS), ("v=spf1 -all", FAIL), ("v=spf1 moo", PERMERROR), ("no spf", PERMERROR)],
)
def test_redirect_takes_the_other_domains_result(other: str, expected: AuthResult) -> None:
    assert check("v=spf1 redirect=other.com", more={"other.com": {"TXT": [other]}}).result is expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [("v=spf1 +all", PASS), ("v=spf1 -all", SOFTFAIL), ("v=spf1 moo", PERMERROR), ("no spf", PERMERROR)],
)
def test_include_matches_only_a_pass(other: str, expected: AuthResult) -> None:
    assert check("v=spf1 include:other.com ~all", more={"other.com": {"TXT": [other]}}).result is expected


def test_the_tenth_term_that_asks_is_the_last_one() -> None:
    ten = " ".join("a:amy.example.com" for _ in range(10))
    assert check(f"v=spf1 {ten} -all", ip="192.0.2.1").result is FAIL
    found = check(f"v=spf1 {ten} a -all", ip="192.0.2.1")
    assert (found.result, found.reason) == (PERMERROR, "more than ten terms that ask the DNS")


def test_records_that_include_each_other_end() -> None:
    assert check("v=spf1 include:example.com -all").result is PERMERROR


def test_a_third_lookup_without_an_answer_is_an_error() -> None:
    assert check("v=spf1 a:no.example.com a:none.example.com -all").result is FAIL
    assert check("v=spf1 a:no.example.com a:none.example.com a:not.example.com -all").result is PERMERROR


def test_more_than_ten_mail_hosts_are_an_error() -> None:
    more: dict[str, dict[str, list[str] | str]] = {"many.com": {"MX": [f"m{n}.example.com" for n in range(11)]}}
    assert check("v=spf1 mx:many.com -all", more=more).result is PERMERROR


@pytest.mark.parametrize(
    ("record", "more"),
    [
        ("v=spf1 a:slow.com -all", {"slow.com": {"A": SILENT}}),
        ("v=spf1 include:slow.com -all", {"slow.com": {"TXT": SILENT}}),
        ("v=spf1 mx:slow.com -all", {"slow.com": {"MX": SILENT}}),
        ("v=spf1 exists:slow.com -all", {"slow.com": {"A": SILENT}}),
    ],
)
def test_a_server_that_does_not_answer_is_a_temporary_error(
    record: str, more: dict[str, dict[str, list[str] | str]]
) -> None:
    assert check(record, more=more).result is TEMPERROR


def test_a_resolver_that_raises_is_a_temporary_error() -> None:
    assert check(None, resolver=Raising()).result is TEMPERROR


def test_two_records_are_an_error_and_none_is_none() -> None:
    assert check(["v=spf1 +all", "v=spf1 -all"]).result is PERMERROR
    assert check(["v=spf1 +all", "google-site-verification=1"]).result is PASS
    assert check("no spf").result is NONE


def test_the_null_path_is_checked_by_helo() -> None:
    more: dict[str, dict[str, list[str] | str]] = {"amy.example.com": {"TXT": ["v=spf1 ip4:192.0.2.65 -all"]}}
    found = check(None, mail_from=None, more=more)
    assert (found.result, found.identity, found.domain) == (PASS, "helo", "amy.example.com")


@pytest.mark.parametrize("ip", [None, "", "unknown", "192.0.2", "not an address"])
def test_without_a_client_address_nothing_is_evaluated(ip: str | None) -> None:
    found = check("v=spf1 -all", ip=ip)
    assert (found.result, found.is_evaluated) == (NONE, False)


@pytest.mark.parametrize(
    "mail_from",
    ["", "@", "x@", "x@localhost", "x@[192.0.2.1]", "x@a..b", "x@" + "a" * 64 + ".com", "x@a\x00b.com", "x@\u2025.com"],
)
def test_a_sender_without_a_domain_to_ask_is_none(mail_from: str) -> None:
    assert check("v=spf1 -all", mail_from=mail_from).result is NONE


def test_a_domain_in_other_letters_is_asked_for_in_ascii() -> None:
    more: dict[str, dict[str, list[str] | str]] = {"xn--caf-dma.com": {"TXT": ["v=spf1 +all"]}}
    assert check(None, mail_from="x@caf\u00e9.com", more=more).result is PASS


def test_a_subdomain_that_does_not_exist_is_no_pass() -> None:
    """The first trick of espoofer's server cases."""
    assert (data_dir("hostile") / "espoofer-server_a1.eml").exists()
    found = check("v=spf1 +all", mail_from="any@mailfrom.notexist.example.com", helo="helo.attack.com")
    assert found.result is NONE
