"""The serving gateway as a process: ready, reload, end, and what stops it from starting."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.gateway_process import GatewayProcess
from tests.integration.servers import wait_until
from tests.ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[GatewayProcess]:
    with GatewayProcess(tmp_path, next_hop_port=free_port()) as running:
        yield running


def page(gateway: GatewayProcess, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{gateway.metrics_port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_it_is_ready_tells_metrics_and_ends_with_zero(gateway: GatewayProcess) -> None:
    assert page(gateway, "/livez") == (200, "alive\n")
    assert page(gateway, "/readyz") == (200, "ready\n")
    assert page(gateway, "/nothing")[0] == 404
    assert "gateway_ready 1.0" in page(gateway, "/metrics")[1]
    assert gateway.metric("gateway_directory_clients") == 3
    children = gateway.process_ids()[1:]
    assert gateway.terminate() == 0
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 10, "the workers to end")
    assert '"event": "ended"' in gateway.log()


def test_it_serves_on_a_socket_that_the_service_manager_has_opened(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path, next_hop_port=free_port())
    launcher = (
        "import os, sys\n"
        "os.dup2(int(sys.argv[1]), 3, inheritable=True)\n"
        "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='smtp')\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'gateway', 'serve', '--config', sys.argv[2]])\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=60) as early:  # before anybody serves
            descriptor = listener.fileno()
            with gateway.log_path.open("ab") as log:
                gateway.process = subprocess.Popen(
                    [sys.executable, "-c", launcher, str(descriptor), str(tmp_path)],
                    pass_fds=[descriptor],
                    stdout=log,
                    stderr=log,
                )
            try:
                assert early.makefile("rb").readline() == b"220 gateway.agency.example ESMTP Practicum Gateway\r\n"
                wait_until(gateway.is_ready, 60, "readiness")
                with socket.socket() as other:
                    other.bind(("127.0.0.1", gateway.smtp_port))  # the configured address is left alone
            finally:
                assert gateway.terminate() == 0


def test_sigint_ends_it_with_zero_too(gateway: GatewayProcess) -> None:
    assert gateway.process is not None
    gateway.process.send_signal(2)
    assert gateway.process.wait(30) == 0


def test_a_reload_puts_new_people_in_force(gateway: GatewayProcess) -> None:
    with (gateway.folder / "people.yaml").open("a") as people:
        people.write("  - {file: C-2000, name: Kim Novak, addresses: [kim.novak@mail.example], status: current}\n")
    gateway.hang_up()
    wait_until(lambda: gateway.metric("gateway_reload_total") == 1, 30, "the reload")
    assert gateway.metric("gateway_directory_clients") == 4
    assert page(gateway, "/readyz")[0] == 200


def test_a_broken_people_file_changes_nothing_and_its_words_are_not_logged(gateway: GatewayProcess) -> None:
    with (gateway.folder / "people.yaml").open("a") as people:
        people.write("  - {file: C-2000, name: Kim Novak, addresses: [jordan.reyes@mail.example, nonsense]}\n")
    gateway.hang_up()
    wait_until(lambda: 'result="refused"' in page(gateway, "/metrics")[1], 30, "the refusal")
    assert gateway.metric("gateway_directory_clients") == 3
    assert page(gateway, "/readyz")[0] == 200
    assert "people.yaml:" in gateway.log()
    assert "jordan" not in gateway.log()
    assert "Novak" not in gateway.log()


def test_a_second_gateway_on_the_same_store_does_not_start(gateway: GatewayProcess, tmp_path: Path) -> None:
    other = GatewayProcess(tmp_path / "other", next_hop_port=free_port(), store=gateway.folder / "var")
    other.launch()
    assert other.process is not None
    assert other.process.wait(60) == 1
    assert "another gateway serves this store" in other.log()
    assert "Traceback" not in other.log()


def test_a_taken_address_is_told_and_ends_with_one(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path, next_hop_port=free_port())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", gateway.smtp_port))
        taken.listen()
        gateway.launch()
        assert gateway.process is not None
        assert gateway.process.wait(60) == 1
    assert "can't start" in gateway.log()
    assert "Traceback" not in gateway.log()


def test_a_bad_configuration_ends_with_78(tmp_path: Path) -> None:
    gateway = GatewayProcess(tmp_path, next_hop_port=free_port(), extra_yaml="polcy: x\n")
    gateway.launch()
    assert gateway.process is not None
    assert gateway.process.wait(60) == 78
    assert "did you mean `policy`" in gateway.log()


def test_what_init_writes_is_served_as_it_is(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway"]
    subprocess.run([*command, "init", str(tmp_path / "config")], check=True, capture_output=True)
    done = subprocess.run(
        [*command, "config", "check", "--config", str(tmp_path / "config")], check=True, capture_output=True, text=True
    )
    assert "fine" in done.stderr


def test_the_service_manager_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with GatewayProcess(tmp_path / "config", next_hop_port=free_port()) as gateway:
            assert manager.recv(100) == b"READY=1"
            gateway.hang_up()
            assert [manager.recv(100), manager.recv(100)] == [b"RELOADING=1", b"READY=1"]
            assert gateway.terminate() == 0
            assert manager.recv(100) == b"STOPPING=1"
    assert os.environ["NOTIFY_SOCKET"]
