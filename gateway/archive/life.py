"""The life of the clients' files as the rest of the gateway sees it: retention, holds, disposal, moves, merges.

A view of the store, as `Store` itself: every write returns after COMMIT, every read gives values. What a step does
stands in `lives`, `file_holds`, `disposals`, `destruction`, `refile`, `past` and `epochs`. Who may do it is asked
before, by the caller (`gateway.policy.retention`). Called by the commands of `archive`, by `elapse` and by wiring.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path

from gateway.archive import (
    destruction,
    disposals,
    epochs,
    erasure,
    file_holds,
    lives,
    past,
    refile,
)
from gateway.archive.database import Connection
from gateway.archive.epochs import OldMasterKey
from gateway.archive.file_seals import FileUnknown
from gateway.archive.life_model import (
    Disposal,
    DisposalState,
    Disposed,
    FileHold,
    HoldKind,
    LifeRefused,
    Person,
    Standing,
    Traces,
)
from gateway.archive.lives import ClientOf
from gateway.archive.master import KeyFromFile
from gateway.archive.model import AuditEntry
from gateway.archive.store import Store
from gateway.archive.vault import Vault
from gateway.people.past import PastClients
from gateway.policy.retention import RetentionRules


class FileLife:
    """The steps in the life of the files of one store.

    `rules` are the policy's, `client_of` gives the client of a file's number from people.yaml, or None.
    """

    def __init__(self, store: Store, rules: RetentionRules, client_of: ClientOf) -> None:
        self._store = store
        self._rules = rules
        self._client_of = client_of

    # Retention

    async def standings(self) -> tuple[Standing, ...]:
        """Where every file with entries stands, by number."""
        return await self._store.ask(lambda c: lives.standings(c, self._rules, self._client_of))

    async def standing(self, file: str) -> Standing | None:
        """Where one file stands; None for a file without entries. Raises FileUnknown."""
        return await self._store.ask(lambda c: lives.standing(c, file, self._rules, self._client_of(file)))

    async def suggest(self, *, day: date, at: datetime) -> tuple[Standing, ...]:
        """Suggest the disposal of every file whose time is over; those that are due. Destroys nothing.

        Takes back suggestions and proposals for files that are due no more: a new entry, a hold, another class.
        """
        for client in await self._store.ask(lambda c: lives.unremembered(c, self._client_of)):
            await self._store.transact(lambda c, client=client: lives.remember(c, client, at=at))  # type: ignore[misc]
        due = []
        for entry in await self.standings():
            if entry.is_due(day):
                due.append(entry)
            if entry.is_due(day) is (entry.disposal is None):
                await self._suggest(entry.file, day, at)
        return tuple(due)

    async def _suggest(self, file: str, day: date, at: datetime) -> None:
        client = self._client_of(file)
        try:
            await self._store.transact(lambda c: lives.suggest(c, file, self._rules, client, day=day, at=at))
        except FileUnknown:
            return  # destroyed or merged in this moment

    # Holds on files

    async def hold(self, file: str, *, kind: HoldKind, reason: str, by: Person, at: datetime) -> FileHold:
        """Place a hold. Raises FileUnknown, LifeRefused."""
        return await self._store.transact(
            lambda c: file_holds.place(c, file, kind=kind, reason=reason, by=by.id, at=at)
        )

    async def end_hold(self, file: str, number: int, *, reason: str, by: Person, at: datetime) -> FileHold:
        """End a hold. Raises FileUnknown, LifeRefused."""
        return await self._store.transact(lambda c: file_holds.end(c, file, number, reason=reason, by=by.id, at=at))

    async def holds(self, file: str, *, is_open: bool = True) -> tuple[FileHold, ...]:
        """The holds on a file, only those not ended if `is_open`. Raises FileUnknown."""
        return await self._store.ask(lambda c: file_holds.of_file(c, file, is_open=is_open))

    # Disposal

    async def propose(self, file: str, *, by: Person, reason: str, day: date, at: datetime) -> Disposal:
        """One person proposes the disposal of a file whose time is over. Raises FileUnknown, LifeRefused."""

        def work(connection: Connection) -> Disposal:
            of = self._due_standing(connection, file)
            return disposals.propose(connection, of, by=by, reason=reason, day=day, at=at)

        return await self._store.transact(work)

    async def confirm(
        self, file: str, *, by: Person, day: date, at: datetime, organisation: str
    ) -> tuple[Disposed, Traces]:
        """Another person confirms, and the file is destroyed; what is left of it on the disk.

        Raises FileUnknown, LifeRefused: then nothing has changed.
        """

        def work(connection: Connection) -> Disposed:
            of = self._due_standing(connection, file)
            addresses = self._addresses(connection, file)
            return destruction.confirm(
                connection,
                of,
                by=by,
                day=day,
                at=at,
                addresses=addresses,
                organisation=organisation,
                is_shared=self._store.is_shared,
            )

        return await self._destroyed(work)

    async def repeat(self, paper: str, *, by: Person, at: datetime, organisation: str) -> tuple[Disposed, Traces]:
        """Destroy a file again that a backup brought back, on the word of its certificate.

        Raises LifeRefused for a certificate that is not this store's, or is about a file that is destroyed already,
        has anything in it that the certificate does not name, or was held since.
        """

        def work(connection: Connection) -> Disposed:
            def addresses_of(file: str) -> Iterable[str]:
                return self._addresses(connection, file)

            return destruction.repeat(
                connection,
                paper,
                by=by,
                at=at,
                addresses_of=addresses_of,
                organisation=organisation,
                is_shared=self._store.is_shared,
            )

        return await self._destroyed(work)

    async def withdraw(self, file: str, *, by: Person, reason: str, at: datetime) -> Disposal:
        """The file is not to be disposed of now. Raises LifeRefused."""
        return await self._store.transact(lambda c: disposals.withdraw(c, file, by=by, reason=reason, at=at))

    async def disposals(self, states: frozenset[DisposalState]) -> tuple[Disposal, ...]:
        """Every disposal in one of the states, oldest first."""
        return await self._store.ask(lambda c: disposals.listed(c, states))

    async def certificates(self, file: str) -> tuple[Disposal, ...]:
        """The disposals of a file that were carried out, oldest first."""
        found = await self._store.ask(lambda c: disposals.of_file(c, file))
        return tuple(entry for entry in found if entry.certificate is not None)

    # Filed wrong

    async def move(self, ref: str, source: str, target: str, *, by: str, reason: str, at: datetime) -> Traces:
        """Move a message to the file where it belongs; what is left on the disk of its key in the first.

        Raises RecordUnknown, FileUnknown, LifeRefused.
        """
        record = await self._store.record(ref)
        gone = await self._store.transact(lambda c: refile.move(c, record, source, target, by=by, reason=reason, at=at))
        return await self._store.erase(gone, ())

    async def merge(self, source: str, into: str, *, by: str, reason: str, at: datetime) -> tuple[int, Traces]:
        """Put one file's messages into another; the count, and what is left on the disk of the first one's key.

        Raises FileUnknown, LifeRefused.
        """
        client = self._client_of(source)
        count, gone = await self._store.transact(
            lambda c: refile.merge(c, source, into, client, by=by, reason=reason, at=at)
        )
        return count, await self._store.erase(gone, ())

    # What the people file may have forgotten

    async def past_clients(self) -> PastClients:
        """The addresses of clients whose file was destroyed, as keyed hashes."""
        return await self._store.ask(past.past_clients)

    async def merged_files(self) -> Mapping[str, str]:
        """The file into which each merged file went, by number."""
        return await self._store.ask(past.merged_files)

    # Old master keys

    async def old_master_keys(self) -> tuple[OldMasterKey, ...]:
        """Every master key that was replaced."""
        return await self._store.ask(epochs.listed)

    async def retire_key(self, path: Path, *, by: str, at: datetime) -> OldMasterKey:
        """Overwrite and delete the file of an old master key whose backups have expired; which one it was.

        Raises LifeRefused, MasterKeyMissing, OSError.
        """
        master = await asyncio.to_thread(KeyFromFile(path=path).load, may_make=False)
        fingerprint = Vault(master).fingerprint
        found = await self._store.ask(lambda c: epochs.require_expired(c, fingerprint, at=at))
        entry = AuditEntry(at=at, who=by, what="old master key destroyed", why=f"replaced {found.retired_at.date()}")
        await self._store.write_audit(entry)
        await asyncio.to_thread(erasure.overwrite_file, path)
        await self._store.transact(lambda c: epochs.destroyed(c, fingerprint, at=at))
        return found

    async def _destroyed(self, work: Callable[[Connection], Disposed]) -> tuple[Disposed, Traces]:
        done = await self._store.transact(work)
        return done, await self._store.erase(done.sealed, done.objects)

    def _due_standing(self, connection: Connection, file: str) -> Standing:
        found = lives.standing(connection, file, self._rules, self._client_of(file))
        if found is None:
            raise LifeRefused(f"{file} has no entries")
        return found

    def _addresses(self, connection: Connection, file: str) -> Iterable[str]:
        """The client's addresses: those of people.yaml, and those from which mail in the file came."""
        client = self._client_of(file)
        return (*(client.addresses if client else ()), *destruction.addresses_in(connection, file))
