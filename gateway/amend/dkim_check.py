"""Signatures proven by dkimpy: a message made ready once, and each DKIM or ARC signature checked against a key.

RSA and the canonical header are dkimpy's, ed25519 is `cryptography`'s; the reading of keys, their limits and the body
hash are ours, so that no hostile message or key costs more than linear time. Nothing here asks the DNS: keys come in.
Called by `gateway.amend.verify_dkim` and `verify_arc`. RFC 6376, RFC 8301, RFC 8463, RFC 8617.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.amend.dkim_body import BodyDigest, body_digest
from gateway.amend.dkim_tags import KeyRecord, SignatureInvalid, key_name, read_key
from gateway.message.model import HeaderField, Message, ProblemKind

MIN_RSA_BITS = 1024
GOOD_RSA_BITS = 2048
_MAX_RSA_BITS = 8192
_MAX_EXPONENT_BITS = 64
_MAX_HEADER_BYTES = 524_288
_IN_THREAD_FROM_BYTES = 262_144
_UNREADABLE = (
    ProblemKind.BARE_CR,
    ProblemKind.BARE_LF,
    ProblemKind.NO_BLANK_LINE,
    ProblemKind.MALFORMED_HEADER,
    ProblemKind.TOO_MANY_HEADERS,
)
_SILENT = logging.getLogger("gateway.silent.dkimpy")
"""Where dkimpy writes header fields to: nowhere."""
_SILENT.disabled = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A key that may be used. `material` is dkimpy's form of it, `record` what was published beside it."""

    record: KeyRecord
    bits: int
    material: Any


def usable_key(text: str) -> PublicKey:
    """The key of a TXT record. Raises SignatureInvalid for one that is malformed, revoked, too small or too costly."""
    record = read_key(text)
    if record.kind == "ed25519":
        return PublicKey(record=record, bits=256, material=_ed25519_key(record.key))
    try:
        material, bits, _, _ = dkim.evaluate_pk("key", f"k={record.kind}; p={record.key}")
    except Exception:  # noqa: BLE001 - the guard around dkimpy's reading of a stranger's key: it raises many kinds
        raise SignatureInvalid("the key can't be read") from None
    if bits < MIN_RSA_BITS:
        raise SignatureInvalid("the key is smaller than 1024 bits")
    if bits > _MAX_RSA_BITS or material["publicExponent"].bit_length() > _MAX_EXPONENT_BITS:
        raise SignatureInvalid("the key is too large")
    return PublicKey(record=record, bits=bits, material=material)


def _ed25519_key(text: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text))
    except ValueError:
        raise SignatureInvalid("the key can't be read") from None


class SignedMessage:
    """A parsed message in the form that signatures are made over; body hashes are kept, so that each is made once."""

    def __init__(self, message: Message) -> None:
        self._raw = message.raw
        self._body_start = message.root.body_start_byte
        self._digests: dict[tuple[str, int | None], BodyDigest] = {}
        self.fields = [[field.name.encode("ascii"), field.value_raw + b"\r\n"] for field in message.headers]
        self.problem = _problem(message)

    def body(self, canon: str, length: int | None = None) -> BodyDigest:
        """The SHA-256 body hash for a canonicalization and l=."""
        key = (canon, length)
        if key not in self._digests:
            self._digests[key] = body_digest(self._raw, self._body_start, canon=canon, length=length)
        return self._digests[key]

    async def body_in_turn(self, canon: str, length: int | None = None) -> BodyDigest:
        """The SHA-256 body hash, in a thread where it takes long."""
        if (canon, length) in self._digests or len(self._raw) < _IN_THREAD_FROM_BYTES:
            return self.body(canon, length)
        return await asyncio.to_thread(self.body, canon, length)

    def is_signed(self, field: HeaderField, key: PublicKey) -> bool:
        """True if the header signature of that DKIM-Signature field verifies; its body hash is not looked at."""
        check = _Check({}, self)
        name, value = field.name.encode("ascii"), field.value_raw + b"\r\n"
        try:
            tags = dkim.util.parse_tag_value(value)
            names = [entry.strip().lower() for entry in tags[b"h"].split(b":")]
            return check.proves(tags, names, [name, value], key)
        except Exception:  # noqa: BLE001 - the guard around dkimpy: a parser that raises has not verified
            return False

    def arc_chain(self, keys: Mapping[str, PublicKey]) -> tuple[str | None, list[dict[str, Any]]]:
        """pass, fail, none, or None for a chain that was sealed as failed; and its sets, newest first."""
        try:
            state, sets, _ = _Chain(keys, self).verify()
        except Exception:  # noqa: BLE001 - the guard around dkimpy: a parser that raises has not verified
            return "fail", []
        return None if state is None else state.decode("ascii"), sets


class _Check(dkim.DKIM):  # type: ignore[misc]  # dkimpy has no types
    """dkimpy's verifier on header fields that are parsed already, with our keys and our body hash."""

    def __init__(self, keys: Mapping[str, PublicKey], signed: SignedMessage) -> None:
        super().__init__(None, logger=_SILENT)
        self._keys = keys
        self._signed = signed
        self.headers = [(name, value) for name, value in signed.fields]

    def verify_sig(self, sig: dict[bytes, bytes], include_headers: list[bytes], sig_header: Any, _ask: Any) -> bool:
        """Whether a signature stands: the hook through which dkimpy's ARC verifier comes."""
        key = self._keys.get(key_name(sig[b"s"].decode("latin-1"), sig[b"d"].decode("latin-1")))
        return key is not None and self.is_body_proven(sig) and self.proves(sig, include_headers, sig_header, key)

    def is_body_proven(self, sig: dict[bytes, bytes]) -> bool:
        """True if there is no bh=, or it is the hash of the whole body."""
        if b"bh" not in sig:
            return True
        canon = sig.get(b"c", b"relaxed/relaxed").partition(b"/")[2] or b"simple"
        digest = self._signed.body(canon.decode("latin-1"))
        is_whole = b"l" not in sig or int(sig[b"l"]) == digest.canonical_bytes
        return is_whole and hmac.compare_digest(digest.digest, base64.b64decode(sig[b"bh"]))

    def proves(self, sig: dict[bytes, bytes], names: list[bytes], sig_header: Any, key: PublicKey) -> bool:
        """Whether the signature over the header verifies, by dkimpy; the body hash is left to us."""
        if isinstance(key.material, Ed25519PublicKey):
            return self._proves_ed25519(sig, names, sig_header, key.material)
        self.pk, self.keysize, self.ktag, self.seqtlsrpt = key.material, key.bits, b"rsa", False
        header_only = {tag: value for tag, value in sig.items() if tag != b"bh"}
        return bool(self.verify_sig_process(header_only, names, sig_header, None))

    def _proves_ed25519(
        self, sig: dict[bytes, bytes], names: list[bytes], sig_header: Any, key: Ed25519PublicKey
    ) -> bool:
        """RFC 8463: the signature is over the SHA-256 of the header, as dkimpy canonicalizes it; `names` as for RSA."""
        canon = dkim.CanonicalizationPolicy.from_c_value(sig.get(b"c", b"simple/simple"))
        hasher = hashlib.sha256()
        headers = canon.canonicalize_headers(self.headers)
        dkim.hash_headers(hasher, canon, headers, [*names, b"from"], sig_header, sig)
        try:
            key.verify(base64.b64decode(sig[b"b"]), hasher.digest())
        except InvalidSignature:
            return False
        return True


class _Chain(_Check, dkim.ARC):  # type: ignore[misc]  # dkimpy has no types
    """dkimpy's ARC verifier on the same terms."""

    def verify(self) -> tuple[bytes | None, list[dict[str, Any]], str]:
        """The state of the chain, its sets and the reason, as dkimpy gives them."""
        return dkim.ARC.verify(self, dnsfunc=None)  # type: ignore[no-any-return]


def _problem(message: Message) -> str:
    """Why no signature of this message is looked at; empty if they are."""
    if any(message.has(kind) for kind in _UNREADABLE):
        return "the message is malformed"
    if message.root.body_start_byte > _MAX_HEADER_BYTES:
        return "the header is too long"
    return ""
