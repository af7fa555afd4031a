"""Several serving processes: one that dies, reloads, renewals without a refused connection, jobs, the end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.gateway_process import GatewayProcess
from tests.integration.servers import SinkServer, wait_until
from tests.integration.test_service_life import page
from tests.ports import free_port

pytestmark = pytest.mark.integration

PATIENT_S = 240.0  # a bound for a busy machine; what is waited for takes seconds
ADA, LUC, JORDAN = "ada.okafor@agency.example", "luc.tremblay@agency.example", "jordan.reyes@mail.example"


@pytest.fixture(scope="module")
def sink() -> Iterator[SinkServer]:
    with SinkServer() as server:
        yield server


class WithSockets(GatewayProcess):
    """A gateway whose SMTP socket the service manager has opened, and keeps when the gateway is killed."""

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(folder, **more)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.smtp_port = self.listener.getsockname()[1]

    def launch(self) -> None:
        launcher = (
            "import os, sys\n"
            "os.dup2(int(sys.argv[1]), 3, inheritable=True)\n"
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='smtp')\n"
            "os.execv(sys.executable, [sys.executable, '-m', 'gateway', 'serve', '--config', sys.argv[2]])\n"
        )
        descriptor = self.listener.fileno()
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", launcher, str(descriptor), str(self.folder)],
                pass_fds=[descriptor],
                stdout=log,
                stderr=log,
            )


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, sink: SinkServer) -> Iterator[GatewayProcess]:
    """One for all tests, which leave two workers serving: a start takes seconds."""
    folder = tmp_path_factory.mktemp("gateway")
    with tempfile.TemporaryDirectory(prefix="pg") as short:  # the path of a Unix socket has 107 bytes at most
        milter = f'milter: {{listen: ["unix:{short}/milter"]}}\n'
        extra = f"workers: 2\ndrain_s: 5\n{milter}"
        with WithSockets(folder, next_hop_port=sink.port, extra_yaml=extra) as running:
            running.milter_path = Path(short) / "milter"  # type: ignore[attr-defined]
            yield running
            running.listener.close()


def is_running(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def workers(gateway: GatewayProcess) -> list[int]:
    """The serving workers' process ids."""
    found = []
    for pid in gateway.process_ids()[1:]:
        with contextlib.suppress(OSError):
            if b"gateway.service.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def send(gateway: GatewayProcess, number: int, recipient: str = LUC, text: str = "See you at ten.") -> None:
    message = (
        f"From: {ADA}\r\nTo: {recipient}\r\nSubject: Meeting\r\nMessage-ID: <{number}@agency.example>\r\n\r\n{text}\r\n"
    )
    with smtplib.SMTP("127.0.0.1", gateway.smtp_port, timeout=60) as client:
        client.sendmail(ADA, [recipient], message)


def arrived(sink: SinkServer, name: str) -> int:
    return sum(f"<{name}@agency.example>".encode() in taken.content for taken in sink.messages)


def test_metrics_are_those_of_all(gateway: GatewayProcess) -> None:
    assert page(gateway, "/readyz") == (200, "ready\n")
    assert len(workers(gateway)) == 2
    for number in range(20):
        send(gateway, number)
    assert gateway.metric("gateway_messages_total") == 20
    assert gateway.metric("gateway_workers") == 2
    assert gateway.metric("gateway_ready") == 1
    assert gateway.metric("gateway_directory_clients") == 3


def test_the_milter_door_is_open_on_its_unix_socket(gateway: GatewayProcess) -> None:
    for _ in range(6):  # whichever worker takes it
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(gateway.milter_path))  # type: ignore[attr-defined]
            client.sendall(b"\x00\x00\x00\x0dO" + b"\x00\x00\x00\x06\x00\x00\x01\xff\x00\x1f\xff\xff")
            assert client.recv(64)[4:5] == b"O"  # both know the protocol


def test_a_worker_that_was_killed_is_replaced_and_its_counts_stay(gateway: GatewayProcess) -> None:
    counted = gateway.metric("gateway_messages_total")  # the parent has asked
    victim = workers(gateway)[0]
    os.kill(victim, signal.SIGKILL)
    for number in range(10):  # the other one serves meanwhile
        send(gateway, number)
    wait_until(lambda: gateway.metric("gateway_workers") == 2, PATIENT_S, "the new worker")
    assert victim not in workers(gateway)
    assert gateway.metric("gateway_messages_total") == counted + 10
    assert gateway.metric("gateway_worker_restarts_total") == 1


def test_jobs_run_in_one_worker_and_go_over_when_it_dies(gateway: GatewayProcess, sink: SinkServer) -> None:
    def owners() -> list[int]:
        lines = [line for line in gateway.log().splitlines() if '"event": "runs the jobs"' in line]
        return [json.loads(line)["pid"] for line in lines]

    wait_until(lambda: owners()[-1:] and owners()[-1] in workers(gateway), PATIENT_S, "a worker that runs the jobs")
    known = owners()
    os.kill(known[-1], signal.SIGKILL)
    wait_until(lambda: len(owners()) == len(known) + 1, PATIENT_S, "another worker to take the jobs")
    before = len(sink.messages)
    send(gateway, 1, JORDAN, "Your depression is getting worse, and the new medication does not help you.")
    wait_until(lambda: len(sink.messages) > before, PATIENT_S, "a letter about the hold")
    wait_until(lambda: gateway.metric("gateway_workers") == 2, PATIENT_S, "the new worker")


def test_a_reload_is_tested_once_and_reaches_all(gateway: GatewayProcess) -> None:
    people = gateway.folder / "people.yaml"
    good = people.read_text()
    people.write_text(good + "  - {file: C-2000, name: Kim Novak, addresses: [nonsense]}\n")
    gateway.hang_up()
    wait_until(
        lambda: 'gateway_reload_total{result="refused"} 1.0' in page(gateway, "/metrics")[1], PATIENT_S, "the refusal"
    )
    assert gateway.metric("gateway_directory_clients") == 3
    people.write_text(
        good + "  - {file: C-2000, name: Kim Novak, addresses: [kim.novak@mail.example], status: current}\n"
    )
    before = workers(gateway)
    gateway.hang_up()
    wait_until(lambda: gateway.log().count('"event": "reloaded"') == 3, PATIENT_S, "both workers and the parent")
    assert gateway.metric("gateway_directory_clients") == 4
    assert workers(gateway) == before


def test_a_renewal_refuses_no_connection_and_loses_nothing(gateway: GatewayProcess, sink: SinkServer) -> None:
    before, failures, sent = workers(gateway), [], []
    counted = gateway.metric("gateway_messages_total")
    is_over = threading.Event()

    def keep_sending(first: int) -> None:
        number = first
        while not is_over.is_set():
            try:
                send(gateway, number)
            except (OSError, smtplib.SMTPException) as error:
                failures.append(repr(error))
            else:
                sent.append(number)
            number += 1

    threads = [threading.Thread(target=keep_sending, args=(1_000_000 * place,)) for place in range(1, 4)]
    for thread in threads:
        thread.start()
    assert gateway.process is not None
    gateway.process.send_signal(signal.SIGUSR2)
    wait_until(lambda: '"event": "renewed"' in gateway.log(), PATIENT_S, "the renewal")
    is_over.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(sent) > 20
    assert all(arrived(sink, str(number)) == 1 for number in sent)
    assert not set(before) & set(workers(gateway))
    assert gateway.metric("gateway_messages_total") == counted + len(sent)


def test_workers_end_with_their_parent_and_another_takes_over(gateway: GatewayProcess) -> None:
    children = gateway.process_ids()[1:]
    gateway.kill()
    with socket.create_connection(("127.0.0.1", gateway.smtp_port), timeout=60) as early:  # refused by nobody
        gateway.start()
        assert early.makefile("rb").readline().startswith((b"220 ", b"421 "))
    assert gateway.metric("gateway_workers") == 2
    assert not any(is_running(pid) for pid in children)
    send(gateway, 1)


def test_a_second_parent_on_the_same_store_does_not_start(gateway: GatewayProcess, tmp_path: Path) -> None:
    other = GatewayProcess(
        tmp_path / "other", next_hop_port=free_port(), store=gateway.folder / "var", extra_yaml="workers: 2\n"
    )
    other.launch()
    assert other.process is not None
    assert other.process.wait(PATIENT_S) == 1
    assert "another gateway serves this store" in other.log()


def test_the_end_drains_all(gateway: GatewayProcess) -> None:
    with socket.create_connection(("127.0.0.1", gateway.smtp_port), timeout=60) as idle:
        greeting = idle.makefile("rb")
        assert greeting.readline().startswith(b"220 ")
        children = gateway.process_ids()
        assert gateway.terminate() == 0
        assert greeting.readline().startswith(b"421 ")
    assert not gateway.milter_path.exists()  # type: ignore[attr-defined]
    wait_until(lambda: not any(is_running(pid) for pid in children), 10, "all processes to end")
