"""DKIM signatures and key records read into values, strictly: tag lists, the DKIM-Signature field, the key record.

Pure; no cryptography and no look-up. Called by `gateway.amend.verify_dkim` and `verify_arc`. RFC 6376 sections 3.2, 3.5
and 3.6.1, RFC 8301. dkimpy's own reading takes more than the grammar (a NUL in s=, a tag with any ending), so that
ours comes first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_FIELD_BYTES = 16_384
MAX_SIGNED_NAMES = 200
_LONG_BLANK = re.compile(rb"[ \t\r\n]{201}")
_TAG = re.compile(r"[ \t\r\n]*([A-Za-z][A-Za-z0-9_]*)[ \t\r\n]*=(.*)", re.DOTALL)
_VALUE = re.compile(r"[\x21-\x7e \t\r\n]*")
_DOMAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*")
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_NUMBER = re.compile(r"[0-9]{1,20}")
_BLANKS = re.compile(r"[ \t\r\n]+")
_REQUIRED = ("v", "a", "b", "bh", "d", "h", "s")
_ALGORITHMS = frozenset({"rsa-sha256", "rsa-sha1", "ed25519-sha256"})
_CANONS = frozenset({"simple", "relaxed"})


class SignatureInvalid(Exception):
    """The field or the key is not what RFC 6376 says. The words name the tag, never its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A DKIM-Signature field. `names` are lower case in the order of h=; `length` is l= in bytes of canonical body.

    `signed_at` and `expires_at` are seconds since 1970.
    """

    domain: str
    selector: str
    algorithm: str
    header_canon: str
    body_canon: str
    names: tuple[str, ...]
    body_hash: str
    identity: str
    length: int | None
    signed_at: int | None
    expires_at: int | None

    @property
    def key_name(self) -> str:
        """Where the public key is published."""
        return key_name(self.selector, self.domain)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A public key record. Empty `hashes` allow every algorithm; `key` is base64, never empty."""

    kind: str
    key: str
    hashes: frozenset[str]
    flags: frozenset[str]


def key_name(selector: str, domain: str) -> str:
    """The name under which a selector's key is published (RFC 6376 section 3.6.2.1)."""
    return f"{selector}._domainkey.{domain}".lower()


def is_hashable_field(value: bytes) -> bool:
    """False for a field that no signer makes: too long, or with a run of blanks that costs dkimpy quadratic time."""
    return len(value) <= MAX_FIELD_BYTES and _LONG_BLANK.search(value) is None


def is_signing_domain(text: str) -> bool:
    """True for dot-separated labels of letters, digits, hyphens and underscores: what d= and s= may hold."""
    return len(text) <= 253 and _DOMAIN.fullmatch(text) is not None


def read_tags(text: str) -> dict[str, str]:
    """The tags of a tag list, values without blanks around them. Raises SignatureInvalid."""
    tags: dict[str, str] = {}
    specs = text.split(";")
    if not specs[-1].strip():
        specs.pop()
    for spec in specs:
        match = _TAG.fullmatch(spec)
        if match is None or not _VALUE.fullmatch(match[2]):
            raise SignatureInvalid("a tag is malformed")
        if match[1] in tags:
            raise SignatureInvalid(f"the {match[1]}= tag stands twice")
        tags[match[1]] = match[2].strip(" \t\r\n")
    return tags


def read_signature(value: bytes) -> Signature:
    """The signature in a DKIM-Signature field's raw value. Raises SignatureInvalid."""
    if not is_hashable_field(value):
        raise SignatureInvalid("the field is too long")
    tags = read_tags(value.decode("latin-1"))
    missing = [name for name in _REQUIRED if name not in tags]
    if missing:
        raise SignatureInvalid(f"the {missing[0]}= tag is missing")
    domain, selector = tags["d"].lower(), tags["s"].lower()
    for name, text in (("d", domain), ("s", selector)):
        if not is_signing_domain(text):
            raise SignatureInvalid(f"the {name}= tag is no domain name")
    _check_fixed_tags(tags)
    header_canon, body_canon = _canons(tags.get("c", "simple/simple"))
    signed_at, expires_at = _number(tags, "t"), _number(tags, "x")
    if signed_at is not None and expires_at is not None and expires_at <= signed_at:
        raise SignatureInvalid("the x= tag is not after t=")
    return Signature(
        domain=domain,
        selector=selector,
        algorithm=tags["a"],
        header_canon=header_canon,
        body_canon=body_canon,
        names=_names(tags["h"]),
        body_hash=_base64(tags["bh"], "bh"),
        identity=_identity(tags.get("i", f"@{domain}"), domain),
        length=_number(tags, "l"),
        signed_at=signed_at,
        expires_at=expires_at,
    )


def read_key(text: str) -> KeyRecord:
    """The key in a TXT record. Raises SignatureInvalid, for a revoked key too (an empty p=)."""
    if len(text) > MAX_FIELD_BYTES:
        raise SignatureInvalid("the key record is too long")
    tags = read_tags(text)
    if tags.get("v", "DKIM1") != "DKIM1":
        raise SignatureInvalid("the key record has another version")
    if "p" not in tags:
        raise SignatureInvalid("the key record has no key")
    if not tags["p"]:
        raise SignatureInvalid("the key is revoked")
    services = _words(tags.get("s", "*"))
    if not services & {"*", "email"}:
        raise SignatureInvalid("the key is not for mail")
    return KeyRecord(
        kind=tags.get("k", "rsa"),
        key=_base64(tags["p"], "p"),
        hashes=_words(tags["h"]) if "h" in tags else frozenset(),
        flags=_words(tags.get("t", "")),
    )


def _check_fixed_tags(tags: dict[str, str]) -> None:
    if tags["v"] != "1":
        raise SignatureInvalid("the v= tag is not 1")
    if tags["a"] not in _ALGORITHMS:
        raise SignatureInvalid("the a= tag names no known algorithm")
    if "dns/txt" not in _words(tags.get("q", "dns/txt")):
        raise SignatureInvalid("the q= tag names no known method")
    _base64(tags["b"], "b")


def _canons(text: str) -> tuple[str, str]:
    header, _, body = text.partition("/")
    if header not in _CANONS or (body or "simple") not in _CANONS:
        raise SignatureInvalid("the c= tag names no known canonicalization")
    return header, body or "simple"


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip(" \t\r\n").lower() for name in text.split(":"))
    if len(names) > MAX_SIGNED_NAMES or not all(names):
        raise SignatureInvalid("the h= tag is malformed")
    if "from" not in names:
        raise SignatureInvalid("the From field is not signed")
    return names


def _identity(text: str, domain: str) -> str:
    """RFC 6376 section 3.5: the domain of i= is d= or below it."""
    host = text.rpartition("@")[2].lower()
    if "@" not in text or not (host == domain or host.endswith(f".{domain}")) or not is_signing_domain(host):
        raise SignatureInvalid("the i= tag is not within d=")
    return text


def _number(tags: dict[str, str], name: str) -> int | None:
    if name not in tags:
        return None
    if not _NUMBER.fullmatch(tags[name]):
        raise SignatureInvalid(f"the {name}= tag is no number")
    return int(tags[name])


def _base64(text: str, name: str) -> str:
    clean = _BLANKS.sub("", text)
    if len(clean) % 4 or not _BASE64.fullmatch(clean):
        raise SignatureInvalid(f"the {name}= tag is not base64")
    return clean


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip(" \t\r\n").lower() for word in text.split(":") if word.strip())
