"""Does a signature verify against the record that we would publish? The other half of signing, by dkimpy, without DNS.

For `keys check` and for tests; mail that comes in is verified elsewhere. The public key is read back from the text of
the record, so that a record that can't be read is found too. RFC 6376 section 6.1.
"""

from __future__ import annotations

import base64

import dkim
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.amend.keys import Algorithm, SigningKey


def is_verified(raw: bytes, key: SigningKey) -> bool:
    """True if the topmost DKIM-Signature of `raw` verifies with the public half of `key`, as its record tells it."""
    try:
        message = dkim.DKIM(raw)
        if key.algorithm is Algorithm.RSA:
            return bool(message.verify(dnsfunc=lambda *_, **__: key.record.encode("ascii")))
        return _is_verified_ed25519(message, key)
    except (dkim.DKIMException, IndexError):
        return False


def _is_verified_ed25519(message: dkim.DKIM, key: SigningKey) -> bool:
    """Ed25519: dkimpy asks an object to verify it, and ours stands in for the package that it would import."""
    found = message.verify_headerprep(0)
    if not found:
        return False
    signature, fields, signature_headers = found
    verifier = _Verifier(key.record)
    message.pk, message.keysize, message.ktag = verifier, key.bits, b"ed25519"
    try:
        return bool(message.verify_sig_process(signature, fields, signature_headers[0], None))
    except (InvalidSignature, NameError):  # dkimpy names an exception of the package that it lacks
        return False


class _Verifier:
    """The public key of a record in the form that dkimpy asks to verify."""

    __slots__ = ("_public",)

    def __init__(self, record: str) -> None:
        tags = dict(tag.split("=", 1) for tag in record.replace(" ", "").split(";"))
        self._public = Ed25519PublicKey.from_public_bytes(base64.b64decode(tags["p"]))

    def verify(self, digest: bytes, signature: bytes) -> None:
        self._public.verify(signature, digest)
