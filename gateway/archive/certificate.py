"""The certificate of a disposal: what was destroyed, when, by whom and how, signed by the store. No I/O, no SQL.

It tells nothing of the messages but their number and the hashes of their leaves in the ledger, by which anybody who
kept a proof of one can see that it was among them. The signature is Ed25519 over the JSON without `signature`, keys in
order.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.archive import ledger
from gateway.archive.life_model import Disposal, Person
from gateway.archive.vault import Vault

WHAT = "practicum-gateway certificate of disposal 1"
_OPENED = (
    "Every message of the file was encrypted under a key of its own (AES-256-GCM), and that key under the file's key. "
    "The file's key was overwritten and deleted, and with it everything that it opened: the messages in both forms, "
    "what was noted about them, the words by which they were found, the letters about them, and the holds. "
)
METHOD = _OPENED + (
    "These were "
    "deleted from the database, whose freed pages are overwritten with zeros and whose log is emptied. A backup made "
    "before still holds the key, wrapped by the master key of its time, until that master key is changed and destroyed."
)
METHOD_SHARED = _OPENED + (
    "These were deleted from tables of a PostgreSQL server, and the large messages from an object store. The server's "
    "own log and dead rows, the object store's versions, and every copy or backup of either are beyond this archive: "
    "they may still hold the key, wrapped by the master key of this day, until that master key is changed (archive "
    "rotate-key) and destroyed (archive retire-key). Only then can nobody open the file."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A destroyed record's entry in the ledger: its number from 1, and its leaf."""

    record_id: str
    seq: int
    leaf: bytes


def make(
    vault: Vault,
    of: Disposal,
    *,
    organisation: str,
    confirmed_by: Person,
    at: datetime,
    first_entry: datetime,
    last_entry: datetime,
    leaves: Iterable[Leaf],
    kept_elsewhere: int,
    is_shared: bool,
) -> str:
    """The signed certificate as JSON. `is_shared` for a store on servers, which keep what is not ours to overwrite."""
    destroyed = [{"entry": leaf.seq, "leaf": leaf.leaf.hex()} for leaf in leaves]
    values: dict[str, Any] = {
        "what": WHAT,
        "number": of.number,
        "organisation": organisation,
        "file": of.file,
        "kept_as": of.kept_as,
        "due": None if of.due is None else of.due.isoformat(),
        "first_entry": _text(first_entry),
        "last_entry": _text(last_entry),
        "proposed_by": _person(of.proposed_by),
        "proposed_at": None if of.proposed_at is None else _text(of.proposed_at),
        "reason": of.reason,
        "confirmed_by": _person(confirmed_by),
        "destroyed_at": _text(at),
        "messages_destroyed": len(destroyed),
        "messages_kept_in_other_files": kept_elsewhere,
        "ledger_entries": destroyed,
        "method": METHOD_SHARED if is_shared else METHOD,
        "public_key": key_of(vault),
    }
    signature = ledger.signature(vault, _signed(values))
    signed = values | {"signature": base64.b64encode(signature).decode()}
    return json.dumps(signed, ensure_ascii=False, indent=1)


def read(text: str) -> Mapping[str, Any] | None:
    """The values of a certificate whose signature is that of the key that it names; None for anything else."""
    try:
        values = json.loads(text)
        signature = base64.b64decode(values.pop("signature"), validate=True)
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(values["public_key"], validate=True))
        key.verify(signature, _signed(values))
    except (ValueError, TypeError, KeyError, AttributeError, InvalidSignature):
        return None
    return values if values.get("what") == WHAT else None


def as_text(text: str) -> str:
    """The certificate for people: plain text, to be printed and put away."""
    values = json.loads(text)
    lines = [
        "CERTIFICATE OF DISPOSAL",
        "",
        f"Organisation:      {values['organisation']}",
        f"Client file:       {values['file']}",
        f"Entries:           from {values['first_entry'][:10]} to {values['last_entry'][:10]}",
        f"Kept as:           {values['kept_as']}, until {values['due']}",
        f"Proposed by:       {values['proposed_by']} on {values['proposed_at'][:10]}",
        f"Reason:            {values['reason']}",
        f"Confirmed by:      {values['confirmed_by']}",
        f"Destroyed at:      {values['destroyed_at']}",
        f"Messages destroyed: {values['messages_destroyed']}",
        f"Messages kept:     {values['messages_kept_in_other_files']} (they stand in other clients' files too)",
        "",
        "Method:",
        *_wrapped(values["method"]),
        "",
        "Entries of the ledger that can be opened no more (number, leaf):",
        *(f"  {entry['entry']:>9}  {entry['leaf']}" for entry in values["ledger_entries"]),
        "",
        f"Archive's key:     {values['public_key']}",
        f"Signature:         {values['signature']}",
    ]
    return "\n".join(lines) + "\n"


def key_of(vault: Vault) -> str:
    """The public key of a store, as its certificates name it."""
    return base64.b64encode(ledger.public_key(vault)).decode()


def read_person(text: str) -> Person:
    """The person whom a certificate names."""
    name, _, who = text.rpartition(" (")
    return Person(id=who.removesuffix(")"), name=name)


def digest(text: str) -> str:
    """The SHA-256 of a certificate's JSON, in hex, as the ledger has it."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_name(file: str) -> str:
    """A name for the certificate's files that any file system takes."""
    return "".join(char if char.isalnum() or char in "-_" else "_" for char in file)[:80] or "file"


def _signed(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


def _person(person: Person | None) -> str | None:
    return None if person is None else f"{person.name} ({person.id})"


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _wrapped(words: str, width: int = 78) -> list[str]:
    lines, line = [], " "
    for word in words.split():
        if len(line) + len(word) + 1 > width:
            lines.append(line)
            line = " "
        line += f" {word}"
    return [*lines, line]
