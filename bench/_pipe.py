"""A floor for the benchmarks: octets passed on both ways, unread. Run as `python bench/_pipe.py PORT NEXT`.

An asyncio.Protocol on uvloop, one connection to the next hop for each client: what any relay in Python costs before it
knows a command, a message or an answer.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop


class Side(asyncio.Protocol):
    """One of the two connections; hands what comes to the other."""

    def __init__(self, other: Side | None, next_port: int) -> None:
        self.other, self.next_port = other, next_port
        self.transport: asyncio.Transport | None = None
        self.early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client opens the way on to the next hop."""
        self.transport = cast("asyncio.Transport", transport)
        if self.other is None:
            self.other = Side(self, self.next_port)
            loop = asyncio.get_running_loop()
            self.opening = loop.create_task(loop.create_connection(lambda: self.other, "127.0.0.1", self.next_port))
        elif self.other.early:
            self.transport.write(self.other.early)

    def data_received(self, octets: bytes) -> None:
        """Pass them on."""
        if self.other is not None and self.other.transport is not None:
            if not self.other.transport.is_closing():
                self.other.transport.write(octets)
        else:
            self.early += octets

    def connection_lost(self, _error: Exception | None) -> None:
        """The other connection ends too."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


async def main(port: int, next_port: int) -> None:
    """Serve until it is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: Side(None, next_port), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
