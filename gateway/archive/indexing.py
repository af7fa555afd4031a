"""Filling the index of words and asking it: what is filed is opened, read and indexed beside the mail's way.

A message is opened, parsed and its attachments read here, a page at a time; the rows are then written in one short
transaction. A search indexes what still waits before it looks, and proves phrases of several words on the opened text.
Called by `archive search`, `archive reindex` and a job of the serving gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from gateway.archive import index, reads, search
from gateway.archive.index import Terms
from gateway.archive.life_model import LifeRefused
from gateway.archive.model import StoredRecord
from gateway.archive.search import Place, Query, TooCommon
from gateway.archive.store import Store
from gateway.archive.words import has_phrase
from gateway.content.documents.reader import Attachments
from gateway.message.errors import MachineryFailed
from gateway.message.model import Message
from gateway.message.parse import parse

PAGE = 20  # records a transaction, so that mail does not wait behind it
_PORTION_BYTES = 4 * 1024 * 1024
_TRIES = 20
_PAUSE_S = 0.5
OpenAttachments = Callable[[Message], Awaitable[Attachments]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The records that answer a query, newest first; `has_more` if there are others beyond the limit."""

    records: tuple[StoredRecord, ...]
    has_more: bool


class Indexing:
    """The index of one store. `open_attachments` reads what is attached to a message."""

    def __init__(self, store: Store, open_attachments: OpenAttachments) -> None:
        self._store = store
        self._open_attachments = open_attachments

    async def catch_up(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Index every record that waits; the count. `progress(done, total)` counts records."""
        if await self._store.ask(index.is_outdated):
            await self._store.transact(index.clear)
        total, done = (await self._store.ask(index.count_waiting) if progress else 0), 0
        while True:
            if not self._store.has_room_for_words():
                return done
            page = await self._store.ask(lambda c: index.waiting(c, PAGE))
            if page.upto <= page.after:
                return done
            terms = [found for some in _portions(page) for found in await self._terms(some)]
            await self._store.transact(lambda c, page=page, terms=terms: index.write(c, page, terms))  # type: ignore[misc]
            done += len(page.records)
            if progress is not None and page.records:
                progress(done, max(total, done))

    async def make_anew(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Throw the index away and make it anew from every record; the count."""
        await self._store.transact(index.clear)
        return await self.catch_up(progress)

    async def find(self, query: Query) -> Found:
        """The records that answer, newest first. Raises FileUnknown, and LifeRefused for words that are no words.

        The caller writes into the access log before it asks.
        """
        await self.catch_up()
        found: list[StoredRecord] = []
        place: Place | None = None
        while True:
            try:
                ids, place = await self._store.ask(lambda c, at=place: search.candidates(c, query, at))  # type: ignore[misc]
            except TooCommon:
                raise LifeRefused("these words are in every text: look for one that tells more") from None
            for start in range(0, len(ids), query.limit):
                some = ids[start : start + query.limit]
                for record in await self._store.ask(lambda c, some=some: reads.records_by_ids(c, some)):  # type: ignore[misc]
                    if query.exact and not await self._has_phrases(record, query):
                        continue
                    if len(found) == query.limit:
                        return Found(records=tuple(found), has_more=True)
                    found.append(record)
            if place is None:
                return Found(records=tuple(found), has_more=False)

    async def _terms(self, some: list[index.Waiting]) -> list[Terms]:
        """What the records are found by, but for those that are gone, or damaged: `archive verify` names them."""
        opened = await self._store.received([entry.record_id for entry in some])
        messages = await asyncio.to_thread(lambda: [parse(raw) for _, raw in opened])
        whole = [await self._with_attachments(message) for message in messages]
        seqs = {entry.record_id: entry.seq for entry in some}

        def work() -> list[Terms]:
            return [
                Terms(record_id=record.id, seq=seqs[record.id], terms=_terms_of(record, message))
                for (record, _), message in zip(opened, whole, strict=True)
            ]

        return await asyncio.to_thread(work)

    async def _has_phrases(self, record: StoredRecord, query: Query) -> bool:
        opened = await self._store.received([record.id])
        if not opened:
            return False
        message = await self._with_attachments(await asyncio.to_thread(parse, opened[0][1]))
        return all(
            any(has_phrase(text.text, phrase) for text in message.texts if not is_subject or text.where == "subject")
            for phrase, is_subject in query.exact
        )

    async def _with_attachments(self, message: Message) -> Message:
        """The message with what its attachments say. Where no process can open them, without."""
        for _ in range(_TRIES):
            try:
                return (await self._open_attachments(message)).added_to(message)
            except MachineryFailed:  # too many wait: mail goes first
                await asyncio.sleep(_PAUSE_S)
        return message


def _portions(page: index.Page) -> Iterator[list[index.Waiting]]:
    """The records of a page in portions that are held in memory together; a large one is alone."""
    some: list[index.Waiting] = []
    for entry in page.records:
        if some and sum(other.size for other in some) + entry.size > _PORTION_BYTES:
            yield some
            some = []
        some.append(entry)
    if some:
        yield some


def _terms_of(record: StoredRecord, message: Message) -> frozenset[str]:
    envelope = record.envelope
    addresses = [envelope.mail_from or "", *(recipient.address for recipient in envelope.recipients)]
    return index.terms_of(message, addresses=addresses, worker_id=record.worker_id)
