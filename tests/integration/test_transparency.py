"""A conversation with Postfix, and the same one with the gateway in front of that Postfix: what is heard is the same.

Different are the banner, the name in the answer to EHLO, what only neighbours are offered (XCLIENT, XFORWARD),
CHUNKING, and in the message the gateway's Received field. Queue ids differ as they do from message to message.
"""

from __future__ import annotations

import base64
import re
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integration.gateway_process import GatewayProcess
from tests.integration.milter_postfix import postfix_with_milter
from tests.integration.servers import SinkServer, Speaker, Taken

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

LOGIN = base64.b64encode(b"\0aokafor\0secret").decode()
WRONG = base64.b64encode(b"\0aokafor\0wrong").decode()
HEADER = "From: desk@library.example\r\nMessage-ID: <t1@library.example>\r\nDate: Mon, 02 Nov 2026 10:00:00 -0500\r\n"
TEXT = f"{HEADER}Subject: Room\r\n\r\nThe room is free.\r\n..\r\n."
TEXT_8BIT = TEXT.replace("The room is free.", "La salle est libre à midi.")
A, B = "desk@library.example", "rooms@college.example"
CASES = {
    "dsn": [
        f"MAIL FROM:<{A}> RET=HDRS ENVID=QQ314159",
        f"RCPT TO:<{B}> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;{B}",
        "DATA",
        TEXT,
    ],
    "size": [f"MAIL FROM:<{A}> SIZE=99999999", f"MAIL FROM:<{A}> SIZE=2000", f"RCPT TO:<{B}>", "DATA", TEXT],
    "8bitmime": [f"MAIL FROM:<{A}> BODY=8BITMIME", f"RCPT TO:<{B}>", "DATA", TEXT_8BIT],
    "smtputf8": [f"MAIL FROM:<{A}> SMTPUTF8", "RCPT TO:<désirée@college.example>", "DATA", TEXT_8BIT],
    "chunking is not offered": [f"MAIL FROM:<{A}>", f"RCPT TO:<{B}>", "RSET"],
    "auth is passed on": [f"AUTH PLAIN {LOGIN}", f"MAIL FROM:<{A}> AUTH=<>", f"RCPT TO:<{B}>", "DATA", TEXT],
    "auth with a challenge": ["AUTH PLAIN", LOGIN, f"MAIL FROM:<{A}>", "RSET"],
    "auth is refused": [f"AUTH PLAIN {WRONG}", f"MAIL FROM:<{A}>", "RSET"],
    "multi-line replies and refused recipients": [
        f"MAIL FROM:<{A}>",
        "RCPT TO:<nobody@college.example>",
        f"RCPT TO:<{B}>",
        "RCPT TO:<later@college.example>",
        "DATA",
        TEXT,
    ],
    "every recipient refused": [f"MAIL FROM:<{A}>", "RCPT TO:<nobody@college.example>", "DATA", "RSET"],
    "null sender": ["MAIL FROM:<>", f"RCPT TO:<{B}>", "DATA", TEXT],
    "vrfy": [f"VRFY {B}", "VRFY nobody@college.example"],
    "unknown commands": ["FROB", "XFROB x", "NOOP", "NOOP again", "RSET"],
    "two messages": [*(f"MAIL FROM:<{A}>", f"RCPT TO:<{B}>", "DATA", TEXT) * 2],
}


class SaslServer(socketserver.ThreadingTCPServer):
    """Answers Postfix as Dovecot's authentication service does; one password is right."""

    allow_reuse_address = True
    daemon_threads = True

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            hello = ["VERSION\t1\t1", "MECH\tPLAIN\tplaintext", "SPID\t1", "CUID\t1", f"COOKIE\t{'0' * 32}", "DONE"]
            self.wfile.write("".join(f"{line}\n" for line in hello).encode())
            waiting = ""
            for raw in self.rfile:
                words = raw.decode().rstrip("\n").split("\t")
                if words[0] not in {"AUTH", "CONT"}:
                    continue
                given = [word[5:] for word in words if word.startswith("resp=")] if words[0] == "AUTH" else words[2:3]
                if not given:
                    waiting = words[1]
                    self.wfile.write(f"CONT\t{waiting}\t\n".encode())
                    continue
                right = given[0] == LOGIN
                self.wfile.write((f"OK\t{words[1]}\tuser=aokafor\n" if right else f"FAIL\t{words[1]}\n").encode())

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.Session)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@dataclass(frozen=True)
class Both:
    """The same Postfix by two ways, and what it delivers."""

    direct_port: int
    door_port: int
    sink: SinkServer


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("transparency")
    refusals = "{nobody@college.example=550 5.1.1 no such mailbox}, {later@college.example=450 4.2.1 come again}"
    with SinkServer() as sink, SaslServer() as sasl:
        parameters = (
            "smtpd_sasl_auth_enable=yes",
            "smtpd_sasl_type=dovecot",
            f"smtpd_sasl_path=inet:127.0.0.1:{sasl.server_address[1]}",
            f"smtpd_recipient_restrictions=check_recipient_access inline:{{{refusals}}}, permit_mynetworks, reject",
            r"smtpd_reject_footer_maps=regexp:{{/5\.1\.1/ \c. See https://college.example/mail\nAsk the desk}}",
            "smtpd_error_sleep_time=0",
        )
        with (
            postfix_with_milter(folder / "pf", milter="", sink_port=sink.port, extra=parameters) as postfix,
            GatewayProcess(folder / "gw", next_hop_port=postfix.front_port, smtp_yaml=", passes_auth: true") as gateway,
        ):
            yield Both(postfix.front_port, gateway.smtp_port, sink)


def heard(port: int, lines: list[str]) -> list[str]:
    """Every reply from EHLO to QUIT, without queue ids."""
    with Speaker(port) as client:
        answers = [
            client.ask("EHLO client.example"),
            *(client.ask(line.encode()) for line in lines),
            client.ask("QUIT"),
        ]
    return [re.sub(r"queued as \w+", "queued as ID", answer) for answer in answers]


def keywords(answer: str) -> set[str]:
    return {line[4:] for line in answer.splitlines()[1:]}


def without_trace(taken: Taken) -> tuple[object, ...]:
    content = re.sub(rb"(?m)^Received:[^\n]*\n([ \t][^\n]*\n)*", b"", taken.content)
    parameters = [parameter for parameter in taken.mail_parameters if not parameter.startswith("SIZE=")]
    return taken.mail_from, parameters, taken.recipients, content


@pytest.mark.parametrize("case", CASES)
def test_the_gateway_is_heard_as_the_next_hop_is(both: Both, case: str) -> None:
    lines = CASES[case]
    sent = sum(line.startswith("From:") for line in lines)
    told, arrived = [], []
    for port in (both.direct_port, both.door_port):
        both.sink.messages.clear()
        told.append(heard(port, lines))
        arrived.append(list(both.sink.wait_for(sent)) if sent else [])
    direct, door = told
    neighbours = {
        word for word in keywords(direct[0]) | keywords(door[0]) if word.split()[0] in {"XCLIENT", "XFORWARD"}
    }
    assert keywords(direct[0]) - neighbours - {"CHUNKING"} == keywords(door[0]) - neighbours
    assert "CHUNKING" in keywords(direct[0])
    assert door[1:] == direct[1:]
    assert [without_trace(each) for each in arrived[1]] == [without_trace(each) for each in arrived[0]]
    for one, other in zip(*arrived, strict=True):
        assert other.content.count(b"\nReceived:") + other.content.startswith(b"Received:") == 1 + (
            one.content.count(b"\nReceived:") + one.content.startswith(b"Received:")
        )


def test_the_banner_names_the_gateway(both: Both) -> None:
    with Speaker(both.direct_port) as direct, Speaker(both.door_port) as door:
        assert direct.greeting == "220 mail.agency.example ESMTP Postfix"
        assert door.greeting == "220 gateway.agency.example ESMTP Practicum Gateway"
