from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.amend.headers import own_field, prepend_fields, received_field, remove_fields
from gateway.message.parse import parse
from gateway.message.splice import apply_splices
from gateway.message.submission import Envelope, Recipient, SessionFacts, Submission
from tests.unit.amend.builders import plain

RAW = (
    b"X-Practicum-Gateway: id=forged;\r\n verdict=deliver\r\nAuthentication-Results: mx.other.example; spf=pass\r\n"
    + plain("Hi.\n")
)


def submission(**facts: str) -> Submission:
    """One message from a trusted host."""
    return Submission(
        id="01J9",
        received_at=datetime(2026, 10, 5, 14, 0, tzinfo=UTC),
        envelope=Envelope(
            mail_from="ada.okafor@agency.example", recipients=(Recipient(address="jordan@mail.example"),)
        ),
        raw=RAW,
        session=SessionFacts(**facts),  # type: ignore[arg-type]
    )


def test_received_names_hosts_and_time_but_no_recipient_and_no_login() -> None:
    facts = submission(
        client_ip="192.0.2.7", client_name="desk.agency.example", helo="desk", login="aokafor", protocol="ESMTPSA"
    )
    field = received_field(facts, "gw.agency.example").decode()
    assert field == (
        "Received: from desk (desk.agency.example [192.0.2.7])\r\n"
        "\tby gw.agency.example (Practicum Gateway) with ESMTPSA id 01J9;\r\n"
        "\tMon, 05 Oct 2026 14:00:00 +0000\r\n"
    )


@pytest.mark.parametrize("word", ["a\r\nBcc: x@y.example", "x" * 5000, "(((", "é\0", ""])
def test_what_a_client_says_of_itself_cannot_make_a_field(word: str) -> None:
    field = received_field(submission(helo=word, client_name=word, client_ip=word, protocol=word), "gw.example")
    assert field.count(b"\r\n") == 3
    assert field.isascii()
    assert max(map(len, field.split(b"\r\n"))) < 998


def test_an_own_field_is_one_line_of_ascii() -> None:
    assert own_field("X-Practicum-Gateway", "id=1;\r\nBcc: é") == b"X-Practicum-Gateway: id=1; Bcc:\r\n"


def test_fields_go_on_top_in_order_and_forged_ones_go_with_their_folding() -> None:
    parsed = parse(RAW)
    raw = apply_splices(
        RAW, [prepend_fields(parsed, [b"A: 1\r\n", b"B: 2\r\n"]), *remove_fields(parsed, ["x-practicum-gateway"])]
    )
    assert raw == b"A: 1\r\nB: 2\r\nAuthentication-Results: mx.other.example; spf=pass\r\n" + plain("Hi.\n")


@pytest.mark.parametrize(
    ("value", "is_removed"),
    [
        (b"mx.agency.example; spf=pass", True),
        (b"MX.Agency.Example 1; none", True),
        (b'"mx.agency.example"; none', True),
        (b"\r\n (us) mx.agency.example; none", True),
        (b"mx.agency.example.evil.example; none", False),
        (b"mx.other.example; none", False),
    ],
)
def test_authentication_results_go_only_where_they_claim_to_be_ours(value: bytes, is_removed: bool) -> None:
    parsed = parse(b"Authentication-Results: " + value + b"\r\n" + plain("Hi.\n"))
    names = ["Authentication-Results"]
    assert bool(remove_fields(parsed, names, authserv_id="mx.agency.example")) is is_removed
    assert remove_fields(parsed, names) == ()
