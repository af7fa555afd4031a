"""Past clients whose file was destroyed: their addresses are still known, as keyed hashes alone [CLI-1]. Pure.

The store keeps the hashes and gives the key (`gateway.archive.past`). Whoever has neither can't tell an address from
the table, nor try a list of addresses on it. Put into the directory by `gateway.service.history`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway.people.addresses import canonical, without_tag
from gateway.people.model import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class PastClients:
    """The files of past clients by the keyed hash of an address."""

    key: bytes = field(repr=False)
    files: Mapping[str, tuple[str, ...]] = field(repr=False)

    def of_address(self, address: str) -> tuple[Client, ...]:
        """The clients of a canonical address, with or without its tag: known by their file's number alone."""
        if not self.files:
            return ()
        found = self.files.get(address_hash(self.key, address))
        if found is None and (bare := without_tag(address)) is not None:
            found = self.files.get(address_hash(self.key, bare))
        return tuple(Client(file=file, name=file, addresses=(address,), is_past=True) for file in found or ())


FOREVER = "forever"  # the policy pack's class of that name
NOBODY = PastClients(key=b"", files={})


def address_hash(key: bytes, address: str) -> str:
    """128 bits of HMAC-SHA-256 of a canonical address, in hex."""
    return hmac.new(key, address.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]


def hashes_of(key: bytes, addresses: Iterable[str]) -> tuple[str, ...]:
    """The hashes of those addresses that can be made canonical, once each."""
    known = (canonical(address) for address in addresses)
    return tuple(dict.fromkeys(address_hash(key, address) for address in known if address is not None))


def merged_clients(clients: Iterable[Client], merges: Mapping[str, str]) -> tuple[Client, ...]:
    """The clients, those of a merged file joined to the file into which it went, so that new mail goes there.

    `merges` gives the file into which each one went, chains resolved. Where both stand in people.yaml the entry of the
    file that stayed has the word on everything but addresses, other names and workers, which are joined, and on being
    kept for ever, which outlives a merge.
    """
    kept: dict[str, Client] = {}
    gone: list[tuple[str, Client]] = []
    for client in clients:
        if client.file in merges:
            gone.append((merges[client.file], client))
        else:
            kept[client.file] = client
    for into, client in gone:
        other = kept.get(into)
        kept[into] = replace(client, file=into) if other is None else _joined(other, client)
    return tuple(kept.values())


def _joined(kept: Client, gone: Client) -> Client:
    names = dict.fromkeys((*kept.also_known_as, gone.name, *gone.also_known_as))
    names.pop(kept.name, None)
    return replace(
        kept,
        addresses=tuple(dict.fromkeys((*kept.addresses, *gone.addresses))),
        also_known_as=tuple(names),
        workers=tuple(dict.fromkeys((*kept.workers, *gone.workers))),
        is_past=kept.is_past and gone.is_past,
        consents=(*kept.consents, *gone.consents),
        born=kept.born or gone.born,
        retention=joined_retention(kept.retention, gone.retention),
    )


def joined_retention(kept: str | None, gone: str | None) -> str | None:
    """The chosen class of two files that are one: that of the file which stayed, if any; but for ever wins."""
    return gone if kept is None or gone == FOREVER else kept
