"""`archive dispose …`, `archive certificate`, `archive retire-key`: the end of a client's file.

Two people of the roles that the policy names, never one; what is left is a certificate. `gateway.archive.life` does it.
"""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.archive_life import FileArgument, ReasonOption, open_life, require_clean
from gateway.cli.authority import person_with
from gateway.cli.console import (
    EXIT_FOUND,
    ByOption,
    ConfigOption,
    JsonOption,
    print_json,
    print_table,
    say,
    stop,
)

if TYPE_CHECKING:
    from gateway.archive.life_model import Disposal, Disposed, Traces
    from gateway.archive.store import Store

app = typer.Typer(
    help="The end of a client's file: proposed by one person, confirmed by another.", no_args_is_help=True
)
_FOLDER = "certificates"
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FOLDER", help="Where the certificate goes; DIR/certificates if not said."),
]


@app.command("list")
def list_(
    config: ConfigOption,
    every: Annotated[bool, typer.Option("--all", help="Those done and withdrawn too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the files whose time is over, as of today, and what has become of each."""
    asyncio.run(_list(config, every, as_json))


@app.command("propose")
def propose(
    file: FileArgument, config: ConfigOption, by: ByOption, reason: ReasonOption, as_json: JsonOption = False
) -> None:
    """Propose that a file be destroyed whose time is over and that nothing holds."""
    asyncio.run(_propose(file, config, by, reason, as_json))


@app.command("withdraw")
def withdraw(
    file: FileArgument, config: ConfigOption, by: ByOption, reason: ReasonOption, as_json: JsonOption = False
) -> None:
    """Say that a file is not to be destroyed now."""
    asyncio.run(_withdraw(file, config, by, reason, as_json))


@app.command("confirm")
def confirm(
    file: FileArgument, config: ConfigOption, by: ByOption, out: OutOption = None, as_json: JsonOption = False
) -> None:
    """Destroy a file that another person has proposed: its key, and all that the key opens. It can't be undone."""
    asyncio.run(_confirm(file, config, by, out, as_json))


@app.command("again")
def again(
    paper: Annotated[Path, typer.Argument(metavar="CERTIFICATE", help="The certificate's JSON file.")],
    config: ConfigOption,
    by: ByOption,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Destroy a file again that a restored backup brought back, on the word of its certificate."""
    text = paper.read_text(encoding="utf-8", errors="replace")
    asyncio.run(_again(text, config, by, out, as_json))


def certificate(
    file: FileArgument,
    config: ConfigOption,
    out: Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Write JSON and text there.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the certificate of a file that was destroyed, or write it anew with --out."""
    asyncio.run(_certificate(file, config, out, as_json))


def retire_key(
    old: Annotated[Path, typer.Argument(metavar="KEYFILE", help="The old master key's file.")],
    config: ConfigOption,
    by: ByOption,
    as_json: JsonOption = False,
) -> None:
    """Destroy an old master key whose backups have expired: no backup made under it can be opened any more."""
    asyncio.run(_retire_key(old, config, by, as_json))


async def _list(config: Path, every: bool, as_json: bool) -> None:
    from gateway.archive.life_model import OPEN_DISPOSALS, DisposalState
    from gateway.cli.stores import local_time, record_look
    from gateway.service.configuration import load_configuration

    async with open_life(config, load_configuration(config)) as (store, life):
        await record_look(store, "disposals listed", None)
        now = datetime.now(tz=UTC)
        await life.suggest(day=now.date(), at=now)
        found = await life.disposals(frozenset(DisposalState) if every else OPEN_DISPOSALS)
    if as_json:
        for entry in found:
            print_json(_values(entry))
        return
    rows = [
        (
            entry.file,
            entry.state.value,
            local_time(entry.at),
            entry.kept_as,
            entry.due,
            entry.proposed_by.id if entry.proposed_by else "the gateway",
            entry.reason,
        )
        for entry in found
    ]
    columns = ("client file", "state", "since", "class", "kept until", "proposed by", "reason")
    print_table("Disposals", columns, rows)


async def _propose(file: str, config: Path, by: str, reason: str, as_json: bool) -> None:
    from gateway.service.configuration import load_configuration

    configuration = load_configuration(config)
    who = person_with(configuration, by, configuration.pack.retention.proposers, "propose a disposal")
    async with open_life(config, configuration) as (_, life):
        now = datetime.now(tz=UTC)
        found = await life.propose(file, by=who, reason=reason, day=now.date(), at=now)
    _tell(found, as_json)
    say(
        f"another person ({_roles(configuration.pack.retention.confirmers)}) confirms: `archive dispose confirm {file}`"
    )


async def _withdraw(file: str, config: Path, by: str, reason: str, as_json: bool) -> None:
    from gateway.service.configuration import load_configuration

    configuration = load_configuration(config)
    roles = configuration.pack.retention.proposers | configuration.pack.retention.confirmers
    who = person_with(configuration, by, roles, "withdraw a disposal")
    async with open_life(config, configuration) as (_, life):
        found = await life.withdraw(file, by=who, reason=reason, at=datetime.now(tz=UTC))
    _tell(found, as_json)


async def _confirm(file: str, config: Path, by: str, out: Path | None, as_json: bool) -> None:
    from gateway.service.configuration import load_configuration

    configuration = load_configuration(config)
    who = person_with(configuration, by, configuration.pack.retention.confirmers, "confirm a disposal")
    organisation = configuration.directory.organisation.name
    _require_folder(out or config / _FOLDER)
    async with open_life(config, configuration) as (_, life):
        now = datetime.now(tz=UTC)
        done, traces = await life.confirm(file, by=who, day=now.date(), at=now, organisation=organisation)
    _tell_destroyed(done, traces, out or config / _FOLDER, as_json)


async def _again(text: str, config: Path, by: str, out: Path | None, as_json: bool) -> None:
    from gateway.service.configuration import load_configuration

    configuration = load_configuration(config)
    who = person_with(configuration, by, configuration.pack.retention.confirmers, "confirm a disposal")
    organisation = configuration.directory.organisation.name
    _require_folder(out or config / _FOLDER)
    async with open_life(config, configuration) as (_, life):
        done, traces = await life.repeat(text, by=who, at=datetime.now(tz=UTC), organisation=organisation)
    _tell_destroyed(done, traces, out or config / _FOLDER, as_json)


async def _certificate(file: str, config: Path, out: Path | None, as_json: bool) -> None:
    from gateway.archive.certificate import as_text
    from gateway.cli.stores import record_look
    from gateway.service.configuration import load_configuration

    async with open_life(config, load_configuration(config)) as (store, life):
        await record_look(store, "certificate read", file)
        found = await life.certificates(file)
    if not found:
        stop(f"no file {file} was destroyed here", EXIT_FOUND)
    for entry in found:
        assert entry.certificate is not None  # `certificates` gives no other
        if out is not None:
            say(f"wrote {_write(entry, out)} and its text")
        elif as_json:
            typer.echo(entry.certificate)
        else:
            typer.echo(as_text(entry.certificate))


async def _retire_key(old: Path, config: Path, by: str, as_json: bool) -> None:
    from gateway.service.configuration import load_configuration

    configuration = load_configuration(config)
    who = person_with(configuration, by, configuration.pack.retention.confirmers, "destroy an old master key")
    async with open_life(config, configuration) as (_, life):
        epoch = await life.retire_key(old, by=who.id, at=datetime.now(tz=UTC))
    if as_json:
        print_json({"retired_at": epoch.retired_at.isoformat(), "expires_at": epoch.expires_at.isoformat()})
    say(f"{old} is overwritten and gone: destroy every other copy of that key, on paper too")
    say(f"no backup made before {epoch.retired_at.date()} can be opened any more")


async def tell_destroyed(store: Store, file: str) -> None:
    """Say on standard error when a client's file was destroyed, if it ever was."""
    from gateway.archive.disposals import of_file

    for entry in await store.ask(lambda c: of_file(c, file)):
        if entry.certificate is not None:
            say(f"{file} was destroyed on {entry.at.date()}: `archive certificate {file}` says by whom")


def _tell_destroyed(done: Disposed, traces: Traces, folder: Path, as_json: bool) -> None:
    found = done.disposal
    path = _write(found, folder)
    if as_json:
        values = {"messages": done.records, "kept_elsewhere": done.kept_elsewhere, "certificate": str(path)}
        print_json(_values(found) | values | {"is_clean": traces.is_clean})
    say(f"{found.file} is destroyed: {done.records} message(s); certificate: {path}")
    if done.kept_elsewhere:
        say(f"{done.kept_elsewhere} message(s) stand in other clients' files too, and are kept there")
    say("backups made before today can still open it: `archive rotate-key`, and `archive retire-key` when they expire")
    say("if people.yaml lists the client no more, the address is still known: reload the gateway (SIGHUP)")
    require_clean(traces)


def _require_folder(folder: Path) -> None:
    """End the command if the certificate could not be written there: before anything is destroyed."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        stop(f"{folder} can't be made for the certificate ({error.strerror}): name another with --out", EXIT_FOUND)
    if not os.access(folder, os.W_OK | os.X_OK):
        stop(f"{folder} can't be written to: name another folder for the certificate with --out", EXIT_FOUND)


def _write(found: Disposal, folder: Path) -> Path:
    """Both forms of a certificate in a folder, unless they are there; the path of the JSON."""
    from gateway.archive.bodies import write_durably
    from gateway.archive.certificate import as_text, file_name

    assert found.certificate is not None  # a disposal that is done has one
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{file_name(found.file)}-{found.number}.json"
    for target, content in ((path, found.certificate + "\n"), (path.with_suffix(".txt"), as_text(found.certificate))):
        if not target.exists():
            write_durably(target, content.encode("utf-8", "replace"))
    return path


def _tell(found: Disposal, as_json: bool) -> None:
    if as_json:
        print_json(_values(found))
    else:
        say(f"{found.file}: {found.state.value}")


def _roles(roles: frozenset[str]) -> str:
    return " or ".join(sorted(roles))


def _values(entry: Disposal) -> dict[str, object]:
    return {
        "number": entry.number,
        "file": entry.file,
        "state": entry.state.value,
        "at": entry.at.isoformat(),
        "class": entry.kept_as,
        "due": None if entry.due is None else entry.due.isoformat(),
        "proposed_by": None if entry.proposed_by is None else entry.proposed_by.id,
        "reason": entry.reason,
        "ended_by": None if entry.ended_by is None else entry.ended_by.id,
    }
