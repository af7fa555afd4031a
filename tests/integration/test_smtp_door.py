"""The SMTP door where a transcript can't show it: TLS, several clients, drain, back-pressure, other loops."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvloop

from gateway.doors.smtp_settings import DoorTimeouts
from gateway.message.limits import Limits
from gateway.message.reply import Reply
from gateway.message.submission import Submission
from gateway.outbound.delivery import Delivery
from tests.integration.doors import Recorder, running_door
from tests.integration.servers import SinkServer, Speaker, wait_until

pytestmark = pytest.mark.integration

LOOPS = [asyncio.SelectorEventLoop, uvloop.Loop]
MESSAGE = b"From: ada@agency.example\r\nSubject: private-subject\r\n\r\nprivate-body\r\n"


@dataclass
class Gate:
    """A handle that waits until it is let through, then delivers."""

    entered: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)
    is_cancelled: bool = False

    async def __call__(self, submission: Submission, delivery: Delivery) -> Reply:
        self.entered.set()
        try:
            await asyncio.to_thread(self.opened.wait, 10)
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise
        return await delivery.deliver(submission.raw)


@pytest.fixture(scope="module")
def tls_context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    folder: Path = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=gateway.example", "-days", "2", "-nodes", "-newkey", "rsa:2048"]
    command = ["openssl", "req", "-x509", *subject, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def start_tls(client: Speaker) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    client.file.close()
    client.socket = context.wrap_socket(client.socket)
    client.file = client.socket.makefile("rb")


@pytest.mark.parametrize("loop", LOOPS)
def test_a_large_message_passes_under_tls_and_is_known_to_be_protected(
    tls_context: ssl.SSLContext, loop: type[asyncio.AbstractEventLoop]
) -> None:
    recorder = Recorder()
    content = MESSAGE + b"x" * 70 + b"\r\n" + b".y\r\n" * 1_000_000
    with (
        SinkServer() as sink,
        running_door(recorder, next_hop_port=sink.port, new_loop=loop, tls=tls_context) as door,
        Speaker(door.port) as client,
    ):
        assert "STARTTLS" in client.ask("EHLO client.example")
        assert client.ask("STARTTLS").startswith("220")
        start_tls(client)
        assert client.ask("MAIL FROM:<ada@agency.example>").startswith("503")
        assert "STARTTLS" not in client.ask("EHLO client.example")
        assert client.ask("STARTTLS").startswith("503")
        assert client.mail("ada@agency.example", ("jo@mail.example",), content).startswith("250")
        assert sink.messages[0].content == content
    facts = recorder.submissions[0].session
    assert (facts.is_tls, facts.protocol) == (True, "ESMTPS")


def test_nothing_that_came_in_the_clear_is_read_after_starttls(tls_context: ssl.SSLContext) -> None:
    with (
        SinkServer() as sink,
        running_door(Recorder(), next_hop_port=sink.port, tls=tls_context) as door,
        Speaker(door.port) as client,
    ):
        client.ask("EHLO client.example")
        client.send(b"STARTTLS\r\nXCLIENT LOGIN=aokafor\r\n")
        assert client.read().startswith("503")
        assert client.read() == ""


def test_a_failed_handshake_ends_that_session_only(tls_context: ssl.SSLContext) -> None:
    with (
        SinkServer() as sink,
        running_door(Recorder(), next_hop_port=sink.port, tls=tls_context) as door,
    ):
        with Speaker(door.port) as client:
            client.ask("EHLO client.example")
            client.ask("STARTTLS")
            client.send(b"EHLO in.the.clear\r\n" * 20)
            wait_until(lambda: door.door.open_sessions == 0, 10, "the end of the session")
        with Speaker(door.port) as client:
            assert client.mail("ada@agency.example", ("jo@mail.example",), MESSAGE).startswith("250")


@pytest.mark.parametrize("loop", LOOPS)
def test_a_handshake_that_stalls_gives_way_to_new_mail(
    tls_context: ssl.SSLContext, loop: type[asyncio.AbstractEventLoop]
) -> None:
    timeouts = DoorTimeouts(patience_s=0.1)
    with (
        SinkServer() as sink,
        running_door(
            Recorder(), next_hop_port=sink.port, new_loop=loop, tls=tls_context, max_connections=1, timeouts=timeouts
        ) as door,
        Speaker(door.port) as silent,
    ):
        silent.ask("EHLO client.example")
        assert silent.ask("STARTTLS").startswith("220")

        def is_let_in() -> bool:
            with Speaker(door.port) as newcomer:
                return newcomer.greeting.startswith("220") and newcomer.mail(
                    "ada@agency.example", ("jo@mail.example",), MESSAGE
                ).startswith("250")

        wait_until(is_let_in, 10, "room for new mail")
        assert silent.read() == ""
        wait_until(lambda: door.door.open_sessions == 0, 10, "the end of both sessions")


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("is_reset", [False, True])
def test_a_client_that_goes_away_after_its_message_cancels_nothing(
    loop: type[asyncio.AbstractEventLoop], is_reset: bool
) -> None:
    gate = Gate()
    with SinkServer() as sink, running_door(gate, next_hop_port=sink.port, new_loop=loop) as door:
        client = Speaker(door.port)
        client.begin("ada@agency.example", "jo@mail.example")
        client.send(MESSAGE + b".\r\n")
        assert gate.entered.wait(10)
        if is_reset:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        client.close()
        time.sleep(0.1)
        gate.opened.set()
        sink.wait_for(1)
        wait_until(lambda: door.door.open_sessions == 0, 10, "the end of the session")
    assert not gate.is_cancelled


def test_draining_lets_the_message_under_way_finish_and_tells_the_idle_to_come_back() -> None:
    gate = Gate()
    with (
        SinkServer() as sink,
        running_door(gate, next_hop_port=sink.port) as door,
        Speaker(door.port) as idle,
        Speaker(door.port) as half,
        Speaker(door.port) as busy,
    ):
        half.ask("EHLO client.example")
        half.ask("MAIL FROM:<ada@agency.example>")
        busy.begin("ada@agency.example", "jo@mail.example")
        busy.send(MESSAGE + b".\r\n")
        assert gate.entered.wait(10)
        with ThreadPoolExecutor() as pool:
            drained = pool.submit(door.drain, 20.0)
            assert idle.read().startswith("421 4.3.2")
            assert half.read().startswith("421 4.3.2")
            with pytest.raises(OSError):
                Speaker(door.port)
            assert not drained.done()
            gate.opened.set()
            assert busy.read().startswith("250")
            assert busy.read().startswith("421 4.3.2")
            assert drained.result(20)
        assert len(sink.messages) == 1


def test_a_drain_that_takes_too_long_says_so_and_close_cuts_it_short() -> None:
    gate = Gate()
    with SinkServer() as sink, running_door(gate, next_hop_port=sink.port) as door, Speaker(door.port) as client:
        client.begin("ada@agency.example", "jo@mail.example")
        client.send(MESSAGE + b".\r\n")
        assert gate.entered.wait(10)
        assert door.drain(0.1) is False
        door.call(door.door.close())
        assert client.read() == ""
        assert door.door.open_sessions == 0
    assert gate.is_cancelled
    assert sink.messages == []


def test_many_slow_senders_stay_within_the_octets_in_flight() -> None:
    """Twenty sessions hold a message of 400 kB half sent each; the door keeps 2 MB of them and tells the others 451."""
    limit, size = 2_000_000, 400_000
    with (
        SinkServer() as sink,
        running_door(Recorder(), next_hop_port=sink.port, max_bytes_in_flight=limit) as door,
        ExitStack() as clean_up,
    ):
        clients = [clean_up.enter_context(Speaker(door.port)) for _ in range(20)]
        answers: list[str] = []
        begun: list[Speaker] = []
        for client in clients:
            answer = client.begin("ada@agency.example", "jo@mail.example")[-1]
            if answer.startswith("354"):
                client.send(b"\r\n" + (b"x" * 78 + b"\r\n") * (size // 80))
                begun.append(client)
            else:
                answers.append(answer)
        wait_until(lambda: door.door.bytes_in_flight > limit * 0.7, 20, "octets in flight")
        assert door.door.bytes_in_flight <= limit
        for client in begun:
            client.send(b".\r\n")
            answers.append(client.read())
        accepted = sum(answer.startswith("250") for answer in answers)
        assert {answer[:9] for answer in answers} <= {"250 2.0.0", "451 4.3.2"}
        assert 1 <= accepted <= 20
        assert accepted == len(sink.messages)
        assert door.door.bytes_in_flight == 0


def test_a_trickle_ends_at_the_time_for_the_whole_message() -> None:
    timeouts = DoorTimeouts(data_block_s=5, data_total_s=0.5)
    with (
        SinkServer() as sink,
        running_door(Recorder(), next_hop_port=sink.port, timeouts=timeouts) as door,
        Speaker(door.port) as client,
    ):
        client.begin("ada@agency.example", "jo@mail.example")
        for _ in range(100):
            try:
                client.send(b"x\r\n")
            except OSError:
                break
            if door.door.open_sessions == 0:
                break
            time.sleep(0.02)
        wait_until(lambda: door.door.open_sessions == 0, 10, "the end of the session")
        assert sink.messages == []


@pytest.mark.parametrize("loop", LOOPS)
def test_forty_clients_at_once_each_get_their_own_answer(loop: type[asyncio.AbstractEventLoop]) -> None:
    with SinkServer() as sink, running_door(Recorder(), next_hop_port=sink.port, new_loop=loop) as door:

        def one(number: int) -> str:
            with Speaker(door.port) as client:
                return client.mail(f"a{number}@agency.example", (f"b{number}@mail.example",), b"X: %d\r\n\r\n" % number)

        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(one, range(120)))
        assert all(answer.startswith("250") for answer in answers)
        assert sorted((one.mail_from, one.addresses[0], one.content) for one in sink.messages) == sorted(
            (f"a{n}@agency.example", f"b{n}@mail.example", b"X: %d\r\n\r\n" % n) for n in range(120)
        )


def test_a_connection_too_many_is_told_so_and_the_others_go_on() -> None:
    with (
        SinkServer() as sink,
        running_door(Recorder(), next_hop_port=sink.port, max_connections=2) as door,
        Speaker(door.port) as one,
        Speaker(door.port),
    ):
        with Speaker(door.port) as third:
            assert third.greeting.startswith("421 4.7.0")
        assert one.mail("ada@agency.example", ("jo@mail.example",), MESSAGE).startswith("250")


def test_the_next_hop_may_go_and_come_back_within_a_session() -> None:
    with SinkServer() as sink, running_door(Recorder(), next_hop_port=sink.port) as door, Speaker(door.port) as client:
        assert client.mail("ada@agency.example", ("jo@mail.example",), MESSAGE).startswith("250")
        sink.stop()
        assert client.ask("MAIL FROM:<ada@agency.example>").startswith("451 4.4.1")
        sink.start()
        assert client.mail("ada@agency.example", ("jo@mail.example",), MESSAGE).startswith("250")
        assert len(sink.messages) == 2


def test_the_log_names_no_address_and_no_word_of_a_message(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(submission: Submission, delivery: Delivery) -> Reply:
        raise RuntimeError(submission.raw.decode() + str(submission.envelope.mail_from))

    for logger in ("gateway", "mail.log"):
        caplog.set_level(logging.DEBUG, logger=logger)
    with SinkServer() as sink, running_door(broken, next_hop_port=sink.port) as door, Speaker(door.port) as client:
        assert client.mail("ada@agency.example", ("jo@mail.example",), MESSAGE).startswith("451 4.3.0")
        client.ask("MAIL FROM:<private-address")
        sink.stop()
        client.ask("MAIL FROM:<ada@agency.example>")
    assert "id=m1" in caplog.text
    for word in ("agency.example", "mail.example", "private", "127.0.0.1"):
        assert word not in caplog.text


def test_the_largest_message_passes_and_one_octet_more_does_not() -> None:
    limits = Limits(max_message_bytes=3_000_000)
    head = b"From: ada@agency.example\r\n\r\n"
    with (
        SinkServer() as sink,
        running_door(Recorder(), next_hop_port=sink.port, limits=limits) as door,
        Speaker(door.port) as client,
    ):
        largest = head + b"x" * (3_000_000 - len(head) - 2) + b"\r\n"
        assert client.mail("ada@agency.example", ("jo@mail.example",), largest).startswith("250")
        assert client.mail("ada@agency.example", ("jo@mail.example",), b"x" + largest).startswith("552 5.3.4")
        assert len(sink.messages[0].content) == 3_000_000
        assert len(sink.messages) == 1
