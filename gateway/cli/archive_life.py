"""`archive retention|hold|unhold|holds|move|merge`: how long files are kept, what keeps them, and what was filed wrong.

Who may do it is asked in `authority`; what a step does stands in `gateway.archive.life`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.authority import person_with
from gateway.cli.console import (
    EXIT_FOUND,
    ByOption,
    ConfigOption,
    JsonOption,
    complain,
    print_json,
    print_table,
    say,
)

if TYPE_CHECKING:
    from gateway.archive.life import FileLife
    from gateway.archive.life_model import FileHold, Standing, Traces
    from gateway.archive.store import Store
    from gateway.service.configuration import Configuration

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="The number of the client's file.")]
ReasonOption = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is recorded.")]


class Kind(StrEnum):
    """What a hold is for."""

    LEGAL = "legal"
    ACCESS = "access"


def retention(
    config: ConfigOption,
    client: Annotated[str | None, typer.Option("--client", metavar="FILE", help="One client's file only.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the clients' files: class, last entry, the day from which each may be disposed of, and what holds it."""
    asyncio.run(_retention(config, client, as_json))


def hold(
    file: FileArgument,
    config: ConfigOption,
    by: ByOption,
    reason: ReasonOption,
    kind: Annotated[Kind, typer.Option("--kind", help="A legal matter, or a request to see the file.")] = Kind.LEGAL,
    as_json: JsonOption = False,
) -> None:
    """Hold a client's file: it is not disposed of until every hold on it has ended."""
    asyncio.run(_hold(file, config, by, reason, kind, as_json))


def unhold(
    file: FileArgument,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The hold's number, as `archive holds` lists it.")],
    config: ConfigOption,
    by: ByOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """End a hold on a client's file."""
    asyncio.run(_unhold(file, number, config, by, reason, as_json))


def holds(
    config: ConfigOption,
    client: Annotated[str | None, typer.Option("--client", metavar="FILE", help="One client's file only.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Ended ones too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the holds on clients' files. The look is recorded."""
    asyncio.run(_holds(config, client, every, as_json))


def move(
    record_id: Annotated[str, typer.Argument(metavar="ID", help="The message's reference or id.")],
    config: ConfigOption,
    source: Annotated[str, typer.Option("--from", metavar="FILE", help="The file in which it should not be.")],
    target: Annotated[str, typer.Option("--to", metavar="FILE", help="The file where it belongs.")],
    by: ByOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Move a message that was filed under the wrong client. Both files tell of it."""
    asyncio.run(_move(record_id, config, source, target, by, reason, as_json))


def merge(
    file: FileArgument,
    config: ConfigOption,
    into: Annotated[str, typer.Option("--into", metavar="FILE", help="The file that stays.")],
    by: ByOption,
    reason: ReasonOption,
    as_json: JsonOption = False,
) -> None:
    """Merge a client's second file into the first. Both tell of it; new mail goes to the file that stays."""
    asyncio.run(_merge(file, config, into, by, reason, as_json))


@asynccontextmanager
async def open_life(config: Path, configuration: Configuration) -> AsyncIterator[tuple[Store, FileLife]]:
    """The store and the life of its files, under the configuration's policy and people, merged files joined."""
    from gateway.archive.life import FileLife
    from gateway.cli.stores import open_store
    from gateway.service.wiring import with_history

    async with open_store(config) as store:
        directory = await with_history(configuration, store)
        yield store, FileLife(store, configuration.pack.retention, directory.client)


async def _retention(config: Path, client: str | None, as_json: bool) -> None:
    from gateway.cli.stores import record_look
    from gateway.service.configuration import load_configuration

    async with open_life(config, load_configuration(config)) as (store, life):
        await record_look(store, "retention listed", client)
        found = await life.standings() if client is None else [await life.standing(client)]
    listed = [entry for entry in found if entry is not None]
    if as_json:
        for entry in listed:
            print_json(_standing_values(entry))
        return
    rows = [
        (
            entry.file,
            entry.entries,
            entry.last_entry,
            entry.kept_as,
            entry.due or "never",
            ", ".join(f"{hold.kind.value} {hold.number}" for hold in entry.holds),
            entry.disposal.state.value if entry.disposal else None,
        )
        for entry in listed
    ]
    columns = ("client file", "entries", "last entry", "class", "kept until", "holds", "disposal")
    print_table("How long files are kept", columns, rows)


async def _hold(file: str, config: Path, by: str, reason: str, kind: Kind, as_json: bool) -> None:
    from gateway.archive.life_model import HoldKind
    from gateway.service.configuration import load_configuration

    configuration = load_configuration(config)
    who = person_with(configuration, by, configuration.pack.retention.proposers, "hold a file")
    async with open_life(config, configuration) as (_, life):
        found = await life.hold(file, kind=HoldKind(kind.value), reason=reason, by=who, at=datetime.now(tz=UTC))
    _print_holds([found], as_json)


async def _unhold(file: str, number: int, config: Path, by: str, reason: str, as_json: bool) -> None:
    from gateway.service.configuration import load_configuration

    configuration = load_configuration(config)
    who = person_with(configuration, by, configuration.pack.retention.proposers, "end a hold on a file")
    async with open_life(config, configuration) as (_, life):
        found = await life.end_hold(file, number, reason=reason, by=who, at=datetime.now(tz=UTC))
    _print_holds([found], as_json)


async def _holds(config: Path, client: str | None, every: bool, as_json: bool) -> None:
    from gateway.cli.stores import record_look
    from gateway.service.configuration import load_configuration

    async with open_life(config, load_configuration(config)) as (store, life):
        await record_look(store, "holds listed", client)
        files = [entry.file for entry in await life.standings()] if client is None else [client]
        found = [hold for file in files for hold in await life.holds(file, is_open=not every)]
    _print_holds(found, as_json)


async def _move(record_id: str, config: Path, source: str, target: str, by: str, reason: str, as_json: bool) -> None:
    from gateway.service.configuration import load_configuration

    configuration = load_configuration(config)
    who = person_with(configuration, by, configuration.pack.retention.proposers, "move a message")
    async with open_life(config, configuration) as (store, life):
        ref = (await store.record(record_id)).ref
        traces = await life.move(record_id, source, target, by=who.id, reason=reason, at=datetime.now(tz=UTC))
    if as_json:
        print_json({"ref": ref, "from": source, "to": target})
    say(f"{ref} moved from {source} to {target}")
    require_clean(traces)


async def _merge(file: str, config: Path, into: str, by: str, reason: str, as_json: bool) -> None:
    from gateway.service.configuration import load_configuration

    configuration = load_configuration(config)
    who = person_with(configuration, by, configuration.pack.retention.proposers, "merge files")
    async with open_life(config, configuration) as (_, life):
        count, traces = await life.merge(file, into, by=who.id, reason=reason, at=datetime.now(tz=UTC))
    if as_json:
        print_json({"from": file, "into": into, "messages": count})
    say(f"{count} message(s) of {file} put into {into}; reload the gateway (SIGHUP), so that new mail goes there")
    require_clean(traces)


def require_clean(traces: Traces) -> None:
    """End the command with words if something of what was destroyed is left where the archive can look."""
    if traces.is_log_empty is None:
        say("the database server's own log and dead rows may keep the wrapped key: rotate and retire the master key")
    if traces.objects_left:
        complain(
            f"{traces.objects_left} large form(s) could not be taken away; nobody can open them, their key is gone"
        )
    if traces.places or traces.is_log_empty is False:
        complain("other processes kept the store's log from being emptied: stop the gateway and start it again")
    if not traces.is_clean:
        raise typer.Exit(EXIT_FOUND)


def _print_holds(found: Iterable[FileHold], as_json: bool) -> None:
    from gateway.cli.stores import local_time

    if as_json:
        for entry in found:
            print_json(_hold_values(entry))
        return
    rows = [
        (
            entry.file,
            entry.number,
            entry.kind.value,
            entry.reason,
            entry.placed_by,
            local_time(entry.placed_at),
            None if entry.ended_at is None else f"{local_time(entry.ended_at)} by {entry.ended_by}: {entry.end_reason}",
        )
        for entry in found
    ]
    print_table("Holds on files", ("client file", "number", "kind", "reason", "by", "since", "ended"), rows)


def _hold_values(entry: FileHold) -> dict[str, object]:
    return {
        "file": entry.file,
        "number": entry.number,
        "kind": entry.kind.value,
        "reason": entry.reason,
        "placed_by": entry.placed_by,
        "placed_at": entry.placed_at.isoformat(),
        "ended_by": entry.ended_by,
        "ended_at": None if entry.ended_at is None else entry.ended_at.isoformat(),
        "end_reason": entry.end_reason,
    }


def _standing_values(entry: Standing) -> dict[str, object]:
    return {
        "file": entry.file,
        "entries": entry.entries,
        "first_entry": entry.first_entry.isoformat(),
        "last_entry": entry.last_entry.isoformat(),
        "class": entry.kept_as,
        "due": None if entry.due is None else entry.due.isoformat(),
        "holds": [hold.number for hold in entry.holds],
        "disposal": None if entry.disposal is None else entry.disposal.state.value,
    }
