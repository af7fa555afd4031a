"""The login of a session: the client's AUTH and the next hop's answers, passed through line by line.

The next hop alone decides; its 235 makes the client one that may send, and binds the session to that connection. No
line of a login is kept or logged. Between `gateway.doors.smtp_connection` and `gateway.doors.smtp_session`. RFC 4954.
"""

from __future__ import annotations

import ipaddress

from gateway.doors.smtp_auth import MAX_LINE_BYTES, LoginName, passed_mechanisms
from gateway.doors.smtp_connection import SmtpConnection
from gateway.doors.smtp_settings import DoorState, SessionRegister
from gateway.message.reply import Reply, reply

_CHALLENGE = 334


class SmtpLogin(SmtpConnection):
    """A connection on which the client may log in at the next hop, if the door passes logins on."""

    def __init__(self, state: DoorState, register: SessionRegister) -> None:
        super().__init__(state, register)
        self._is_tls = False
        self._login: str | None = None

    @property
    def _has_login(self) -> bool:
        """True once the next hop has said 235."""
        return self._onward.has_login

    @property
    def _offers_auth(self) -> bool:
        """True if AUTH may be said now: the door passes it on, and nobody can read along."""
        return self._settings.passes_auth and self._is_private and not self._has_login

    @property
    def _is_private(self) -> bool:
        return self._is_tls or (self._peer_ip is not None and ipaddress.ip_address(self._peer_ip).is_loopback)

    async def log_in(self, argument: bytes) -> Reply:
        """The last reply to AUTH: the next hop's, or ours where it can't be passed on."""
        if not self._is_private:
            return reply("tls_needed_for_login")
        words = argument.split()
        mechanism = words[0].decode("ascii", "replace") if words else ""
        if not passed_mechanisms(mechanism):
            return reply("mechanism_unknown" if words else "syntax")
        if len(words) > 2:
            return reply("syntax")
        name = LoginName(mechanism)
        for initial in words[1:]:
            name.hear(initial)
        answer = await self._onward.auth(b"AUTH " + b" ".join(words))
        while answer.code == _CHALLENGE:
            await self.say(answer)
            line = await self.next_line(MAX_LINE_BYTES)
            response = line.removesuffix(b"\r\n")
            if len(response) == len(line) or len(line) > MAX_LINE_BYTES or b"\r" in response:
                response = b"*"  # RFC 4954 section 4: the word that gives up
            name.hear(response)
            answer = await self._onward.auth(response)
        if self._has_login:
            self._login = name.name
        return answer
