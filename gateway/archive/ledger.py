"""The ledger: every record, change of state, decision and act, in order, in an RFC 6962 tree with a signed checkpoint.

A write notes its entries on the connection; the committer closes the group: entries get their numbers, leaves are
`SHA-256(0x00, salt, entry)` with a random salt of 16 bytes, and the checkpoint over all of them is signed (Ed25519,
RFC 8032) in the same transaction. Salt and entry lie sealed with the record, so that a leaf tells nothing once the
record's key is gone, and the tree stays whole. What is compared with it: `gateway.archive.proof`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.archive.database import Connection, ledger
from gateway.archive.merkle import HASH_BYTES, leaf_hash, root_of_peaks, with_leaf
from gateway.archive.sealing import Seal
from gateway.archive.statements import change, fetch, insert
from gateway.archive.vault import Vault

SALT_BYTES = 16
ORIGIN = "practicum-gateway archive"
RECORD_COLUMNS = (
    "id", "ref", "received_at", "direction", "action", "policy", "digest", "treatment", "notice_language",
    "received_size", "delivered_size", "thread",
)  # fmt: skip
STATE_COLUMNS = ("id", "state", "state_at", "reply_code")
HOLD_COLUMNS = ("ref", "message_id", "state", "created_at", "expires_at", "rules", "decided_at")
KEY_COLUMNS = ("id", "created_at", "destroyed_at")
AUDIT_COLUMNS = ("id", "at", "what", "message_id", "ref", "file")
FILE_HOLD_COLUMNS = ("id", "file", "placed_at", "ended_at")
LIFE_COLUMNS = ("file", "at")
DISPOSAL_COLUMNS = ("id", "file", "state", "at")
MERGE_COLUMNS = ("file", "into", "at")
PAST_COLUMNS = ("address", "file", "at")
MASTER_KEY_COLUMNS = ("id", "retired_at", "expires_at", "destroyed_at")
_SET_HEAD = """INSERT INTO checkpoints (id, size, root, at, signature, peaks) VALUES (1, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET size = excluded.size, root = excluded.root, at = excluded.at,
    signature = excluded.signature, peaks = excluded.peaks"""


_in_order = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The head of the ledger: how many entries, their root, when (text in UTC), and the signature of the three."""

    size: int
    root: bytes
    at: str
    signature: bytes

    @property
    def signed(self) -> bytes:
        """What the signature is of: four lines of text."""
        return f"{ORIGIN}\n{self.size}\n{base64.b64encode(self.root).decode()}\n{self.at}\n".encode()

    def text(self, public_key: bytes) -> str:
        """The checkpoint as text to keep outside: what is signed, then key and signature in base 64."""
        key, signature = (base64.b64encode(value).decode() for value in (public_key, self.signature))
        return f"{self.signed.decode()}\n{key}\n{signature}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An entry that waits for its number: what kind, about what, under which seal."""

    kind: str
    about: str
    seal: Seal
    entry: bytes


def append(connection: Connection, kind: str, about: str, seal: Seal, facts: Mapping[str, Any]) -> None:
    """Note an entry; it stands in the ledger when the transaction commits."""
    connection.info["pending"].append(Pending(kind=kind, about=about, seal=seal, entry=entry_bytes(kind, facts)))


def close_group(connection: Connection) -> None:
    """Give numbers and leaves to the entries that were noted, and sign the new head. Called once before COMMIT."""
    pending: list[Pending] = connection.info["pending"]
    if pending:
        write_entries(connection, pending, datetime.now(tz=UTC).isoformat(timespec="microseconds"))
        pending.clear()


def write_entries(connection: Connection, pending: Sequence[Pending], at: str) -> None:
    """Write those entries after the last one, and the checkpoint over all."""
    found = fetch(connection, "SELECT size, peaks FROM checkpoints WHERE id = 1")
    size, peaks = found[0] if found else (0, b"")
    summits = tuple(peaks[start : start + HASH_BYTES] for start in range(0, len(peaks), HASH_BYTES))
    rows = []
    for entry in pending:
        salted = os.urandom(SALT_BYTES) + entry.entry
        leaf = leaf_hash(salted)
        summits = with_leaf(size, summits, leaf)
        size += 1
        sealed = entry.seal.close(part(size, entry.kind, entry.about), salted)
        rows.append({"seq": size, "kind": entry.kind, "about": entry.about, "leaf": leaf, "sealed": sealed})
    insert(connection, ledger, rows)
    head = signed_checkpoint(_vault_of(connection), size, root_of_peaks(summits), at)
    change(connection, _SET_HEAD, (size, head.root, at, head.signature, b"".join(summits)))


def part(seq: int, kind: str, about: str) -> str:
    """The name under which a ledger entry is sealed: it opens under its own number only."""
    return f"ledger\n{seq}\n{kind}\n{about}"


def entry_bytes(kind: str, facts: Mapping[str, Any]) -> bytes:
    """An entry: one JSON object in ASCII, keys in order, the same bytes from the same facts."""
    return _in_order.encode({"kind": kind, **facts}).encode()


def record_facts(
    row: Mapping[str, Any], contents: bytes, wraps: Iterable[Mapping[str, Any]], received: str, delivered: str
) -> dict[str, Any]:
    """What of a record never changes: its row, hashes of its forms and of its sealed contents, its files.

    `wraps` are its rows in `client_files`.
    """
    return {name: row[name] for name in RECORD_COLUMNS} | {
        "contents_sha256": hashlib.sha256(contents).hexdigest(),
        "received_sha256": received,
        "delivered_sha256": delivered,
        **file_facts(wraps, row["key"]),
    }


def file_facts(wraps: Iterable[Mapping[str, Any]], key: bytes | None) -> dict[str, Any]:
    """In which files a record stands, and hashes of its key as it is wrapped; `key` for a record in no file."""
    return {
        "files": sorted([wrap["file"], hashlib.sha256(wrap["key"] or b"").hexdigest()] for wrap in wraps),
        "key_sha256": hashlib.sha256(key or b"").hexdigest(),
    }


def facts(row: Mapping[str, Any], columns: Sequence[str], sealed: bytes | None = None) -> dict[str, Any]:
    """Columns of a row, and the hash of its sealed value."""
    values = {name: row[name] for name in columns}
    return values if sealed is None else values | {"sealed_sha256": hashlib.sha256(sealed).hexdigest()}


def signed_checkpoint(vault: Vault, size: int, root: bytes, at: str) -> Checkpoint:
    """The checkpoint over that tree, signed by the store."""
    bare = Checkpoint(size=size, root=root, at=at, signature=b"")
    signature = _signing_key(vault).sign(bare.signed)
    return Checkpoint(size=size, root=root, at=at, signature=signature)


def public_key(vault: Vault) -> bytes:
    """The store's public key (Ed25519, 32 bytes): keep it, or its checkpoints, outside."""
    return _signing_key(vault).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def signature(vault: Vault, text: bytes) -> bytes:
    """The store's signature of a text that is no checkpoint, as a certificate."""
    return _signing_key(vault).sign(text)


def is_signed(checkpoint: Checkpoint, key: bytes) -> bool:
    """True if the checkpoint's signature is that key's."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(checkpoint.signature, checkpoint.signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_checkpoint(text: str) -> tuple[Checkpoint, bytes] | None:
    """The checkpoint and the public key in a kept text; None if it is none."""
    lines = text.strip().splitlines()
    try:
        origin, size, root, at, blank, key, signature = lines
        if origin != ORIGIN or blank:
            return None
        decoded = [base64.b64decode(value, validate=True) for value in (root, key, signature)]
        return Checkpoint(size=int(size), root=decoded[0], at=at, signature=decoded[2]), decoded[1]
    except ValueError:
        return None


def _vault_of(connection: Connection) -> Vault:
    return cast("Vault", connection.get_execution_options()["vault"])  # as `keyring`, which imports this module


def _signing_key(vault: Vault) -> Ed25519PrivateKey:
    return _key_of(vault.derived("sign checkpoints"))


@lru_cache(maxsize=4)  # making it anew takes as long as a signature
def _key_of(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)
