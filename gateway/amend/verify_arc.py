"""ARC: whether the chain of seals that other servers put on a message is whole.

Tells that the chain stands, not that its sealers are to be trusted. Called by `gateway.amend.verify`. RFC 8617 section
5.2.
"""

from __future__ import annotations

import asyncio

from gateway.amend.dkim_check import PublicKey, SignedMessage, usable_key
from gateway.amend.dkim_tags import (
    MAX_SIGNED_NAMES,
    SignatureInvalid,
    is_hashable_field,
    is_signing_domain,
    key_name,
    read_tags,
)
from gateway.amend.lookups import Found, RecordKind, Resolver
from gateway.message.authentication import ArcResult, AuthResult
from gateway.message.model import HeaderField, Message

MAX_INSTANCES = 50
"""RFC 8617 section 5.1.1.1: i= is at most 50."""

_FIELDS = frozenset({"arc-seal", "arc-message-signature", "arc-authentication-results"})
_MAX_WALKED_FIELDS = 15_000
_MAX_WALKED_BYTES = 4_194_304
_SIGNED_FIELDS = frozenset({"arc-seal", "arc-message-signature"})
_ENDED = "the chain was sealed as failed"


async def verify_arc(message: Message, signed: SignedMessage, *, resolver: Resolver) -> ArcResult:
    """The state of the chain: none, pass, fail, or temperror where a key could not be asked for."""
    fields = tuple(field for field in message.headers if field.name.lower() in _FIELDS)
    if not fields:
        return ArcResult(result=AuthResult.NONE)
    instances = -(-len(fields) // len(_FIELDS))
    if signed.problem:
        return ArcResult(result=AuthResult.FAIL, instances=instances, reason=signed.problem)
    if instances > MAX_INSTANCES or _is_too_costly(message, fields, instances):
        return ArcResult(result=AuthResult.FAIL, instances=instances, reason="the chain is too long")
    keys, is_answered = await _keys(fields, resolver)
    await signed.body_in_turn("relaxed", None)
    state, sets = await asyncio.to_thread(signed.arc_chain, keys)
    if state is None:
        return ArcResult(result=AuthResult.FAIL, instances=instances, reason=_ENDED)
    if state == "fail" and not is_answered:
        return ArcResult(result=AuthResult.TEMPERROR, instances=instances, reason="no answer from the DNS")
    if state != "pass":
        return ArcResult(result=AuthResult(state), instances=instances, reason="the chain does not verify")
    sealer = sets[0]["as-domain"].decode("latin-1").lower()
    return ArcResult(result=AuthResult.PASS, instances=instances, sealer=sealer)


def _is_too_costly(message: Message, fields: tuple[HeaderField, ...], instances: int) -> bool:
    """True for a chain made to cost time: each set walks over the whole header twice, and each name over all fields."""
    signatures = (field.value_raw for field in fields if field.name.lower() in _SIGNED_FIELDS)
    return (
        not all(is_hashable_field(field.value_raw) for field in fields)
        or instances * len(message.headers) > _MAX_WALKED_FIELDS
        or instances * message.root.body_start_byte > _MAX_WALKED_BYTES
        or any(value.count(b":") > MAX_SIGNED_NAMES for value in signatures)
    )


async def _keys(fields: tuple[HeaderField, ...], resolver: Resolver) -> tuple[dict[str, PublicKey], bool]:
    """The usable keys by name, and whether every one was answered for. Odd names are never asked for."""
    keys: dict[str, PublicKey] = {}
    is_answered = True
    for name in dict.fromkeys(name for field in fields if (name := _key_name(field))):
        answer = await resolver.lookup(name, RecordKind.TXT)
        is_answered = is_answered and answer.found is not Found.NO_ANSWER
        if len(answer.records) == 1:
            try:
                keys[name] = usable_key(answer.records[0])
            except SignatureInvalid:
                continue
    return keys, is_answered


def _key_name(field: HeaderField) -> str | None:
    if field.name.lower() not in _SIGNED_FIELDS:
        return None
    try:
        tags = read_tags(field.value_raw.decode("latin-1"))
    except SignatureInvalid:
        return None
    selector, domain = tags.get("s", ""), tags.get("d", "")
    return key_name(selector, domain) if is_signing_domain(selector) and is_signing_domain(domain) else None
