"""What the service manager is told: ready, reloading, stopping. sd_notify(3); nothing without NOTIFY_SOCKET."""

from __future__ import annotations

import logging
import os
import socket

_log = logging.getLogger(__name__)


def tell_service_manager(words: str) -> None:
    """Tell systemd where we are, if it started us and asked to be told."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.sendto(words.encode("ascii"), address)
    except OSError:
        _log.warning("the service manager can't be told")
