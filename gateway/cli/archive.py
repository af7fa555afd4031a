"""`archive`: the clients' files from the shell: what is in them, whether it is whole, and a copy to give out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import archive_dispose, archive_life, archive_search, archive_stamp, exporting, importing
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
    from gateway.archive.ledger import Checkpoint
    from gateway.archive.model import StoredRecord, Told

app = typer.Typer(help="The clients' files: list, show, search, keep, verify, export, import.", no_args_is_help=True)
app.command("export")(exporting.export)
app.command("import")(importing.import_)
app.command("search")(archive_search.search)
app.command("reindex")(archive_search.reindex)
app.command("stamp")(archive_stamp.stamp)
app.command("retention")(archive_life.retention)
app.command("hold")(archive_life.hold)
app.command("unhold")(archive_life.unhold)
app.command("holds")(archive_life.holds)
app.command("move")(archive_life.move)
app.command("merge")(archive_life.merge)
app.command("certificate")(archive_dispose.certificate)
app.command("retire-key")(archive_dispose.retire_key)
app.add_typer(archive_dispose.app, name="dispose")


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


@app.command("log")
def log(
    config: ConfigOption,
    by: ByOption,
    client: Annotated[str | None, typer.Option("--client", metavar="FILE", help="One client's file only.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show who listed, viewed, searched, exported or decided what, when and why. The look is recorded, too.

    Only for the roles that the policy names under `retention: access_log`.
    """
    asyncio.run(_log(config, by, client, as_json))


@app.command("verify")
def verify(
    config: ConfigOption,
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="FILE", help="A checkpoint kept from before: finds a store put back."),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option("--authority-root", metavar="PEM", help="Prove FILE.tsr, its stamp, by this root certificate."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prove the whole store against its ledger; exit 1 and a line for each thing changed, missing, added or moved."""
    from gateway.archive.ledger import read_checkpoint

    kept = None
    if checkpoint is not None:
        read = read_checkpoint(checkpoint.read_text(encoding="ascii", errors="replace"))
        if read is None:
            stop(f"{checkpoint} is no checkpoint: `archive checkpoint` prints one")
        kept = read[0]
        if root is not None:
            archive_stamp.require_stamp(checkpoint, root)
    elif root is not None:
        stop("--authority-root needs --checkpoint: the stamp is of a kept checkpoint")
    if asyncio.run(_verify(config, as_json, kept)):
        raise typer.Exit(EXIT_FOUND)


@app.command("checkpoint")
def checkpoint_(config: ConfigOption) -> None:
    """Print the signed head of the ledger; keep it outside this machine, for `archive verify --checkpoint`."""
    typer.echo(archive_stamp.head_of(config), nl=False)


@app.command("rotate-key")
def rotate_key(
    config: ConfigOption,
    new: Annotated[Path, typer.Option("--new", metavar="KEYFILE", help="The new key's file; made if it is absent.")],
    by: ByOption,
    keep_days: Annotated[
        int, typer.Option("--backup-days", min=0, max=36500, help="How long backups made until now are kept.")
    ] = 35,
) -> None:
    """Change the master key: every key of the store is wrapped anew. Stop the gateway first."""
    asyncio.run(_rotate(config, new.resolve(), by, keep_days))


async def _list(config: Path, client: str | None, as_json: bool) -> None:
    from gateway.cli.archive_dispose import tell_destroyed
    from gateway.cli.stores import open_store, record_look, record_values

    async with open_store(config) as store:
        await record_look(store, "listed", client)
        told = () if client is None else await store.told(client)
        if client is None:
            groups = [("Filed messages", await store.records())]
        else:
            found = await store.client_file(client)
            groups = [(f"Client file {client}", found.entries), ("Not sent", found.not_sent)]
            await tell_destroyed(store, client)
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


async def _log(config: Path, by: str, client: str | None, as_json: bool) -> None:
    from gateway.archive.model import AuditEntry
    from gateway.cli.authority import log_reader
    from gateway.cli.stores import audit_values, local_time, open_store
    from gateway.service.configuration import load_configuration

    who = log_reader(load_configuration(config), by, client)
    async with open_store(config) as store:
        look = AuditEntry(at=datetime.now(tz=UTC), who=who, what="access log read", file=client)
        await store.write_audit(look)
        entries = await store.audit(file=client)
    if as_json:
        for entry in entries:
            print_json(audit_values(entry))
        return
    rows = [(local_time(entry.at), entry.who, entry.what, entry.ref, entry.file, entry.why) for entry in entries]
    print_table("Access log", ("when", "who", "what", "message", "client file", "why"), rows)


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


async def _verify(config: Path, as_json: bool, kept: Checkpoint | None) -> bool:
    from gateway.cli.stores import open_store

    async with open_store(config) as store:
        with progress_bar("verifying") as advance:
            result = await store.verify(advance, kept)
    for damage in result.damages:
        if as_json:
            print_json({"ref": damage.ref, "id": damage.message_id, "stage": damage.stage.value, "why": damage.why})
        else:
            complain(f"{damage.ref}: the message as {damage.stage.value} is {damage.why}")
    for found in result.breaks:
        if as_json:
            print_json({"kind": found.kind, "about": found.about, "why": found.why})
        else:
            complain(f"{found.kind} {found.about}: {found.why}")
    say(f"{result.bodies} bodies looked at, {len(result.damages)} damaged; {len(result.breaks)} differ from the ledger")
    return not result.is_sound


async def _rotate(config: Path, new: Path, by: str, keep_days: int) -> None:
    from gateway.archive.master import KeyFromFile
    from gateway.archive.model import AuditEntry
    from gateway.cli.stores import open_store

    async with open_store(config, is_gateway=True) as store:
        await store.write_audit(AuditEntry(at=datetime.now(tz=UTC), who=by, what="master key changed"))
        count = await store.rotate(KeyFromFile(path=new), keep_days=keep_days)
    say(f"{count} key(s) wrapped anew; now write `master_key: {{file: {new}}}` under `store` in gateway.yaml")
    say(f"keep the old key for the {keep_days} days of your backups, then `archive retire-key` it: with it they end")
