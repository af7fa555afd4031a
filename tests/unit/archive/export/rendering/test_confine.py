"""The walls around a printing process: no network, no program, no writing; reading goes on."""

from __future__ import annotations

import multiprocessing
import os
import platform
import socket
import subprocess
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from gateway.archive.export.rendering.confine import confine, filter_program
from gateway.archive.export.rendering.limits import RenderLimits


def outcome(work) -> str:
    try:
        work()
    except OSError as error:
        return error.strerror or type(error).__name__
    except BaseException as error:  # whatever it is, the parent is told
        return type(error).__name__
    return "done"


def shut_in(answers: Connection, folder: str) -> None:
    is_filtered = confine(RenderLimits(memory_bytes=4 << 30))
    tried = {
        "filtered": str(is_filtered),
        "socket": outcome(socket.socket),
        "pair": outcome(socket.socketpair),
        "program": outcome(lambda: subprocess.run(["/bin/true"], check=False)),
        "fork": outcome(os.fork),
        "write": outcome(lambda: Path(folder, "new").write_text("x")),
        "truncate": outcome(lambda: os.open(Path(folder, "there"), os.O_WRONLY | os.O_TRUNC)),
        "remove": outcome(lambda: Path(folder, "there").unlink()),
        "kill": outcome(lambda: os.kill(os.getppid(), 0)),
        "read": outcome(lambda: Path(folder, "there").read_text()),
        "thread": outcome(lambda: threading.Thread(target=int).start()),
    }
    answers.send(tried)


@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="no filter for this machine")
def test_a_printing_process_can_read_and_compute_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=shut_in, args=(theirs, str(tmp_path)))
    process.start()
    assert ours.poll(30)
    tried = ours.recv()
    process.join(10)
    refused = "Operation not permitted"
    assert tried == {
        "filtered": "True", "socket": refused, "pair": refused, "program": refused, "fork": refused, "write": refused,
        "truncate": refused, "remove": refused, "kill": refused, "read": "done", "thread": "done",
    }  # fmt: skip
    assert (tmp_path / "there").read_text() == "mine"


def test_there_is_no_filter_for_a_machine_that_nobody_tried() -> None:
    assert filter_program("riscv64") is None
