"""Private mailboxes in the text of outbound mail: only the directory's, only where the writer's own words stand."""

import pytest

from gateway.content.finding import About, Finding, Matter
from gateway.people.classify import classify
from gateway.policy.facts_personal import personal_address_findings
from tests.builders import ADA, ADA_HOME, JORDAN, LUC, OUTSIDER, MessageBuilder, a_directory, a_message


def findings_of(builder: MessageBuilder) -> tuple[Finding, ...]:
    directory, message = a_directory(), builder.message()
    parties = classify(builder.envelope(), message, builder.session(), directory)
    return personal_address_findings(message, parties, directory)


@pytest.mark.parametrize(
    "builder",
    [
        a_message().saying(f"Write to {ADA_HOME}."),
        a_message().saying(f"See you.\n\n-- \nAda\n{ADA_HOME.upper()}"),
        a_message().saying("Write to <ada.okafor+clients@gmail.example>"),
        a_message().subject(f"New: {ADA_HOME}"),
        a_message().showing(f"<p>Hello, write to {ADA_HOME}</p>"),
        a_message().showing(f"<p>Hello, <a href='MAILTO:{ADA_HOME}?subject=x'>write to me</a></p>"),
        a_message().showing("<p>Hello, <a href='mailto:ada%2Eokafor%40gmail.example'>write to me</a></p>"),
    ],
    ids=[
        "new text",
        "signature in capitals",
        "with a tag",
        "subject",
        "markup",
        "behind a link",
        "behind an escaped link",
    ],
)
def test_the_senders_own_private_mailbox_is_found(builder: MessageBuilder) -> None:
    (found,) = findings_of(builder)
    assert (found.matter, found.reason, found.about) == (Matter.PERSONAL_CONTACT, "personal.mailbox", About.SENDER)


def test_the_finding_has_its_place_and_keeps_the_address_out_of_its_words() -> None:
    builder = a_message().saying(f"Write to {ADA_HOME}.")
    (found,) = findings_of(builder)
    body = next(entry.text for entry in builder.message().texts if entry.where == "body")
    assert body[found.start : found.end] == ADA_HOME
    assert "@" not in repr(found)


def test_a_colleagues_private_mailbox_is_about_the_colleague() -> None:
    (found,) = findings_of(a_message().from_(LUC, envelope=LUC).saying(f"Ask {ADA_HOME}"))
    assert found.about is About.COLLEAGUE


@pytest.mark.parametrize(
    "builder",
    [
        a_message().showing(f"<p><a href='https://agency.example/?to={ADA_HOME}'>our page</a></p>"),
        a_message().saying(f"Write to {ADA}."),
        a_message().saying(f"Write to {OUTSIDER}."),
        a_message().saying(f"Thursday.\n\nOn Monday, Jordan <{JORDAN}> wrote:\n> I wrote to {ADA_HOME}"),
        a_message().to(OUTSIDER).saying(f"Write to {ADA_HOME}."),
        a_message().to(LUC).saying(f"Write to {ADA_HOME}."),
        a_message().from_(JORDAN, envelope=JORDAN).to(ADA).saying(f"I wrote to {ADA_HOME}."),
    ],
    ids=["page", "work address", "a stranger's", "quoted", "to an outsider", "to a colleague", "from a client"],
)
def test_other_addresses_places_and_readers_are_left_alone(builder: MessageBuilder) -> None:
    assert findings_of(builder) == ()
