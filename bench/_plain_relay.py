"""A baseline: the plain relay that one writes in Python quickly. Run as `python bench/_plain_relay.py PORT NEXT`.

aiosmtpd's own server in front, smtplib behind, one connection a message, the answer of the next hop passed on; no
judgement, no archive, no notice.
"""

from __future__ import annotations

import asyncio
import smtplib
import sys

from aiosmtpd.smtp import SMTP, Envelope, Session


class Relay:
    """aiosmtpd's handler."""

    def __init__(self, next_port: int) -> None:
        self.next_port = next_port

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name
        """Pass the message on; the next hop's answer, or 451."""
        try:
            await asyncio.to_thread(self.relay, envelope)
        except (OSError, smtplib.SMTPException):
            return "451 4.4.1 No answer from the next hop"
        return "250 2.0.0 Ok"

    def relay(self, envelope: Envelope) -> None:
        with smtplib.SMTP("127.0.0.1", self.next_port, local_hostname="relay.example") as client:
            client.sendmail(envelope.mail_from or "", envelope.rcpt_tos, envelope.original_content or b"")


async def _serve(port: int, next_port: int) -> None:
    relay = Relay(next_port)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(relay, hostname="relay.example"), "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2])))
