"""DKIM: our signature on mail that our people send out, put on top after every other change.

Not ARC (`gateway.amend.arc_seal`), not verification. A message that can't be signed so that every verifier agrees goes
out without a signature and with a reason: an absent signature harms less than a broken one. Signatures of others stay,
broken or not (RFC 6376 section 6.1: a broken one counts as none). Pure; called by the flows. RFC 6376, RFC 8301,
RFC 8463.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gateway.amend.dkim_fields import HeadUnreadable, read_head, signature_field, simple_body_hash, split_head
from gateway.amend.keys import Algorithm, SigningKey
from gateway.amend.treatment import Signing
from gateway.message.addresses import domain_of, read_address_list
from gateway.people.addresses import canonical_domain
from gateway.people.model import Direction

CANONICALISATION: Final = "relaxed/simple"
SEALED: Final = (
    b"from", b"to", b"cc", b"subject", b"reply-to", b"mime-version", b"content-type", b"content-transfer-encoding",
)  # fmt: skip
"""Signed once more than they are there, so that none can be added (RFC 6376 section 8.15)."""
SEALED_IF_THERE: Final = (b"date", b"message-id", b"sender", b"in-reply-to", b"references")
"""The same, but not if absent: the mail server behind us may add Date, Message-ID and Sender (RFC 6409 section 8)."""
SIGNED_IF_THERE: Final = (
    b"resent-date", b"resent-from", b"resent-sender", b"resent-to", b"resent-cc", b"resent-message-id",
    b"content-id", b"content-description", b"content-language", b"auto-submitted",
    b"list-id", b"list-help", b"list-unsubscribe", b"list-unsubscribe-post", b"list-subscribe", b"list-post",
    b"list-owner", b"list-archive",
)  # fmt: skip
_MAX_SIGNED_FIELDS = 200
_MAX_OWN_SIGNATURES = 4
_MAX_SIGNATURE_BYTES = 8192
_TIME_TAG = re.compile(rb";t=(\d{1,11});")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """The fields to put on top of a message, none if it is not signed now, and what became of the signature.

    `keys` names the keys that signed, `selector.domain`.
    """

    signing: Signing
    fields: bytes = b""
    keys: tuple[str, ...] = ()


def is_to_be_signed(direction: Direction, *, has_login: bool) -> bool:
    """True for mail that leaves the house, and for mail among colleagues whose sender has logged in.

    Colleagues may be at another organisation. Without a login, mail among colleagues may have come from outside under
    a colleague's name, and we vouch for nobody's forgery.
    """
    if direction is Direction.INTERNAL:
        return has_login
    return direction is not Direction.INBOUND


class Signer:
    """Signs for the domains of its keys; several keys of a domain sign one after the other, RSA on top."""

    def __init__(self, keys: tuple[SigningKey, ...] = ()) -> None:
        by_domain: dict[str, tuple[SigningKey, ...]] = {}
        for key in sorted(keys, key=lambda key: key.algorithm is Algorithm.RSA):
            by_domain[key.domain] = (*by_domain.get(key.domain, ()), key)
        self._keys = by_domain

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that it signs for, as A-labels."""
        return tuple(self._keys)

    def sign(self, raw: bytes, at: datetime) -> bytes:
        """The message with our signatures on top, or as it was where `signature` has a reason."""
        fields = self.signature(raw, at).fields
        return fields + raw if fields else raw

    def signature(self, raw: bytes, at: datetime) -> Signature:
        """Our signatures for a message, or the reason why there are none. Never raises for bytes.

        `raw` is complete: nothing but the fields given back may be added after this. `at` is the time for the t= tag.
        There is no x= tag: a message may wait in queues for days.
        """
        if not self._keys:
            return Signature(signing=Signing.UNSIGNED_NO_KEY)
        if not has_wire_lines(raw):
            return Signature(signing=Signing.UNSIGNED_LINE_ENDS)
        head, body_start = split_head(raw)
        try:
            signer = read_head(head)
        except HeadUnreadable:
            return Signature(signing=Signing.UNSIGNED_MALFORMED)
        keys = self._keys_for(signer.headers)
        if isinstance(keys, Signing):
            return Signature(signing=keys)
        fields = fields_to_sign(signer.headers)
        if len(fields) > _MAX_SIGNED_FIELDS:
            return Signature(signing=Signing.UNSIGNED_MALFORMED)
        work = _Work(signer=signer, fields=fields, body_hash=simple_body_hash(raw, body_start))
        needed = [key for key in keys if not work.is_signed_by(key)]
        if not needed:
            return Signature(signing=Signing.ALREADY_SIGNED)
        made = [work.field(key, int(at.timestamp())) for key in needed]
        return Signature(
            signing=Signing.SIGNED,
            fields=b"".join(reversed(made)),
            keys=tuple(f"{key.selector}.{key.domain}" for key in needed),
        )

    def _keys_for(self, headers: list[list[bytes]]) -> tuple[SigningKey, ...] | Signing:
        """The keys of the domain that all authors share with a key, the most specific one; or why there is none."""
        found = [value for name, value in headers if name.lower() == b"from"]
        if len(found) > 1:
            return Signing.UNSIGNED_SEVERAL_FROM
        authors = read_address_list("From", found[0]).addresses if found else ()
        domains = {canonical_domain(domain_of(author.addr_spec)) for author in authors}
        if not domains or None in domains:
            return Signing.UNSIGNED_NO_AUTHOR
        fitting = [known for known in self._keys if all(is_within(domain or "", known) for domain in domains)]
        return self._keys[max(fitting, key=len)] if fitting else Signing.UNSIGNED_NO_KEY


SIGNS_NOTHING: Final = Signer()
"""Who signs where no key is configured."""


class _Work:
    """One message under signature: what is signed, the same for every key."""

    __slots__ = ("_body_hash", "_fields", "_signer")

    def __init__(self, *, signer: Any, fields: tuple[bytes, ...], body_hash: bytes) -> None:
        self._signer = signer
        self._fields = fields
        self._body_hash = body_hash

    def field(self, key: SigningKey, seconds: int) -> bytes:
        """The DKIM-Signature field of that key, at that time since 1970."""
        tags = [
            (b"v", b"1"),
            (b"a", key.algorithm.value.encode("ascii")),
            (b"c", CANONICALISATION.encode("ascii")),
            (b"d", key.domain.encode("ascii")),
            (b"s", key.selector.encode("ascii")),
            (b"t", str(seconds).encode("ascii")),
            (b"h", b" : ".join(self._fields)),
            (b"bh", self._body_hash),
        ]
        return signature_field(
            "DKIM-Signature",
            tags,
            signer=self._signer,
            key=key,
            canonicalisation=CANONICALISATION,
            fields=self._fields,
        )

    def is_signed_by(self, key: SigningKey) -> bool:
        """True if a signature of that key is there and good: signing again at its time gives the same field.

        Both kinds of signature are the same each time that they are made (see `SigningKey.sign`).
        """
        mark = f";d={key.domain};s={key.selector};".encode("ascii")
        values = (_without_space(value) for name, value in self._signer.headers if name.lower() == b"dkim-signature")
        ours = [value for value in values if mark in value and len(value) <= _MAX_SIGNATURE_BYTES]
        for value in ours[:_MAX_OWN_SIGNATURES]:
            time = _TIME_TAG.search(value)
            if time is not None and _without_space(self.field(key, int(time[1]))).partition(b":")[2] == value:
                return True
        return False


def has_wire_lines(raw: bytes) -> bool:
    """True if lines end in CRLF only and there is no NUL: transports change others (RFC 5321 section 2.3.8)."""
    ends = raw.count(b"\r\n")
    return ends == raw.count(b"\n") == raw.count(b"\r") and b"\0" not in raw


def is_within(domain: str, parent: str) -> bool:
    """True if `domain` is `parent` or below it, so that its signature is aligned (RFC 7489 section 3.1.1)."""
    return domain == parent or domain.endswith(f".{parent}")


def fields_to_sign(headers: list[list[bytes]]) -> tuple[bytes, ...]:
    """The names for the h= tag, in lower case: each field as often as it is there, the sealed ones once more."""
    counts = Counter(name.lower() for name, _ in headers)
    names: list[bytes] = []
    for name in SEALED:
        names += [name] * (counts[name] + 1)
    for name in SEALED_IF_THERE:
        names += [name] * (counts[name] + 1 if counts[name] else 0)
    for name in SIGNED_IF_THERE:
        names += [name] * counts[name]
    return tuple(names)


def _without_space(value: bytes) -> bytes:
    return b"".join(value.split())
