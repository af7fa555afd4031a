"""Recipient rules, each with what fires it, what passes, and what nearly does."""

import pytest

from gateway.content.finding import Finding
from gateway.people.classify import classify
from gateway.people.model import Client
from gateway.policy.recipients import recipient_findings
from tests.builders import ADA, ADA_HOME, JORDAN, LUC, MINA, OLD, OUTSIDER, MessageBuilder, a_directory, a_message

RELAYS = frozenset({"reply.network.example"})
RELAY_ADDRESSES = frozenset({"*noreply@social.example", "dm-*@social.example", "hit-reply@social.example"})
CHILD = Client(file="C-1042B", name="Lee Reyes", addresses=("lee.reyes@mail.example", JORDAN))
HOME = "nora.home@gmail.example"


def findings_of(builder: MessageBuilder, *clients: Client) -> tuple[Finding, ...]:
    directory, message = a_directory(*clients), builder.message()
    parties = classify(builder.envelope(), message, builder.session(), directory)
    return recipient_findings(
        message=message, parties=parties, directory=directory, relay_domains=RELAYS, relay_addresses=RELAY_ADDRESSES
    )


def facts_of(builder: MessageBuilder, *clients: Client) -> list[tuple[str, str, str]]:
    return [(found.matter.value, found.where, found.reason) for found in findings_of(builder, *clients)]


INBOUND = a_message().from_(JORDAN, envelope=JORDAN).to(ADA)
PASSES = {
    "one client": a_message(),
    "a client and the supervisor": a_message().cc(LUC),
    "two clients, one of them unseen": a_message().to(JORDAN).rcpt(JORDAN, MINA),
    "another client left in Bcc": a_message().header("Bcc", MINA).rcpt(JORDAN, MINA),
    "two clients in Bcc only": a_message().without("To").header("Bcc", f"{JORDAN}, {MINA}").rcpt(JORDAN, MINA),
    "two clients in Resent-Bcc only": a_message().to(LUC).header("Resent-Bcc", f"{JORDAN}, {MINA}").rcpt(JORDAN),
    "answers to one's own mailbox, which is another fact": a_message().header("Reply-To", ADA_HOME),
    "a family that shares a file": a_message().to("lee.reyes@mail.example", JORDAN),
    "one client twice": a_message().to(JORDAN).cc("Jordan.Reyes+x@mail.example"),
    "an outsider": a_message().to(OUTSIDER),
    "an outsider beside a client": a_message().cc(OUTSIDER),
    "one's own private mailbox, nothing of clients": a_message().to(ADA_HOME),
    "one's own private mailbox and a colleague": a_message().to(ADA_HOME, LUC),
    "a mailbox of the network's staff": a_message().to("press@network.example"),
    "the press desk at a domain with single relay addresses": a_message().to("press@social.example"),
    "a name that only begins like a relay's": a_message().to("hit-reply-desk@social.example"),
    "a relay's name below its domain": a_message().to("hit-reply@mail.social.example"),
    "a domain that only ends alike": a_message().to("x@notreply.network.example"),
    "another person of a like name": a_message().to("jordan.raymond@mail.example"),
    "a client's like address among colleagues": a_message().to("jordan.reyes@agency.example"),
    "a client to a worker": INBOUND,
    "a client who quotes the work address": INBOUND.saying(f"> From: Ada <{ADA}>\nThanks"),
    "a client who copies another": INBOUND.cc(MINA),
}


@pytest.mark.parametrize("builder", PASSES.values(), ids=PASSES.keys())
def test_what_is_in_order_gives_no_finding(builder: MessageBuilder) -> None:
    assert facts_of(builder, CHILD) == []


COPY, RELAY, LIKE = "self_copy_personal", "social_relay_recipient", "recipient_resembles_client"
VIEW, PRIVATE = "clients_visible_to_each_other", "client_used_personal_address"
FIRES = [
    ("Cc to one's own mailbox", a_message().cc(ADA_HOME), [(COPY, "header:Cc", "self_copy.own")]),
    ("Cc to one's own mailbox that the envelope lacks", a_message().cc(ADA_HOME).rcpt(JORDAN),
     [(COPY, "header:Cc", "self_copy.own")]),
    ("Bcc to one's own mailbox", a_message().rcpt(JORDAN, ADA_HOME), [(COPY, "envelope", "self_copy.own")]),
    ("with a tag", a_message().rcpt(JORDAN, "ada.okafor+c@gmail.example"), [(COPY, "envelope", "self_copy.own")]),
    ("a colleague's mailbox", a_message().from_(LUC, envelope=LUC).cc(ADA_HOME),
     [(COPY, "header:Cc", "self_copy.colleague")]),
    ("a copy that travels alone", a_message().to(JORDAN).rcpt(ADA_HOME), [(COPY, "envelope", "self_copy.own")]),
    ("a client's mail sent home", a_message().to(ADA_HOME).saying(f"On Monday {JORDAN} wrote:\n> I am sad"),
     [(COPY, "header:To", "self_copy.forwarded")]),
    ("a network's reply address", a_message().to("m-1@reply.network.example"),
     [(RELAY, "header:To", "relay.social_network")]),
    ("below a network's domain", a_message().rcpt(JORDAN, "m-1@eu.Reply.Network.example"),
     [(RELAY, "envelope", "relay.social_network")]),
    ("a single relay address", a_message().to("Hit-Reply+a1@Social.example"),
     [(RELAY, "header:To", "relay.social_network")]),
    ("a relay address that begins with anything", a_message().to("messages-noreply@social.example"),
     [(RELAY, "header:To", "relay.social_network")]),
    ("a relay address that ends with anything", a_message().to("dm-123=a@social.example"),
     [(RELAY, "header:To", "relay.social_network")]),
    ("a slip in the domain", a_message().to("jordan.reyes@mial.example"),
     [(LIKE, "header:To", "recipient.look_alike")]),
    ("a slip beside a client", a_message().to(MINA, "jordan.reyse@mail.example"),
     [(LIKE, "header:To", "recipient.look_alike")]),
    ("full-width letters", a_message().to(LUC).rcpt("jordan.reyes@\uff4dail.example"),
     [(LIKE, "envelope", "recipient.look_alike")]),
    ("two clients in To", a_message().to(JORDAN, MINA), [(VIEW, "header:To", "recipient.clients_in_view")]),
    ("a past client in Cc", a_message().cc(OLD), [(VIEW, "header:Cc", "recipient.clients_in_view")]),
    ("two clients whose copies travel apart", a_message().to(JORDAN, MINA).rcpt(JORDAN),
     [(VIEW, "header:To", "recipient.clients_in_view")]),
    ("another client in Reply-To", a_message().header("Reply-To", MINA),
     [(VIEW, "header:Reply-To", "recipient.clients_in_view")]),
    ("another client in Bcc and in Cc", a_message().cc(MINA).header("Bcc", MINA),
     [(VIEW, "header:Cc", "recipient.clients_in_view")]),
    ("a family and a stranger", a_message().to("lee.reyes@mail.example", JORDAN, MINA),
     [(VIEW, "header:To", "recipient.clients_in_view")]),
    ("a client copies a private mailbox", INBOUND.cc(ADA_HOME), [(PRIVATE, "header:Cc", "inbound.personal_address")]),
    ("a client names a private mailbox", INBOUND.saying(f"I wrote to {ADA_HOME} first."),
     [(PRIVATE, "body", "inbound.personal_address")]),
]  # fmt: skip


@pytest.mark.parametrize(("builder", "facts"), [case[1:] for case in FIRES], ids=[case[0] for case in FIRES])
def test_what_is_not_in_order_gives_its_finding_and_no_other(
    builder: MessageBuilder, facts: list[tuple[str, str, str]]
) -> None:
    assert facts_of(builder, CHILD) == facts


def test_a_private_mailbox_in_quoted_text_has_its_place() -> None:
    text = f"Thank you.\n\nOn Monday, Ada <{ADA_HOME}> wrote:\n> See you"
    (found,) = findings_of(INBOUND.saying(text))
    message = INBOUND.saying(text).message()
    body = next(entry.text for entry in message.texts if entry.where == "body")
    assert body[found.start : found.end] == ADA_HOME
    assert found.is_quoted


def test_a_look_alike_names_the_file_of_the_client_it_is_like() -> None:
    (found,) = findings_of(a_message().to("jordan.reyes@mial.example"))
    assert found.client_file == "C-1042"


def test_no_explanation_holds_an_address() -> None:
    for _, builder, _ in FIRES:
        assert all("@" not in found.explanation and found.explanation for found in findings_of(builder, CHILD))


def test_very_many_clients_in_view_are_a_finding_and_no_long_wait() -> None:
    many = [Client(file=f"D-{n}", name=f"Name {n}", addresses=(f"reader{n:05d}@other.example",)) for n in range(300)]
    builder = a_message().to(*(client.addresses[0] for client in many))
    assert [found.matter.value for found in findings_of(builder, *many)] == [VIEW]
