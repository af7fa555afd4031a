"""Ports for servers that are told their port before they start, which nobody else gets meanwhile.

A port that the kernel chose is free only until it chooses it again, for any connection on the machine. These lie below
the range from which Linux chooses (32768 and up, ip_local_port_range), each is given once, and each of pytest-xdist's
processes has a share of its own.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import socket

_LOWEST, _SHARE = 12_000, 5_000
_worker = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0) % 4
_places = itertools.count(random.SystemRandom().randrange(_SHARE))


def free_port() -> int:
    """A loopback port that is free, and stays so for whoever asked."""
    for place in itertools.islice(_places, _SHARE):
        port = _LOWEST + _worker * _SHARE + place % _SHARE
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise OSError("no port is free")
