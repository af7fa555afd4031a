"""The keys of one store, open: the master key that wraps, and the store's own key. No SQL, no I/O.

Master key → a key for each client's file, and one for the store itself → a key for each record. The keys of files lie
in the database wrapped by the master key, those of records wrapped by the keys of their files (`keyring`). The store's
own key protects what belongs to no client's file, and makes the keyed hashes by which rows are found.
"""

from __future__ import annotations

from gateway.archive.sealing import Seal, derived, keyed_hash, new_key
from gateway.message.errors import MachineryFailed

STORE_KEY = "store"


class MasterKeyWrong(MachineryFailed):
    """The master key is not the one with which the store's keys were wrapped."""

    def __init__(self) -> None:
        super().__init__("the master key is not the one of this store")


class Vault:
    """The master key of a store and, once `unlock` was called, the store's own key."""

    def __init__(self, master: bytes) -> None:
        self._master = Seal(derived(master, "wrap"), b"key")
        self._store: Seal | None = None
        self._lookup = b""
        self._derived: dict[str, bytes] = {}

    def unlock(self, wrapped: bytes) -> None:
        """Open the store's own key. Raises MasterKeyWrong."""
        key = self._master.open(STORE_KEY, wrapped)
        if key is None:
            raise MasterKeyWrong
        self._store = Seal(key, b"store")
        self._lookup = derived(key, "look up")
        self._derived = {}

    def new_wrapped_key(self, name: str) -> bytes:
        """A new random key, wrapped for the row of that name."""
        return self._master.close(name, new_key())

    def unwrapped(self, name: str, wrapped: bytes) -> bytes | None:
        """The key in that row; None if it was changed or belongs to another."""
        return self._master.open(name, wrapped)

    def rewrapped(self, name: str, wrapped: bytes, other: Vault) -> bytes:
        """The same key wrapped by another master key. Raises MasterKeyWrong."""
        key = self.unwrapped(name, wrapped)
        if key is None:
            raise MasterKeyWrong
        return other._master.close(name, key)

    def adopt(self, other: Vault) -> None:
        """Go on with another master key, by which every key was wrapped anew."""
        self._master = other._master

    @property
    def fingerprint(self) -> str:
        """What tells one master key from another, and nothing about it."""
        return keyed_hash(self._master.key, "fingerprint", "")

    @property
    def store(self) -> Seal:
        """The seal of what belongs to no client's file. Raises MachineryFailed before `unlock`."""
        if self._store is None:
            raise MachineryFailed("store's key not open")
        return self._store

    def hashed(self, kind: str, text: str) -> str:
        """The keyed hash by which a row is found."""
        return keyed_hash(self._lookup, kind, text)

    def derived(self, purpose: str) -> bytes:
        """A key for one purpose, made from the store's own key."""
        known = self._derived.get(purpose)
        if known is None:
            known = self._derived[purpose] = derived(self.store.key, purpose)
        return known
