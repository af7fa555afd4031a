"""The store as the rest of the gateway sees it: every write returns after COMMIT, every read gives values.

One `Store` for a process. The serving gateway and any number of shell commands may have the same folder open at once.
What stands here is the order of things (pack, write, read back); rows are written in `writes`, read in `reads`.
Errors: StoreFull (452) when the disk is full, MachineryFailed (451) for everything else that is wrong with it; the next
write works again as soon as the disk does. A wait that is cancelled may or may not have written.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from gateway.archive import bodies, reads, writes
from gateway.archive.codec import instant
from gateway.archive.committer import Committer
from gateway.archive.database import Connection, Database
from gateway.archive.model import (
    AuditEntry,
    ClientFile,
    Letter,
    LetterState,
    QueuedLetter,
    Record,
    Recovered,
    Stage,
    StoredRecord,
    StoreHealth,
    Told,
    Verification,
)
from gateway.archive.states import MessageEvent, MessageState
from gateway.archive.verify import verification
from gateway.holding.model import Hold, Outcome, Release, StoredHold
from gateway.holding.states import OPEN_STATES, HoldState
from gateway.message.errors import MachineryFailed, StoreFull
from gateway.message.submission import Envelope
from gateway.policy.memory import Telling

MAX_RESERVE_BYTES = 8 * 1024 * 1024
RELEASE_LEASE = timedelta(minutes=20)  # longer than RFC 5321 section 4.5.3.2 lets a final reply take
_INLINE_BYTES = 64 * 1024  # smaller messages are packed at once, larger ones in a thread
Answer = TypeVar("Answer")


class Store:
    """The archive, the holds and the queue of letters in one folder. Made by `Store.open`."""

    def __init__(self, folder: Path, database: Database, lock: int | None, reserve_bytes: int) -> None:
        self._folder = folder
        self._large = folder / "large"
        self._database = database
        self._committer = Committer(database, low_bytes=2 * reserve_bytes)
        self._lock = lock
        self._reserve_bytes = reserve_bytes

    @classmethod
    async def open(cls, path: Path, *, is_gateway: bool = False, reserve_bytes: int | None = None) -> Self:
        """The store in that folder, made and migrated as needed (mode 0700, files 0600).

        `is_gateway` takes the place of the one serving gateway until `close` or the end of the process: a second one
        gets MachineryFailed. `reserve_bytes` stay free for the marks and decisions that follow a filing; None takes
        8 MiB or a fifth of the disk, whichever is less. Raises StoreFull or MachineryFailed.
        """
        return await asyncio.to_thread(cls._open, path, is_gateway, reserve_bytes)

    async def close(self) -> None:
        """Commit what waits and close the files."""
        await asyncio.to_thread(self._close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

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

    # Letters

    async def enqueue(self, letters: Iterable[Letter]) -> None:
        """Put letters into the queue, due at once."""
        queue = tuple(letters)
        await self._write(lambda c: writes.enqueue(c, queue))

    async def due_letters(self, now: datetime, limit: int = 50) -> tuple[QueuedLetter, ...]:
        """Letters to try now, the longest due first. Only the serving gateway sends them."""
        return await self._read(lambda c: reads.due_letters(c, instant(now), limit))

    async def letters_about(self, message_id: str) -> tuple[QueuedLetter, ...]:
        """Every letter that tells about a message."""
        return await self._read(lambda c: reads.letters_about(c, message_id))

    async def letter_sent(self, letter_id: str, code: int) -> None:
        """The next hop has taken the letter."""
        await self._write(lambda c: writes.end_letter(c, letter_id, LetterState.SENT, code=code))

    async def letter_failed(self, letter_id: str, next_try: datetime, code: int | None = None) -> None:
        """The letter could not be sent now; `code` is None if the next hop gave no answer."""
        await self._write(lambda c: writes.postpone_letter(c, letter_id, next_try, code=code))

    async def letter_refused(self, letter_id: str, code: int) -> None:
        """The next hop has refused the letter for good."""
        await self._write(lambda c: writes.end_letter(c, letter_id, LetterState.REFUSED, code=code))

    async def letter_expired(self, letter_id: str) -> None:
        """The letter could not be sent in its time."""
        await self._write(lambda c: writes.end_letter(c, letter_id, LetterState.EXPIRED, code=None))

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
        return await self._read(lambda c: reads.body(c, id_or_ref, stage, self._large))

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
        """Put right what a killed gateway left: messages in `sending`, releases never ended, files without a row.

        Call it once after `open`, before the doors; only the serving gateway may. Raises MachineryFailed otherwise.
        """
        if self._lock is None:
            raise MachineryFailed("only the serving gateway recovers the store")

        unconfirmed = await self._write(lambda c: writes.leave_unconfirmed(c, at))
        releases = await self.give_back_releases(at)
        known = await self._read(reads.body_files)
        strays = await asyncio.to_thread(bodies.remove_strays, self._large, known)
        return Recovered(unconfirmed=unconfirmed, releases=releases, stray_files=strays)

    async def give_back_releases(self, at: datetime) -> int:
        """Releases begun more than RELEASE_LEASE ago and never ended (a killed shell) are held again; the count."""
        begun_before = at - RELEASE_LEASE
        return await self._write(lambda c: writes.give_back_releases(c, begun_before=begun_before, at=at))

    async def verify(self, progress: Callable[[int, int], None] | None = None) -> Verification:
        """Hash every body again and name what is damaged. `progress(done, total)` counts messages."""
        return await asyncio.to_thread(verification, self._database, self._large, progress)

    async def counts(self) -> dict[str, int]:
        """Messages, holds and letters by state, as `holds.held`."""
        return await self._read(reads.counts)

    def health(self) -> StoreHealth:
        """Whether writes are taken, how many wait, and the free bytes of the disk."""
        try:
            free = self._database.free_bytes()
        except OSError:
            free = 0
        return StoreHealth(is_alive=self._committer.is_alive, waiting=self._committer.waiting, free_bytes=free)

    async def _file(self, record: Record, work: Callable[[Connection, bodies.PackedBodies], None]) -> None:
        self._require_room(len(record.received) + len(record.delivered))
        if len(record.received) + len(record.delivered) <= _INLINE_BYTES:
            packed = bodies.pack(record, self._large)
        else:
            packed = await asyncio.to_thread(bodies.pack, record, self._large)
        try:
            await self._write(lambda connection: work(connection, packed))
        except StoreFull:
            bodies.discard(packed.bodies, self._large)  # after another error the row may be there: left to `recover`
            raise

    def _require_room(self, size: int) -> None:
        try:
            free = self._database.free_bytes()
        except OSError as error:
            raise MachineryFailed("store can't be reached", errno=error.errno or 0) from error
        if free < self._reserve_bytes + size:
            raise StoreFull

    async def _mark(
        self, record_id: str, event: MessageEvent, code: int | None, at: datetime, letters: Iterable[Letter]
    ) -> None:
        queue = tuple(letters)

        def work(connection: Connection) -> None:
            writes.mark(connection, record_id, event, code=code, at=at)
            writes.enqueue(connection, queue)

        await self._write(work)

    async def _write(self, work: Callable[[Connection], Answer]) -> Answer:
        return await asyncio.wrap_future(self._committer.submit(work))

    async def _read(self, query: Callable[[Connection], Answer]) -> Answer:
        return await asyncio.to_thread(self._database.read, query)

    @classmethod
    def _open(cls, path: Path, is_gateway: bool, reserve_bytes: int | None) -> Self:
        try:
            with ExitStack() as undo:
                _make_folder(path / "large")
                lock = _lock(path / "serving.lock", wait=False) if is_gateway else None
                if lock is not None:
                    undo.callback(os.close, lock)
                database = Database(path / "store.sqlite")
                undo.callback(database.close)
                migrating = _lock(path / "migrating.lock", wait=True)
                try:
                    database.migrate()
                finally:
                    os.close(migrating)
                bodies.sync_folder(path)
                disk = os.statvfs(path)
                undo.pop_all()
        except OSError as error:
            raise bodies.disk_error(error) from error
        fifth = disk.f_blocks * disk.f_frsize // 5
        store = cls(path, database, lock, min(MAX_RESERVE_BYTES, fifth) if reserve_bytes is None else reserve_bytes)
        store._committer.start()
        return store

    def _close(self) -> None:
        self._committer.close()
        self._database.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _make_folder(path: Path) -> None:
    """Make a folder and those above it, for their owner alone, and make each new name durable."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        bodies.sync_folder(folder.parent)


def _lock(path: Path, *, wait: bool) -> int:
    """A lock that ends with the process; its descriptor. Raises MachineryFailed if another process has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise MachineryFailed("another gateway serves this store") from error
    return handle
