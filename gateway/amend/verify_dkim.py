"""DKIM: every signature of a message, each with its own result.

Policy on top of what dkimpy proves: rsa-sha1, a signature over a part of the body, an expired one, a key that may not
be used for it are no pass. Called by `gateway.amend.verify`. RFC 6376 section 6, RFC 8301, RFC 8601 section 2.7.1.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
from dataclasses import dataclass

from gateway.amend.dkim_check import GOOD_RSA_BITS, PublicKey, SignedMessage, usable_key
from gateway.amend.dkim_tags import Signature, SignatureInvalid, read_signature
from gateway.amend.lookups import Found, RecordKind, Resolver
from gateway.message.authentication import AuthResult, DkimResult
from gateway.message.model import HeaderField, Message

MAX_SIGNATURES = 10
_CLOCK_SKEW_S = 300
_FUTURE_S = 36_000


async def verify_dkim(
    message: Message, signed: SignedMessage, *, resolver: Resolver, now_s: float
) -> tuple[DkimResult, ...]:
    """The results of the first ten DKIM-Signature fields, top first; () for an unsigned message.

    `now_s` is seconds since 1970. A key is asked for only if the body hash is right.
    """
    fields = message.fields("DKIM-Signature")[:MAX_SIGNATURES]
    return tuple([await _Case(field, signed, resolver, now_s).result() for field in fields])


@dataclass(frozen=True, slots=True)
class _Case:
    """One signature on its way to a result."""

    field: HeaderField
    signed: SignedMessage
    resolver: Resolver
    now_s: float

    async def result(self) -> DkimResult:
        try:
            signature = read_signature(self.field.value_raw)
        except SignatureInvalid as error:
            return DkimResult(result=AuthResult.PERMERROR, reason=str(error))
        refused = await self._body_refusal(signature)
        if refused is not None:
            return _told(signature, *refused)
        answer = await self.resolver.lookup(signature.key_name, RecordKind.TXT)
        if answer.found is Found.NO_ANSWER:
            return _told(signature, AuthResult.TEMPERROR, "no answer from the DNS")
        if len(answer.records) != 1:
            reason = "several keys" if answer.records else "no key"
            return _told(signature, AuthResult.PERMERROR, reason)
        try:
            key = usable_key(answer.records[0])
        except SignatureInvalid as error:
            return _told(signature, AuthResult.PERMERROR, str(error))
        return await self._proven(signature, key)

    async def _body_refusal(self, signature: Signature) -> tuple[AuthResult, str] | None:
        """Why the signature can't pass whatever its key says; None if it still can."""
        if self.signed.problem:
            return AuthResult.PERMERROR, self.signed.problem
        if signature.algorithm == "rsa-sha1":
            return AuthResult.FAIL, "rsa-sha1 proves nothing (RFC 8301)"
        if signature.expires_at is not None and signature.expires_at < self.now_s - _CLOCK_SKEW_S:
            return AuthResult.FAIL, "the signature has expired"
        if signature.signed_at is not None and signature.signed_at > self.now_s + _FUTURE_S:
            return AuthResult.FAIL, "the signature is from the future"
        body = await self.signed.body_in_turn(signature.body_canon, signature.length)
        if signature.length is not None and signature.length > body.canonical_bytes:
            return AuthResult.PERMERROR, "the l= tag is longer than the body"
        if not hmac.compare_digest(body.digest, base64.b64decode(signature.body_hash)):
            return AuthResult.FAIL, "the body was changed"
        return None

    async def _proven(self, signature: Signature, key: PublicKey) -> DkimResult:
        wrong = _misuse(signature, key)
        body_bytes = self.signed.body(signature.body_canon, signature.length).canonical_bytes
        if wrong:
            return _told(signature, AuthResult.PERMERROR, wrong, key)
        if not await asyncio.to_thread(self.signed.is_signed, self.field, key):
            return _told(signature, AuthResult.FAIL, "the signature does not verify", key)
        if signature.length is not None and signature.length < body_bytes:
            return _told(signature, AuthResult.POLICY, "only a part of the body is signed (l=)", key)
        notes = []
        if key.record.kind == "rsa" and key.bits < GOOD_RSA_BITS:
            notes.append("short key")
        if "y" in key.record.flags:
            notes.append("the domain is testing")
        return _told(signature, AuthResult.PASS, "", key, tuple(notes))


def _misuse(signature: Signature, key: PublicKey) -> str:
    """Why the key may not be used for that signature (RFC 6376 section 3.6.1); empty if it may."""
    kind, _, algorithm = signature.algorithm.partition("-")
    if key.record.kind != kind:
        return "the key is of another kind"
    if key.record.hashes and algorithm not in key.record.hashes:
        return "the key does not allow that hash"
    if "s" in key.record.flags and signature.identity.rpartition("@")[2].lower() != signature.domain:
        return "the key does not allow a subdomain in i="
    return ""


def _told(
    signature: Signature,
    result: AuthResult,
    reason: str,
    key: PublicKey | None = None,
    notes: tuple[str, ...] = (),
) -> DkimResult:
    return DkimResult(
        result=result,
        domain=signature.domain,
        selector=signature.selector,
        identity=signature.identity.rpartition("@")[2],
        algorithm=signature.algorithm,
        key_bits=key.bits if key else 0,
        reason=reason,
        notes=notes,
    )
