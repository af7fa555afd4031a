"""DKIM: what passes, what looks like a pass and is none, and keys and fields made to hurt."""

from __future__ import annotations

import asyncio
import base64
import time
from pathlib import Path

import pytest

from gateway.amend.dkim_check import SignedMessage
from gateway.amend.lookups import Budget, Resolver
from gateway.amend.verify_dkim import MAX_SIGNATURES, verify_dkim
from gateway.message.authentication import AuthResult, DkimResult
from gateway.message.parse import parse
from tests.shared_data import data_dir
from tests.unit.amend.signed_mail import MAIL, ed25519_record, key_record, signed
from tests.unit.amend.zone import SILENT, Raising, Zone

NAME = "s1._domainkey.mail.example"
NOW = time.time()


def zone(record: str | list[str] | None = None, *, bits: int = 2048, more: str = "") -> Zone:
    records = key_record(bits, more) if record is None else record
    return Zone({NAME: {"TXT": [records] if isinstance(records, str) else records}})


def results(raw: bytes, resolver: Resolver | None = None, *, now_s: float = NOW) -> tuple[DkimResult, ...]:
    async def run() -> tuple[DkimResult, ...]:
        message = parse(raw)
        budget = Budget(resolver or zone(), max_lookups=20, total_s=5)
        return await verify_dkim(message, SignedMessage(message), resolver=budget, now_s=now_s)

    return asyncio.run(run())


def result(raw: bytes, resolver: Resolver | None = None, *, now_s: float = NOW) -> tuple[AuthResult, str]:
    (only,) = results(raw, resolver, now_s=now_s)
    return only.result, only.reason


@pytest.mark.parametrize("canon", ["simple/simple", "relaxed/simple", "simple/relaxed", "relaxed/relaxed"])
def test_a_whole_signature_passes_in_every_canonicalization(canon: str) -> None:
    (found,) = results(signed(canon=canon))
    assert (found.result, found.domain, found.selector) == (AuthResult.PASS, "mail.example", "s1")
    assert (found.algorithm, found.key_bits, found.notes) == ("rsa-sha256", 2048, ())


def test_an_ed25519_signature_passes_and_a_changed_one_fails() -> None:
    raw = signed(algorithm="ed25519-sha256")
    assert result(raw, zone(ed25519_record())) == (AuthResult.PASS, "")
    changed = raw.replace(b"Subject: Thursday", b"Subject: Friday")
    assert result(changed, zone(ed25519_record())) == (AuthResult.FAIL, "the signature does not verify")


def test_an_unsigned_message_has_no_result() -> None:
    assert results(MAIL) == ()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"Subject: Thursday", b"Subject: Friday", "the signature does not verify"),
        (b"From: Jordan", b"From: eve@evil.example\r\nFrom: Jordan", "the signature does not verify"),
        (b"works", b"fails", "the body was changed"),
        (b"Jordan\r\n\r\n", b"Jordan\r\n\r\nMore.\r\n", "the body was changed"),
    ],
)
def test_a_changed_message_fails(old: bytes, new: bytes, reason: str) -> None:
    raw = signed()
    at = raw.index(b"From: Jordan")
    assert result(raw[:at] + raw[at:].replace(old, new, 1)) == (AuthResult.FAIL, reason)


def test_every_signature_is_looked_at_not_only_the_first() -> None:
    good = signed()
    broken = signed(selector="s2").split(b"From: Jordan")[0].replace(b"bh=", b"bh=AAAA")
    assert [found.result for found in results(broken + good)] == [AuthResult.FAIL, AuthResult.PASS]


def test_more_signatures_than_ten_are_not_looked_at() -> None:
    field = b"DKIM-Signature: v=1\r\n"
    assert len(results(field * (MAX_SIGNATURES + 5) + MAIL)) == MAX_SIGNATURES


def test_a_signature_over_a_part_of_the_body_is_no_pass() -> None:
    assert result(signed(length=10)) == (AuthResult.POLICY, "only a part of the body is signed (l=)")
    assert result(signed(length=10) + b"Appended.\r\n")[0] is AuthResult.POLICY


def test_a_length_that_covers_the_whole_body_passes_until_text_is_appended() -> None:
    whole = len(b"Thursday works.\r\n\r\nJordan\r\n")
    assert result(signed(length=whole)) == (AuthResult.PASS, "")
    assert result(signed(length=whole) + b"Appended.\r\n")[0] is AuthResult.POLICY


def test_a_length_beyond_the_body_is_an_error() -> None:
    assert result(signed(length=500).replace(b"l=26", b"l=500")) == (
        AuthResult.PERMERROR, "the l= tag is longer than the body",
    )  # fmt: skip


def test_sha1_proves_nothing() -> None:
    resolver = zone()
    assert result(signed(algorithm="rsa-sha1"), resolver)[0] is AuthResult.FAIL
    assert resolver.asked == []


def test_an_expired_signature_fails_and_one_that_is_in_force_passes() -> None:
    raw = signed(t="1000000", x="1000900")
    assert result(raw, now_s=1_000_800) == (AuthResult.PASS, "")
    assert result(raw, now_s=1_002_000) == (AuthResult.FAIL, "the signature has expired")


def test_a_signature_from_the_future_fails() -> None:
    assert result(signed(t="9000000"), now_s=1_000_000) == (AuthResult.FAIL, "the signature is from the future")


def test_a_key_of_1024_bits_passes_with_a_note() -> None:
    (found,) = results(signed(bits=1024), zone(bits=1024))
    assert (found.result, found.notes) == (AuthResult.PASS, ("short key",))


def test_a_domain_that_tests_is_told_so() -> None:
    (found,) = results(signed(), zone(more="t=y; "))
    assert (found.result, found.notes) == (AuthResult.PASS, ("the domain is testing",))


def rsa_record(modulus: int, exponent: int) -> str:
    """A key record of those numbers, which no library would make."""
    der = tlv(0x30, integer(modulus) + integer(exponent))
    return f"p={base64.b64encode(der).decode()}"


def integer(number: int) -> bytes:
    return tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def tlv(tag: int, content: bytes) -> bytes:
    size = len(content).to_bytes(2, "big")
    return bytes([tag, 0x82]) + size + content


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (rsa_record(2**511 + 1, 65537), "the key is smaller than 1024 bits"),
        (rsa_record(2**9000 + 1, 65537), "the key is too large"),
        (rsa_record(2**2047 + 1, 2**2000 + 1), "the key is too large"),
        ("v=DKIM1; p=", "the key is revoked"),
        ("v=DKIM2; p=AAAA", "the key record has another version"),
        ("v=DKIM1; k=rsa", "the key record has no key"),
        ("v=DKIM1; p=AAAA", "the key can't be read"),
        ("v=DKIM1; k=rot13; p=AAAA", "the key can't be read"),
        ("v=DKIM1; k=ed25519; p=AAAA", "the key can't be read"),
        ("v=DKIM1; s=tlsrpt; p=AAAA", "the key is not for mail"),
        ("p=\x00\x01", "a tag is malformed"),
        ("p=" + "A" * 20_000, "the key record is too long"),
        pytest.param(key_record(more="h=sha1; "), "the key does not allow that hash", id="another hash"),
        pytest.param(ed25519_record(), "the key is of another kind", id="another kind of key"),
    ],
)
def test_a_key_that_may_not_be_used_is_an_error(record: str, reason: str) -> None:
    assert result(signed(), zone(record)) == (AuthResult.PERMERROR, reason)


def test_a_strict_key_does_not_sign_for_a_subdomain() -> None:
    raw = signed(i="@post.mail.example")
    assert result(raw) == (AuthResult.PASS, "")
    assert result(raw, zone(more="t=s; ")) == (AuthResult.PERMERROR, "the key does not allow a subdomain in i=")


def test_absent_silent_and_several_keys_are_told_apart() -> None:
    assert result(signed(), Zone({})) == (AuthResult.PERMERROR, "no key")
    assert result(signed(), Zone({NAME: {"TXT": SILENT}})) == (AuthResult.TEMPERROR, "no answer from the DNS")
    assert result(signed(), zone([key_record(), key_record()])) == (AuthResult.PERMERROR, "several keys")


def test_a_resolver_that_raises_is_a_temporary_error() -> None:
    assert result(signed(), Raising()) == (AuthResult.TEMPERROR, "no answer from the DNS")


def tampered(old: bytes, new: bytes) -> bytes:
    return signed().replace(old, new, 1)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (tampered(b"s=s1", b"s=s1.\x00.any"), "a tag is malformed"),
        (tampered(b"d=mail.example", b"d=mail..example"), "the d= tag is no domain name"),
        (tampered(b"d=mail.example", b"d=mail.example;\r\n d=mail.example"), "the d= tag stands twice"),
        (tampered(b"s=s1", b"s=-"), "the s= tag is no domain name"),
        (tampered(b"v=1", b"v=2"), "the v= tag is not 1"),
        (tampered(b"a=rsa-sha256", b"a=rsa-md5"), "the a= tag names no known algorithm"),
        (tampered(b"c=relaxed/relaxed", b"c=loose"), "the c= tag names no known canonicalization"),
        (tampered(b"h=from:", b"h="), "the From field is not signed"),
        (tampered(b"h=from:", b"h=" + b"x:" * 600 + b"from:"), "the h= tag is malformed"),
        (tampered(b"v=1;", b"v=1; i=@evil.example;"), "the i= tag is not within d="),
        (tampered(b"v=1;", b"v=1; q=carrier/pigeon;"), "the q= tag names no known method"),
        (tampered(b"v=1;", b"v=1; t=2; x=1;"), "the x= tag is not after t="),
        (tampered(b"v=1;", b"v=1; l=-4;"), "the l= tag is no number"),
        (tampered(b"v=1;", b"v=1;" + b" " * 400), "the field is too long"),
        (tampered(b"v=1;", b"v=1; z=" + b"y" * 20_000 + b";"), "the field is too long"),
        (b"DKIM-Signature: \r\n" + MAIL, "the v= tag is missing"),
        (b"DKIM-Signature: v=1; a=rsa-sha256\r\n" + MAIL, "the b= tag is missing"),
    ],
)
def test_a_field_outside_the_grammar_is_an_error_without_a_question(raw: bytes, reason: str) -> None:
    resolver = zone()
    assert result(raw, resolver) == (AuthResult.PERMERROR, reason)
    assert resolver.asked == []


@pytest.mark.parametrize(
    "raw",
    [
        signed().replace(b"Subject: Thursday", b"Subject: Thurs\nday"),
        b"From eve Thu Nov  5 2026\r\n" + signed(),
        signed().partition(b"\r\n\r\n")[0] + b"\r\n",
    ],
)
def test_a_malformed_message_is_an_error_whatever_its_signature(raw: bytes) -> None:
    assert result(raw) == (AuthResult.PERMERROR, "the message is malformed")


def test_a_header_beyond_half_a_megabyte_is_not_hashed() -> None:
    raw = signed(b"".join(b"X-%d: %s\r\n" % (n, b"y" * 30_000) for n in range(20)) + MAIL)
    assert result(raw) == (AuthResult.PERMERROR, "the header is too long")


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("dkim-l-tag", [AuthResult.FAIL]),
        ("dkim-x-expired", [AuthResult.PERMERROR]),
    ],
)
def test_the_published_tricks_are_no_pass_and_ask_for_no_key(case: str, expected: list[AuthResult]) -> None:
    path: Path = data_dir("hostile") / f"{case}.eml"
    resolver = zone()
    assert [found.result for found in results(path.read_bytes(), resolver)] == expected
    assert resolver.asked == []


def test_a_selector_that_a_nul_would_cut_short_is_never_asked_for() -> None:
    raw = (data_dir("hostile") / "espoofer-server_a3.eml").read_bytes()
    field = signed(raw, domain="legitimate.com").partition(b"From:")[0]
    forged = field.replace(b"s=s1", b"s=selector._domainkey.attack.com.\x00.any") + raw
    resolver = zone()
    assert [found.result for found in results(forged, resolver)] == [AuthResult.PERMERROR]
    assert resolver.asked == []


def test_a_parser_that_raises_has_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise IndexError

    monkeypatch.setattr("dkim.DomainSigner.verify_sig_process", broken)
    assert result(signed()) == (AuthResult.FAIL, "the signature does not verify")


def test_a_large_body_is_hashed_as_dkimpy_does() -> None:
    body = b"".join(b"line %d \t with  blanks \t \r\n" % n for n in range(30_000)) + b"\r\n \r\n"
    assert result(signed(MAIL + body)) == (AuthResult.PASS, "")
    assert result(signed(MAIL + body, canon="simple/simple")) == (AuthResult.PASS, "")
