"""ARC: chains that we sealed ourselves, broken ones, and ones made to cost time."""

from __future__ import annotations

import asyncio

import pytest

from gateway.amend.arc_seal import Sealing, arc_seal
from gateway.amend.dkim_check import SignedMessage
from gateway.amend.lookups import Budget, Resolver
from gateway.amend.verify_arc import MAX_INSTANCES, verify_arc
from gateway.message.authentication import ArcResult, AuthResult
from gateway.message.parse import parse
from tests.builders import NOON
from tests.unit.amend.keys import rsa_key
from tests.unit.amend.signed_mail import MAIL
from tests.unit.amend.zone import SILENT, Zone

HOST = "mx.agency.example"
NAME = "s1._domainkey.agency.example"


def sealed(times: int = 1) -> bytes:
    raw = MAIL
    for number in range(times):
        state = "none" if number == 0 else "pass"
        told = f"Authentication-Results: {HOST}; arc={state}\r\n".encode() + raw
        result = arc_seal(told, authserv_id=HOST, key=rsa_key(), at=NOON)
        assert result.sealing is Sealing.SEALED
        raw = result.raw.replace(f"Authentication-Results: {HOST}; arc={state}\r\n".encode(), b"", 1)
    return raw


def result(raw: bytes, resolver: Resolver | None = None) -> ArcResult:
    async def run() -> ArcResult:
        message = parse(raw)
        zone = resolver or Zone({NAME: {"TXT": [rsa_key().record]}})
        return await verify_arc(message, SignedMessage(message), resolver=Budget(zone, max_lookups=9, total_s=5))

    return asyncio.run(run())


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_chain_of_our_own_seals_passes(times: int) -> None:
    assert result(sealed(times)) == ArcResult(result=AuthResult.PASS, instances=times, sealer="agency.example")


def test_a_message_without_seals_has_none() -> None:
    assert result(MAIL) == ArcResult(result=AuthResult.NONE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: Thursday", b"Subject: Friday"),
        (b"works", b"fails"),
        (b"ARC-Seal", b"X-Seal"),
        (b"cv=none", b"cv=pass"),
    ],
)
def test_a_changed_message_breaks_the_chain(old: bytes, new: bytes) -> None:
    raw = sealed()
    assert old in raw
    assert result(raw.replace(old, new, 1)).result is AuthResult.FAIL


def test_a_seal_that_says_fail_ends_the_chain() -> None:
    raw = sealed(2)
    assert result(raw.replace(b"cv=pass", b"cv=fail", 1)).result is AuthResult.FAIL


def test_a_key_without_an_answer_is_a_temporary_error_and_an_absent_key_is_not() -> None:
    assert result(sealed(), Zone({NAME: {"TXT": SILENT}})).result is AuthResult.TEMPERROR
    assert result(sealed(), Zone({})).result is AuthResult.FAIL
    assert result(sealed(), Zone({NAME: {"TXT": ["v=DKIM1; p="]}})).result is AuthResult.FAIL


def test_a_name_outside_the_grammar_is_never_asked_for() -> None:
    zone = Zone({})
    assert result(sealed().replace(b"s=s1", b"s=s1\x00.any"), zone).result is AuthResult.FAIL
    assert result(sealed().replace(b"d=agency.example", b"d=..\xc3"), zone).result is AuthResult.FAIL
    assert zone.asked == []


SEAL = b"ARC-Seal: i=1; a=rsa-sha256; d=agency.example; s=s1; cv=none; b=AAAA\r\n"
AMS = b"ARC-Message-Signature: i=1; a=rsa-sha256; d=agency.example; s=s1; bh=AAAA; b=AAAA; h="


@pytest.mark.parametrize(
    "head",
    [
        SEAL * (3 * MAX_INSTANCES + 1),
        SEAL * 60 + b"X: y\r\n" * 800,
        SEAL * 60 + b"".join(b"X: " + b"y" * 20_000 + b"\r\n" for _ in range(15)),
        SEAL + AMS + b":".join(b"x%d" % number for number in range(300)) + b"\r\n",
        SEAL.replace(b"; b=", b";" + b" " * 300 + b"b="),
        SEAL.replace(b"AAAA", b"AAAA" * 5_000),
    ],
    ids=["sets", "fields", "bytes", "names", "blanks", "length"],
)
def test_a_chain_made_to_cost_time_is_not_walked(head: bytes) -> None:
    zone = Zone({})
    found = result(head + MAIL, zone)
    assert (found.result, found.reason) == (AuthResult.FAIL, "the chain is too long")
    assert zone.asked == []


def test_a_malformed_message_has_no_whole_chain() -> None:
    assert result(sealed().replace(b"Subject: Thursday", b"Subject: Thurs\nday")).reason == "the message is malformed"


def test_a_parser_that_raises_has_not_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise IndexError

    raw = sealed()
    monkeypatch.setattr("dkim.ARC.verify_instance", broken)
    assert result(raw).result is AuthResult.FAIL
