"""Messages signed for tests by dkimpy, with any tags; keys are made once a run."""

from __future__ import annotations

import base64
from functools import cache

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from dkim.canonicalization import CanonicalizationPolicy

MAIL = (
    b"From: Jordan Reyes <jordan@mail.example>\r\nTo: ada@agency.example\r\nSubject: Thursday\r\n"
    b"Date: Thu, 05 Nov 2026 10:00:00 -0500\r\n\r\nThursday  works. \r\n\r\nJordan\r\n\r\n"
)


@cache
def rsa(bits: int = 2048) -> RSAPrivateKey:
    """One RSA key of that size."""
    return generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ed25519() -> Ed25519PrivateKey:
    """One ed25519 key."""
    return Ed25519PrivateKey.generate()


def key_record(bits: int = 2048, more: str = "") -> str:
    """What is published for `rsa(bits)`; `more` are further tags."""
    der = rsa(bits).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; {more}p={base64.b64encode(der).decode()}"


def ed25519_record() -> str:
    """What is published for `ed25519()`."""
    raw = ed25519().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode()}"


class _Ed25519Signer:
    """The form in which dkimpy calls a key."""

    def sign(self, digest: bytes) -> _Ed25519Signer:
        self.signature = ed25519().sign(digest)
        return self


def signed(
    raw: bytes = MAIL,
    *,
    domain: str = "mail.example",
    selector: str = "s1",
    algorithm: str = "rsa-sha256",
    canon: str = "relaxed/relaxed",
    names: str = "from:to:subject:date",
    bits: int = 2048,
    length: int | None = None,
    **tags: str,
) -> bytes:
    """The message with one signature more on top. `tags` come besides (`x="1"`)."""
    signer = dkim.DKIM(raw, signature_algorithm=algorithm.encode())
    policy = CanonicalizationPolicy.from_c_value(canon.encode())
    signer.hasher = dkim.HASH_ALGORITHMS[algorithm.encode()]
    body = policy.canonicalize_body(signer.body)[:length]
    fields = [
        (b"v", b"1"), (b"a", algorithm.encode()), (b"c", canon.encode()), (b"d", domain.encode()),
        (b"s", selector.encode()), (b"h", names.encode()),
        *((name.encode(), value.encode()) for name, value in tags.items()),
        *([(b"l", str(length).encode())] if length is not None else []),
        (b"bh", base64.b64encode(signer.hasher(body).digest())), (b"b", b"0" * 60),
    ]  # fmt: skip
    if algorithm.startswith("rsa"):
        pem = rsa(bits).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        key = dkim.parse_pem_private_key(pem)
    else:
        key = _Ed25519Signer()
    headers = [name.strip().encode() for name in names.split(":")]
    value = signer.gen_header(fields, headers, policy, b"DKIM-Signature", key)
    return b"DKIM-Signature: " + bytes(value) + raw
