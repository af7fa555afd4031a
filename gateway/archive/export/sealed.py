"""A folder as one file that only its recipients can open: tar (POSIX pax) in age, to X25519 keys.

The tar runs through a pipe and is never on disk. https://age-encryption.org/v1. Blocking; called by the bag.
"""

from __future__ import annotations

import os
import tarfile
import threading
from collections.abc import Sequence
from pathlib import Path

import pyrage

from gateway.archive.export.request import ExportRefused


def read_recipients(keys: Sequence[str]) -> list[pyrage.x25519.Recipient]:
    """The recipients of those keys (`age1…`). Raises ExportRefused."""
    found = []
    for key in keys:
        try:
            found.append(pyrage.x25519.Recipient.from_str(key.strip()))
        except pyrage.RecipientError:
            raise ExportRefused("--encrypt-to needs an age public key, which begins with age1") from None
    return found


def seal_folder(folder: Path, name: str, target: Path, keys: Sequence[str]) -> None:
    """Write the folder, as `name` in a tar, encrypted to `target`. Raises OSError or ExportRefused."""
    recipients = read_recipients(keys)
    reading, writing = os.pipe()
    problems: list[BaseException] = []

    def pack() -> None:
        try:
            with (
                os.fdopen(writing, "wb") as pipe,
                tarfile.open(fileobj=pipe, mode="w|", format=tarfile.PAX_FORMAT) as tar,
            ):
                tar.add(folder, arcname=name)
        except BaseException as problem:  # noqa: BLE001 - told to the thread that waits
            problems.append(problem)

    packer = threading.Thread(target=pack, name="tar")
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as out:
        with os.fdopen(reading, "rb") as pipe:
            packer.start()
            pyrage.encrypt_io(pipe, out, recipients)
        packer.join()
    if problems:
        raise OSError("the folder could not be packed") from problems[0]
