from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.message.errors import ConfigInvalid
from gateway.service.activation import NO_SOCKETS, inherited_sockets, socket_of


def test_without_systemd_or_for_another_process_there_are_none() -> None:
    assert inherited_sockets({}, 7) == NO_SOCKETS
    assert inherited_sockets({"LISTEN_PID": "8", "LISTEN_FDS": "2"}, 7) == NO_SOCKETS


def test_sockets_are_known_by_their_names() -> None:
    program = (
        "import os, socket\n"
        "for at, address in enumerate(('127.0.0.1', '::1', '127.0.0.1')):\n"
        "    family = socket.AF_INET6 if ':' in address else socket.AF_INET\n"
        "    made = socket.socket(family); made.bind((address, 0)); made.listen(); os.dup2(made.fileno(), 20 + at)\n"
        "for at in range(3): os.dup2(20 + at, 3 + at)\n"
        "from gateway.service.activation import inherited_sockets\n"
        "told = {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '3', 'LISTEN_FDNAMES': 'smtp:smtp:milter'}\n"
        "found = inherited_sockets(told, os.getpid())\n"
        "print([each.fileno() for each in found.smtp], [each.fileno() for each in found.milter],\n"
        "      [os.get_inheritable(at) for at in (3, 4, 5)])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == "[3, 4] [5] [False, False, False]\n"


def test_another_name_is_a_configuration_error() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        inherited_sockets({"LISTEN_PID": "7", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "http"}, 7)
    assert "FileDescriptorName" in caught.value.problems[0].what


def opened(family: int, address: object, *, listens: bool = True, kind: int = socket.SOCK_STREAM) -> int:
    made = socket.socket(family, kind)
    made.bind(address)  # type: ignore[arg-type]
    if listens:
        made.listen()
    return made.detach()


@pytest.mark.parametrize("name", ["smtp", "milter"])
def test_what_does_not_listen_is_no_door(name: str, tmp_path: Path) -> None:
    for descriptor in (
        opened(socket.AF_INET, ("127.0.0.1", 0), listens=False),
        opened(socket.AF_INET, ("127.0.0.1", 0), listens=False, kind=socket.SOCK_DGRAM),
        os.open(tmp_path, os.O_RDONLY),
    ):
        with pytest.raises(ConfigInvalid):
            socket_of(descriptor, name)


def test_the_milter_door_may_not_be_reached_from_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        socket_of(opened(socket.AF_INET, ("0.0.0.0", 0)), "milter")
    assert "believed" in caught.value.problems[0].what
    with socket_of(opened(socket.AF_UNIX, str(tmp_path / "m")), "milter") as found:
        assert found.family == socket.AF_UNIX
    with pytest.raises(ConfigInvalid) as caught:
        socket_of(opened(socket.AF_UNIX, str(tmp_path / "s")), "smtp")
    assert "IP address" in caught.value.problems[0].what
