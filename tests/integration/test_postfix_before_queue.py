"""Debian's Postfix before and behind the door, as deploy/postfix/before-queue configures it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.doors import Recorder, RunningDoor, running_door
from tests.integration.servers import PostfixInstance, SinkServer, Speaker, postfix_pair
from tests.ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def sink() -> Iterator[SinkServer]:
    with SinkServer() as server:
        yield server


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture(scope="module")
def setting(
    sink: SinkServer, recorder: Recorder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[PostfixInstance, RunningDoor]]:
    folder: Path = tmp_path_factory.mktemp("postfix")
    back_port = free_port()
    with (
        running_door(recorder, next_hop_port=back_port) as door,
        postfix_pair(folder, gateway_port=door.port, sink_port=sink.port, back_port=back_port) as postfix,
    ):
        yield postfix, door


def message(number: int, body: bytes = b"Hello.\r\n") -> bytes:
    return (
        b"From: Ada Okafor <ada@agency.example>\r\nTo: jo@mail.example\r\nSubject: t\r\n"
        b"Date: Mon, 05 Oct 2026 10:00:00 -0400\r\nMessage-ID: <n%d@agency.example>\r\n\r\n" % number
    ) + body


def body_of(content: bytes) -> bytes:
    return content.partition(b"\r\n\r\n")[2]


BODIES = (
    b"Hello.\r\n",
    b".\r\n..\r\n.leading dots.\r\n",
    "Réunion jeudi à 15 h.\r\n".encode(),
    b"x" * 900 + b"\r\n",
    b"\r\n\r\n",
    b"line\r\n" * 50_000,
)


def test_every_message_comes_out_behind_postfix_with_its_body_as_it_was(
    setting: tuple[PostfixInstance, RunningDoor], sink: SinkServer
) -> None:
    postfix, _ = setting
    before = len(sink.messages)
    for number in range(30):
        with Speaker(postfix.front_port) as client:
            body = BODIES[number % len(BODIES)]
            answer = client.mail("ada@agency.example", ("jo@mail.example", "two@mail.example"), message(number, body))
        assert answer.startswith("250 2.0.0"), answer
    taken = sink.wait_for(before + 30)[before:]
    found = {re.search(rb"Message-ID: <n(\d+)@", one.content)[1]: one for one in taken}  # type: ignore[index]
    for number in range(30):
        one = found[b"%d" % number]
        assert body_of(one.content) == BODIES[number % len(BODIES)]
        assert one.addresses == ("jo@mail.example", "two@mail.example")


def test_several_messages_a_session_and_dsn_wishes_reach_the_far_end(
    setting: tuple[PostfixInstance, RunningDoor], sink: SinkServer
) -> None:
    postfix, _ = setting
    before = len(sink.messages)
    with Speaker(postfix.front_port) as client:
        client.ask("EHLO client.example")
        for number in (501, 502):
            assert client.ask("MAIL FROM:<ada@agency.example> RET=HDRS ENVID=QQ+2BabC BODY=8BITMIME").startswith("250")
            to = "RCPT TO:<jo@mail.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;Jo@Mail.example"
            assert client.ask(to).startswith("250")
            assert client.ask("DATA").startswith("354")
            client.send(message(number) + b".\r\n")
            assert client.read().startswith("250 2.0.0")
    for one in sink.wait_for(before + 2)[before:]:
        assert "RET=HDRS" in one.mail_parameters
        assert "ENVID=QQ+2BabC" in one.mail_parameters
        assert set(one.recipients[0][1]) == {"NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;Jo@Mail.example"}


def test_the_null_sender_passes(setting: tuple[PostfixInstance, RunningDoor], sink: SinkServer) -> None:
    postfix, _ = setting
    before = len(sink.messages)
    with Speaker(postfix.front_port) as client:
        assert client.mail("", ("ada@agency.example",), message(601)).startswith("250")
    assert sink.wait_for(before + 1)[before].mail_from == ""


def test_the_original_client_is_told_to_the_postfix_behind(
    setting: tuple[PostfixInstance, RunningDoor], recorder: Recorder
) -> None:
    postfix, _ = setting
    before = len(recorder.submissions)
    with Speaker(postfix.front_port) as client:
        client.mail("ada@agency.example", ("jo@mail.example",), message(701))
    facts = recorder.submissions[before].session
    assert (facts.client_ip, facts.helo, facts.protocol) == ("127.0.0.1", "client.example", "ESMTP")
    wanted = r"postfix/behind/smtpd\[\d+\]: [0-9A-F]+: client=localhost\[127\.0\.0\.1\], orig_client="
    assert re.search(wanted, postfix.log())


def test_a_postfix_behind_that_refuses_a_recipient_is_heard_by_the_client(
    setting: tuple[PostfixInstance, RunningDoor],
) -> None:
    _, door = setting
    with Speaker(door.port) as client:
        client.ask("EHLO client.example")
        client.ask("MAIL FROM:<ada@agency.example>")
        answer = client.ask("RCPT TO:<" + "x" * 300 + "@mail.example>")
        assert answer[:3] in {"501", "550", "553"}
        assert client.ask("DATA").startswith("554 5.5.1")


def test_with_the_door_closed_the_client_is_told_to_try_again(tmp_path: Path) -> None:
    with (
        SinkServer() as own_sink,
        postfix_pair(tmp_path / "p", gateway_port=free_port(), sink_port=own_sink.port) as postfix,
        Speaker(postfix.front_port) as client,
    ):
        client.ask("EHLO client.example")
        client.ask("MAIL FROM:<ada@agency.example>")
        answer = client.ask("RCPT TO:<jo@mail.example>")
        answers = (answer, client.ask("DATA"))
        assert any(one.startswith("451") for one in answers), answers
        assert own_sink.messages == []
        assert postfix.messages_queued() == 0
