"""The proof of the store: every body hashed again and compared with its row, every row with the ledger (`proof`).

Called by `Store.verify`, and by `Store.recover` for bodies without a row.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gateway.archive import reads
from gateway.archive.bodies import BodyDamaged
from gateway.archive.database import Database
from gateway.archive.ledger import Checkpoint
from gateway.archive.model import Damage, Stage, Verification
from gateway.archive.places import Place
from gateway.archive.proof import ledger_breaks

_PAGE = 200


def verification(
    database: Database,
    place: Place,
    progress: Callable[[int, int], None] | None,
    kept: Checkpoint | None = None,
) -> Verification:
    """Hash every body of the store, then compare with the ledger.

    Each message is read on its own, and the ledger in one moment of the store: a serving gateway is not held up.
    """
    total = sum(count for name, count in database.read(reads.counts).items() if name.startswith("messages."))
    damages: list[Damage] = []
    done, last = 0, ""
    while page := database.read(partial(reads.message_ids, after=last, limit=_PAGE)):
        for message_id, ref in page:
            for stage in Stage:
                damage = _damage(database, place, message_id, ref, stage)
                damages += [] if damage is None else [damage]
            done += 1
            if progress is not None:
                progress(done, max(total, done))
        last = page[-1][0]
    breaks = database.read(partial(ledger_breaks, kept=kept))
    return Verification(bodies=2 * done, damages=tuple(damages), breaks=breaks)


def sweep(database: Database, place: Place) -> int:
    """Take away every loose body that no row names; the count."""
    gone = 0
    for names in place.strays():
        known = database.read(partial(reads.named_bodies, names=names))
        gone += place.discard([name for name in names if name not in known])
    return gone


def _damage(database: Database, place: Place, message_id: str, ref: str, stage: Stage) -> Damage | None:
    try:
        database.read(lambda connection: reads.body(connection, message_id, stage, place))
    except BodyDamaged as error:
        return Damage(message_id=message_id, ref=ref, stage=stage, why=error.why)
    return None
