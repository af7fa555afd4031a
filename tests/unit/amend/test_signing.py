from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dkim
import pytest

from gateway.amend.round_trip import is_verified
from gateway.amend.signing import SIGNS_NOTHING, Signer, fields_to_sign, is_to_be_signed, is_within
from gateway.amend.treatment import Signing
from gateway.people.model import Direction
from tests.unit.amend.builders import plain
from tests.unit.amend.keys import ed25519_key, rsa_key

NOON = datetime(2020, 10, 5, 12, 0, tzinfo=UTC)
RAW = plain("See you Monday.\n")
BOTH = Signer((ed25519_key(), rsa_key()))


def from_field(value: str, body: str = "Hi.\r\n") -> bytes:
    return f"From: {value}\r\nSubject: x\r\n\r\n{body}".encode()


def signatures(raw: bytes) -> list[dict[str, str]]:
    """The tags of each DKIM-Signature field, from the top."""
    found = [value for name, value in dkim.DKIM(raw).headers if name.lower() == b"dkim-signature"]
    return [
        {tag.split("=", 1)[0]: tag.split("=", 1)[1] for tag in b"".join(value.split()).decode().split(";")}
        for value in found
    ]


@pytest.mark.parametrize("key", [rsa_key(), ed25519_key()], ids=lambda key: key.algorithm.value)
def test_a_signed_message_verifies_against_the_record_and_is_otherwise_as_it_was(key) -> None:  # type: ignore[no-untyped-def]
    signature = Signer((key,)).signature(RAW, NOON)
    assert signature.signing is Signing.SIGNED
    assert signature.keys == (f"{key.selector}.agency.example",)
    signed = Signer((key,)).sign(RAW, NOON)
    assert signed == signature.fields + RAW
    assert is_verified(signed, key)
    (tags,) = signatures(signed)
    assert tags["c"] == "relaxed/simple"
    assert tags["t"] == str(int(NOON.timestamp()))
    assert not {"l", "x"} & set(tags)


def test_two_keys_sign_both_with_rsa_on_top() -> None:
    signed = BOTH.sign(RAW, NOON)
    assert [tags["a"] for tags in signatures(signed)] == ["rsa-sha256", "ed25519-sha256"]
    below = signed[signed.index(b"DKIM-Signature", 1) :]
    assert is_verified(signed, rsa_key())
    assert is_verified(below, ed25519_key())


def test_the_rsa_arithmetic_of_dkimpy_is_never_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bytes:
        raise AssertionError("dkimpy signs by itself")

    monkeypatch.setattr(dkim, "RSASSA_PKCS1_v1_5_sign", refuse)
    monkeypatch.setattr(dkim, "parse_pem_private_key", refuse)
    assert is_verified(Signer((rsa_key(),)).sign(RAW, NOON), rsa_key())


def test_header_lines_of_a_signature_fit_the_line() -> None:
    head = BOTH.sign(RAW, NOON)[: -len(RAW)]
    assert max(map(len, head.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b"See you Monday", b"See you Friday"),
        lambda raw: raw + b"PS: call me.\r\n",
        lambda raw: raw.replace(b"Subject: Monday", b"Subject: Friday"),
        *(
            lambda raw, field=field: field + raw
            for field in (
                b"From: mallory@other.example\r\n",
                b"To: mallory@other.example\r\n",
                b"Cc: mallory@other.example\r\n",
                b"Subject: Prize\r\n",
                b"Reply-To: mallory@other.example\r\n",
                b"Date: Tue, 6 Oct 2026 10:00:00 -0400\r\n",
                b"Message-ID: <2@other.example>\r\n",
                b"MIME-Version: 1.0\r\n",
                b"Content-Type: text/html\r\n",
                b"Content-Transfer-Encoding: base64\r\n",
            )
        ),
    ],
)
def test_what_is_signed_can_be_neither_changed_nor_added(change) -> None:  # type: ignore[no-untyped-def]
    signed = Signer((rsa_key(),)).sign(RAW, NOON)
    field_end = signed.index(RAW)
    assert change(RAW) != RAW
    assert not is_verified(signed[:field_end] + change(RAW), rsa_key())


def test_what_servers_add_on_the_way_breaks_nothing() -> None:
    raw = from_field("ada@agency.example")
    signed = Signer((rsa_key(),)).sign(raw, NOON)
    head = signed[: signed.index(raw)]
    added = b"Date: Mon, 5 Oct 2026 12:00:00 +0000\r\nMessage-ID: <1@mx.agency.example>\r\nReceived: by mx; now\r\n"
    assert is_verified(b"Return-Path: <>\r\n" + head + added + raw + b"\r\n\r\n", rsa_key())


@pytest.mark.parametrize(
    ("author", "domain"),
    [
        ("ada@agency.example", "agency.example"),
        ("Ada <ADA@Agency.Example>", "agency.example"),
        ("ada@students.agency.example", "agency.example"),
        ("ada@clinic.agency.example", "clinic.agency.example"),
        ("ada@deep.clinic.agency.example", "clinic.agency.example"),
        ("ada@agency.example, luc@clinic.agency.example", "agency.example"),
        ("ada@notagency.example", None),
        ("ada@example", None),
        ("ada@agency.example.other.example", None),
        ("ada@agency.example, mallory@other.example", None),
    ],
)
def test_the_nearest_key_at_or_above_every_author_signs(author: str, domain: str | None) -> None:
    signer = Signer((rsa_key(), rsa_key("clinic.agency.example")))
    if domain is None:
        assert signer.signature(from_field(author), NOON).signing is Signing.UNSIGNED_NO_KEY
    else:
        assert [tags["d"] for tags in signatures(signer.sign(from_field(author), NOON))] == [domain]


def test_an_author_of_other_letters_is_known_by_the_a_label() -> None:
    signed = Signer((rsa_key("xn--cole-9oa.example"),)).sign(from_field("ada@école.example"), NOON)
    assert signatures(signed)[0]["d"] == "xn--cole-9oa.example"


@pytest.mark.parametrize(
    ("raw", "signing"),
    [
        (b"", Signing.UNSIGNED_NO_AUTHOR),
        (b"\r\n", Signing.UNSIGNED_NO_AUTHOR),
        (b"Subject: x\r\n\r\nHi.\r\n", Signing.UNSIGNED_NO_AUTHOR),
        (from_field("ada at agency.example"), Signing.UNSIGNED_NO_AUTHOR),
        (from_field("nobody:;"), Signing.UNSIGNED_NO_AUTHOR),
        (from_field("ada@agency.example\r\nFrom: luc@agency.example"), Signing.UNSIGNED_SEVERAL_FROM),
        (from_field("ada@agency.example", "one\ntwo\r\n"), Signing.UNSIGNED_LINE_ENDS),
        (from_field("ada@agency.example", "one\rtwo\r\n"), Signing.UNSIGNED_LINE_ENDS),
        (from_field("ada@agency.example", "one\0two\r\n"), Signing.UNSIGNED_LINE_ENDS),
        (b" folded\r\n" + from_field("ada@agency.example"), Signing.UNSIGNED_MALFORMED),
        (b"no field\r\n" + from_field("ada@agency.example"), Signing.UNSIGNED_MALFORMED),
        (b"From ada Mon Oct 5\r\n" + from_field("ada@agency.example"), Signing.UNSIGNED_MALFORMED),
        (b"S\xc3\xa9: x\r\n" + from_field("ada@agency.example"), Signing.UNSIGNED_MALFORMED),
        (b"To: a@b.example\r\n" * 201 + from_field("ada@agency.example"), Signing.UNSIGNED_MALFORMED),
    ],
)
def test_what_verifiers_would_read_differently_goes_out_as_it_was_with_the_reason(raw: bytes, signing: Signing) -> None:
    signature = BOTH.signature(raw, NOON)
    assert (signature.signing, signature.fields, signature.keys) == (signing, b"", ())
    assert BOTH.sign(raw, NOON) == raw


@pytest.mark.parametrize(
    "body", ["", "\r\n", "\r\n" * 10_000, "no end", "Hi.\r\n" + "\r\n" * 9000, " \t\r\n x \r\n\r\n"]
)
def test_bodies_of_every_end_verify(body: str) -> None:
    raw = from_field("ada@agency.example", body)
    assert is_verified(BOTH.sign(raw, NOON), rsa_key())


def test_a_head_without_a_body_is_signed() -> None:
    assert is_verified(BOTH.sign(b"From: ada@agency.example\r\n", NOON), rsa_key())


def test_eight_bit_fields_and_folding_are_signed_as_they_are() -> None:
    raw = "From: Zoé <zoe@agency.example>\r\nSubject: très\r\n\t long\r\n \r\n\r\nÀ lundi.\r\n".encode()
    assert is_verified(BOTH.sign(raw, NOON), rsa_key())


def test_a_second_pass_adds_nothing_however_much_later() -> None:
    once = BOTH.sign(RAW, NOON)
    again = BOTH.signature(once, NOON + timedelta(days=1))
    assert (again.signing, again.fields) == (Signing.ALREADY_SIGNED, b"")


def test_a_key_that_is_new_signs_beside_the_one_that_has_signed() -> None:
    once = Signer((rsa_key(),)).sign(RAW, NOON)
    again = BOTH.signature(once, NOON)
    assert again.keys == ("e1.agency.example",)


def test_our_own_signature_over_other_words_counts_for_nothing_and_stays() -> None:
    once = BOTH.sign(RAW, NOON).replace(b"Monday.", b"Friday.")
    again = BOTH.sign(once, NOON)
    assert len(signatures(again)) == 4
    assert again.endswith(once)
    assert is_verified(again, rsa_key())


@pytest.mark.parametrize(
    "field",
    [
        b"DKIM-Signature: v=1; a=rsa-sha256; d=agency.example; s=s1; t=1; b=AAAA; bh=; h=from\r\n",
        b"DKIM-Signature: v=1; d=agency.example; s=s1; t=99999999999; b=\r\n",
        b"DKIM-Signature: d=agency.example; s=s1;" + b" " * 20_000 + b"x\r\n",
        b"DKIM-Signature: ;;;;\r\n" * 50,
        b"DKIM-Signature: v=1; d=agency.example; s=s1; t=5; b=x\r\n" * 50,
    ],
)
def test_forged_signatures_of_ours_do_not_keep_us_from_signing(field: bytes) -> None:
    assert BOTH.signature(field + RAW, NOON).signing is Signing.SIGNED
    assert is_verified(BOTH.sign(field + RAW, NOON), rsa_key())


def test_nobody_signs_without_a_key() -> None:
    assert SIGNS_NOTHING.signature(RAW, NOON).signing is Signing.UNSIGNED_NO_KEY
    assert SIGNS_NOTHING.domains == ()


@pytest.mark.parametrize(
    ("direction", "has_login", "is_signed"),
    [
        (Direction.OUTBOUND, True, True),
        (Direction.OUTBOUND, False, True),
        (Direction.THIRD_PARTY, True, True),
        (Direction.THIRD_PARTY, False, True),
        (Direction.INTERNAL, True, True),
        (Direction.INTERNAL, False, False),
        (Direction.INBOUND, True, False),
        (Direction.INBOUND, False, False),
    ],
)
def test_whose_mail_is_signed(direction: Direction, has_login: bool, is_signed: bool) -> None:
    assert is_to_be_signed(direction, has_login=has_login) is is_signed


def test_a_domain_is_within_itself_and_its_parents_alone() -> None:
    assert is_within("a.example", "a.example")
    assert is_within("b.a.example", "a.example")
    assert not is_within("ba.example", "a.example")
    assert not is_within("a.example", "b.a.example")


def test_absent_fields_that_must_not_come_are_named_and_those_that_may_come_are_not() -> None:
    names = fields_to_sign([[b"From", b"x"], [b"Date", b"x"], [b"List-Id", b"x"], [b"X-Other", b"x"]])
    assert names.count(b"from") == 2
    assert names.count(b"date") == 2
    assert names.count(b"list-id") == 1
    assert names.count(b"reply-to") == 1
    assert b"message-id" not in names
    assert b"x-other" not in names
