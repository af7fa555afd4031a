"""The whole way of a message through a real Postfix: smtpd → gateway → smtpd of the same Postfix → delivery."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from tests.integration.differences import HEADINGS, assert_differs_only_by_the_plan
from tests.integration.gateway_process import GatewayProcess
from tests.integration.mixed_mail import ADA, JORDAN, LUC, Fate, MixedMail, mixed_mail, plain_appointment
from tests.integration.servers import PostfixInstance, SinkServer, Speaker, postfix_pair
from tests.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


class House:
    """A gateway between the two halves of a Postfix, and the server that gets the mail."""

    def __init__(self, gateway: GatewayProcess, postfix: PostfixInstance, sink: SinkServer) -> None:
        self.gateway, self.postfix, self.sink = gateway, postfix, sink

    def send(self, mail: MixedMail) -> str:
        with Speaker(self.postfix.front_port, timeout_s=60) as client:
            return client.mail(mail.mail_from, mail.recipients, mail.content)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    back_port = free_port()
    with (
        SinkServer() as sink,
        GatewayProcess(tmp_path / "gw", next_hop_port=back_port, extra_yaml="letters: {interval_s: 0.3}\n") as gateway,
        postfix_pair(
            tmp_path / "pf", gateway_port=gateway.smtp_port, sink_port=sink.port, back_port=back_port
        ) as postfix,
    ):
        yield House(gateway, postfix, sink)


def test_200_mixed_messages_are_each_delivered_held_or_returned_as_expected(house: House) -> None:
    mails = mixed_mail(200)
    answers = {mail.message_id: house.send(mail) for mail in mails}
    expected = {Fate.NOTICED: "250", Fate.UNTOUCHED: "250", Fate.HELD: "250", Fate.RETURNED: "550"}
    wrong = [
        (mail.number, mail.kind, answers[mail.message_id])
        for mail in mails
        if not answers[mail.message_id].startswith(expected[mail.fate])
        or ("held for review" in answers[mail.message_id]) != (mail.fate is Fate.HELD)
    ]
    assert wrong == []
    to_arrive = [mail for mail in mails if mail.fate in {Fate.NOTICED, Fate.UNTOUCHED}]
    held = [mail for mail in mails if mail.fate is Fate.HELD]
    house.sink.wait_for(len(to_arrive) + 2 * len(held), 90)
    arrived = {_message_id(taken.content): taken for taken in house.sink.messages if taken.mail_from}
    assert sorted(arrived) == sorted(mail.message_id for mail in to_arrive)
    for mail in to_arrive:
        assert_differs_only_by_the_plan(mail, arrived[mail.message_id], has_our_trace=True)
    letters = Counter(address for taken in house.sink.messages if not taken.mail_from for address in taken.addresses)
    assert letters == {ADA: len(held), LUC: len(held)}
    assert len(house.gateway.json_lines("held", "list")) == len(held)
    filed = house.gateway.json_lines("archive", "list", "--client", "C-1042")
    sent = [entry for entry in filed if not str(entry["state"]).startswith(("held", "not"))]
    assert len(sent) == sum(mail.client_file == "C-1042" for mail in to_arrive)
    assert {entry["direction"] for entry in sent} == {"outbound", "inbound"}


def test_a_held_message_is_released_by_the_supervisor_and_filed(house: House) -> None:
    mail = next(mail for mail in mixed_mail(20) if mail.kind == "medication")
    reference = house.send(mail).partition("ref=")[2].split()[0]
    house.sink.wait_for(2)
    refused = house.gateway.command(
        "held", "release", reference, "--by", "s-okafor", "--reason", "it is fine", check=False
    )
    assert refused.returncode != 0
    assert "own" in refused.stderr
    house.gateway.command("held", "release", reference, "--by", "w-tremblay", "--reason", "agreed with the client")
    house.sink.wait_for(4)
    released = next(taken for taken in house.sink.messages if taken.mail_from)
    assert released.addresses == (JORDAN,)
    assert released.mail_from == ADA
    assert HEADINGS[0] in message_from_bytes(released.content, policy=default).get_content()
    entry = next(e for e in house.gateway.json_lines("archive", "list", "--client", "C-1042"))
    assert entry["state"] == "released"
    again = house.gateway.command("held", "release", reference, "--by", "w-tremblay", "--reason", "again", check=False)
    assert again.returncode != 0
    shown = house.gateway.command("held", "show", reference).stdout
    assert "agreed with the client" in shown
    assert "w-tremblay" in shown


def test_a_held_message_is_returned_with_the_reviewers_reason(house: House) -> None:
    mail = next(mail for mail in mixed_mail(20) if mail.kind == "medication")
    reference = house.send(mail).partition("ref=")[2].split()[0]
    house.sink.wait_for(2)
    house.gateway.command(
        "held", "return", reference, "--by", "Luc Tremblay", "--reason", "please talk about it instead"
    )
    house.sink.wait_for(3)
    letter = house.sink.messages[-1]
    message = message_from_bytes(letter.content, policy=default)
    assert letter.mail_from == ""
    assert letter.addresses == (ADA,)
    assert message["Auto-Submitted"]
    text = " ".join(message.get_content().split())
    assert "please talk about it instead" in text
    assert "sertraline" not in letter.content.decode("utf-8", "replace")
    assert not [taken for taken in house.sink.messages if taken.mail_from]


def test_people_are_read_anew_on_sighup_and_a_bad_file_changes_nothing(house: House) -> None:
    import random

    people = house.gateway.folder / "people.yaml"
    good = people.read_text()
    people.write_text(good.replace("role: student", "role: wizard"))
    house.gateway.hang_up()
    _wait_for_log(house, "reload refused")
    assert house.send(plain_appointment(1, random.Random(1))).startswith("250")
    people.write_text(good.replace("addresses: [jordan.reyes@mail.example]", "addresses: [jordan.new@mail.example]"))
    house.gateway.hang_up()
    _wait_for_log(house, '"reloaded"')
    mail = plain_appointment(2, random.Random(2))
    assert house.send(mail).startswith("250")
    house.sink.wait_for(2)
    second = next(taken for taken in house.sink.messages if _message_id(taken.content) == mail.message_id)
    assert HEADINGS[0].encode() not in second.content


def _wait_for_log(house: House, words: str) -> None:
    from tests.integration.servers import wait_until

    wait_until(lambda: words in house.gateway.log(), 20, words)


def _message_id(content: bytes) -> str:
    found = re.search(rb"(?im)^message-id:\s*(<[^>]+>)", content)
    assert found is not None
    return found[1].decode()
