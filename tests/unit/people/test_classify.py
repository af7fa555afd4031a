"""Who is who in a message, which way it goes, and whose file it belongs to."""

import pytest

from gateway.people.classify import classify, party_of
from gateway.people.model import Client, Direction, Parties, Role
from tests.builders import ADA, ADA_HOME, JORDAN, LUC, MINA, NORA, OLD, OUTSIDER, MessageBuilder, a_directory, a_message


def parties_of(builder: MessageBuilder, *clients: Client) -> Parties:
    return classify(builder.envelope(), builder.message(), builder.session(), a_directory(*clients))


@pytest.mark.parametrize(
    ("address", "role"),
    [
        (ADA, Role.STUDENT),
        (LUC, Role.SUPERVISOR),
        ("desk@school.example", Role.COLLEAGUE),
        (JORDAN, Role.CLIENT),
        (OLD, Role.PAST_CLIENT),
        (ADA_HOME, Role.PERSONAL),
        (OUTSIDER, Role.OUTSIDER),
        ("x@agency.example.", Role.OUTSIDER),
    ],
)
def test_each_address_has_one_role(address: str, role: Role) -> None:
    assert party_of(a_directory(), address).role is role


def test_an_address_of_a_current_and_a_past_client_is_a_clients() -> None:
    shared = Client(file="C-3", name="Max Reyes", addresses=(JORDAN,), is_past=True)
    party = party_of(a_directory(shared), JORDAN)
    assert (party.role, [client.file for client in party.clients]) == (Role.CLIENT, ["C-1042", "C-3"])


def test_an_address_without_canonical_spelling_is_kept_as_written() -> None:
    party = party_of(a_directory(), "Jordan@mail.example.")
    assert (party.address, party.is_readable) == ("Jordan@mail.example.", False)


DIRECTIONS = [
    ("a worker to a client", a_message(), Direction.OUTBOUND),
    ("a worker to a past client", a_message().to(OLD), Direction.OUTBOUND),
    ("a worker to colleagues", a_message().to(LUC, "desk@school.example"), Direction.INTERNAL),
    ("a worker to an outsider", a_message().to(OUTSIDER), Direction.THIRD_PARTY),
    ("a worker to a private mailbox", a_message().to(ADA_HOME), Direction.THIRD_PARTY),
    ("a worker to a colleague and an outsider", a_message().to(LUC, OUTSIDER), Direction.THIRD_PARTY),
    ("a worker to an outsider and a client", a_message().to(OUTSIDER, JORDAN), Direction.OUTBOUND),
    ("a client in the envelope only (Bcc)", a_message().to(LUC).rcpt(LUC, JORDAN), Direction.OUTBOUND),
    ("a client in the header only", a_message().to(JORDAN).rcpt(LUC), Direction.INTERNAL),
    ("a client to a worker", a_message().from_(JORDAN, envelope=JORDAN).to(ADA), Direction.INBOUND),
    ("a past client to a worker", a_message().from_(OLD, envelope=OLD).to(ADA), Direction.INBOUND),
    ("a client by a bounce address", a_message().from_(JORDAN, envelope="b@lists.example").to(ADA), Direction.INBOUND),
    ("a client with null path", a_message().from_(JORDAN).sent_from(None).to(ADA), Direction.INBOUND),
    ("a client to a client", a_message().from_(JORDAN, envelope=JORDAN).to(MINA), Direction.INBOUND),
    ("a client in MAIL FROM alone", a_message().from_(OUTSIDER, envelope=JORDAN).to(ADA), Direction.INBOUND),
    ("a client in From, ours in MAIL FROM", a_message().from_(JORDAN, envelope=ADA).to(LUC), Direction.INTERNAL),
    ("a client in From, ours in Sender",
     a_message().from_(JORDAN, envelope=OUTSIDER).header("Sender", ADA).to(MINA), Direction.OUTBOUND),
    ("a client in From, a login of ours",
     a_message().from_(JORDAN, envelope=JORDAN).to(MINA).login("aokafor"), Direction.OUTBOUND),
    ("a private mailbox to a client", a_message().from_(ADA_HOME, envelope=ADA_HOME), Direction.OUTBOUND),
    ("a private mailbox to a colleague", a_message().from_(ADA_HOME, envelope=ADA_HOME).to(LUC), Direction.INTERNAL),
    ("an outsider to a client", a_message().from_(OUTSIDER, envelope=OUTSIDER), Direction.OUTBOUND),
    ("an outsider to a worker", a_message().from_(OUTSIDER, envelope=OUTSIDER).to(ADA), Direction.INTERNAL),
    ("a From that can't be read", a_message().from_("<<x>>", envelope=ADA), Direction.OUTBOUND),
    ("our automatic answer", a_message().sent_from(None), Direction.OUTBOUND),
]  # fmt: skip


@pytest.mark.parametrize(
    ("builder", "direction"), [case[1:] for case in DIRECTIONS], ids=[case[0] for case in DIRECTIONS]
)
def test_the_direction_follows_from_writers_and_envelope(builder: MessageBuilder, direction: Direction) -> None:
    assert parties_of(builder).direction is direction


def test_recipients_come_from_the_envelope_and_know_the_fields_that_show_them() -> None:
    parties = parties_of(a_message().to(JORDAN).cc(LUC).rcpt(JORDAN.upper(), LUC, NORA))
    sources = {party.address: party.sources for party in parties.recipients}
    assert sources == {JORDAN: ("envelope", "To"), LUC: ("envelope", "Cc"), NORA: ("envelope",)}
    assert parties.visible == ()


def test_whoever_only_the_header_shows_is_visible() -> None:
    builder = a_message().to(JORDAN).cc(MINA).rcpt(JORDAN).header("reply-to", LUC).header("Resent-To", MINA)
    found = {party.address: party.sources for party in parties_of(builder).visible}
    assert found == {MINA: ("Cc", "Resent-To"), LUC: ("Reply-To",)}


def test_the_same_recipient_twice_is_one_party() -> None:
    assert len(parties_of(a_message().rcpt(JORDAN, "Jordan.Reyes@MAIL.example")).recipients) == 1


def test_files_and_language_are_those_of_the_clients() -> None:
    parties = parties_of(a_message().to(MINA, JORDAN))
    assert (parties.client_files, parties.language) == (("C-1042", "C-1043"), "fr")
    inbound = parties_of(a_message().from_(MINA, envelope=MINA).to(ADA))
    assert (inbound.client_files, inbound.language, inbound.worker) == (("C-1043",), "fr", None)
    internal = parties_of(a_message().from_(LUC, envelope=LUC).to(ADA))
    assert (internal.client_files, internal.language) == ((), "fr")


def test_the_familys_address_concerns_each_of_its_files() -> None:
    child = Client(file="C-0001", name="Lee Reyes", addresses=(JORDAN,))
    assert parties_of(a_message(), child).client_files == ("C-0001", "C-1042")


@pytest.mark.parametrize(
    ("builder", "worker_id"),
    [
        (a_message().login("ltremblay"), "w-tremblay"),
        (a_message().from_(NORA, envelope=LUC), "w-singh"),
        (a_message().from_(OUTSIDER, envelope=LUC), "w-tremblay"),
        (a_message().from_(ADA_HOME, envelope=OUTSIDER), "s-okafor"),
        (a_message().login("nobody").from_("desk@agency.example", envelope="desk@agency.example"), None),
        (a_message().from_(OUTSIDER, envelope=OUTSIDER), None),
    ],
)
def test_the_one_who_answers_is_login_then_from_then_mail_from(builder: MessageBuilder, worker_id: str | None) -> None:
    worker = parties_of(builder).worker
    assert (worker.id if worker else None) == worker_id
