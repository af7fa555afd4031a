#!/usr/bin/env python3
"""Checks that an exported client file is whole, unaltered, and part of the archive that signed it.

Run: python3 verify_export.py [FOLDER] [--key KEY]. FOLDER is the bag (default: the folder above this file's). It needs
Python 3.8 or later and the package `cryptography`, and nothing of the gateway. KEY is the archive's public key in
base 64, had from the sender by another way; without it the check proves that all fits together, not who signed it.
Exit 0: everything is as it was exported. Exit 1: each problem has a line.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ORIGIN = "practicum-gateway archive"
SALT_BYTES = 16


def sha256(path: Path) -> str:
    """The SHA-256 of a file in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def listed_problems(folder: Path, name: str) -> Iterator[str]:
    """What is wrong with the files that a BagIt manifest lists (RFC 8493 section 2.1.3)."""
    listed = {}
    for line in (folder / name).read_text(encoding="utf-8").splitlines():
        digest, path = line.split(None, 1)
        listed[path] = digest
    for path, digest in listed.items():
        if not (folder / path).is_file():
            yield path + ": missing"
        elif sha256(folder / path) != digest:
            yield path + ": changed"
    if name == "manifest-sha256.txt":
        for found in sorted((folder / "data").rglob("*")):
            relative = found.relative_to(folder).as_posix()
            if found.is_file() and relative not in listed:
                yield relative + ": added"


def checkpoint_problems(head: dict[str, Any], key: str | None) -> Iterator[str]:
    """What is wrong with the archive's signed checkpoint."""
    if key is not None and key != head["public_key"]:
        yield "the checkpoint is signed with another key than the one that was given"
    signed = "{}\n{}\n{}\n{}\n".format(ORIGIN, head["size"], head["root"], head["at"]).encode()
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(head["public_key"]))
        public.verify(base64.b64decode(head["signature"]), signed)
    except (InvalidSignature, ValueError):
        yield "the signature of the checkpoint is wrong"


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root that an audit path leads to (RFC 9162 section 2.1.3.2); None for a path of the wrong length."""
    last, found = size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            found = hashlib.sha256(b"\x01" + sibling + found).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\x01" + found + sibling).digest()
        index, last = index >> 1, last >> 1
    return found if last == 0 else None


def moment(text: str) -> datetime:
    """A time as both documents write it."""
    return datetime.fromisoformat(text)


def record_problems(manifest: dict[str, Any], proofs: dict[str, Any]) -> Iterator[str]:
    """What is wrong with the messages: each must be a leaf of the archive's tree, with these very bytes."""
    head = proofs["checkpoint"]
    root = base64.b64decode(head["root"])
    by_id = {proof["id"]: proof for proof in proofs["records"]}
    for message in manifest["messages"]:
        proof = by_id.get(message["id"])
        if proof is None:
            yield message["ref"] + ": there is no proof of it"
            continue
        salted = base64.b64decode(proof["entry"])
        leaf = hashlib.sha256(b"\x00" + salted).digest()
        path = [base64.b64decode(step) for step in proof["path"]]
        if not 0 <= proof["index"] < head["size"] or root_of(leaf, proof["index"], head["size"], path) != root:
            yield message["ref"] + ": its proof does not lead to the checkpoint"
        entry = json.loads(salted[SALT_BYTES:].decode())
        if (entry["id"], moment(entry["received_at"])) != (message["id"], moment(message["received_at"])):
            yield message["ref"] + ": the archive has another message under that proof"
        for file in message["files"]:
            if entry[file["form"] + "_sha256"] != file["sha256"]:
                yield file["name"] + ": the archive has other bytes"


def problems(folder: Path, key: str | None) -> Iterator[str]:
    """Everything that is wrong with the bag in that folder."""
    for name in ("tagmanifest-sha256.txt", "manifest-sha256.txt"):
        yield from listed_problems(folder, name)
    manifest = json.loads((folder / "data/messages/manifest.json").read_text(encoding="utf-8"))
    proofs = json.loads((folder / "data/proofs.json").read_text(encoding="utf-8"))
    for message in manifest["messages"]:
        for file in message["files"]:
            path = folder / "data/messages" / file["name"]
            if not path.is_file() or sha256(path) != file["sha256"]:
                yield file["name"] + ": not as the manifest has it"
    yield from checkpoint_problems(proofs["checkpoint"], key)
    if not is_redacted(folder):
        yield from record_problems(manifest, proofs)


def is_redacted(folder: Path) -> bool:
    """True for a redacted copy: its texts are not the archive's messages, and no proof can be of them."""
    manifest = json.loads((folder / "data/messages/manifest.json").read_text(encoding="utf-8"))
    return bool(manifest.get("redactions"))


def main() -> int:
    """Check the bag that the command line names."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent)
    arguments.add_argument("--key", help="the archive's public key in base 64")
    given = arguments.parse_args()
    try:
        found = list(problems(given.folder, given.key))
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = ["the export can't be read: " + type(error).__name__ + " " + str(error)]
    for problem in found:
        print(problem)  # noqa: T201 - it is a program of its own
    whole = (
        "OK" if found or not is_redacted(given.folder) else "AS EXPORTED, A REDACTED COPY: no proof of the originals"
    )
    print("NOT AS EXPORTED" if found else whole)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
