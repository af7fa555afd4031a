"""The Authentication-Results field: what it says, and that no value can break out of it."""

from __future__ import annotations

from gateway.amend.results_field import results_field
from gateway.message.authentication import (
    NOTHING_CHECKED,
    ArcResult,
    AuthenticationResults,
    AuthResult,
    DkimResult,
    DmarcResult,
    SpfResult,
)

PASS = AuthResult.PASS


def found(**changes: object) -> AuthenticationResults:
    values: dict[str, object] = {
        "spf": SpfResult(result=PASS, domain="mail.example", reason="matched ip4"),
        "dkim": (DkimResult(result=PASS, domain="mail.example", selector="s1", algorithm="rsa-sha256"),),
        "dmarc": DmarcResult(result=PASS, domain="mail.example", policy="reject"),
        "arc": ArcResult(result=AuthResult.NONE),
    }
    return AuthenticationResults(**{**values, **changes})  # type: ignore[arg-type]


def test_each_method_stands_on_a_line_of_its_own() -> None:
    assert results_field(found(), "mx.agency.example") == (
        b"Authentication-Results: mx.agency.example;\r\n"
        b"\tspf=pass (matched ip4) smtp.mailfrom=mail.example;\r\n"
        b"\tdkim=pass header.d=mail.example header.s=s1 header.a=rsa-sha256;\r\n"
        b"\tdmarc=pass (p=reject) header.from=mail.example;\r\n"
        b"\tarc=none\r\n"
    )


def test_every_signature_is_told_and_an_unsigned_message_too() -> None:
    two = (
        DkimResult(result=AuthResult.FAIL, reason="the body was changed"),
        DkimResult(result=PASS, notes=("short key",)),
    )
    assert b"dkim=fail (the body was changed);\r\n\tdkim=pass (short key);" in results_field(found(dkim=two), "mx")
    assert b";\r\n\tdkim=none;" in results_field(found(dkim=()), "mx")


def test_spf_is_left_out_where_it_was_not_evaluated() -> None:
    unknown = SpfResult(result=AuthResult.NONE, is_evaluated=False)
    assert b"spf" not in results_field(found(spf=unknown), "mx")


def test_a_null_path_is_told_by_helo() -> None:
    by_helo = SpfResult(result=PASS, domain="mx.mail.example", identity="helo")
    assert b"spf=pass smtp.helo=mx.mail.example;" in results_field(found(spf=by_helo), "mx")


def test_nothing_checked_is_none() -> None:
    assert results_field(NOTHING_CHECKED, "mx") == b"Authentication-Results: mx;\r\n\tnone\r\n"


def test_a_whole_chain_names_its_sealer() -> None:
    chain = ArcResult(result=PASS, instances=2, sealer="list.example")
    assert b"arc=pass (i=2, sealed by list.example)\r\n" in results_field(found(arc=chain), "mx")


def test_no_value_breaks_out_of_the_field() -> None:
    evil = 'a";\r\nX-Evil: 1; dmarc=pass (\u00e9'
    hostile = found(
        spf=SpfResult(result=AuthResult.NONE, domain=evil, reason=evil),
        dmarc=DmarcResult(result=AuthResult.FAIL, domain=evil, reason="no)\r\nX"),
    )
    field = results_field(hostile, "mx")
    assert field.count(b"\r\n") == field.count(b"\r\n\t") + 1
    assert b"\r\nX" not in field
    assert b'"a????X-Evil: 1; dmarc=pass (?"'.replace(b"????", b"?;??") in field
    assert field.isascii()
