"""The open way from a door to the next hop for one message, as the flow sees it.

Not the wire (`gateway.outbound.relay`) and not the door that owns the session. `gateway.arrive` calls one of the two
methods once a message; RFC 5321 section 3.3.
"""

from __future__ import annotations

from typing import Protocol

from gateway.message.reply import Reply


class Delivery(Protocol):
    """A mail transaction that stands open at the next hop: envelope accepted, content not yet sent."""

    async def deliver(self, content: bytes) -> Reply:
        """Send `content` (CRLF line ends, not dot-stuffed) and return the next hop's final reply.

        Raises NextHopDown, NextHopLost or NextHopSlow (GatewayError, each a 4xx): then nobody may say 250.
        """

    async def abandon(self) -> None:
        """Send nothing: the transaction at the next hop is reset. Never raises; harmless after `deliver`."""
