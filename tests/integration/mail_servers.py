"""Mail servers that Debian does not let stand beside Postfix, unpacked by `scripts/setup.sh servers` and started here.

Sendmail with the gateway as its milter, Exim around the gateway, Haraka behind it; each with the files of deploy/ as
they are, but for folders and ports, and each in a folder of the test's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.servers import is_listening, wait_until
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
SERVERS = ROOT / ".servers"
DEBIAN = SERVERS / "debian"


@dataclass(frozen=True)
class MailServer:
    """`front_port` takes mail that goes by the gateway, `back_port` mail that has passed; `log_path` is its log."""

    front_port: int
    back_port: int
    log_path: Path

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""


def need(path: Path) -> Path:
    """That program; skips the test (fails in CI) where it is not there or the test is not root."""
    if path.exists() and os.geteuid() == 0:
        return path
    why = f"{path.name} is not unpacked (scripts/setup.sh servers), or the test is not root"
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


@contextlib.contextmanager
def sendmail(folder: Path, *, milter_port: int, sink_port: int, back_port: int) -> Iterator[MailServer]:
    """Sendmail of deploy/sendmail/gateway.mc."""
    program = need(DEBIAN / "usr/libexec/sendmail/sendmail")
    open_to_all(folder)
    (folder / "queue").mkdir(mode=0o700)
    server = MailServer(free_port(), back_port, folder / "log")
    text = replaced(
        ROOT / "deploy/sendmail/gateway.mc",
        {
            "8891@": f"{milter_port}@",
            "Port=10024": f"Port={server.front_port}",
            "Port=10026": f"Port={server.back_port}",
            "10099": str(sink_port),
            "/var/spool/mqueue": str(folder / "queue"),
            "/var/lib/sendmail/statistics": str(folder / "statistics"),
            "/run/sendmail/mta.pid": str(folder / "mta.pid"),
        },
    )
    (folder / "gateway.mc").write_text(text)
    files = DEBIAN / "usr/share/sendmail/cf"
    command = ["m4", f"-D_CF_DIR_={files}/", str(files / "m4/cf.m4"), str(folder / "gateway.mc")]
    made = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    (folder / "sendmail.cf").write_text(made.stdout)
    arguments = ["-bD", "-q1s", f"-C{folder / 'sendmail.cf'}", f"-X{folder / 'traffic'}", f"-D{server.log_path}"]
    # It waits a minute for a host name with a dot: it gets one of its own.
    named = ["unshare", "--uts", "sh", "-c", 'hostname mail.agency.example && exec "$0" "$@"']
    with running([*named, str(program), *arguments], server):
        yield server


@contextlib.contextmanager
def exim(folder: Path, *, gateway_port: int, sink_port: int, back_port: int) -> Iterator[MailServer]:
    """Exim of deploy/exim/exim.conf: the gateway's client, and its next hop."""
    program = need(DEBIAN / "usr/sbin/exim4")
    open_to_all(folder)
    for name in ("spool", "log"):
        (folder / name).mkdir()
        shutil.chown(folder / name, "Debian-exim", "Debian-exim")
    server = MailServer(free_port(), back_port, folder / "log" / "mainlog")
    text = replaced(
        ROOT / "deploy/exim/exim.conf",
        {
            "GATEWAY_PORT = 10025": f"exim_path = {program}\nGATEWAY_PORT = {gateway_port}",
            "FRONT = 10024": f"FRONT = {server.front_port}",
            "BEHIND = 10026": f"BEHIND = {server.back_port}",
            "ONWARD_PORT = 10099": f"ONWARD_PORT = {sink_port}",
            "/var/spool/exim4": str(folder / "spool"),
            "/var/log/exim4": str(folder / "log"),
            "/run/exim4/exim.pid": str(folder / "exim.pid"),
        },
    )
    configuration = folder / "exim.conf"
    configuration.write_text(text)
    with running([str(program), "-bdf", "-q1s", "-C", str(configuration)], server):
        yield server


@contextlib.contextmanager
def haraka(folder: Path, *, sink_port: int, back_port: int) -> Iterator[MailServer]:
    """Haraka, which passes on to the sink what it gets, each message while its client waits."""
    program = need(SERVERS / "npm/node_modules/Haraka/bin/haraka")
    config = folder / "config"
    config.mkdir(parents=True)
    (config / "smtp.ini").write_text(f"listen=127.0.0.1:{back_port}\nnodes=0\n")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "take_all.js").write_text(
        "exports.hook_rcpt = (next, connection) => { connection.relaying = true; next(OK) }\n"
    )
    (config / "plugins").write_text("take_all\nqueue/smtp_forward\n")
    (config / "smtp_forward.ini").write_text(f"host=127.0.0.1\nport={sink_port}\nenable_outbound=true\n")
    shutil.copy(program.parents[1] / "config" / "connection.ini", config)
    (config / "me").write_text("haraka.example\n")
    server = MailServer(back_port, back_port, folder / "log")
    with running(["node", str(program), "-c", str(folder)], server):
        yield server


@contextlib.contextmanager
def running(command: list[str], server: MailServer) -> Iterator[None]:
    """The server in the foreground, with its children, until the end."""
    output = server.log_path.parent / "output"
    with output.open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        for port in {server.front_port, server.back_port}:
            wait_until(lambda port=port: is_listening(port) or process.poll() is not None, 30, f"{command[0]}")
        assert process.poll() is None, output.read_text(errors="replace") + server.log()
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def replaced(path: Path, words: dict[str, str]) -> str:
    """The file's text with each of these words replaced; each must stand in it."""
    text = path.read_text()
    for old, new in words.items():
        assert old in text, f"{path.name}: {old}"
        text = text.replace(old, new)
    return text


def open_to_all(folder: Path) -> None:
    """Make the folder, and let other users of the machine through to it."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in (folder, *folder.parents):
        if each.stat().st_uid == os.geteuid() and not each.stat().st_mode & 0o001:
            each.chmod(each.stat().st_mode | 0o011)
