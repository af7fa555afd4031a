"""The shallow proof of the store: every body hashed again and compared with its row.

It finds bytes that were changed, lost or made unreadable. It does not find a row that was changed together with its
body, or a message that was taken out whole: that needs a ledger outside the store. Called by `Store.verify`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from gateway.archive import reads
from gateway.archive.bodies import BodyDamaged
from gateway.archive.database import Database
from gateway.archive.model import Damage, Stage, Verification

_PAGE = 200


def verification(database: Database, folder: Path, progress: Callable[[int, int], None] | None) -> Verification:
    """Hash every body of the store. Each message is read on its own, so that a serving gateway is not held up."""
    total = sum(count for name, count in database.read(reads.counts).items() if name.startswith("messages."))
    damages: list[Damage] = []
    done, last = 0, ""
    while page := database.read(partial(reads.message_ids, after=last, limit=_PAGE)):
        for message_id, ref in page:
            for stage in Stage:
                damage = _damage(database, folder, message_id, ref, stage)
                damages += [] if damage is None else [damage]
            done += 1
            if progress is not None:
                progress(done, max(total, done))
        last = page[-1][0]
    return Verification(bodies=2 * done, damages=tuple(damages))


def _damage(database: Database, folder: Path, message_id: str, ref: str, stage: Stage) -> Damage | None:
    try:
        database.read(lambda connection: reads.body(connection, message_id, stage, folder))
    except BodyDamaged as error:
        return Damage(message_id=message_id, ref=ref, stage=stage, why=error.why)
    return None
