"""DMARC: alignment, which record counts, several authors, and what is not settled."""

from __future__ import annotations

import asyncio

import pytest

from gateway.amend.lookups import Budget
from gateway.amend.public_suffix import organisational_domain
from gateway.amend.verify_dmarc import verify_dmarc
from gateway.message.authentication import AuthResult, DkimResult, DmarcResult, SpfResult
from gateway.message.parse import parse
from tests.unit.amend.zone import SILENT, Zone

NO_SPF = SpfResult(result=AuthResult.FAIL, domain="bounces.example.net")
REJECT: dict[str, dict[str, list[str] | str]] = {"_dmarc.mail.ca": {"TXT": ["v=DMARC1; p=reject"]}}


def spf(domain: str, result: AuthResult = AuthResult.PASS) -> SpfResult:
    return SpfResult(result=result, domain=domain)


def dkim(domain: str, result: AuthResult = AuthResult.PASS) -> DkimResult:
    return DkimResult(result=result, domain=domain)


def check(
    names: dict[str, dict[str, list[str] | str]],
    *signatures: DkimResult,
    spf: SpfResult = NO_SPF,
    header: str = "From: Jordan <jordan@mail.ca>",
) -> DmarcResult:
    async def run() -> DmarcResult:
        budget = Budget(Zone(names), max_lookups=20, total_s=5)
        message = parse(f"{header}\r\nSubject: x\r\n\r\nHi.\r\n".encode())
        return await verify_dmarc(message, spf, signatures, resolver=budget)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("signatures", "by_spf", "expected"),
    [
        ([dkim("mail.ca")], NO_SPF, AuthResult.PASS),
        ([dkim("post.mail.ca")], NO_SPF, AuthResult.PASS),
        ([dkim("evil.ca")], NO_SPF, AuthResult.FAIL),
        ([dkim("notmail.ca")], NO_SPF, AuthResult.FAIL),
        ([dkim("mail.ca", AuthResult.POLICY)], NO_SPF, AuthResult.FAIL),
        ([dkim("evil.ca"), dkim("mail.ca")], NO_SPF, AuthResult.PASS),
        ([], spf("bounces.mail.ca"), AuthResult.PASS),
        ([], spf("mail.ca", AuthResult.SOFTFAIL), AuthResult.FAIL),
        ([], spf("evil.ca"), AuthResult.FAIL),
    ],
)
def test_a_pass_needs_a_pass_of_the_domain_that_the_reader_sees(
    signatures: list[DkimResult], by_spf: SpfResult, expected: AuthResult
) -> None:
    found = check(REJECT, *signatures, spf=by_spf)
    assert (found.result, found.domain, found.policy) == (expected, "mail.ca", "reject")
    assert found.is_aligned is (expected is AuthResult.PASS)


def test_strict_alignment_takes_no_subdomain() -> None:
    strict = {"_dmarc.mail.ca": {"TXT": ["v=DMARC1; p=reject; adkim=s; aspf=s"]}}
    assert check(strict, dkim("post.mail.ca"), spf=spf("post.mail.ca")).result is AuthResult.FAIL  # type: ignore[arg-type]
    assert check(strict, dkim("mail.ca")).result is AuthResult.PASS  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("record", "exists", "policy"),
    [
        ("v=DMARC1; p=reject", True, "reject"),
        ("v=DMARC1; p=none; sp=quarantine", True, "quarantine"),
        ("v=DMARC1; p=none; sp=quarantine; np=reject", True, "quarantine"),
        ("v=DMARC1; p=none; sp=quarantine; np=reject", False, "reject"),
    ],
)
def test_a_subdomain_is_held_to_the_record_of_its_organisation(record: str, exists: bool, policy: str) -> None:
    names: dict[str, dict[str, list[str] | str]] = {"_dmarc.mail.ca": {"TXT": [record]}}
    if exists:
        names["post.mail.ca"] = {"A": ["192.0.2.1"]}
    found = check(names, header="From: jordan@post.mail.ca")
    assert (found.result, found.policy) == (AuthResult.FAIL, policy)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], AuthResult.NONE),
        (["spf"], AuthResult.NONE),
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], AuthResult.NONE),
        (["v=DMARC10; p=reject"], AuthResult.NONE),
        (["v=DMARC1; p=perhaps"], AuthResult.PERMERROR),
        (["v=DMARC1; p=perhaps; rua=mailto:x@mail.ca"], AuthResult.FAIL),
        (["v=DMARC1; p"], AuthResult.PERMERROR),
        (["v=DMARC1;p=none"], AuthResult.FAIL),
        (SILENT, AuthResult.TEMPERROR),
    ],
)
def test_a_record_that_can_not_be_used_is_told_apart(records: list[str] | str, expected: AuthResult) -> None:
    assert check({"_dmarc.mail.ca": {"TXT": records}}).result is expected


def test_two_records_of_a_subdomain_are_not_made_up_for_by_the_organisations() -> None:
    names = {**REJECT, "_dmarc.post.mail.ca": {"TXT": ["v=DMARC1; p=none", "v=DMARC1; p=none"]}}
    assert check(names, header="From: jordan@post.mail.ca").result is AuthResult.NONE


def test_without_a_record_alignment_is_told_all_the_same() -> None:
    assert check({}, dkim("mail.ca")).is_aligned
    assert not check({}, dkim("evil.ca")).is_aligned


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("From: a@mail.ca, b@mail.ca", AuthResult.PASS),
        ("From: a@mail.ca, b@evil.ca", AuthResult.NONE),
        ("From: a@mail.ca, b@other.ca", AuthResult.FAIL),
        ("From: a@mail.ca\r\nFrom: b@other.ca", AuthResult.FAIL),
        ("From: " + ", ".join(f"a@m{n}.ca" for n in range(9)), AuthResult.PERMERROR),
        ("From: <a@mail.ca", AuthResult.PERMERROR),
        ("From: a@mail.ca\r\nFrom: <a@mail.ca", AuthResult.PERMERROR),
        ("From: a@\uff4dail.ca", AuthResult.PERMERROR),
        ("Sender: a@mail.ca", AuthResult.PERMERROR),
        ("From: undisclosed:;", AuthResult.PERMERROR),
    ],
)
def test_every_author_is_evaluated_and_the_worst_result_counts(header: str, expected: AuthResult) -> None:
    names = {**REJECT, "_dmarc.other.ca": {"TXT": ["v=DMARC1; p=reject"]}}
    assert check(names, dkim("mail.ca"), header=header).result is expected


def test_a_check_without_an_answer_is_no_fail() -> None:
    late = AuthResult.TEMPERROR
    assert check(REJECT, dkim("mail.ca", late)).result is late
    assert check(REJECT, spf=spf("mail.ca", late)).result is late
    assert check(REJECT, dkim("evil.ca", late)).result is AuthResult.FAIL


def test_without_a_client_address_an_unsigned_message_is_not_called_forged() -> None:
    unknown = SpfResult(result=AuthResult.NONE, is_evaluated=False)
    assert check(REJECT, spf=unknown).result is AuthResult.NONE
    assert check(REJECT, dkim("mail.ca"), spf=unknown).result is AuthResult.PASS


@pytest.mark.parametrize(
    ("domain", "organisation"),
    [
        ("mail.ca", "mail.ca"),
        ("a.b.mail.ca", "mail.ca"),
        ("a.b.mail.co.uk", "mail.co.uk"),
        ("co.uk", "co.uk"),
        ("a.b.mail.example", "mail.example"),
        ("someone.github.io", "someone.github.io"),
        ("localhost", "localhost"),
    ],
)
def test_the_organisation_is_one_label_below_the_public_suffix(domain: str, organisation: str) -> None:
    assert organisational_domain(domain) == organisation
