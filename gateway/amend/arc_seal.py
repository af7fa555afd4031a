"""ARC: seals a message that we received, checked and changed, so that later readers can see what we saw.

Sealing comes last of all; it is for inbound mail whose body or signed fields we change. Today inbound mail gets trace
fields on top only, which breaks nobody's signature, so no flow calls this yet. Not the validation of a chain: its
result stands in our own Authentication-Results field, which the verification put on top. Pure. RFC 8617 sections 4
and 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from gateway.amend.dkim_fields import Fields, HeadUnreadable, read_head, relaxed_body_hash, sorted_field, split_head
from gateway.amend.keys import Algorithm, SigningKey
from gateway.amend.signing import fields_to_sign, has_wire_lines

RESULTS, MESSAGE, SEAL = "ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"
MAX_INSTANCE: Final = 50
"""RFC 8617 section 4.2.1."""
_SET = (RESULTS.lower().encode(), MESSAGE.lower().encode(), SEAL.lower().encode())
"""A set in the order in which it is sealed (RFC 8617 section 5.1.1)."""
_MAX_RESULTS_BYTES = 16_384
_MAX_NAMES_BYTES = 900
_QUOTED = re.compile(rb'"[^"]*"')
_CHAIN = re.compile(rb"(?:^|[\s;])arc\s{0,9}=\s{0,9}([a-z]+)", re.IGNORECASE)
_INSTANCE = re.compile(rb"(?:^|;)i=(\d{1,3})(?:;|$)")
_FAILED = re.compile(rb"(?:^|;)cv=fail(?:;|$)", re.IGNORECASE)
_AUTHSERV = re.compile(rb"\s{0,99}(?:\([^()]*\)\s{0,99})?(\"[^\"]*\"|[^\s;()\"]+)[^;]{0,99};")

Headers = list[list[bytes]]


class Sealing(StrEnum):
    """What became of the seal. Every `UNSEALED_` value says why there is none."""

    SEALED = "sealed"
    UNSEALED_NO_RESULTS = "unsealed-no-results"
    UNSEALED_CHAIN = "unsealed-chain"
    UNSEALED_KEY = "unsealed-key"
    UNSEALED_LINE_ENDS = "unsealed-line-ends"
    UNSEALED_MALFORMED = "unsealed-malformed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The bytes to send, and what became of the seal. `instance` is the number of our set, 0 without one."""

    raw: bytes
    sealing: Sealing
    instance: int = 0


class _Unsealed(Exception):
    """The message is not sealed; the reason is its one argument."""

    def __init__(self, sealing: Sealing) -> None:
        super().__init__(sealing.value)
        self.sealing = sealing


def arc_seal(
    raw: bytes, *, authserv_id: str, key: SigningKey, at: datetime, fields: tuple[str, ...] | None = None
) -> Sealed:
    """The message with our ARC set on top, or as it was with the reason. Never raises for bytes.

    Our Authentication-Results fields (those that name `authserv_id`) are what is told on; an `arc=` result among them
    is the state of the chain so far. `key` is RSA (RFC 8617 knows no other); `at` the time for the t= tags; `fields`
    the names to sign, for tests: None signs what `gateway.amend.signing` signs, and the DKIM-Signature fields.
    """
    if key.algorithm is not Algorithm.RSA:
        return Sealed(raw=raw, sealing=Sealing.UNSEALED_KEY)
    if not has_wire_lines(raw):
        return Sealed(raw=raw, sealing=Sealing.UNSEALED_LINE_ENDS)
    try:
        return _seal(raw, authserv_id, key, int(at.timestamp()), fields)
    except _Unsealed as reason:
        return Sealed(raw=raw, sealing=reason.sealing)
    except HeadUnreadable:
        return Sealed(raw=raw, sealing=Sealing.UNSEALED_MALFORMED)


def _seal(raw: bytes, authserv_id: str, key: SigningKey, seconds: int, fields: tuple[str, ...] | None) -> Sealed:
    head, body_start = split_head(raw)
    signer = read_head(head)
    headers: Headers = signer.headers
    named = _names(headers, fields)
    results = _own_results(headers, authserv_id)
    earlier = _EarlierSets.of(headers)
    instance = earlier.highest + 1
    chain = _chain(results, earlier)
    common: Fields = [
        (b"a", key.algorithm.value.encode("ascii")),
        (b"d", key.domain.encode("ascii")),
        (b"i", str(instance).encode("ascii")),
        (b"s", key.selector.encode("ascii")),
        (b"t", str(seconds).encode("ascii")),
    ]
    message_tags = [
        (b"bh", relaxed_body_hash(raw, body_start)),
        (b"c", b"relaxed/relaxed"),
        (b"h", b":".join(named)),
    ]
    told = f"{RESULTS}: i={instance}; {authserv_id};\r\n ".encode("ascii") + results + b"\r\n"
    message = sorted_field(MESSAGE, [*common, *message_tags], signer=signer, key=key, fields=named)
    before = earlier.newest_first if chain != b"fail" else ()
    seal = sorted_field(
        SEAL,
        [*common, (b"cv", chain)],
        signer=read_head(b"".join((message, told, *before))),
        key=key,
        fields=(_SET * (len(before) // 3 + 1))[:-1],
    )
    return Sealed(raw=b"".join((seal, message, told, raw)), sealing=Sealing.SEALED, instance=instance)


@dataclass(frozen=True, slots=True, kw_only=True)
class _EarlierSets:
    """The sets of those who sealed before. `newest_first` holds whole fields, of each set SEAL, MESSAGE, RESULTS."""

    highest: int
    newest_first: tuple[bytes, ...]
    is_whole: bool
    has_failed: bool

    @classmethod
    def of(cls, headers: Headers) -> _EarlierSets:
        """Read them from the header fields; `is_whole` says that each set from 1 up has one field of each kind."""
        found: dict[tuple[int, bytes], bytes] = {}
        is_whole = True
        highest, last_seal = 0, b""
        for name, value in headers:
            kind = name.lower()
            if kind not in _SET:
                continue
            tags = b"".join(value.split())
            number = _INSTANCE.search(tags)
            instance = int(number[1]) if number else 0
            is_whole = is_whole and instance > 0 and (instance, kind) not in found
            found[instance, kind] = name + b":" + value
            highest = max(highest, instance)
            if kind == _SET[2] and instance == highest:
                last_seal = tags
        wanted = [(instance, kind) for instance in range(highest, 0, -1) for kind in reversed(_SET)]
        is_whole = is_whole and len(wanted) == len(found) and all(place in found for place in wanted)
        return cls(
            highest=highest,
            newest_first=tuple(found[place] for place in wanted) if is_whole else (),
            is_whole=is_whole,
            has_failed=_FAILED.search(last_seal) is not None,
        )


def _chain(results: bytes, earlier: _EarlierSets) -> bytes:
    """The cv= value: what our verification said of the chain, held against what is there (RFC 8617 section 5.1)."""
    said = [found.lower() for found in _CHAIN.findall(_QUOTED.sub(b"", without_comments(results)))]
    state = said[0] if len(said) == 1 else b"fail" if said else b"none"
    if earlier.highest >= MAX_INSTANCE or earlier.has_failed:
        raise _Unsealed(Sealing.UNSEALED_CHAIN)
    if (state == b"none") != (earlier.highest == 0) or state not in {b"none", b"pass", b"fail"}:
        raise _Unsealed(Sealing.UNSEALED_CHAIN)
    if state == b"pass" and not earlier.is_whole:
        raise _Unsealed(Sealing.UNSEALED_CHAIN)
    return state


def _own_results(headers: Headers, authserv_id: str) -> bytes:
    """What our own Authentication-Results fields say after our name, comments and all, put together."""
    told = []
    for name, value in headers:
        if name.lower() != b"authentication-results":
            continue
        named = _AUTHSERV.match(value)
        if named and named[1].strip(b'"').lower() == authserv_id.lower().encode("utf-8"):
            told.append(value[named.end() :].strip(b" \t\r\n;"))
    results = b";\r\n ".join(result for result in told if result)
    if not results or len(results) > _MAX_RESULTS_BYTES:
        raise _Unsealed(Sealing.UNSEALED_NO_RESULTS)
    return results


def without_comments(value: bytes) -> bytes:
    """A structured value with its comments, nested ones too, taken out. Linear (RFC 5322 section 3.2.2)."""
    depth, kept, start = 0, [], 0
    for found in re.finditer(rb"[()]", value):
        if found[0] == b"(":
            if depth == 0:
                kept.append(value[start : found.start()])
            depth += 1
        elif depth:
            depth -= 1
            start = found.end()
    if depth == 0:
        kept.append(value[start:])
    return b"".join(kept)


def _names(headers: Headers, fields: tuple[str, ...] | None) -> tuple[bytes, ...]:
    """The names for the h= tag (RFC 8617 section 4.1.2: never ARC-Seal or Authentication-Results)."""
    if not any(name.lower() == b"from" for name, _ in headers):
        raise _Unsealed(Sealing.UNSEALED_MALFORMED)
    if fields is not None:
        return tuple(field.lower().encode("ascii") for field in fields)
    signatures = sum(name.lower() == b"dkim-signature" for name, _ in headers)
    names = (*fields_to_sign(headers), *(b"dkim-signature",) * signatures)
    if len(b":".join(names)) > _MAX_NAMES_BYTES:
        raise _Unsealed(Sealing.UNSEALED_MALFORMED)
    return names
