"""`archive`: the clients' files from the shell: what is in them, whether it is whole, and a copy to give out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.console import (
    EXIT_FOUND,
    ByOption,
    ConfigOption,
    JsonOption,
    complain,
    print_json,
    print_table,
    progress_bar,
    say,
    stop,
)

if TYPE_CHECKING:
    from gateway.archive.model import StoredRecord, Told

app = typer.Typer(help="The clients' files: list, show, verify, export.", no_args_is_help=True)
_NOT_YET = "this version exports --format eml only"


class Form(StrEnum):
    """The forms of an export; this version makes eml."""

    EML = "eml"
    BAG = "bag"
    PDF = "pdf"
    MBOX = "mbox"


class Which(StrEnum):
    """Which bytes of a message to print."""

    RECEIVED = "received"
    DELIVERED = "delivered"


@app.command("list")
def list_(
    config: ConfigOption,
    client: Annotated[str | None, typer.Option("--client", metavar="FILE", help="One client's file only.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List filed messages in the order in which they came.

    With --client, what was not sent stands apart, and below it when the client was sent the notice.
    """
    asyncio.run(_list(config, client, as_json))


@app.command("show")
def show(
    record_id: Annotated[str, typer.Argument(metavar="ID", help="The message's reference or id.")],
    config: ConfigOption,
    raw: Annotated[
        Which | None, typer.Option("--raw", help="Print the message itself: as received or delivered.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show one filed message, or with --raw its bytes. The view is recorded."""
    asyncio.run(_show(record_id, config, raw, as_json))


@app.command("search", hidden=True)
def search(words: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Say that this version has no search."""
    del words
    stop("this version can't search the archive; `archive list --client FILE` lists a client's file")


@app.command("verify")
def verify(config: ConfigOption, as_json: JsonOption = False) -> None:
    """Hash every stored message again; exit 1 if one is changed, missing or unreadable."""
    if asyncio.run(_verify(config, as_json)):
        raise typer.Exit(EXIT_FOUND)


@app.command("export")
def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The number of the client's file.")],
    config: ConfigOption,
    out: Annotated[Path, typer.Option("--out", metavar="PATH", help="A folder that does not exist yet, or is empty.")],
    by: ByOption,
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT", help="What the copy is for; it is recorded.")],
    form: Annotated[Form, typer.Option("--format", help="eml; the others are not in this version.")] = Form.EML,
) -> None:
    """Write a copy of a client's file, both directions in order, with a manifest. The export is recorded first."""
    if form is not Form.EML:
        stop(f"--format {form.value}: {_NOT_YET}")
    asyncio.run(_export(file, config, out, by, purpose))


async def _list(config: Path, client: str | None, as_json: bool) -> None:
    from gateway.cli.stores import open_store, record_values

    async with open_store(config) as store:
        told = () if client is None else await store.told(client)
        if client is None:
            groups = [("Filed messages", await store.records())]
        else:
            found = await store.client_file(client)
            groups = [(f"Client file {client}", found.entries), ("Not sent", found.not_sent)]
    if as_json:
        for _, records in groups:
            for found_record in records:
                print_json(record_values(found_record))
        return
    for title, records in groups:
        if records or title != "Not sent":
            _print_records(title, records)
    if told:
        _print_told(told)


def _print_told(told: Iterable[Told]) -> None:
    from gateway.cli.stores import told_rows

    print_table("Told how e-mail is kept", ("client file", "language", "first", "last"), told_rows(told))


def _print_records(title: str, records: tuple[StoredRecord, ...]) -> None:
    from gateway.cli.stores import local_time

    rows = [
        (
            found.ref,
            local_time(found.received_at),
            found.direction.value,
            found.listed_as,
            ", ".join(found.client_files),
            found.envelope.mail_from or "<>",
        )
        for found in records
    ]
    print_table(title, ("reference", "received", "direction", "state", "client files", "sender"), rows)


async def _show(record_id: str, config: Path, raw: Which | None, as_json: bool) -> None:
    from gateway.archive.model import Stage
    from gateway.cli.stores import open_store, reason_rows, record_lines, record_values, record_view, told_values

    async with open_store(config) as store:
        found = await store.record(record_id)
        await record_view(store, found)
        if raw is not None:
            typer.echo(await store.body(found.id, Stage(raw.value)), nl=False)
            return
        told = [entry for file in found.client_files for entry in await store.told(file)]
    if as_json:
        print_json(record_values(found) | {"told": told_values(told)})
        return
    print_table(f"Message {found.ref}", ("", ""), record_lines(found))
    if found.verdict.reasons:
        print_table("Why", ("action", "rule", "where", "what was seen", "text"), reason_rows(found.verdict.reasons))
    if told:
        _print_told(told)


async def _verify(config: Path, as_json: bool) -> bool:
    from gateway.cli.stores import open_store

    async with open_store(config) as store:
        with progress_bar("verifying") as advance:
            result = await store.verify(advance)
    for damage in result.damages:
        if as_json:
            print_json({"ref": damage.ref, "id": damage.message_id, "stage": damage.stage.value, "why": damage.why})
        else:
            complain(f"{damage.ref}: the message as {damage.stage.value} is {damage.why}")
    say(f"{result.bodies} bodies looked at, {len(result.damages)} damaged")
    return bool(result.damages)


async def _export(file: str, config: Path, out: Path, by: str, purpose: str) -> None:
    from gateway.archive.export.eml import ExportRefused, export_eml
    from gateway.cli.stores import open_store

    async with open_store(config) as store:
        with progress_bar("exporting") as advance:
            try:
                done = await export_eml(
                    store, file, out, by=by, purpose=purpose, at=datetime.now(tz=UTC), progress=advance
                )
            except ExportRefused as error:
                stop(str(error), EXIT_FOUND)
    say(f"wrote {done.messages} message(s) of {file} to {done.folder}")
    say(f"SHA-256 of its manifest: {done.manifest_sha256}")
