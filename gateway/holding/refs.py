"""The reference that people read in a mail and type into a shell: ten characters, the last of them a check.

Not the message's id (that may have any form); made from it, so that a reply, a mail and the store agree without asking.
Crockford's base 32 (no I, L, O, U), check by Luhn modulo 32, which finds every single wrong character. Pure.
"""

from __future__ import annotations

import hashlib

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 10
_VALUE = {char: value for value, char in enumerate(ALPHABET)}
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def ref_of(message_id: str) -> str:
    """The reference of a message: 45 bits of the SHA-256 of its id, and a check character.

    Two messages share one with a chance of 1 in 35,000,000,000,000; the store refuses the second (451, and the next try
    has another id).
    """
    digest = int.from_bytes(hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).digest()[:8], "big") >> 19
    body = "".join(ALPHABET[(digest >> shift) & 31] for shift in range(40, -1, -5))
    return body + _check_character(body)


def read_ref(typed: str) -> str | None:
    """The reference that a person meant (any case, O for 0, I or L for 1, hyphens), or None if it can't be one."""
    ref = typed.strip().upper().translate(_READ_AS)
    if len(ref) != LENGTH or any(char not in ALPHABET for char in ref):
        return None
    return ref if _check_character(ref[:-1]) == ref[-1] else None


def _check_character(body: str) -> str:
    total = 0
    for position, char in enumerate(reversed(body)):
        value = _VALUE[char] * (2 if position % 2 == 0 else 1)
        total += value // 32 + value % 32
    return ALPHABET[-total % 32]
