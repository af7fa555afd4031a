"""Who may send through the gateway, and as whom: the serving gateway with a next hop, by raw SMTP.

What the door answers to each command of a stranger stands in tests/protocol/transcripts/untrusted_client.txt; here:
nothing of a stranger's reaches the next hop or the store, whatever the order, and a login decides identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integration.gateway_process import GatewayProcess
from tests.integration.mixed_mail import ADA, JORDAN, LUC
from tests.integration.servers import SinkServer, Speaker
from tests.integration.stranger import Stranger, trust_one_host

pytestmark = pytest.mark.integration

MAIL, RCPT = f"MAIL FROM:<{ADA}>", f"RCPT TO:<{JORDAN}>"
LETTER = f"From: {ADA}\r\nTo: {JORDAN}\r\nSubject: Thursday\r\n\r\nSee you at ten.\r\n".encode()
ORDERS = {
    "as usual": ("EHLO a.example", MAIL, RCPT, "DATA"),
    "helo": ("HELO a.example", MAIL, RCPT, "DATA"),
    "without hello": (MAIL, RCPT, "DATA"),
    "recipient first": ("EHLO a.example", RCPT, MAIL, RCPT, "DATA"),
    "data at once": ("EHLO a.example", "DATA"),
    "null path": ("EHLO a.example", "MAIL FROM:<>", RCPT, "DATA"),
    "to a colleague": ("EHLO a.example", MAIL, f"RCPT TO:<{LUC}>", "DATA"),
    "once more after reset": ("EHLO a.example", MAIL, "RSET", MAIL, RCPT, "DATA"),
    "hello twice": ("EHLO a.example", "EHLO a.example", MAIL, RCPT, "DATA"),
    "as the trusted host": ("EHLO a.example", "XCLIENT ADDR=127.0.0.1", "EHLO a.example", MAIL, RCPT, "DATA"),
    "with a login": ("EHLO a.example", "XCLIENT LOGIN=aokafor", "EHLO a.example", MAIL, RCPT, "DATA"),
    "xclient first": ("XCLIENT ADDR=127.0.0.1 LOGIN=aokafor", "EHLO a.example", MAIL, RCPT, "DATA"),
    "xforward": ("EHLO a.example", "XFORWARD ADDR=127.0.0.1", MAIL, RCPT, "DATA"),
    "auth": ("EHLO a.example", "AUTH PLAIN AGFva2Fmb3IAc2VjcmV0", MAIL, RCPT, "DATA"),
    "auth at mail": ("EHLO a.example", f"{MAIL} AUTH=<{ADA}>", RCPT, "DATA"),
    "bdat": ("EHLO a.example", MAIL, RCPT, "BDAT 0 LAST"),
    "source route": ("EHLO a.example", f"MAIL FROM:<@127.0.0.1:{ADA}>", f"RCPT TO:<@127.0.0.1:{JORDAN}>", "DATA"),
}  # fmt: skip


@dataclass(frozen=True)
class House:
    gateway: GatewayProcess
    sink: SinkServer

    def arrivals(self) -> list[str]:
        """What of a transaction the next hop has heard, and what the archive has filed."""
        heard = [line for line in self.sink.commands if line.upper().startswith(("MAIL", "RCPT", "DATA"))]
        return [*heard, *map(str, self.gateway.json_lines("archive", "list", "--client", "C-1042"))]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("rights")
    with SinkServer() as sink:
        gateway = GatewayProcess(folder, next_hop_port=sink.port)
        trust_one_host(gateway)
        with gateway:
            yield House(gateway, sink)


def test_a_stranger_relays_nothing_in_any_order_of_commands(house: House) -> None:
    before = house.arrivals()
    said = {name: replies_to(house, commands) for name, commands in ORDERS.items()}
    for name, commands in ORDERS.items():
        answers = dict(zip(commands, said[name], strict=True))
        accepted = [
            (command, answer)
            for command, answer in answers.items()
            if command.startswith(("MAIL", "RCPT", "DATA", "BDAT", "XCLIENT", "XFORWARD", "AUTH")) and answer[:1] != "5"
        ]
        assert accepted == [], name
    assert any("550 5.7.1" in reply for reply in said["as usual"])
    assert house.arrivals() == before


def replies_to(house: House, commands: tuple[str, ...]) -> list[str]:
    with Stranger(house.gateway.smtp_port) as client:
        return [client.ask(command) for command in commands]


def test_a_stranger_who_sends_all_at_once_relays_nothing(house: House) -> None:
    commands = f"EHLO a.example\r\n{MAIL}\r\n{RCPT}\r\nDATA".encode()
    before = house.arrivals()
    with Stranger(house.gateway.smtp_port) as client:
        client.send(commands + b"\r\n" + LETTER + b".\r\nQUIT\r\n")
        replies = []
        while reply := client.read():
            replies.append(reply[:3])
    assert replies[:4] == ["250", "550", "503", "503"]
    assert "354" not in replies
    assert replies[1:].count("250") == 0
    assert house.arrivals() == before


def test_a_stranger_is_offered_neither_xclient_nor_xforward(house: House) -> None:
    with Stranger(house.gateway.smtp_port) as client:
        assert "XCLIENT" not in (offer := client.ask("EHLO a.example"))
        assert "XFORWARD" not in offer
    with Speaker(house.gateway.smtp_port) as client:
        assert "XCLIENT" in client.ask("EHLO a.example")


def test_a_login_with_its_own_address_is_delivered(house: House) -> None:
    assert mail(house, "XCLIENT LOGIN=aokafor", ADA).startswith("250 ")


def test_a_login_with_the_address_of_another_is_returned_by_a_sender_rule(house: House) -> None:
    before = len(house.sink.messages)
    answer = mail(house, "XCLIENT LOGIN=aokafor", LUC)
    assert answer.startswith("550 5.7.1 ")
    assert "sender." in answer
    assert "@" not in answer
    assert len(house.sink.messages) == before


def test_a_login_that_nobody_owns_does_not_speak_for_a_worker(house: House) -> None:
    assert mail(house, "XCLIENT LOGIN=nobody-we-know", ADA).startswith("550 5.7.1 ")


def test_a_login_counts_for_the_whole_session_and_for_no_other(house: House) -> None:
    with Speaker(house.gateway.smtp_port) as client:
        client.ask("EHLO a.example")
        assert client.ask("XCLIENT LOGIN=aokafor").startswith("220")
        assert client.mail(ADA, (JORDAN,), letter_of(ADA)).startswith("250")
        assert client.mail(LUC, (JORDAN,), letter_of(LUC)).startswith("550 5.7.1")
    with Speaker(house.gateway.smtp_port) as client:
        assert client.mail(LUC, (JORDAN,), letter_of(LUC)).startswith("250")


def test_a_trusted_client_that_tells_of_a_stranger_stays_trusted_itself(house: House) -> None:
    assert mail(house, "XCLIENT ADDR=127.0.0.2 NAME=[UNAVAILABLE] LOGIN=aokafor", ADA).startswith("250 ")


def mail(house: House, xclient: str, author: str) -> str:
    """The final reply to an appointment by the author to a client, after this XCLIENT."""
    with Speaker(house.gateway.smtp_port) as client:
        client.ask("EHLO a.example")
        assert client.ask(xclient).startswith("220")
        return client.mail(author, (JORDAN,), letter_of(author))


def letter_of(author: str) -> bytes:
    return LETTER.replace(ADA.encode(), author.encode())
