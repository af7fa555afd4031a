"""What the door offers in its answer to EHLO: the next hop's keywords but for a few, and its own.

Not the connection to the next hop (`gateway.doors.smtp_onward`). `KeywordMemory` is shared by all sessions of a door,
so that EHLO has an answer while the next hop is down. RFC 5321 section 4.1.1.1, RFC 2920 (PIPELINING), RFC 1870
(SIZE).
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.doors.smtp_auth import passed_mechanisms
from gateway.doors.smtp_grammar import XCLIENT_ATTRIBUTES, XFORWARD_ATTRIBUTES

NOT_MIRRORED = frozenset(
    {
        "ATRN",  # turns the session round
        "AUTH",  # ours, where it is passed on
        "BINARYMIME",  # needs BDAT
        "BURL",
        "CHUNKING",  # BDAT: content that is not read at DATA
        "PIPELINING",  # ours
        "REQUIRETLS",  # a promise about both sides that we can't give
        "SIZE",  # ours, never above the next hop's
        "STARTTLS",  # between neighbours
        "TURN",
        "XCLIENT",  # between neighbours
        "XEXCH50",
        "XFORWARD",  # ours, for trusted clients
    }
)
"""Keywords of the next hop that do not hold for the door."""

MEMORY_LIFE_S = 60.0
"""How long the next hop's keywords are taken as known."""


class KeywordMemory:
    """The keywords that the next hop offered last. `now_s` are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._keywords: Mapping[str, str] | None = None
        self._learned_s = 0.0

    def learn(self, keywords: Mapping[str, str], now_s: float) -> None:
        """Remember what the next hop has just said."""
        self._keywords, self._learned_s = keywords, now_s

    def fresh(self, now_s: float) -> Mapping[str, str] | None:
        """The keywords, if they are at most a minute old; else None."""
        return self._keywords if now_s - self._learned_s <= MEMORY_LIFE_S else None

    def last(self) -> Mapping[str, str] | None:
        """The keywords of whatever age; None if the next hop has not been seen yet."""
        return self._keywords


def offered_keywords(
    next_hop: Mapping[str, str] | None,
    *,
    max_bytes: int,
    offers_tls: bool,
    is_trusted: bool,
    offers_auth: bool = False,
) -> tuple[str, ...]:
    """The EHLO lines after the first. `next_hop` is None while nobody knows what it offers: then nothing of it."""
    mirrored = [
        f"{keyword} {rest}".rstrip()
        for keyword, rest in (next_hop or {}).items()
        if keyword not in NOT_MIRRORED and not keyword.startswith(("AUTH=", "X-"))
    ]
    own = ["PIPELINING", f"SIZE {_smaller_size((next_hop or {}).get('SIZE', ''), max_bytes)}"]
    if offers_tls:
        own.append("STARTTLS")
    mechanisms = passed_mechanisms((next_hop or {}).get("AUTH", "")) if offers_auth else ()
    if mechanisms:
        own.append(f"AUTH {' '.join(mechanisms)}")
    if is_trusted:
        own += [f"XFORWARD {' '.join(XFORWARD_ATTRIBUTES)}", f"XCLIENT {' '.join(XCLIENT_ATTRIBUTES)}"]
    return (*own, *mirrored)


def _smaller_size(theirs: str, ours: int) -> int:
    """The smaller limit; the next hop's 0 and silence mean "no limit" (RFC 1870 section 4)."""
    return min(int(theirs), ours) if theirs.isascii() and theirs.isdigit() and int(theirs) > 0 else ours
