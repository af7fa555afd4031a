"""Thousands of silent or dribbling clients do not stop new mail, and many large messages do not fill the memory.

PRACTICUM_CROWD=n opens n silent connections (`make torture-crowd`: 5,000), PRACTICUM_LARGE=n lets n clients send 10 MB
each, slowly (200).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.doors.milter_settings import MilterTimeouts
from gateway.doors.smtp_settings import DoorTimeouts
from gateway.message.reply import Reply
from gateway.message.submission import Submission
from gateway.outbound.delivery import Delivery
from tests.integration.doors import Recorder, running_door
from tests.integration.gateway_process import GatewayProcess
from tests.integration.milter_doors import MtaSide, running_milter
from tests.integration.mixed_mail import ADA, LUC, mixed_mail
from tests.integration.servers import SinkServer, Speaker, wait_until
from tests.ports import free_port

CROWD = int(os.environ.get("PRACTICUM_CROWD", "400"))
LARGE = int(os.environ.get("PRACTICUM_LARGE", "8"))
BUDGET_BYTES = (64 if LARGE > 100 else 32) << 20
pytestmark = [pytest.mark.integration, pytest.mark.timeout(300 if LARGE < 100 else 1800)]
MESSAGE = b"Subject: t\r\n\r\nHello.\r\n"


@pytest.fixture(autouse=True)
def _many_descriptors() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))


def silent_connections(address: object, count: int, words: bytes = b"") -> list[socket.socket]:
    """So many connections that say these words and then nothing."""
    found = []
    for _ in range(count):
        connection = socket.create_connection(address, timeout=10)  # type: ignore[arg-type]
        if words:
            with contextlib.suppress(OSError):
                connection.sendall(words)
        found.append(connection)
    return found


def test_silent_clients_give_way_to_new_mail_the_longest_silent_first() -> None:
    with SinkServer() as sink, running_door(Recorder(), next_hop_port=sink.port, max_connections=5) as door:
        with contextlib.ExitStack() as open_ones:
            silent = [open_ones.enter_context(Speaker(door.port)) for _ in range(5)]
            silent[0].ask("EHLO client.example")
            time.sleep(1.1)
            silent[0].ask("NOOP")  # who speaks has not been silent
            with Speaker(door.port) as newcomer:
                assert newcomer.mail("ada@agency.example", ("jo@mail.example",), MESSAGE).startswith("250")
            assert silent[1].read() == "421 4.7.0 Too many connections, try again later"
            assert silent[1].read() == ""
            assert silent[0].ask("NOOP").startswith("250")
        wait_until(lambda: door.door.open_sessions == 0, 10, "the end of all sessions")


def test_clients_at_work_stay_and_the_newcomer_is_told_421() -> None:
    begun, may_end = threading.Event(), threading.Event()

    async def wait(submission: Submission, delivery: Delivery) -> Reply:
        begun.set()
        await asyncio.to_thread(may_end.wait, 20)
        return await delivery.deliver(submission.raw)

    with (
        SinkServer() as sink,
        running_door(wait, next_hop_port=sink.port, max_connections=1, timeouts=DoorTimeouts(patience_s=0.05)) as door,
        Speaker(door.port) as busy,
        ThreadPoolExecutor(1) as threads,
    ):
        answer = threads.submit(busy.mail, "ada@agency.example", ("jo@mail.example",), MESSAGE)
        assert begun.wait(10)
        time.sleep(0.2)
        with Speaker(door.port) as newcomer:
            assert newcomer.greeting.startswith("421 4.7.0 Too many connections")
        may_end.set()
        assert answer.result(10).startswith("250")


def test_a_command_spelled_out_letter_by_letter_is_waiting() -> None:
    with (
        SinkServer() as sink,
        running_door(
            Recorder(), next_hop_port=sink.port, max_connections=1, timeouts=DoorTimeouts(patience_s=0.2)
        ) as door,
        Speaker(door.port) as speller,
    ):
        for letter in b"EHLO cl":
            speller.send(bytes([letter]))
            time.sleep(0.05)
        with Speaker(door.port) as newcomer:
            assert newcomer.mail("ada@agency.example", ("jo@mail.example",), MESSAGE).startswith("250")
            assert speller.read().startswith("421 4.")


def test_a_message_whose_content_dribbles_gives_way() -> None:
    with (
        SinkServer() as sink,
        running_door(
            Recorder(), next_hop_port=sink.port, max_connections=1, timeouts=DoorTimeouts(dribble_s=0.2)
        ) as door,
        Speaker(door.port) as dribbler,
    ):
        assert dribbler.begin("ada@agency.example", "jo@mail.example")[-1].startswith("354")
        for _ in range(6):
            dribbler.send(b"x")
            time.sleep(0.05)
        with Speaker(door.port) as newcomer:
            assert newcomer.mail("ada@agency.example", ("jo@mail.example",), MESSAGE).startswith("250")
            assert dribbler.read().startswith("421 4.")
        assert len(sink.messages) == 1


def test_a_host_that_nobody_trusts_has_few_connections_and_those_that_are_trusted_have_all() -> None:
    with (
        SinkServer() as sink,
        running_door(
            Recorder(),
            next_hop_port=sink.port,
            trusted_clients=(),
            max_connections=10,
            max_connections_of_a_host=2,
        ) as door,
        Speaker(door.port) as one,
        Speaker(door.port) as two,
        Speaker(door.port) as three,
    ):
        assert [each.greeting[:3] for each in (one, two, three)] == ["220", "220", "421"]


def test_a_silent_milter_connection_gives_way_and_one_with_a_message_under_way_stays() -> None:
    async def deliver(submission: Submission, delivery: Delivery) -> Reply:
        return await delivery.deliver(submission.raw)

    with (
        running_milter(deliver, max_connections=2, timeouts=MilterTimeouts(patience_s=0.1)) as door,
        MtaSide(door.address) as silent,
        MtaSide(door.address) as busy,
    ):
        silent.negotiate()
        busy.negotiate()
        busy.begin(b"ada@agency.example", b"jo@mail.example")
        busy.send(b"L", b"Subject\0 x\0")
        time.sleep(0.2)
        with MtaSide(door.address) as newcomer:
            newcomer.negotiate()
            assert silent.read() is None
            assert newcomer.message(b"ada@agency.example", (b"jo@mail.example",), MESSAGE)[-1] == (b"a", b"")
            busy.send(b"N")
            busy.send(b"E")
            assert busy.read_answer()[-1] == (b"a", b"")


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[tuple[GatewayProcess, int, SinkServer]]:
    milter_port = free_port()
    extra = f'milter: {{listen: ["127.0.0.1:{milter_port}"], max_bytes_in_flight: 67108864}}\n'
    smtp = f", max_connections: 250, max_bytes_in_flight: {BUDGET_BYTES}"
    with (
        SinkServer() as sink,
        GatewayProcess(tmp_path / "gw", next_hop_port=sink.port, extra_yaml=extra, smtp_yaml=smtp) as process,
    ):
        yield process, milter_port, sink


@pytest.mark.slow
def test_thousands_of_silent_connections_stop_no_mail_and_large_slow_messages_fill_no_memory(
    gateway: tuple[GatewayProcess, int, SinkServer],
) -> None:
    process, milter_port, sink = gateway
    crowd = [
        *silent_connections(("127.0.0.1", process.smtp_port), CROWD // 2),
        *silent_connections(("127.0.0.1", process.smtp_port), CROWD // 4, b"EHLO cl"),
        *silent_connections(("127.0.0.1", milter_port), CROWD - CROWD // 2 - CROWD // 4),
    ]
    time.sleep(1.1)
    mails = [mail for mail in mixed_mail(22) if mail.kind in {"supervision", "outsider", "inbound"}]
    for mail in mails:
        with Speaker(process.smtp_port, timeout_s=60) as client:
            assert client.mail(mail.mail_from, mail.recipients, mail.content).startswith("250")
    with MtaSide(("127.0.0.1", milter_port)) as mta:
        mta.negotiate()
        answer = mta.message(ADA.encode(), (LUC.encode(),), mails[0].content)
        assert answer[-1] == (b"a", b"")
    assert len(sink.messages) == len(mails)
    for connection in crowd:
        connection.close()

    before = memory_bytes(process)
    answers, most = send_slowly(process, LARGE)
    print(f"{CROWD} silent; {LARGE} x 10 MB: {dict(answers)}; PSS {before >> 20} MB, at most {most >> 20} MB")
    assert set(answers) <= {"250", "451", "421"}
    assert answers["250"] >= 1
    assert process.metric("gateway_bytes_in_flight") == 0
    # Raw, amended and on the wire: a message may be there a few times, all of them together never without bound.
    assert most - before < 6 * BUDGET_BYTES


def memory_bytes(process: GatewayProcess) -> int:
    """The memory of the gateway's process and its children, each shared page counted once (PSS)."""
    total = 0
    for pid in process.process_ids():
        with contextlib.suppress(OSError):
            found = re.search(r"(?m)^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text())
            total += int(found[1]) * 1024 if found else 0
    return total


def send_slowly(process: GatewayProcess, count: int) -> tuple[Counter[str], int]:
    """So many clients that send 10 MB each, all at once in small pieces; their answers, and the most memory."""
    content = b"Subject: large\r\nFrom: desk@library.example\r\nTo: luc.tremblay@agency.example\r\n\r\n"
    content += (b"0123456789" * 7 + b"\r\n") * ((10 << 20) // 72) + b".\r\n"
    selector, answers, most = selectors.DefaultSelector(), Counter[str](), 0
    for _ in range(count):
        client = Speaker(process.smtp_port, timeout_s=120)
        last = client.begin("desk@library.example", LUC)[-1]
        if last.startswith("354"):
            client.socket.setblocking(False)
            selector.register(client.socket, selectors.EVENT_WRITE | selectors.EVENT_READ, [client, 0])
        else:
            answers[last[:3]] += 1
            client.close()
    looked = 0.0
    while selector.get_map():
        for key, _ in selector.select(timeout=1):
            client, at = key.data
            with contextlib.suppress(BlockingIOError, ConnectionError):
                key.data[1] += client.socket.send(content[at : at + 65_536])
            if key.data[1] >= len(content) or is_answered(client.socket):
                selector.unregister(client.socket)
                threading.Thread(target=finish, args=(client, answers), daemon=True).start()
        if time.monotonic() - looked > 0.25:
            looked, most = time.monotonic(), max(most, memory_bytes(process))
        time.sleep(0.001)
    deadline = time.monotonic() + 300
    while sum(answers.values()) < count and time.monotonic() < deadline:
        most = max(most, memory_bytes(process))
        time.sleep(0.1)
    return answers, most


def is_answered(connection: socket.socket) -> bool:
    """True if the door has said something, or has gone."""
    with contextlib.suppress(BlockingIOError):
        return connection.recv(1, socket.MSG_PEEK) is not None
    return False


def finish(client: Speaker, answers: Counter[str]) -> None:
    """Read the final answer."""
    client.socket.settimeout(300)
    with contextlib.suppress(OSError):
        answers[client.read()[:3] or "none"] += 1
    client.close()
