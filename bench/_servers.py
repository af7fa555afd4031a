"""The servers of the benchmark of the whole gateway, each in processes of its own on free ports of loopback.

A gateway on the configuration that `init` writes (only its three ports changed), a private Postfix as a plain relay, a
plain relay in Python, and the sink behind all of them. Nothing of the machine's own mail server is touched.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_INIT_PORTS = {"smtp": "127.0.0.1:10025", "next_hop": "127.0.0.1:10026", "metrics": "127.0.0.1:9464"}
_READY_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server: its name in the table, the port that takes mail, and its first process."""

    name: str
    port: int
    pid: int
    ready_s: float = 0.0
    metrics_port: int = 0


def free_port() -> int:
    """A TCP port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(is_true: Callable[[], bool], what: str, timeout_s: float = _READY_S) -> None:
    """Return as soon as it is true; end the benchmark after the time."""
    end = time.monotonic() + timeout_s
    while not is_true():
        if time.monotonic() > end:
            raise SystemExit(f"waited {timeout_s:.0f} s in vain for {what}")
        time.sleep(0.02)


def is_listening(port: int) -> bool:
    """True if something on loopback takes connections there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def taken(sink: Server) -> int:
    """How many messages the sink has taken."""
    with socket.create_connection(("127.0.0.1", sink.port), timeout=10) as link, link.makefile("rb") as lines:
        lines.readline()
        link.sendall(b"NOOP\r\n")
        return int(lines.readline()[4:])


@contextlib.contextmanager
def script(name: str, file: str, *arguments: str) -> Iterator[Server]:
    """One of the scripts of this folder as a server; its first argument is its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, str(ROOT / "bench" / file), str(port), *arguments])
    try:
        wait_until(lambda: is_listening(port), name)
        yield Server(name=name, port=port, pid=process.pid)
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def gateway(
    folder: Path, *, next_port: int, workers: int = 1, milter_port: int = 0, name: str = "gateway"
) -> Iterator[Server]:
    """The gateway with `init`'s configuration; `ready_s` is the time from its start until /readyz says 200.

    With a `milter_port` its milter door is open there.
    """
    command = [sys.executable, "-m", "gateway"]
    subprocess.run([*command, "init", str(folder)], check=True, cwd=ROOT, capture_output=True)
    port, metrics_port = free_port(), free_port()
    chosen = {"smtp": port, "next_hop": next_port, "metrics": metrics_port}
    text = (folder / "gateway.yaml").read_text()
    for key, address in _INIT_PORTS.items():
        text = text.replace(f'"{address}"', f'"127.0.0.1:{chosen[key]}"')
    if milter_port:
        text += f'\nmilter: {{listen: ["127.0.0.1:{milter_port}"]}}\n'
    (folder / "gateway.yaml").write_text(text)
    command += ["serve", "--config", str(folder), "--workers", str(workers)]
    start = time.monotonic()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        wait_until(lambda: process.poll() is not None or _is_ready(metrics_port), "the gateway")
        if process.poll() is not None:
            raise SystemExit(f"the gateway did not start:\n{(folder / 'log').read_text()}")
        yield Server(name=name, port=port, pid=process.pid, ready_s=time.monotonic() - start, metrics_port=metrics_port)
    finally:
        process.terminate()
        process.wait()


def counted(server: Server, name: str) -> dict[str, int]:
    """A counter of the gateway's metrics page, by its labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    found = (line.removeprefix(name).rpartition(" ") for line in lines if line.startswith(name + "{"))
    return {labels: int(float(value)) for labels, _, value in found}


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def why_no_postfix() -> str:
    """Why a private Postfix can't be started here; empty if it can."""
    if shutil.which("postfix") is None:
        return "Postfix is not installed (apt-get install postfix)"
    return "" if os.geteuid() == 0 else "a private Postfix needs root"


@contextlib.contextmanager
def postfix_relay(folder: Path, *, next_port: int, extra: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A Postfix that takes mail and passes it on: deploy/postfix/before-queue without its filter.

    `extra` are more parameters of main.cf.
    """
    port = free_port()
    etc, var = folder / "etc", folder / "var"
    for path in (etc, var / "data", var / "queue"):
        path.mkdir(parents=True)
    source = ROOT / "deploy" / "postfix" / "before-queue"
    shutil.copy(source / "main.cf", etc)
    master = (source / "master.cf").read_text().replace("127.0.0.1:10024", f"127.0.0.1:{port}")
    master = master.replace("127.0.0.1:10026", f"127.0.0.1:{free_port()}")
    (etc / "master.cf").write_text(
        "".join(line for line in master.splitlines(keepends=True) if "proxy_filter=$" not in line)
    )
    shutil.chown(var / "data", "postfix")
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    edits = {
        "queue_directory": var / "queue",
        "data_directory": var / "data",
        "maillog_file": var / "log",
        "maillog_file_prefixes": var,
        "relayhost": f"[127.0.0.1]:{next_port}",
        **(extra or {}),
    }
    subprocess.run(["postconf", "-c", str(etc), "-e", *(f"{k}={v}" for k, v in edits.items())], check=True)
    command = ["postfix", "-c", str(etc)]
    subprocess.run([*command, "start"], check=True, capture_output=True)
    try:
        wait_until(lambda: is_listening(port), "Postfix")
        master_pid = int((var / "queue" / "pid" / "master.pid").read_text())
        yield Server(name="Postfix, plain relay", port=port, pid=master_pid)
    finally:
        subprocess.run([*command, "abort"], check=False, capture_output=True)
