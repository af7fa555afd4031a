"""Stamps of checkpoints by an outside authority: proof to others that a text existed at a time (RFC 3161).

The authority sees a hash and nothing else. Nothing asks one unless an administrator names its address on the command
line. Not the checkpoint (`gateway.archive.ledger`); a stamp lies outside the store, where whoever can write to it
can't reach. Called by the commands `archive stamp` and `archive verify`. RFC 3161 sections 2.4 and 3.4.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

ASK_S = 30.0
_MAX_STAMP_BYTES = 256 * 1024
_GRANTED = 0


class StampError(Exception):
    """No stamp, or one that proves nothing; the text says what to do and is fit to print."""


def ask(authority: str, text: bytes, *, timeout_s: float = ASK_S) -> bytes:
    """The authority's answer for this text, in DER. Raises StampError.

    `authority` is the address of a time-stamping server over http or https. What comes back is for this text and this
    question; who signed it is not judged here (`stamped_at`).
    """
    if not authority.startswith(("http://", "https://")):
        raise StampError("the authority's address begins with http:// or https://")
    question = TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256).nonce(nonce=True)
    request = question.cert_request(cert_request=True).build()
    asked = urllib.request.Request(  # noqa: S310 -- the scheme was looked at
        authority, data=request.as_bytes(), headers={"Content-Type": "application/timestamp-query"}
    )
    try:
        with urllib.request.urlopen(asked, timeout=timeout_s) as answer:  # noqa: S310
            stamp = cast("bytes", answer.read(_MAX_STAMP_BYTES + 1))
    except (OSError, ValueError) as error:
        raise StampError(f"the authority gave no answer ({type(error).__name__}); try again later") from error
    told = _read(stamp)
    if told.tst_info.nonce != request.nonce or told.tst_info.message_imprint.message != request.message_imprint.message:
        raise StampError("the authority answered another question; ask again, or ask another one")
    return stamp


def stamped_at(stamp: bytes, text: bytes, roots: Sequence[x509.Certificate]) -> datetime:
    """When one of those authorities says that it saw this text (aware, UTC). Raises StampError if that is not proved.

    `roots` are the certificates that are believed.
    """
    told = _read(stamp)
    builder = VerifierBuilder()
    for root in roots:
        builder = builder.add_root_certificate(root)
    try:
        builder.build().verify_message(told, text)
    except (VerificationError, ValueError) as error:
        raise StampError(f"the stamp is no proof for this checkpoint: {error}") from error
    return told.tst_info.gen_time


def certificates(pem: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM file. Raises StampError."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise StampError("no certificate in PEM stands in the file of the authority") from error


def _read(stamp: bytes) -> TimeStampResponse:
    if len(stamp) > _MAX_STAMP_BYTES:
        raise StampError("the stamp is too long to be one")
    try:
        told = decode_timestamp_response(stamp)
        is_granted = told.status == _GRANTED
    except ValueError as error:
        raise StampError("this is no stamp") from error
    if not is_granted:
        raise StampError(f"the authority refused, with status {told.status}")
    return told
