"""Addresses that look like a client's address but are not: a slip of the finger, or a name made to deceive.

Not a judgement: the recipient rules decide what follows [CONF-1]. Built once with the directory, asked for each
outsider. Alike means: the same after dots, hyphens, `0`/`o`, `1`/`l`, `rn`/`m` are made equal; the same local part at
a domain that is one edit away or differs in its last label; or the same domain and a local part of five characters or
more that is one edit away. One edit is a letter put in, left out, changed, or swapped with its neighbour (Damerau
1964). Look-ups use neighbourhoods of deletions, so their cost grows with the length of the address and not with the
number of clients.
"""

from __future__ import annotations

import unicodedata
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator

from gateway.people.addresses import canonical

MIN_LOCAL_CHARS = 5
"""Shorter local parts than this are one edit from too many others (`jo` and `jon`)."""

_MAX_CANDIDATES = 64
_LOOK_ALIKES = str.maketrans({"0": "o", "1": "l", ".": None, "-": None, "_": None})


class Resemblance:
    """An index of addresses by their neighbourhoods. Immutable once made."""

    __slots__ = ("_addresses", "_domains", "_keys", "_order", "_skeletons", "_stems")

    def __init__(self, addresses: Iterable[str]) -> None:
        self._addresses = tuple(addresses)
        self._skeletons: dict[str, str] = {}
        self._stems: dict[str, str] = {}
        self._domains: dict[str, tuple[str, ...]] = {}
        pairs: list[int] = []
        for number, address in enumerate(self._addresses):
            local, _, domain = address.rpartition("@")
            self._skeletons.setdefault(_skeleton(address), address)
            self._stems.setdefault(f"{local}@{_stem(domain)}", address)
            if len(local) >= MIN_LOCAL_CHARS:
                pairs.extend(_key(shorter, domain) << 32 | number for shorter in _deletions(local))
        for domain in {address.rpartition("@")[2] for address in self._addresses}:
            for shorter in _deletions(domain):
                self._domains[shorter] = (*self._domains.get(shorter, ()), domain)
        pairs.sort()
        self._keys = array("I", (pair >> 32 for pair in pairs))
        self._order = array("I", (pair & 0xFFFFFFFF for pair in pairs))

    def like(self, address: str) -> str | None:
        """A known address that this one looks like, or None.

        `address` is an addr-spec, canonical or not, that is not known itself (a known one is like itself).
        """
        clean = canonical(address) or _forced(address)
        if clean is None:
            return None
        found = self._skeletons.get(_skeleton(clean))
        if found is not None:
            return found
        local, _, domain = clean.rpartition("@")
        return self._at_other_domain(local, domain) or self._by_local(local, domain)

    def _at_other_domain(self, local: str, domain: str) -> str | None:
        if len(local) < MIN_LOCAL_CHARS:
            return None
        for shorter in _deletions(domain):
            for candidate in self._domains.get(shorter, ())[:_MAX_CANDIDATES]:
                known = self._skeletons.get(_skeleton(f"{local}@{candidate}"))
                if known is not None and is_one_edit(domain, candidate):
                    return known
        return self._stems.get(f"{local}@{_stem(domain)}")

    def _by_local(self, local: str, domain: str) -> str | None:
        if len(local) < MIN_LOCAL_CHARS:
            return None
        for shorter in _deletions(local):
            key = _key(shorter, domain)
            first = bisect_left(self._keys, key)
            for at in range(first, min(first + _MAX_CANDIDATES, len(self._keys))):
                if self._keys[at] != key:
                    break
                known = self._addresses[self._order[at]]
                known_local, _, known_domain = known.rpartition("@")
                if known_domain == domain and is_one_edit(local, known_local):
                    return known
        return None


def is_one_edit(one: str, other: str) -> bool:
    """True if the texts are equal or one insertion, deletion, change or swap of neighbours apart. Linear."""
    if one == other:
        return True
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    is_swap = one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    return is_swap or one[at + 1 :] == other[at + 1 :]


def _deletions(text: str) -> Iterator[str]:
    """The text, and what is left of it with one character out: two texts one edit apart share one of these."""
    yield text
    for at in range(len(text)):
        if at == 0 or text[at] != text[at - 1]:
            yield text[:at] + text[at + 1 :]


def _key(local: str, domain: str) -> int:
    return zlib.crc32(f"{local}@{domain}".encode("utf-8", "surrogatepass"))


def _skeleton(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local.translate(_LOOK_ALIKES)}@{domain.translate({48: 'o', 49: 'l'})}".replace("rn", "m").replace(
        "vv", "w"
    )


def _stem(domain: str) -> str:
    """The domain without its last label: `yahoo.example` and `yahoo.test` have one stem."""
    return domain.rpartition(".")[0] or domain


def _forced(address: str) -> str | None:
    """What a careless reader takes an address without canonical spelling for: narrow letters, no trailing dot.

    Used only to find a resemblance, never an identity.
    """
    return canonical(unicodedata.normalize("NFKC", address[:512]).strip().rstrip("."))
