"""The cheapest server that takes mail: counts messages and forgets them. Run as `python bench/_sink.py PORT`.

`NOOP` is answered with the number of messages taken so far. Not strict, not for tests: it believes its peers.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

_EHLO = b"250-sink.example\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
_END = b"\r\n.\r\n"


class Sink(asyncio.Protocol):
    """One connection."""

    taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.waiting = b""
        self.is_in_data = False
        transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, octets: bytes) -> None:
        self.waiting += octets
        while self.step():
            pass

    def step(self) -> bool:
        """Take one command or the end of one message; False if more must come first."""
        end = self.waiting.find(_END if self.is_in_data else b"\r\n")
        if end < 0:
            if self.is_in_data:
                self.waiting = self.waiting[-len(_END) :]
            return False
        if self.is_in_data:
            self.waiting = self.waiting[end + len(_END) :]
            self.is_in_data = False
            Sink.taken += 1
            self.transport.write(b"250 2.0.0 Ok\r\n")
            return True
        verb, self.waiting = self.waiting[:4].upper(), self.waiting[end + 2 :]
        if verb == b"EHLO":
            self.transport.write(_EHLO)
        elif verb == b"DATA":
            self.is_in_data = True
            self.transport.write(b"354 Go on\r\n")
        elif verb == b"NOOP":
            self.transport.write(b"250 %d\r\n" % Sink.taken)
        elif verb == b"QUIT":
            self.transport.write(b"221 2.0.0 Bye\r\n")
            self.transport.close()
            return False
        else:
            self.transport.write(b"250 2.0.0 Ok\r\n")
        return True


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
