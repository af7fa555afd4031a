"""Where an old message belongs: whose it is, when it was, and which copies are the same."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.archive.intake.matching import Matched, NotMatched, Unmatched, fingerprint, match
from gateway.message.parse import parse
from gateway.people.directory import Directory
from gateway.people.model import Client, Direction, Organisation, Role, Worker

NOON = "Mon, 05 Oct 2020 12:00:00 -0400"
NOW = datetime(2026, 11, 27, tzinfo=UTC)
ADA, JORDAN, SAM = "ada.okafor@agency.example", "jordan.reyes@mail.example", "sam.lee@mail.example"


@pytest.fixture(scope="module")
def directory() -> Directory:
    ada = Worker(
        id="s-okafor", name="Ada Okafor", role=Role.STUDENT, addresses=(ADA,), personal_addresses=("ada@home.example",)
    )
    return Directory(
        organisation=Organisation(name="King Street Outreach", professional_domains=("agency.example",)),
        workers=(ada,),
        clients=(
            Client(file="C-1042", name="Jordan Reyes", addresses=(JORDAN,), workers=("s-okafor",)),
            Client(file="C-7", name="Sam Lee", addresses=(SAM,), is_past=True),
        ),
    )


def a_mail(
    sender: str = ADA, to: str = JORDAN, *more: str, date: str | None = "Mon, 05 Oct 2020 12:00:00 -0400"
) -> bytes:
    lines = [f"From: {sender}", f"To: {to}", "Subject: Thursday", *more]
    if date is not None:
        lines.append(f"Date: {date}")
    return ("\r\n".join([*lines, "", "See you at two.", ""])).encode()


def a_report(*lines: str, inner: bytes = a_mail(), mark: str = "X-MS-Journal-Report:") -> bytes:
    head = ["From: Journal <journal@agency.example>", "To: archive@agency.example", "MIME-Version: 1.0"]
    head += [mark] if mark else []
    head += ['Content-Type: multipart/mixed; boundary="b"', "", "--b", "Content-Type: text/plain", "", *lines, ""]
    head += ["--b", "Content-Type: message/rfc822", "", ""]
    return "\r\n".join(head).encode() + inner + b"\r\n--b--\r\n"


def test_mail_of_both_directions_is_matched(directory: Directory) -> None:
    out = match(a_mail(), directory, now=NOW)
    assert isinstance(out, Matched)
    assert (out.parties.direction, out.parties.client_files) == (Direction.OUTBOUND, ("C-1042",))
    assert out.parties.worker is not None
    assert out.at == datetime(2020, 10, 5, 16, tzinfo=UTC)
    back = match(a_mail(JORDAN, ADA), directory, now=NOW)
    assert isinstance(back, Matched)
    assert back.parties.direction is Direction.INBOUND


def test_a_past_client_and_a_private_mailbox_of_a_worker_count(directory: Directory) -> None:
    for raw in (a_mail(ADA, SAM), a_mail("ada@home.example", SAM)):
        out = match(raw, directory, now=NOW)
        assert isinstance(out, Matched)
        assert out.parties.client_files == ("C-7",)


def test_mail_to_two_clients_stands_in_both_files(directory: Directory) -> None:
    out = match(a_mail(ADA, f"{JORDAN}, {SAM}"), directory, now=NOW)
    assert isinstance(out, Matched)
    assert out.parties.client_files == ("C-1042", "C-7")


def test_the_mailbox_that_it_was_found_in_is_a_recipient(directory: Directory) -> None:
    out = match(a_mail(JORDAN, "team@lists.example", f"Delivered-To: {ADA}"), directory, now=NOW)
    assert isinstance(out, Matched)
    assert [recipient.address for recipient in out.envelope.recipients] == ["team@lists.example", ADA]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (a_mail(ADA, "luc.tremblay@agency.example"), NotMatched.NO_CLIENT),
        (a_mail("shop@shop.example", ADA), NotMatched.NO_CLIENT),
        (a_mail("aunt@family.example", JORDAN), NotMatched.NOT_OURS),
        (a_mail(date=None), NotMatched.NO_DATE),
        (a_mail(date="Mon, 05 Oct 2096 12:00:00 +0000"), NotMatched.NO_DATE),
        (a_mail(date="Thu, 01 Jan 1970 00:00:00 +0000"), NotMatched.NO_DATE),
        (b"Subject: nobody\r\n\r\nHello\r\n", NotMatched.NO_SENDER),
    ],
)
def test_what_has_no_place_says_why(directory: Directory, raw: bytes, reason: NotMatched) -> None:
    out = match(raw, directory, now=NOW)
    assert isinstance(out, Unmatched)
    assert out.reason is reason


def test_a_date_is_had_from_received_and_then_from_the_source(directory: Directory) -> None:
    stamped = a_mail(ADA, JORDAN, "Received: from x by y; Tue, 6 Oct 2020 08:00:00 +0000", date="yesterday")
    hint = datetime(2019, 1, 1, tzinfo=UTC)
    found = [match(raw, directory, now=NOW, hint=hint) for raw in (stamped, a_mail(date=None))]
    assert [out.at for out in found] == [datetime(2020, 10, 6, 8, tzinfo=UTC), hint]


def test_copies_are_the_same_whatever_servers_wrote_on_them() -> None:
    body = a_mail()
    stamps = (b"Return-Path: <x@y.example>", b"X-Mozilla-Status: 0001", b"Received: a; Mon, 5 Oct 2020 12:00:01 -0400")
    other = b"\r\n".join((*stamps, body))
    assert fingerprint(parse(body)) == fingerprint(parse(other)) == fingerprint(parse(body + b"\r\n\r\n"))


@pytest.mark.parametrize("change", [(b"two.", b"three."), (b"Thursday", b"Friday"), (b"12:00:00", b"12:00:01")])
def test_messages_that_differ_are_not_the_same(change: tuple[bytes, bytes]) -> None:
    named = a_mail(ADA, JORDAN, "Message-ID: <one@agency.example>")
    assert fingerprint(parse(named)) != fingerprint(parse(named.replace(*change)))


@pytest.mark.parametrize("mark", ["X-MS-Journal-Report:", ""])
def test_a_journal_report_gives_its_message_and_its_envelope(directory: Directory, mark: str) -> None:
    inner = a_mail(ADA, "team@lists.example")
    report = a_report(
        f"Sender: {ADA}", "Subject: Thursday", "Message-Id: <one@agency.example>", "To: team@lists.example",
        f"Bcc: {JORDAN}, Expanded: team@lists.example", inner=inner, mark=mark,
    )  # fmt: skip
    out = match(report, directory, now=NOW)
    assert isinstance(out, Matched)
    assert (out.raw, out.is_journalled) == (inner, True)
    assert out.envelope.mail_from == ADA
    assert [recipient.address for recipient in out.envelope.recipients] == ["team@lists.example", JORDAN]
    assert out.parties.client_files == ("C-1042",)


def test_a_forwarded_message_is_no_journal_report(directory: Directory) -> None:
    out = match(a_report("Please see below.", mark=""), directory, now=NOW)
    assert isinstance(out, Unmatched)


def test_a_report_without_its_message_is_told(directory: Directory) -> None:
    raw = a_report(f"Sender: {ADA}").replace(b"message/rfc822", b"text/x-lost")
    out = match(raw, directory, now=NOW)
    assert isinstance(out, Unmatched)
    assert out.reason is NotMatched.EMPTY_REPORT
