"""The header with which a proxy begins a connection: whose connection it is. PROXY protocol, versions 1 and 2.

Only hosts that are configured as proxies send one, and they must: nothing is guessed (haproxy's proxy-protocol.txt,
section 2). The reading itself is aiosmtpd's. Called by `gateway.doors.smtp_connection`.
"""

from __future__ import annotations

import asyncio

from aiosmtpd.proxy_protocol import V2_CMD, get_proxy

from gateway.doors.smtp_grammar import ip_address_of

_HEADER_S = 10.0


class NoProxyHeader(Exception):
    """What came is no header of the PROXY protocol, or none came in time."""


async def read_proxied_address(reader: asyncio.StreamReader, own_address: str) -> str | None:
    """The address of the client behind the proxy; `own_address` for the proxy's own connections (its health checks).

    None if the proxy says that it does not know, or the client has no IP address. Raises NoProxyHeader.
    """
    try:
        async with asyncio.timeout(_HEADER_S):
            told = await get_proxy(reader)
    except (TimeoutError, OSError, EOFError, asyncio.LimitOverrunError):
        raise NoProxyHeader from None
    if not told.valid:
        raise NoProxyHeader
    if told.command == V2_CMD.LOCAL:
        return own_address
    return ip_address_of(str(told.src_addr)) if told.src_addr else None
