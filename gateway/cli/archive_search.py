"""`archive search` and `archive reindex`: messages found by their words, and the index of them made anew.

A search is in the access log before it is carried out. What is found is listed, not shown: `archive show` shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.console import (
    EXIT_FOUND,
    ByOption,
    ConfigOption,
    JsonOption,
    print_json,
    print_table,
    progress_bar,
    say,
    stop,
)
from gateway.people.model import Direction

if TYPE_CHECKING:
    from gateway.archive.indexing import Found, Indexing
    from gateway.archive.store import Store
    from gateway.people.directory import Directory
    from gateway.service.configuration import Configuration


def search(
    config: ConfigOption,
    by: ByOption,
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT", help="What for; it is recorded.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORDS", help="Words that must all be there; '\"two words\"' together."),
    ] = None,
    client: Annotated[str | None, typer.Option("--client", metavar="FILE", help="In one client's file only.")] = None,
    subject: Annotated[list[str] | None, typer.Option("--subject", metavar="WORDS", help="In the subject.")] = None,
    person: Annotated[
        list[str] | None, typer.Option("--person", metavar="WHO", help="An address, a worker or a client's file.")
    ] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day (UTC).")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day (UTC).")] = None,
    direction: Annotated[Direction | None, typer.Option("--direction", help="Which way it went.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many, newest first.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Find filed messages by words, person, day and direction, newest first. The search is recorded first.

    Words are found in any of their forms, with or without accents, in English and French, in attachments too.
    """
    if not by.strip() or not purpose.strip():
        stop("a search needs who asks and what for: --by and --purpose")
    days = (None if first is None else first.date(), None if last is None else last.date())
    asyncio.run(
        _search(config, by, purpose, words or [], client, subject or [], person or [], days, direction, limit, as_json)
    )


def reindex(config: ConfigOption, by: ByOption) -> None:
    """Make the index of words anew from every filed message. Mail goes on meanwhile."""
    asyncio.run(_reindex(config, by))


async def _search(
    config: Path,
    by: str,
    purpose: str,
    words: list[str],
    client: str | None,
    subject: list[str],
    people: list[str],
    days: tuple[date | None, date | None],
    direction: Direction | None,
    limit: int,
    as_json: bool,
) -> None:
    from gateway.archive.index import phrases_in
    from gateway.archive.model import AuditEntry
    from gateway.archive.search import Query
    from gateway.service.configuration import load_configuration

    configuration = load_configuration(config)
    query = Query(
        phrases=phrases_in(words),
        subject=phrases_in(subject),
        people=tuple(_terms_of(configuration.directory, who) for who in people),
        file=client,
        first=days[0],
        last=days[1],
        direction=direction,
        limit=limit,
    )
    if (words and not query.phrases) or (subject and not query.subject):
        stop("there is no word in what is looked for")
    why = f"{purpose}; looked for {_said(words, subject, people, days, direction)}"
    async with open_index(config, configuration) as (store, indexing):
        await store.write_audit(AuditEntry(at=datetime.now(tz=UTC), who=by, what="searched", why=why, file=client))
        _print(await indexing.find(query), as_json)


async def _reindex(config: Path, by: str) -> None:
    from gateway.archive.model import AuditEntry
    from gateway.service.configuration import load_configuration

    async with open_index(config, load_configuration(config)) as (store, indexing):
        await store.write_audit(AuditEntry(at=datetime.now(tz=UTC), who=by, what="index of words made anew"))
        with progress_bar("indexing") as advance:
            count = await indexing.make_anew(advance)
    say(f"{count} message(s) indexed")


@asynccontextmanager
async def open_index(config: Path, configuration: Configuration) -> AsyncIterator[tuple[Store, Indexing]]:
    """The store and its index, with a process that opens attachments where there are any."""
    from gateway.archive.indexing import Indexing
    from gateway.cli.stores import open_store
    from gateway.content.documents.reader import DocumentReader

    analysis = configuration.settings.analysis
    reader = DocumentReader(known_pictures=analysis.known_pictures, at_once=analysis.workers)
    try:
        async with open_store(config) as store:
            yield store, Indexing(store, reader.read_in_thread)
    finally:
        reader.close()


def _terms_of(directory: Directory, who: str) -> tuple[str, ...]:
    """By what the index knows a person: addresses, and the id of a worker. Ends the command for nobody."""
    from gateway.decide import NoAuthority, find_worker
    from gateway.people.addresses import canonical

    try:
        worker = find_worker(directory, who)
    except NoAuthority as error:
        stop(str(error), EXIT_FOUND)
    if worker is not None:
        return (worker.id, *worker.addresses, *worker.personal_addresses)
    clients = [found for found in (directory.client(who),) if found] or [*directory.clients_of_name(who)]
    addresses = tuple(address for client in clients for address in client.addresses)
    address = canonical(who)
    if not addresses and address is None:
        stop(f"--person {who[:64]}: no address, and nobody in people.yaml has that name or number", EXIT_FOUND)
    return addresses or ((address,) if address else ())


def _said(
    words: list[str],
    subject: list[str],
    people: list[str],
    days: tuple[date | None, date | None],
    direction: Direction | None,
) -> str:
    """The search in words, for the access log."""
    parts = [f"“{given}”" for given in words] + [f"subject “{given}”" for given in subject]
    parts += [f"person {who}" for who in people]
    parts += [f"from {days[0]}"] if days[0] else []
    parts += [f"to {days[1]}"] if days[1] else []
    parts += [direction.value] if direction else []
    return ", ".join(parts) or "everything"


def _print(found: Found, as_json: bool) -> None:
    from gateway.cli.stores import local_time, record_values

    if as_json:
        for record in found.records:
            print_json(record_values(record))
    else:
        rows = [
            (
                record.ref,
                local_time(record.received_at),
                record.direction.value,
                record.listed_as,
                ", ".join(record.client_files),
                record.envelope.mail_from or "<>",
            )
            for record in found.records
        ]
        print_table("Found", ("reference", "received", "direction", "state", "client files", "sender"), rows)
    if found.has_more:
        say("there are more: narrow the search, or raise --limit")
    elif not found.records:
        say("nothing found")
