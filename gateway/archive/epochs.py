"""Master keys that were replaced: since when, until when backups made under them are to be opened, when destroyed.

A backup holds the keys of its day, wrapped by the master key of its day. Once that master key is replaced and
destroyed, no key in the backup can be opened: neither one that was destroyed since, nor any other. So a backup ends on
the day on which its master key does. The table knows fingerprints only. Called by `Store.rotate` and `life`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.archive import keyring, ledger
from gateway.archive.codec import instant, moment
from gateway.archive.database import Connection, RowMapping, select
from gateway.archive.file_seals import note
from gateway.archive.life_model import LifeRefused
from gateway.archive.life_tables import master_keys
from gateway.archive.vault import Vault


@dataclass(frozen=True, slots=True, kw_only=True)
class OldMasterKey:
    """A master key that was replaced; backups made under it can be opened until it is destroyed."""

    fingerprint: str
    retired_at: datetime
    expires_at: datetime
    destroyed_at: datetime | None


def replace(connection: Connection, new: Vault, *, at: datetime, keep_days: int) -> int:
    """Wrap every key anew with another master key, and note that the old one is to be kept so long; the count."""
    retire(connection, keyring.vault_of(connection).fingerprint, at=at, keep_days=keep_days)
    return keyring.rewrap(connection, new)


def retire(connection: Connection, fingerprint: str, *, at: datetime, keep_days: int) -> None:
    """Note that the master key of that fingerprint was replaced, and how long it is to be kept."""
    row = {
        "id": fingerprint,
        "retired_at": instant(at),
        "expires_at": instant(at + timedelta(days=keep_days)),
        "destroyed_at": None,
    }
    connection.execute(master_keys.delete().where(master_keys.c.id == fingerprint))
    connection.execute(master_keys.insert(), row)
    _note(connection, row)


def require_expired(connection: Connection, fingerprint: str, *, at: datetime) -> OldMasterKey:
    """The old master key that may be destroyed now.

    Raises LifeRefused for the present one, and for one that is still needed: for backups, or for a key in the store.
    """
    if fingerprint == keyring.vault_of(connection).fingerprint:
        raise LifeRefused("that is the master key of the store as it is now: `archive rotate-key` comes first")
    found = next((key for key in listed(connection) if key.fingerprint == fingerprint), None)
    if found is None:
        raise LifeRefused("that is no master key that this store ever had")
    if found.destroyed_at is not None:
        raise LifeRefused(f"that master key was destroyed on {found.destroyed_at.date()}: take this copy away yourself")
    if found.expires_at > at:
        day = found.expires_at.date()
        raise LifeRefused(f"backups made under that master key are kept until {day}: destroy it then")
    if count := keyring.not_opened(connection):
        raise LifeRefused(f"{count} key(s) in the store are not opened by its present master key: this may be theirs")
    return found


def destroyed(connection: Connection, fingerprint: str, *, at: datetime) -> None:
    """Note that an old master key is destroyed."""
    row = connection.execute(select(master_keys).where(master_keys.c.id == fingerprint)).mappings().one()
    now = {**row, "destroyed_at": instant(at)}
    connection.execute(master_keys.update().where(master_keys.c.id == fingerprint).values(now))
    _note(connection, now)


def listed(connection: Connection) -> tuple[OldMasterKey, ...]:
    """Every master key that was replaced, oldest first."""
    rows = connection.execute(select(master_keys).order_by(master_keys.c.retired_at)).mappings()
    return tuple(_old_key(row) for row in rows)


def _old_key(row: RowMapping) -> OldMasterKey:
    destroyed_at = row["destroyed_at"]
    return OldMasterKey(
        fingerprint=row["id"],
        retired_at=moment(row["retired_at"]),
        expires_at=moment(row["expires_at"]),
        destroyed_at=None if destroyed_at is None else moment(destroyed_at),
    )


def _note(connection: Connection, row: dict[str, str | None]) -> None:
    note(connection, "master key", str(row["id"]), ledger.facts(row, ledger.MASTER_KEY_COLUMNS))
