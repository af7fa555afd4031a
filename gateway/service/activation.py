"""Listening sockets that outlive who serves them: opened by systemd, or by the parent of serving workers.

With them a restart refuses no connection, for the socket stays open while nobody serves it. All workers listen on the
same sockets, and whoever has time accepts: a worker that died or is busy keeps nobody waiting, which it would with a
socket of its own (SO_REUSEPORT; ADR 0018). Called by `gateway.service.life` and `gateway.service.parent`.
systemd.socket(5), sd_listen_fds(3).
"""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gateway.message.errors import ConfigInvalid, ConfigProblem
from gateway.service.addresses import Endpoint, UnixSocket
from gateway.service.settings import Settings

_FIRST_DESCRIPTOR = 3
_BACKLOG = 512
_SOCKET_MODE = 0o660
_WHERE = "systemd socket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sockets:
    """Listening sockets for each door; none: the door opens its own, as configured.

    `paths` are the names in the file system that go with them.
    """

    smtp: tuple[socket.socket, ...] = ()
    milter: tuple[socket.socket, ...] = ()
    paths: tuple[Path, ...] = ()

    @classmethod
    def of_descriptors(cls, smtp: Iterable[int], milter: Iterable[int]) -> Self:
        """The sockets that the parent has handed down."""
        return cls(
            smtp=tuple(socket_of(each, "smtp") for each in smtp),
            milter=tuple(socket_of(each, "milter") for each in milter),
        )

    def close(self) -> None:
        """Close all of them, and take away their names."""
        for each in (*self.smtp, *self.milter):
            each.close()
        for path in self.paths:
            path.unlink(missing_ok=True)


NO_SOCKETS = Sockets()


def open_sockets(settings: Settings, given: Sockets = NO_SOCKETS) -> Sockets:
    """Listening sockets on the configured addresses, but for the doors whose sockets are given already.

    Raises OSError if an address can't be had; then none is open.
    """
    with ExitStack() as undo:
        smtp, milter, paths = list(given.smtp), list(given.milter), []
        for endpoint in () if smtp else settings.smtp.listen:
            smtp += [undo.enter_context(each) for each in _opened(endpoint)]
        for address in () if milter or settings.milter is None else settings.milter.listen:
            if isinstance(address, UnixSocket):
                milter.append(undo.enter_context(_opened_path(address.path)))
                paths.append(address.path)
            else:
                milter += [undo.enter_context(each) for each in _opened(address)]
        undo.pop_all()
    return Sockets(smtp=tuple(smtp), milter=tuple(milter), paths=tuple(paths))


def _opened(endpoint: Endpoint) -> list[socket.socket]:
    """A listening socket for each IP address of the host."""
    found = []
    with ExitStack() as undo:
        port = endpoint.port
        kinds = socket.getaddrinfo(endpoint.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((kind[0], kind[4][0]) for kind in kinds):
            each = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            each.bind((address, port))
            each.listen(_BACKLOG)
            each.setblocking(False)
            port = port or each.getsockname()[1]
            found.append(each)
        undo.pop_all()
    return found


def _opened_path(path: Path) -> socket.socket:
    """A listening Unix socket for its owner and group; a stale one in its place is taken away."""
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()
    with ExitStack() as undo:
        opened = undo.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        opened.bind(str(path))
        path.chmod(_SOCKET_MODE)
        opened.listen(_BACKLOG)
        opened.setblocking(False)
        undo.pop_all()
    return opened


def inherited_sockets(environment: Mapping[str, str], pid: int) -> Sockets:
    """The sockets that systemd has opened for this process, by their `FileDescriptorName=`: `smtp` or `milter`.

    Raises ConfigInvalid for another name, for what does not listen, and for a milter socket that other hosts can reach.
    """
    if environment.get("LISTEN_PID") != str(pid):
        return NO_SOCKETS
    count = int(environment.get("LISTEN_FDS", "0"))
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    given: dict[str, list[socket.socket]] = {"smtp": [], "milter": []}
    for at in range(count):
        name = names[at] if at < len(names) else ""
        if name not in given:
            raise _wrong("its FileDescriptorName must be smtp or milter")
        os.set_inheritable(_FIRST_DESCRIPTOR + at, False)
        given[name].append(socket_of(_FIRST_DESCRIPTOR + at, name))
    return Sockets(smtp=tuple(given["smtp"]), milter=tuple(given["milter"]))


def socket_of(descriptor: int, name: str) -> socket.socket:
    """The listening socket with that descriptor, for that door. Raises ConfigInvalid as `inherited_sockets` does."""
    try:
        found = socket.socket(fileno=descriptor)
        is_listening = bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        raise _wrong("it is no socket") from None
    if not is_listening or found.type != socket.SOCK_STREAM:
        raise _wrong("it does not listen for streams")
    if name == "milter" and not _is_local(found):
        raise _wrong("whoever reaches the milter door is believed: listen on 127.0.0.1, ::1 or a Unix socket")
    if name == "smtp" and found.family not in {socket.AF_INET, socket.AF_INET6}:
        raise _wrong("the SMTP door needs an IP address")
    found.setblocking(False)
    return found


def _is_local(found: socket.socket) -> bool:
    return found.family == socket.AF_UNIX or ipaddress.ip_address(found.getsockname()[0]).is_loopback


def _wrong(what: str) -> ConfigInvalid:
    return ConfigInvalid([ConfigProblem(_WHERE, 0, what)])
