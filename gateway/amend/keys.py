"""The keys that sign: read from files with their permissions checked, made new, and told as the DNS record to publish.

Not what is signed (`gateway.amend.signing`). The one module that imports `cryptography` for signing: a signature takes
well under a millisecond here, and 35 ms in dkimpy's own arithmetic. Called by wiring, by the reload and by the `keys`
commands. RFC 6376 section 3.6 (key records), RFC 8301 (sizes), RFC 8463 (Ed25519).
"""

from __future__ import annotations

import base64
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from gateway.message.errors import ConfigInvalid, ConfigProblem
from gateway.people.addresses import canonical_domain

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 4096
"""RFC 8301 section 3.2: signers use 2048 bits or more; verifiers need not read more than 4096."""
_MAX_FILE_BYTES = 65_536
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MAX_NAME = 253
_STRING_OCTETS = 255
_DIGEST = Prehashed(SHA256())


class Algorithm(StrEnum):
    """How a key signs, as the a= tag has it (RFC 6376 section 3.3, RFC 8463 section 3)."""

    RSA = "rsa-sha256"
    ED25519 = "ed25519-sha256"

    @property
    def key_type(self) -> str:
        """The k= tag of the key record: `rsa` or `ed25519`."""
        return self.value.partition("-")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key and the name under which its public half is published. `domain` holds A-labels in lower case."""

    domain: str
    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> Algorithm:
        """How it signs."""
        return Algorithm.RSA if isinstance(self.private, RSAPrivateKey) else Algorithm.ED25519

    @property
    def bits(self) -> int:
        """The size: of the modulus for RSA, 256 for Ed25519."""
        return self.private.key_size if isinstance(self.private, RSAPrivateKey) else 256

    @property
    def record_name(self) -> str:
        """The DNS name of its record, without a final dot (RFC 6376 section 3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        """The text of its TXT record (RFC 6376 section 3.6.1, RFC 8463 section 4)."""
        public = self.private.public_key()
        if self.algorithm is Algorithm.RSA:
            octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        else:
            octets = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; h=sha256; k={self.algorithm.key_type}; p={base64.b64encode(octets).decode('ascii')}"

    def sign(self, digest: bytes) -> bytes:
        """The signature over a SHA-256 digest; the same each time (RFC 8017 section 8.2, RFC 8463 section 3)."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(digest, PKCS1v15(), _DIGEST)
        return self.private.sign(digest)

    def verifies(self, digest: bytes, signature: bytes) -> bool:
        """True if `signature` is this key's over that SHA-256 digest."""
        try:
            if isinstance(self.private, RSAPrivateKey):
                self.private.public_key().verify(signature, digest, PKCS1v15(), _DIGEST)
            else:
                self.private.public_key().verify(signature, digest)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPlace:
    """A key as the configuration names it: the domain that signs, the selector, and the PEM file."""

    domain: str
    selector: str
    file: Path


def load_keys(places: Iterable[KeyPlace], *, config: str) -> tuple[SigningKey, ...]:
    """The keys of all places, in their order. `config` is the path of the file that names them, for the problems.

    Raises ConfigInvalid with every problem: names that can't be published, two keys of one name or of one kind for a
    domain, and files that are absent, unreadable, readable by others, of the wrong kind, too small or with a password.
    """
    keys: list[SigningKey] = []
    problems: list[ConfigProblem] = []
    for number, place in enumerate(places):
        wrong = name_problem(place.domain, place.selector)
        if wrong is not None:
            problems.append(ConfigProblem(config, 0, f"`signing.{number}`: {wrong}"))
            continue
        try:
            key = _read_key(place)
        except _KeyUnusable as error:
            problems.append(ConfigProblem(str(place.file), 0, str(error)))
            continue
        clash = _clash(key, keys)
        if clash is not None:
            problems.append(ConfigProblem(config, 0, f"`signing.{number}`: {clash}"))
        keys.append(key)
    if problems:
        raise ConfigInvalid(problems)
    return tuple(keys)


def new_key(domain: str, selector: str, algorithm: Algorithm, *, bits: int = MIN_RSA_BITS) -> SigningKey:
    """A key that nobody has yet; ValueError for a name that can't be published or a size outside of 2048 to 4096."""
    wrong = name_problem(domain, selector)
    if wrong is not None:
        raise ValueError(wrong)
    if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
        raise ValueError(f"an RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
    private = generate_private_key(65_537, bits) if algorithm is Algorithm.RSA else Ed25519PrivateKey.generate()
    return SigningKey(domain=canonical_domain(domain) or domain, selector=selector.lower(), private=private)


def write_key(key: SigningKey, file: Path) -> None:
    """Write the private key as PEM (PKCS #8), mode 0600, and sync it; FileExistsError rather than overwrite."""
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as out:
        os.fchmod(handle, 0o600)
        out.write(pem)
        out.flush()
        os.fsync(handle)


def name_problem(domain: str, selector: str) -> str | None:
    """What is wrong with the name of a key, in words for the administrator; None if it can be published."""
    name = canonical_domain(domain)
    if name is None or "." not in name or name.startswith("["):
        return f"the domain {domain!r} is no domain name: write it as in agency.example"
    if not _SELECTOR.fullmatch(selector):
        return f"the selector {selector!r} is no name: use letters, digits and hyphens, as in s1"
    if len(f"{selector}._domainkey.{name}") > _MAX_NAME:
        return "selector and domain together are too long for DNS: choose a shorter selector"
    return None


def record_lines(key: SigningKey) -> str:
    """The record as a line of a zone file, its text in strings of at most 255 octets (RFC 1035 section 3.3.14)."""
    text = key.record
    strings = [text[at : at + _STRING_OCTETS] for at in range(0, len(text), _STRING_OCTETS)]
    quoted = "\n".join(f'    "{string}"' for string in strings)
    return f"{key.record_name}. IN TXT (\n{quoted} )"


class _KeyUnusable(Exception):
    """A key file that can't be used; the text says what to do."""


def _read_key(place: KeyPlace) -> SigningKey:
    pem = _read_secret(place.file)
    try:
        private = load_pem_private_key(pem, password=None)
    except TypeError:
        raise _KeyUnusable("the key has a password, and nobody is there to type it: write it without one") from None
    except ValueError:
        raise _KeyUnusable(f"no private key in PEM form: {_HOW_TO_MAKE}") from None
    if isinstance(private, RSAPrivateKey):
        if not MIN_RSA_BITS <= private.key_size <= MAX_RSA_BITS:
            size = f"an RSA key of {private.key_size} bits, where {MIN_RSA_BITS} to {MAX_RSA_BITS} are right"
            raise _KeyUnusable(f"{size} (RFC 8301): {_HOW_TO_MAKE}")
    elif not isinstance(private, Ed25519PrivateKey):
        raise _KeyUnusable(f"neither an RSA nor an Ed25519 key: {_HOW_TO_MAKE}")
    domain = canonical_domain(place.domain) or place.domain
    return SigningKey(domain=domain, selector=place.selector.lower(), private=private)


_HOW_TO_MAKE = "make one with `practicum-gateway keys new`"


def _read_secret(file: Path) -> bytes:
    """The content of a file that others can't read; the open file is looked at, so that nobody can exchange it."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise _KeyUnusable(f"there is no such file: {_HOW_TO_MAKE}") from None
    except OSError as error:
        raise _KeyUnusable(
            f"can't be read ({error.strerror}): give it to the user that runs the gateway, mode 0600"
        ) from None
    try:
        wrong = permission_problem(os.fstat(handle), reader=os.geteuid())
        if wrong is not None:
            raise _KeyUnusable(wrong)
        content = os.read(handle, _MAX_FILE_BYTES + 1)
    finally:
        os.close(handle)
    if len(content) > _MAX_FILE_BYTES:
        raise _KeyUnusable(f"too large for a key: {_HOW_TO_MAKE}")
    return content


def permission_problem(facts: os.stat_result, *, reader: int) -> str | None:
    """What is wrong with the permissions of a key file, in words for the administrator; None for nothing.

    Right is a file that its owner alone reads, or that root owns and lets one group read. `reader` is the user id
    that runs the gateway: the file is its own or root's (if it is not root that asks).
    """
    if not stat.S_ISREG(facts.st_mode):
        return "no file: name a PEM file"
    mode = stat.S_IMODE(facts.st_mode)
    if mode & 0o007:
        return f"everybody has access to it (mode {mode:04o}): chmod 0600, and make a new key if others have seen it"
    if mode & 0o030:
        return f"its group may change it (mode {mode:04o}): chmod 0600"
    if mode & 0o040 and facts.st_uid != 0:
        return f"its group may read it (mode {mode:04o}): chmod 0600, or let root own it with mode 0640"
    if reader not in {0, facts.st_uid} and facts.st_uid != 0:
        return "it belongs to another user than root or the one that runs the gateway: chown it"
    return None


def _clash(key: SigningKey, others: Iterable[SigningKey]) -> str | None:
    for other in others:
        if other.record_name == key.record_name:
            return f"{key.record_name} stands here twice: give each key a selector of its own"
        if (other.domain, other.algorithm) == (key.domain, key.algorithm):
            return (
                f"two {key.algorithm.key_type} keys for {key.domain}: keep the newer one here; "
                "the DNS record of the older one stays for a week or two"
            )
    return None
