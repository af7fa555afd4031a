"""One spelling for each address: lower case, the domain as IDNA2008 A-labels, a needlessly quoted local part bare.

Not a header parser (that is `gateway.message.addresses`) and not a look-up. Called by `load`, `directory` and
`classify`. Nothing is mapped by compatibility (NFKC): a full-width letter is not an ASCII one, and an address that
holds one has no canonical spelling. RFC 5321 section 4.1.2, RFC 5890 to 5893, RFC 6531.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import idna

MAX_ADDRESS_CHARS = 254
"""RFC 5321 section 4.5.3.1.3: 256 octets of path, less the angle brackets."""

_MAX_LOCAL_OCTETS = 64
_MAX_LABEL_CHARS = 63
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f\x7f-\x9f]|\\[\x20-\x7e])*"')
_PLAIN_ADDRESS = re.compile(
    r"[a-z0-9_+=~'-]{1,64}(?:\.[a-z0-9_+=~'-]{1,64}){0,8}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,20}[a-z]{2,63}",
    re.IGNORECASE | re.ASCII,
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?")  # with the underscore that real host names have
_LITERAL = re.compile(r"\[(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|ipv6:[0-9a-f:.]{2,45})\]")


def canonical(address: str) -> str | None:
    """The one spelling of an addr-spec without angle brackets; None where there is none.

    None: no local part or domain, a trailing dot, a label that IDNA2008 does not allow (full-width letters, mixed
    directions), a control character, or more than 254 characters.
    """
    return None if len(address) > MAX_ADDRESS_CHARS else _canonical(address)


@lru_cache(maxsize=4096)
def _canonical(address: str) -> str | None:
    local, separator, domain = address.rpartition("@")
    if not separator:
        return None
    clean_local = _canonical_local(local)
    clean_domain = canonical_domain(domain)
    return f"{clean_local}@{clean_domain}" if clean_local and clean_domain else None


def canonical_domain(domain: str) -> str | None:
    """The domain as lower-case A-labels, or an address literal in lower case; None where it is neither."""
    lowered = _lowered(domain)
    if lowered.startswith("["):
        return lowered if _LITERAL.fullmatch(lowered) else None
    labels = [_a_label(label) for label in lowered.split(".")]
    if any(label is None for label in labels):
        return None
    joined = ".".join(label for label in labels if label)
    return joined if len(joined) <= MAX_ADDRESS_CHARS - 1 else None


def domain_labels(domain: str) -> tuple[str, ...]:
    """The labels of a canonical domain as people read them (U-labels)."""
    return tuple(_u_label(label) for label in domain.split("."))


def is_plainly_good(address: str) -> bool:
    """True for an ASCII address that needs no closer look: a dot-atom at a domain name of two labels or more."""
    return len(address) <= MAX_ADDRESS_CHARS and _PLAIN_ADDRESS.fullmatch(address) is not None and "xn--" not in address


def without_tag(address: str) -> str | None:
    """The canonical address with `+tag` taken out of its local part; None if it has no tag."""
    local, _, domain = address.rpartition("@")
    name, plus, _ = local.partition("+")
    return f"{name}@{domain}" if plus and name and not name.startswith('"') else None


def _canonical_local(local: str) -> str | None:
    lowered = unicodedata.normalize("NFC", _lowered(local))
    if len(lowered.encode("utf-8", "replace")) > _MAX_LOCAL_OCTETS:
        return None
    if not lowered.isascii() and any(_is_unseen(char) for char in lowered):
        return None
    if _DOT_ATOM.fullmatch(lowered):
        return lowered
    if not _QUOTED.fullmatch(lowered):
        return None
    bare = re.sub(r"\\(.)", r"\1", lowered[1:-1])
    return bare if _DOT_ATOM.fullmatch(bare) else lowered


def _is_unseen(char: str) -> bool:
    """Controls, formats (bidirectional marks), surrogates, unassigned and any space but the ASCII one."""
    return not char.isascii() and unicodedata.category(char)[0] in "CZ"


def _lowered(text: str) -> str:
    """Lower case, but a letter outside ASCII never becomes an ASCII one (KELVIN SIGN is not `k`)."""
    if text.isascii():
        return text.lower()
    return "".join(char if not char.isascii() and char.lower()[0].isascii() else char.lower() for char in text)


def _a_label(label: str) -> str | None:
    if len(label) > _MAX_LABEL_CHARS:
        return None
    if label.isascii() and not label.startswith("xn--"):
        return label if _LABEL.fullmatch(label) else None
    composed = unicodedata.normalize("NFC", label)
    if composed.isascii() and not label.isascii():
        return None
    try:
        return idna.alabel(composed).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None


def _u_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return idna.ulabel(label)
    except (idna.IDNAError, UnicodeError):
        return label
