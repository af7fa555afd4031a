"""What the process that opens attachments can't do: reach a file, the network or another process, or take too much.

Each test forks a process, shuts it in as the real one is, and lets it try. Nothing is simulated.
"""

from __future__ import annotations

import contextlib
import ctypes
import encodings.idna  # noqa: F401 -- loaded by need, which is too late inside
import errno
import faulthandler
import json
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.content.documents import confine as walls
from gateway.content.documents.limits import DEFAULT, DocumentLimits
from gateway.content.documents.reader import DocumentReader
from gateway.content.finding import Matter
from gateway.message.parse import parse
from tests.builders import JORDAN, a_message
from tests.documents.mail import with_attachment
from tests.ports import free_port

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

Attempt = Callable[[], object]


def _shut_in(attempts: dict[str, Attempt], limits: DocumentLimits = DEFAULT) -> dict[str, int | str]:
    """For each attempt the errno with which it failed, or `done`; with `filter`, whether calls are filtered."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        faulthandler.disable()
        came: dict[str, int | str] = {"filter": int(walls.confine(limits))}
        for name, attempt in attempts.items():
            try:
                attempt()
                came[name] = "done"
            except OSError as problem:
                came[name] = problem.errno or 0
            except MemoryError:
                came[name] = "memory"
            except Exception as problem:
                came[name] = type(problem).__name__
        theirs.sendall(json.dumps(came).encode())
        theirs.close()
        os._exit(0)
    theirs.close()
    with ours:
        answer = b"".join(iter(lambda: ours.recv(65_536), b""))
    os.waitpid(pid, 0)
    return json.loads(answer) if answer else {"filter": "dead"}


def _attempts(folder: Path, listener: socket.socket) -> dict[str, Attempt]:
    victim = folder / "victim"
    victim.write_text("still here")
    parent = os.getpid()
    return {
        "read a file": lambda: os.open("/etc/hostname", os.O_RDONLY),
        "write a file": lambda: os.open(folder / "made", os.O_CREAT | os.O_WRONLY),
        "list a folder": lambda: list(Path("/").iterdir()),
        "remove a file": victim.unlink,
        "rename a file": lambda: victim.rename(folder / "moved"),
        "look at a file": Path("/etc/passwd").stat,
        "open a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "open a local socket": lambda: socket.socket(socket.AF_UNIX),
        "connect": lambda: socket.create_connection(listener.getsockname(), 1),
        "resolve a name": lambda: socket.getaddrinfo("agency.example", 25),
        "start a process": os.fork,
        "become another program": lambda: os.execv("/bin/true", ["true"]),
        "signal the gateway": lambda: os.kill(parent, signal.SIGTERM),
        "make a pipe": os.pipe,
        "make memory a file": lambda: os.memfd_create("x"),
        "change its root": lambda: os.chroot(folder),
        "lift its limits": _raise_limit,
        "trace the gateway": lambda: _call("ptrace", 16, parent, 0, 0),
        "leave the filter": lambda: _call("prctl", 22, 0, 0, 0, 0),
    }


def _raise_limit() -> None:
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    except ValueError as problem:
        raise PermissionError(errno.EPERM, "refused") from problem


def _call(name: str, *arguments: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)


def test_it_reaches_no_file_no_network_and_no_other_process(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        came = _shut_in(_attempts(tmp_path, listener))
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert came.pop("filter") == 1
    assert came["lift its limits"] in {errno.EPERM, errno.EINVAL}
    refused = {errno.EPERM, errno.EMFILE, errno.EINVAL, socket.EAI_SYSTEM, socket.EAI_AGAIN, socket.EAI_NONAME}
    assert {name: result for name, result in came.items() if result not in refused} == {}
    assert (tmp_path / "victim").read_text() == "still here"
    assert not (tmp_path / "made").exists()


def test_without_a_filter_for_the_machine_it_still_opens_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        every = _attempts(tmp_path, listener)
        names = ("read a file", "write a file", "open a socket", "connect", "make a pipe", "make memory a file")
        came = _shut_in({name: every[name] for name in names})
    assert came.pop("filter") == 0
    assert set(came.values()) == {errno.EMFILE}


def test_it_gets_no_more_memory_than_its_limit() -> None:
    came = _shut_in({"large": lambda: bytearray(DEFAULT.memory_bytes), "small": lambda: bytearray(1 << 20)})
    assert (came["large"], came["small"]) == ("memory", "done")


def test_it_is_ended_after_its_seconds_of_work() -> None:
    def work() -> None:
        while True:
            sum(range(1000))

    started = time.monotonic()
    assert _shut_in({"work": work}, replace(DEFAULT, cpu_s=1)) == {"filter": "dead"}
    assert time.monotonic() - started < 10


def test_a_running_one_holds_no_descriptor_but_its_socket() -> None:
    reader = DocumentReader()
    reader.start()
    try:
        child = reader._child()
        links = {entry.readlink() for entry in Path(f"/proc/{child.pid}/fd").iterdir()}
        status = Path(f"/proc/{child.pid}/status").read_text()
        bounds = Path(f"/proc/{child.pid}/limits").read_text()
        child.end()
    finally:
        reader.close()
    assert sum(str(link).startswith("socket:") for link in links) == 1
    assert {str(link) for link in links if not str(link).startswith("socket:")} <= {"/dev/null"}
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status
    assert "Max open files            0" in bounds


def test_a_late_document_is_unscannable_and_its_process_is_gone() -> None:
    reader = DocumentReader(limits=replace(DEFAULT, message_s=0.0))
    message = parse(with_attachment(a_message().to(JORDAN), "a.txt", b"hello"))
    try:
        (finding,) = reader.read(message).findings
    finally:
        reader.close()
    assert (finding.matter, finding.reason) == (Matter.UNSCANNABLE, "unscannable.late")


def test_a_dead_nursery_is_replaced() -> None:
    reader = DocumentReader()
    message = parse(with_attachment(a_message().to(JORDAN), "a.txt", b"hello"))
    try:
        first = reader.read(message)
        assert reader._nursery is not None
        reader._nursery._process.kill()
        reader._nursery._process.wait()
        assert reader.read(message) == first
    finally:
        reader.close()


def test_the_nursery_ends_with_the_gateway() -> None:
    script = (
        "import sys, time\n"
        "from gateway.content.documents.reader import DocumentReader\n"
        "reader = DocumentReader(); child = reader._child()\n"
        "print(reader._nursery._process.pid, child.pid, flush=True); time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pids = [int(pid) for pid in owner.stdout.readline().split()]
    owner.kill()
    owner.wait()
    owner.stdout.close()
    until = time.monotonic() + 20
    while any(_is_alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    assert [pid for pid in pids if _is_alive(pid)] == []


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_port_is_free_for_nobody_inside() -> None:
    port = free_port()
    came = _shut_in({"listen": lambda: socket.create_server(("127.0.0.1", port))})
    assert came["listen"] != "done"
