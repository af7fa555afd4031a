"""The keys of gateway.yaml that say how the next hop is spoken to, and the values made of them.

Part of `gateway.service.settings`, in a file of its own. RFC 3207 (STARTTLS), RFC 2033 (LMTP).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from gateway.outbound.hop_tls import TlsMode


class HopProtocol(StrEnum):
    """What the next hop speaks."""

    SMTP = "smtp"
    LMTP = "lmtp"


class HopTlsSettings(BaseModel):
    """STARTTLS towards the next hop."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    mode: TlsMode = Field(
        default=TlsMode.OFF,
        description="off; opportunistic (where it is offered, and without if it fails); required (no certificate is "
        "checked); verified (required, with a certificate that is believed). Only verified is safe on a line of others",
    )
    ca: Path | None = Field(
        default=None,
        description="PEM file with the authorities that are believed, from the configuration directory; absent: the "
        "system's",
    )
    name: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9.:-]+$",
        description="the name that the certificate must hold; absent: the host in `next_hop`",
    )
