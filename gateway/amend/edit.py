"""What is to be inserted into one part, before its transfer encoding and its fields are looked at.

Made by `plain_edit` and `html_edit`, turned into splices by `gateway.amend.notice`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """`octets` go in at `offset` of the part's decoded octets; `label` is a new charset or None.

    `body` is set if the part is transcoded: the decoded octets in the new charset, in which `offset` then counts.
    """

    offset: int
    octets: bytes
    label: str | None = None
    body: bytes | None = None


def newline_of(octets: bytes, encoding: str) -> str:
    """The line end to write: CRLF, but a lone LF in base64 text that is written so (RFC 2045 section 6.8)."""
    has_only_lf = encoding == "base64" and b"\n" in octets and b"\r\n" not in octets
    return "\n" if has_only_lf else "\r\n"
