"""How the connection to the next hop is protected: not at all, if it can be, always, or always and by a known name.

Values only; `gateway.outbound.relay` carries it out. RFC 3207 (STARTTLS), RFC 7435 (opportunistic), RFC 9525 (names in
certificates).
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class TlsMode(StrEnum):
    """How much protection is asked for. Only VERIFIED helps against somebody who sits on the line."""

    OFF = "off"
    OPPORTUNISTIC = "opportunistic"
    REQUIRED = "required"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class HopTls:
    """The mode, and for VERIFIED whose certificates are believed and which name they must hold."""

    mode: TlsMode = TlsMode.OFF
    context: ssl.SSLContext | None = None
    name: str | None = None

    @property
    def is_needed(self) -> bool:
        """True if nothing may go out in the clear."""
        return self.mode in {TlsMode.REQUIRED, TlsMode.VERIFIED}


def make_hop_tls(mode: TlsMode, *, authorities: Path | None = None, name: str | None = None) -> HopTls:
    """The protection of that mode. `authorities` is a PEM file; without it those of the system are believed.

    Raises OSError (ssl.SSLError among them) for a file that can't be used.
    """
    if mode is TlsMode.OFF:
        return HopTls()
    context = ssl.create_default_context(cafile=authorities)
    if mode is not TlsMode.VERIFIED:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return HopTls(mode=mode, context=context, name=name)
