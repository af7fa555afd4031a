"""The pages /livez, /readyz and /metrics: a small HTTP/1.1 server for one GET a connection.

Not a web framework and not for the open network: it listens on loopback by default, reads at most 8 KiB of request and
answers nothing but these three. Wiring says what "ready" means. RFC 9110, RFC 9112.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from gateway.service.addresses import Endpoint

_log = logging.getLogger(__name__)
_MAX_REQUEST_BYTES = 8192
_TIMEOUT_S = 5.0
_TEXT = "text/plain; charset=utf-8"
_PHRASES = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer: status code, content type, body."""

    status: int
    body: bytes
    content_type: str = _TEXT


PageMaker = Callable[[], Awaitable[Page]]


class HealthServer:
    """Serves the given pages by path until it is closed."""

    def __init__(self, listen: Endpoint, pages: Mapping[str, PageMaker]) -> None:
        self._listen = listen
        self._pages = dict(pages)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Open the socket. Raises OSError when the address is taken."""
        self._server = await asyncio.start_server(
            self._serve, self._listen.host, self._listen.port, limit=_MAX_REQUEST_BYTES
        )

    @property
    def address(self) -> Endpoint:
        """Where it listens, with the port that the system chose."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return Endpoint(host, port)

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                head = await reader.readuntil(b"\r\n\r\n")
            page = await self._page(head)
            writer.write(_response(page, with_body=not head.startswith(b"HEAD ")))
            async with asyncio.timeout(_TIMEOUT_S):
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            _log.debug("a request for a health page was not completed")
        finally:
            writer.close()

    async def _page(self, head: bytes) -> Page:
        words = head.split(b"\r\n", 1)[0].split(b" ")
        if len(words) != 3 or not words[2].startswith(b"HTTP/1."):
            return Page(status=400, body=b"bad request\n")
        if words[0] not in (b"GET", b"HEAD"):
            return Page(status=405, body=b"GET only\n")
        make = self._pages.get(words[1].split(b"?", 1)[0].decode("ascii", "replace"))
        if make is None:
            return Page(status=404, body=b"not found\n")
        try:
            return await make()
        except Exception:  # noqa: BLE001 - the guard of the pages: one that fails says so, the others go on
            _log.exception("a health page failed")
            return Page(status=500, body=b"failed\n")


def _response(page: Page, *, with_body: bool) -> bytes:
    head = (
        f"HTTP/1.1 {page.status} {_PHRASES[page.status]}\r\nContent-Type: {page.content_type}\r\n"
        f"Content-Length: {len(page.body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + (page.body if with_body else b"")


async def open_pages(listen: Endpoint | None, pages: Mapping[str, PageMaker]) -> HealthServer | None:
    """The open server of those pages beside /livez; None where none is configured."""
    if listen is None:
        return None
    server = HealthServer(listen, {"/livez": live, **pages})
    await server.start()
    _log.info("health pages open", extra={"http": str(server.address)})
    return server


async def live() -> Page:
    """The page of a process that answers at all."""
    return Page(status=200, body=b"alive\n")
