"""Authenticated encryption of what the store keeps: AES-256-GCM (NIST SP 800-38D), and keyed hashes for look-ups.

A `Seal` is one key with the header of what it protects. The header and the name of the part are additional data, so
that a sealed value opens only in its own place: moved to another row, or beside another header, it does not. Knows no
SQL and no file. Called by `bodies`, `keyring`, `reads` and `writes`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.archive.codec import instant

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_FORMAT = b"\x01"  # the first byte of every sealed value: zstd or text under AES-256-GCM with a random nonce
_DOMAIN = b"practicum-gateway 1\0"


class Seal:
    """One key and the header of what it protects; `part` names what is sealed under them."""

    __slots__ = ("_cipher", "_header", "key")

    def __init__(self, key: bytes, header: bytes) -> None:
        self.key = key
        self._header = _DOMAIN + header + b"\0"
        self._cipher = AESGCM(key)

    def close(self, part: str, content: bytes) -> bytes:
        """The content sealed: format byte, nonce of 96 random bits, ciphertext, tag."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, content, self._header + part.encode("utf-8", "replace"))

    def open(self, part: str, sealed: bytes) -> bytes | None:
        """The content that `close` was given; None if it was changed or belongs elsewhere."""
        if not is_sealed(sealed):
            return None
        nonce, text = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, text, self._header + part.encode("utf-8", "replace"))
        except InvalidTag:
            return None


def is_sealed(value: bytes) -> bool:
    """True for bytes that have the form of a sealed value."""
    return value[:1] == _FORMAT and len(value) >= 1 + _NONCE_BYTES + _TAG_BYTES


def new_key() -> bytes:
    """A random key."""
    return os.urandom(KEY_BYTES)


def derived(key: bytes, purpose: str) -> bytes:
    """A key for one purpose, made from another (HKDF with SHA-256 and one block, RFC 5869)."""
    extracted = hmac.digest(b"practicum-gateway", key, "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")


def keyed_hash(key: bytes, kind: str, text: str) -> str:
    """128 bits of HMAC-SHA-256 in hex: equal texts have equal hashes, and without the key no guess can be tried."""
    message = kind.encode() + b"\0" + text.encode("utf-8", "replace")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:32]


def record_header(record_id: str, received_at: datetime | str, direction: str) -> bytes:
    """The header of a record: what never changes of it and stands in the clear."""
    moment = received_at if isinstance(received_at, str) else instant(received_at)
    return f"{record_id}\n{moment}\n{direction}".encode("utf-8", "replace")
