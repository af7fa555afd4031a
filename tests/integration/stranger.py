"""A gateway that trusts 127.0.0.1 alone, and a client that is not it: it comes from 127.0.0.2."""

from __future__ import annotations

import socket

from tests.integration.gateway_process import GatewayProcess
from tests.integration.servers import Speaker

STRANGE_HOST = "127.0.0.2"


class Stranger(Speaker):
    """A client whose address is not trusted; it says what it is told to."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(STRANGE_HOST, 0))
        self.file = self.socket.makefile("rb")
        self.greeting = self.read()


def trust_one_host(gateway: GatewayProcess) -> None:
    """Before its start: let the gateway trust 127.0.0.1 and nobody else."""
    path = gateway.folder / "gateway.yaml"
    text = path.read_text()
    path.write_text(text.replace("next_hop:", 'trusted_clients: ["127.0.0.1/32"], next_hop:', 1))
