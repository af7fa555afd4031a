"""Signature fields made with dkimpy: heads canonicalised and hashed by it, signatures by our own keys.

dkimpy does RSA itself, slowly, and asks an object to sign for Ed25519. Here every key is such an object, so nothing of
dkimpy is replaced or patched. Of a message it reads the head alone: its way with bodies costs several copies. Pure.
Called by `gateway.amend.signing` and `gateway.amend.arc_seal`. RFC 6376 sections 3.4, 3.5 and 3.7.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

import dkim
from dkim.canonicalization import CanonicalizationPolicy

from gateway.amend.keys import SigningKey

_OBJECT_SIGNS: Final = b"ed25519-sha256"
"""The algorithm for which dkimpy calls `sign` of the key that it is given; the a= tag says what it really is."""
_LINE = 72
_MANY_LINE_ENDS = b"\r\n" * 4096
_ROOM_FOR_SIGNATURE: Final = b"0" * 60

Fields = list[tuple[bytes, bytes]]


class HeadUnreadable(Exception):
    """dkimpy and other verifiers would not agree on the header fields of the message."""


@dataclass(frozen=True, slots=True)
class _Signature:
    signature: bytes


class _SigningObject:
    """A key in the form that dkimpy asks to sign."""

    __slots__ = ("_key",)

    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def sign(self, digest: bytes) -> _Signature:
        return _Signature(self._key.sign(digest))


def split_head(raw: bytes) -> tuple[bytes, int]:
    """The header fields with their line ends, and the offset at which the body begins."""
    if raw.startswith(b"\r\n"):
        return b"", 2
    end = raw.find(b"\r\n\r\n")
    return (raw, len(raw)) if end < 0 else (raw[: end + 2], end + 4)


def read_head(head: bytes) -> Any:
    """The header fields as dkimpy's signer; raises HeadUnreadable (which says nothing of the message)."""
    if re.search(rb"(?:^|\n)From ", head):
        raise HeadUnreadable  # dkimpy steps over it, others do not
    try:
        signer = dkim.DomainSigner(head, signature_algorithm=_OBJECT_SIGNS)
    except (dkim.DKIMException, IndexError):
        raise HeadUnreadable from None
    signer.hasher = hashlib.sha256
    return signer


def simple_body_hash(raw: bytes, start: int) -> bytes:
    """The bh= value of the body from offset `start`, simple canonicalisation, no copy (RFC 6376 section 3.4.3)."""
    end = len(raw)
    while raw.endswith(_MANY_LINE_ENDS, start, end):
        end -= len(_MANY_LINE_ENDS)
    while raw.endswith(b"\r\n", start, end):
        end -= 2
    digest = hashlib.sha256(memoryview(raw)[start:end])
    digest.update(b"\r\n")
    return base64.b64encode(digest.digest())


def relaxed_body_hash(raw: bytes, start: int) -> bytes:
    """The bh= value of the body from offset `start`, relaxed canonicalisation (RFC 6376 section 3.4.4). Linear."""
    body = re.sub(rb"[\t ]+", b" ", raw[start:]).replace(b" \r\n", b"\r\n")
    if body.endswith(b" "):
        body = body[:-1]
    end = len(body)
    while body.endswith(_MANY_LINE_ENDS, 0, end):
        end -= len(_MANY_LINE_ENDS)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    digest = hashlib.sha256(memoryview(body)[:end])
    if end:
        digest.update(b"\r\n")
    return base64.b64encode(digest.digest())


def signature_field(
    name: str, tags: Fields, *, signer: Any, key: SigningKey, canonicalisation: str, fields: tuple[bytes, ...]
) -> bytes:
    """A signature field with its line end: `tags` in their order, then b= over those header fields and itself.

    `signer` comes from `read_head`; `fields` are names in lower case, each as often as it is signed.
    """
    policy = CanonicalizationPolicy.from_c_value(canonicalisation.encode("ascii"))
    value = signer.gen_header(
        [*tags, (b"b", _ROOM_FOR_SIGNATURE)], fields, policy, name.encode("ascii"), _SigningObject(key)
    )
    return name.encode("ascii") + b": " + bytes(value)


def sorted_field(name: str, tags: Fields, *, signer: Any, key: SigningKey, fields: tuple[bytes, ...]) -> bytes:
    """The same with relaxed canonicalisation and the tags in the order of their names, as ARC's own tests have them.

    Lines are bent at spaces and inside of b= alone, which changes neither what was signed nor any other value.
    """
    policy = CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")
    value = signer.gen_header(
        [*tags, (b"b", _ROOM_FOR_SIGNATURE)],
        fields,
        policy,
        name.encode("ascii"),
        _SigningObject(key),
        standardize=True,
    )
    lines = [_bent(tag) for tag in bytes(value).strip().split(b"; ")]
    return name.encode("ascii") + b": " + b";\r\n ".join(lines) + b"\r\n"


def _bent(tag: bytes) -> bytes:
    if not tag.startswith(b"b="):
        return tag
    return b"\r\n ".join(tag[at : at + _LINE] for at in range(0, len(tag), _LINE))
