"""A login that is passed through to the next hop: which mechanisms, and whose name it is. Pure.

Not the check of a password: the next hop's answer is the only one, and nothing is kept but the name. Called by
`gateway.doors.smtp_session`. RFC 4954 (AUTH), RFC 4616 (PLAIN), RFC 5802 (SCRAM), RFC 7628 (OAUTHBEARER); LOGIN and
XOAUTH2 by their vendors' pages.
"""

from __future__ import annotations

import base64
import binascii
import re

MAX_LINE_BYTES = 12_288
"""The longest line of a login (RFC 4954 section 4)."""

_MECHANISMS = ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256")
"""What may be passed on. Those that bind to the channel below (-PLUS, GSSAPI, EXTERNAL) would rightly fail."""

_SCRAM_NAME = re.compile(r"\A[ny](?:,a=[^,]*)?,(?:a=[^,]*)?,?n=([^,]+),")
_XOAUTH_NAME = re.compile(r"\Auser=([^\x01]+)\x01")
_OAUTH_NAME = re.compile(r"\An,a=([^,]+),\x01")
_MAX_NAME_CHARS = 255


def passed_mechanisms(offered: str) -> tuple[str, ...]:
    """Those of the next hop's mechanisms that can be passed through, in its order."""
    return tuple(word for word in offered.upper().split() if word in _MECHANISMS)


class LoginName:
    """Listens to one login and tells whose it is. `hear` each line of the client; `name` is None if nobody can tell."""

    def __init__(self, mechanism: str) -> None:
        self._mechanism = mechanism.upper()
        self._has_heard = False
        self.name: str | None = None

    def hear(self, response: bytes) -> None:
        """One response of the client in base64, the one beside AUTH among them."""
        try:
            text = base64.b64decode(response, validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            text = ""
        if not self._has_heard or self._mechanism == "CRAM-MD5":
            found = self._name_in(text)
            self.name = found if found and found.isprintable() and len(found) <= _MAX_NAME_CHARS else None
        self._has_heard = True

    def _name_in(self, text: str) -> str | None:
        match self._mechanism:
            case "PLAIN":
                words = text.split("\0")
                return words[1] if len(words) == 3 else None
            case "LOGIN":
                return text
            case "CRAM-MD5":
                return text.rpartition(" ")[0]
            case "XOAUTH2":
                found = _XOAUTH_NAME.match(text)
            case "OAUTHBEARER":
                found = _OAUTH_NAME.match(text)
            case _:
                found = _SCRAM_NAME.match(text)
        return found[1].replace("=2C", ",").replace("=3D", "=") if found else None
