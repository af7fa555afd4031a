"""forwarded: a client's address in the text, and a reader who is not part of the conversation."""

from __future__ import annotations

import pytest

from gateway.content.finding import Finding, Matter
from gateway.message.parse import parse
from gateway.people.directory import Directory
from gateway.people.model import Client, Direction, Organisation, Parties, Role
from gateway.policy.forwarded import forwarded_findings
from tests.unit.policy.policy_builders import JORDAN, STUDENT, a_party, parties

MAYA = Client(file="C-1055", name="Maya Chen", addresses=("maya@post.example",))
DIRECTORY = Directory(
    organisation=Organisation(name="K", professional_domains=("agency.example",)),
    workers=(STUDENT,),
    clients=(JORDAN, MAYA),
)
ROSA = parties(Direction.THIRD_PARTY, a_party(Role.OUTSIDER, "rosa@housing.example"))
HEAD = "From: ada@agency.example\r\nSubject: Fwd: A week\r\n"
FORWARD = "FYI\r\n\r\n----- Original Message -----\r\nFrom: Jordan <Jordan@Mail.example>\r\n\r\nHard.\r\n"


def _found(text: str, people: Parties, head: str = HEAD) -> tuple[Finding, ...]:
    return forwarded_findings(parse(f"{head}\r\n{text}".encode()), people, DIRECTORY)


def test_a_forwarded_client_s_mail_is_named_with_its_place_and_file() -> None:
    (finding,) = _found(FORWARD, ROSA)
    assert (finding.matter, finding.where, finding.client_file) == (Matter.CLIENT_ADDRESS_SHOWN, "body", "C-1042")
    assert finding.end - finding.start == len("Jordan@Mail.example")
    assert "jordan" not in repr(finding).lower()


def test_an_address_in_new_text_is_named_too() -> None:
    assert len(_found("Please write to jordan@mail.example.", ROSA)) == 1


def test_a_reader_whose_address_stands_in_the_text_knows_already() -> None:
    assert _found(f"{FORWARD}Cc: rosa@housing.example\r\n", ROSA) == ()


def test_the_client_may_read_the_own_address_and_another_client_may_not() -> None:
    own = parties(Direction.OUTBOUND, a_party(Role.CLIENT, "jordan@mail.example", clients=(JORDAN,)))
    other = parties(Direction.OUTBOUND, a_party(Role.CLIENT, "maya@post.example", clients=(MAYA,)))
    assert _found(FORWARD, own) == ()
    assert len(_found(FORWARD, other)) == 1


def test_a_second_address_of_the_same_file_is_no_stranger() -> None:
    home = parties(Direction.OUTBOUND, a_party(Role.CLIENT, "home@mail.example", clients=(JORDAN,)))
    assert _found(FORWARD, home) == ()


@pytest.mark.parametrize("direction", [Direction.INTERNAL, Direction.INBOUND])
def test_mail_that_stays_inside_or_comes_in_is_left_alone(direction: Direction) -> None:
    assert _found(FORWARD, parties(direction, a_party(Role.SUPERVISOR, "luc@agency.example"))) == ()


def test_a_colleague_beside_an_informed_reader_changes_nothing() -> None:
    people = parties(Direction.THIRD_PARTY, a_party(Role.SUPERVISOR, "luc@agency.example"), *ROSA.recipients)
    assert _found(f"{FORWARD}Cc: rosa@housing.example\r\n", people) == ()


def test_a_text_without_a_client_s_address_is_left_alone() -> None:
    assert _found("Write to desk@library.example or nobody@mail.example.", ROSA) == ()


def test_an_attached_message_is_looked_at_head_and_body() -> None:
    head = f'{HEAD}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n'
    start = "--b\r\nContent-Type: text/plain\r\n\r\nFYI\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    inner = "From: jordan@mail.example\r\n\r\nHi\r\n--b--\r\n"
    (finding,) = _found(start + inner, ROSA, head)
    assert (finding.where, finding.part) == ("attachment:message", (2,))
    assert len(_found(start + "Subject: x\r\n\r\njordan@mail.example\r\n--b--\r\n", ROSA, head)) == 1
    assert _found(start + "Subject: x\r\n\r\nHi\r\n--b--\r\n", ROSA, head) == ()
