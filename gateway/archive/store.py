"""The store as the rest of the gateway sees it: every write returns after COMMIT, every read gives values.

One `Store` for a process. The serving gateway and any number of shell commands may have the same store open at once.
What stands here is the order of things (pack, write, read back); rows are written in `writes`, read in `reads`.
Errors: StoreFull (452) when the disk is full, MachineryFailed (451) for everything else that is wrong with it; the next
write works again as soon as the disk does. A wait that is cancelled may or may not have written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Self

from gateway.archive import bodies, epochs, homes, ledger, proof, reads, writes
from gateway.archive.bucket import ROW_WITHIN_S
from gateway.archive.database import Connection
from gateway.archive.homes import Scaled
from gateway.archive.ledger import Checkpoint
from gateway.archive.letter_queue import LetterQueue
from gateway.archive.life_model import Traces
from gateway.archive.master import MasterKeySource, beside
from gateway.archive.model import (
    AuditEntry,
    ClientFile,
    LedgerProofs,
    Letter,
    Record,
    Recovered,
    Stage,
    StoredRecord,
    StoreHealth,
    Told,
    Verification,
)
from gateway.archive.states import MessageEvent, MessageState
from gateway.archive.vault import Vault
from gateway.archive.verify import sweep, verification
from gateway.holding.model import Hold, Outcome, Release, StoredHold
from gateway.holding.states import OPEN_STATES, HoldState
from gateway.message.errors import MachineryFailed, StoreFull
from gateway.message.submission import Envelope
from gateway.policy.memory import Telling

RELEASE_LEASE = timedelta(minutes=20)  # longer than RFC 5321 section 4.5.3.2 lets a final reply take
SENDING_LEASE = timedelta(hours=1)  # three times that, for a large message to a slow next hop
_INLINE_BYTES = 64 * 1024  # smaller messages are packed at once, larger ones in a thread


class Store(LetterQueue):
    """The archive, the holds and the queue of letters. Made by `Store.open` and `Store.open_scaled`."""

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        is_gateway: bool = False,
        reserve_bytes: int | None = None,
        master: MasterKeySource | None = None,
    ) -> Self:
        """The store in that folder, made and migrated as needed (mode 0700, files 0600).

        `is_gateway` takes the place of the one serving gateway until `close` or the end of the process: a second one
        gets MachineryFailed. `reserve_bytes` stay free for the marks and decisions that follow a filing; None takes
        8 MiB or a fifth of the disk, whichever is less. `master` None takes the file `archive.key` beside the folder.
        Raises StoreFull or MachineryFailed (MasterKeyMissing, MasterKeyWrong).
        """
        key = master or beside(path)
        opened = partial(homes.open_folder, path, key, is_gateway=is_gateway, reserve_bytes=reserve_bytes)
        return cls(await asyncio.to_thread(opened))

    @classmethod
    async def open_scaled(
        cls, where: Scaled, *, master: MasterKeySource, is_gateway: bool = False, is_alone: bool = False
    ) -> Self:
        """The store on those servers. Any number of gateways may have it open with `is_gateway`.

        `is_alone` is for what may not be done beside them. Raises StoreFull or MachineryFailed.
        """
        opened = partial(homes.open_scaled, where, master, is_gateway=is_gateway, is_alone=is_alone)
        return cls(await asyncio.to_thread(opened))

    # Messages

    async def file_sending(self, record: Record) -> None:
        """File a message that is about to be relayed (DESIGN section 5, step 3)."""
        await self._file(record, lambda c, packed: writes.file_record(c, record, packed, MessageState.SENDING))

    async def file_not_sent(self, record: Record, letters: Iterable[Letter] = ()) -> None:
        """File a message that is returned at the door."""
        queue = tuple(letters)

        def work(connection: Connection, packed: bodies.PackedBodies) -> None:
            writes.file_record(connection, record, packed, MessageState.NOT_SENT)
            writes.enqueue(connection, queue)

        await self._file(record, work)

    async def past_id(self, at: datetime, fingerprint: str) -> str:
        """An id for a message of before the gateway, the same whenever it is found; sorts by time, tells nothing.

        Mail that is found again after its record was destroyed has another: the ledger knows the first as destroyed.
        """
        moment = f"{max(int(at.timestamp() * 1000), 0):012x}"

        def first_free(connection: Connection) -> str:
            texts = chain((fingerprint,), (f"{fingerprint}\n{times}" for times in count(1)))
            ids = (f"{moment}{self._database.vault.hashed('past', text)[:16]}" for text in texts)
            return next(name for name in ids if not reads.is_destroyed(connection, name))

        return await self._read(first_free)

    async def file_past(self, record: Record, entry: AuditEntry) -> None:
        """File a message of before the gateway as sent, with the entry that tells who brought it, at once."""
        await self._file(record, lambda c, packed: writes.file_past(c, record, packed, entry))

    async def hold(self, record: Record, hold: Hold, letters: Iterable[Letter] = ()) -> None:
        """File a message as held, with its hold and the letters that tell of it, in one transaction."""
        queue = tuple(letters)
        await self._file(record, lambda c, packed: writes.add_hold(c, record, packed, hold, queue))

    async def mark_sent(self, record_id: str, reply_code: int, at: datetime, letters: Iterable[Letter] = ()) -> None:
        """The next hop has taken the message (step 5); letters, as a tip to the sender, go into the queue with it."""
        await self._mark(record_id, MessageEvent.ACCEPTED, reply_code, at, letters)

    async def mark_refused(self, record_id: str, reply_code: int, at: datetime, letters: Iterable[Letter] = ()) -> None:
        """The next hop has refused the message, for now or for good."""
        await self._mark(record_id, MessageEvent.REFUSED, reply_code, at, letters)

    async def mark_unconfirmed(self, record_id: str, at: datetime) -> None:
        """The next hop was lost before its final reply: the message may have been delivered."""
        await self._mark(record_id, MessageEvent.LOST, None, at, ())

    # Holds

    async def begin_release(self, ref: str, *, by: str, why: str, at: datetime) -> Release:
        """Take a hold for release: what is to be relayed. Nobody else can decide on it until the release ends.

        Raises HoldUnknown, HoldNotOpen, BodyDamaged (then nothing has changed).
        """
        found = await self.held(ref)
        content = await self.body(found.record.id, Stage.DELIVERED)
        await self._write(lambda c: writes.begin_release(c, found.ref, by=by, why=why, at=at))
        hold = await self.held(found.ref)
        stored = hold.record.envelope
        envelope = Envelope(mail_from=stored.mail_from, recipients=hold.pending, mail_parameters=stored.mail_parameters)
        return Release(hold=hold, envelope=envelope, content=content)

    async def end_content(self, ref: str, *, at: datetime, outcomes: Iterable[Outcome]) -> None:
        """Write down, before the final dot of a release, who may have the message if no answer comes (UNDER_WAY).

        Raises HoldUnknown, HoldNotOpen: then the dot must not be written.
        """
        given = tuple(outcomes)
        await self._write(lambda c: writes.end_content(c, ref, at=at, outcomes=given))

    async def finish_release(
        self, ref: str, *, at: datetime, outcomes: Iterable[Outcome] = (), letters: Iterable[Letter] = ()
    ) -> None:
        """The next hop has answered for every recipient: the hold is released, the message enters the client's file.

        If all of them were refused for good, the message is filed as refused, or as unconfirmed if an earlier release
        may have brought it to one of them. Raises HoldUnknown, HoldNotOpen.
        """
        given, queue = tuple(outcomes), tuple(letters)

        def work(connection: Connection) -> None:
            writes.finish_release(connection, ref, at=at, outcomes=given)
            writes.enqueue(connection, queue)

        await self._write(work)

    async def abandon_release(self, ref: str, *, why: str, at: datetime, outcomes: Iterable[Outcome] = ()) -> None:
        """The release could not be ended: back to held. Recipients with a final answer are not tried again.

        If its content was sent, the hold says from then on that it may have been delivered.
        """
        given = tuple(outcomes)
        await self._write(lambda c: writes.abandon_release(c, ref, why=why, at=at, outcomes=given))

    async def return_hold(
        self, ref: str, *, by: str, why: str, at: datetime, letters: Iterable[Letter] = ()
    ) -> StoredHold:
        """A person returns the message to its sender; the hold as it then is. Raises HoldUnknown, HoldNotOpen."""
        found = await self.held(ref)
        queue = tuple(letters)

        def work(connection: Connection) -> None:
            writes.return_hold(connection, found.ref, by=by, why=why, at=at)
            writes.enqueue(connection, queue)

        await self._write(work)
        return await self.held(found.ref)

    async def expire_hold(self, ref: str, *, at: datetime, letters: Iterable[Letter] = ()) -> None:
        """Nobody decided in time. Raises HoldUnknown, HoldNotOpen."""
        queue = tuple(letters)

        def work(connection: Connection) -> None:
            writes.expire_hold(connection, ref, at=at)
            writes.enqueue(connection, queue)

        await self._write(work)

    async def holds(self, states: frozenset[HoldState] = OPEN_STATES) -> tuple[StoredHold, ...]:
        """Every hold in one of the states (the open ones), oldest first."""
        return await self._read(lambda c: reads.holds_in(c, states))

    async def held(self, ref: str) -> StoredHold:
        """The hold of that reference, as a person typed it, or of that message id. Raises HoldUnknown."""
        return await self._read(lambda c: reads.held(c, ref))

    # The client's file, for people

    async def record(self, id_or_ref: str) -> StoredRecord:
        """The record of that id or reference. Raises RecordUnknown."""
        return await self._read(lambda c: reads.record(c, id_or_ref))

    async def records(self, file: str | None = None, limit: int | None = None) -> tuple[StoredRecord, ...]:
        """Records in the order in which they came, in any state; the newest `limit` of them."""
        return await self._read(lambda c: reads.records(c, file, limit))

    async def client_file(self, file: str) -> ClientFile:
        """A client's file: mail sent and received in order, and apart from it what was not sent."""
        return await self._read(lambda c: reads.client_file(c, file))

    async def body(self, id_or_ref: str, stage: Stage) -> bytes:
        """One form of a message, proved against its hash. Raises RecordUnknown or BodyDamaged."""
        return await self._read(lambda c: reads.body(c, id_or_ref, stage, self._place))

    async def received(self, ids: Sequence[str]) -> list[tuple[StoredRecord, bytes]]:
        """The records of at most 500 ids with their bytes as received; those that are damaged are left out."""
        return await self._read(lambda c: reads.received(c, ids, self._place))

    async def told(self, file: str) -> tuple[Told, ...]:
        """When the client of that file was sent the retention notice [CLI-8]."""
        return await self._read(lambda c: reads.told_about(c, file))

    async def tellings(self, files: Iterable[str], thread: str | None) -> tuple[Telling, ...]:
        """What the clients of those files have been told, and whether in that thread. Raises MachineryFailed."""
        asked = tuple(files)
        return await self._read(lambda c: reads.tellings(c, asked, thread))

    async def write_audit(self, entry: AuditEntry) -> None:
        """Record who did what and why (a view, an export): on disk before this returns."""
        await self._write(lambda c: writes.add_audit(c, entry))

    async def audit(
        self, *, ref: str | None = None, message_id: str | None = None, file: str | None = None
    ) -> tuple[AuditEntry, ...]:
        """Audit entries in order, about a hold, a message or a client's file; all of them if none is named."""
        return await self._read(lambda c: reads.audit_entries(c, ref=ref, message_id=message_id, file=file))

    # The store itself

    async def recover(self, at: datetime) -> Recovered:
        """Put right what a killed gateway left: messages in `sending`, releases never ended, bodies without a row.

        Call it once after `open`, before the doors; only the serving gateway may. Beside other gateways it lets be
        what may be theirs, is to be called again now and then, and leaves bodies to `sweep`. Raises MachineryFailed
        otherwise.
        """
        if self._home.seat is None:
            raise MachineryFailed("only the serving gateway recovers the store")

        before = at - SENDING_LEASE if self.is_shared else None
        unconfirmed = await self._write(lambda c: writes.leave_unconfirmed(c, at, begun_before=before))
        releases = await self.give_back_releases(at)
        strays = 0 if self.is_shared else await self.sweep()
        return Recovered(unconfirmed=unconfirmed, releases=releases, stray_files=strays)

    async def sweep(self) -> int:
        """Take away every body that no row names and none will; the count. It looks at the name of every loose body.

        Only those older than `bucket.STRAY_AGE`: a shell command that files beside it puts the body before its row.
        """
        return await asyncio.to_thread(sweep, self._database, self._place)

    @property
    def is_shared(self) -> bool:
        """True if other gateways may serve it at the same time."""
        return self._home.is_shared

    async def leads(self) -> bool:
        """True for the one of the serving gateways that does what must be done by one: letters, reminders, recovery.

        Raises MachineryFailed if that can't be told.
        """
        seat = self._home.seat
        return seat is not None and await asyncio.to_thread(seat.leads)

    async def give_back_releases(self, at: datetime) -> int:
        """Releases begun more than RELEASE_LEASE ago and never ended (a killed shell) are held again; the count."""
        begun_before = at - RELEASE_LEASE
        return await self._write(lambda c: writes.give_back_releases(c, begun_before=begun_before, at=at))

    async def end_sendings(self, at: datetime) -> int:
        """Messages sent for longer than SENDING_LEASE (by a worker that was killed) become unconfirmed; the count."""
        begun_before = at - SENDING_LEASE
        return await self._write(lambda c: writes.leave_unconfirmed(c, at, begun_before=begun_before))

    @property
    def place(self) -> int | None:
        """The descriptor that keeps the place of the one serving gateway; it holds in every process that has it."""
        return None if self._home.seat is None else self._home.seat.descriptor

    async def erase(self, sealed: frozenset[bytes], objects: Iterable[str]) -> Traces:
        """Take from the disk what a destruction left: loose bodies, the log, and remains of sealed values."""
        return await asyncio.to_thread(self._home.erase, sealed, tuple(objects))

    async def rotate(self, new: MasterKeySource, *, keep_days: int = 35) -> int:
        """Wrap every key anew with another master key, in one transaction; the count of keys.

        Backups made under the old one are to be opened for `keep_days` more (`gateway.archive.epochs`). Only while no
        gateway serves (`is_gateway`), for it would go on with the old one. Raises MachineryFailed otherwise,
        MasterKeyMissing for a key that can't be had.
        """
        if self._home.seat is None or not self._home.seat.is_alone:
            raise MachineryFailed("only the serving gateway's place allows to change the master key")
        vault = Vault(await asyncio.to_thread(new.load, may_make=True))
        at = datetime.now(tz=UTC)
        count = await self._write(lambda c: epochs.replace(c, vault, at=at, keep_days=keep_days))
        self._database.vault.adopt(vault)
        return count

    async def verify(
        self, progress: Callable[[int, int], None] | None = None, kept: Checkpoint | None = None
    ) -> Verification:
        """Hash every body again, compare every row with the ledger, and name what is damaged.

        `progress(done, total)` counts messages; `kept` is an earlier checkpoint that was kept outside.
        """
        return await asyncio.to_thread(verification, self._database, self._place, progress, kept)

    async def proofs(self, record_ids: Iterable[str]) -> LedgerProofs:
        """Proofs of those records against the present head of the ledger. Raises MachineryFailed if it is damaged."""
        asked = tuple(record_ids)
        return await self._read(lambda c: proof.proofs(c, asked))

    async def checkpoint(self) -> str | None:
        """The head of the ledger as text to keep outside; None for a store that holds nothing."""
        head = await self._read(proof.checkpoint_of)
        return None if head is None else head.text(ledger.public_key(self._database.vault))

    async def counts(self) -> dict[str, int]:
        """Messages, holds and letters by state, as `holds.held`."""
        return await self._read(reads.counts)

    def health(self) -> StoreHealth:
        """Whether writes are taken, how many wait, and the free bytes of the disk, if it is this machine's."""
        try:
            free = self._database.free_bytes()
        except OSError:
            free = 0
        return StoreHealth(is_alive=self._committer.is_alive, waiting=self._committer.waiting, free_bytes=free)

    async def parts_down(self) -> tuple[str, ...]:
        """Which parts do not answer now: `database`, `objects`."""
        parts = {"database": self._database.is_down, "objects": self._place.is_down}
        found = await asyncio.gather(*(asyncio.to_thread(is_down) for is_down in parts.values()))
        return tuple(name for name, is_down in zip(parts, found, strict=True) if is_down)

    async def _file(self, record: Record, work: Callable[[Connection, bodies.PackedBodies], None]) -> None:
        self._require_room(len(record.received) + len(record.delivered))
        inline_bytes = self._place.inline_bytes
        if len(record.received) + len(record.delivered) <= _INLINE_BYTES:
            packed = bodies.pack(record, inline_bytes)
        else:
            packed = await asyncio.to_thread(bodies.pack, record, inline_bytes)
        begun = time.monotonic()
        if packed.loose:
            await self._place.put(packed.loose)

        def timely(connection: Connection) -> None:
            if time.monotonic() - begun > ROW_WITHIN_S:
                raise MachineryFailed("the bodies were put too long ago to be named now")
            work(connection, packed)

        try:
            await self._write(timely if packed.loose else lambda connection: work(connection, packed))
        except StoreFull:  # after another error the row may be there: left to `recover`
            await asyncio.to_thread(self._place.discard, [body.name for body in packed.loose])
            raise

    def has_room_for_words(self) -> bool:
        """True if the index may grow: what stays free for marks and decisions is not its to take."""
        try:
            self._require_room(2 * self._home.reserve_bytes)
        except (StoreFull, MachineryFailed):
            return False
        return True

    def _require_room(self, size: int) -> None:
        try:
            free = self._database.free_bytes()
        except OSError as error:
            raise MachineryFailed("store can't be reached", errno=error.errno or 0) from error
        if free is not None and free < self._home.reserve_bytes + size:
            raise StoreFull

    async def _mark(
        self, record_id: str, event: MessageEvent, code: int | None, at: datetime, letters: Iterable[Letter]
    ) -> None:
        queue = tuple(letters)

        def work(connection: Connection) -> None:
            writes.mark(connection, record_id, event, code=code, at=at)
            writes.enqueue(connection, queue)

        await self._write(work)
