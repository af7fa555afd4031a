"""Where the master key comes from: a file, the environment, or a command that asks a key service.

The master key opens the keys of the clients' files and nothing else; it never lies in the store. The text of a key is
`practicum-master-1:` and 32 bytes in base 64. Lines that begin with `#` are words for people. Called by `Store.open`.
"""

from __future__ import annotations

import base64
import binascii
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gateway.archive.bodies import disk_error, write_durably
from gateway.archive.sealing import KEY_BYTES, new_key
from gateway.message.errors import MachineryFailed, StoreFull

FILE_NAME = "archive.key"
_PREFIX = "practicum-master-1:"
_COMMAND_TIMEOUT_S = 30.0
_OTHERS = 0o037
_WORDS = """\
# The master key of the clients' files. Keep it as you keep the key of the building:
# * Copy it now to a place apart from this machine and apart from the backups of the store (on paper, in a safe).
# * Without it nobody can ever read the store again, its maker included. There is no second way in.
# * Whoever has this file and a copy of the store can read every client's mail.
"""


class MasterKeyMissing(MachineryFailed):
    """The master key is not where the configuration says; `why` is in words for an administrator."""

    def __init__(self, why: str) -> None:
        super().__init__(f"no master key: {why}")
        self.why = why


class MasterKeySource(Protocol):
    """Where a master key is had from."""

    def load(self, *, may_make: bool) -> bytes:
        """The key's bytes; `may_make` for a store that holds nothing sealed yet. Raises MasterKeyMissing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFromFile:
    """A file of mode 0600 (0640 at most); made if the store is new and it is absent."""

    path: Path

    def load(self, *, may_make: bool) -> bytes:
        """The key in the file. Raises MasterKeyMissing if it is absent, open to others, or no key; StoreFull."""
        try:
            if may_make and not self.path.exists():
                make_key_file(self.path)
            mode = self.path.stat().st_mode
            text = self.path.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            why = f"there is no file {self.path}; the store was sealed with it: put it back from where its copy is kept"
            raise MasterKeyMissing(why) from None
        except OSError as error:
            if isinstance(full := disk_error(error), StoreFull):
                raise full from None
            raise MasterKeyMissing(f"{self.path} can't be read or made ({error.strerror})") from None
        if mode & _OTHERS:
            raise MasterKeyMissing(f"others on this machine may read {self.path}: chmod 0600")
        return _key_in(text, str(self.path))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFromEnvironment:
    """A variable of the environment."""

    name: str

    def load(self, *, may_make: bool) -> bytes:
        """The key in the variable. Raises MasterKeyMissing."""
        del may_make
        text = os.environ.get(self.name)
        if text is None:
            raise MasterKeyMissing(f"the environment has no variable {self.name}")
        return _key_in(text, f"the variable {self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFromCommand:
    """A command whose standard output is the key, as one that asks a key management service."""

    arguments: tuple[str, ...]

    def load(self, *, may_make: bool) -> bytes:
        """The key that the command prints, within 30 seconds. Raises MasterKeyMissing."""
        del may_make
        try:
            ended = subprocess.run(  # noqa: S603 - the administrator's own command, without a shell
                self.arguments, capture_output=True, check=False, timeout=_COMMAND_TIMEOUT_S, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MasterKeyMissing(f"the command did not run or end ({type(error).__name__})") from None
        if ended.returncode != 0:
            raise MasterKeyMissing(f"the command ended with {ended.returncode}")
        return _key_in(ended.stdout.decode("ascii", "replace"), "what the command printed")


def beside(store: Path) -> KeyFromFile:
    """The file beside the store's folder: where the default of gateway.yaml has it."""
    return KeyFromFile(path=store.parent / FILE_NAME)


def make_key_file(path: Path) -> None:
    """Write a new key with mode 0600, durably. Raises OSError; FileExistsError rather than write over a key."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_durably(path, (_WORDS + key_text(new_key()) + "\n").encode())


def key_text(key: bytes) -> str:
    """The key as text, as the file has it."""
    return _PREFIX + base64.b64encode(key).decode()


def _key_in(text: str, where: str) -> bytes:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        (line,) = lines
        key = base64.b64decode(line.removeprefix(_PREFIX), validate=True)
    except (ValueError, binascii.Error):
        raise MasterKeyMissing(f"{where} is not one line of `{_PREFIX}` and base 64") from None
    if not line.startswith(_PREFIX) or len(key) != KEY_BYTES:
        raise MasterKeyMissing(f"{where} is not `{_PREFIX}` and {KEY_BYTES} bytes in base 64")
    return key
