"""`archive export`: a copy of a client's file, for a purpose, in one of five forms."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.console import EXIT_FOUND, EXIT_USAGE, ByOption, ConfigOption, progress_bar, say, stop

if TYPE_CHECKING:
    from gateway.archive.export.request import Person, Redaction
    from gateway.people.directory import Directory


class Form(StrEnum):
    """The forms of an export."""

    EML = "eml"
    BAG = "bag"
    PDF = "pdf"
    MBOX = "mbox"
    FHIR = "fhir"


def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The number of the client's file.")],
    config: ConfigOption,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="PATH", help="What to make: a folder (eml, bag), a file (pdf, mbox, fhir, encrypted bag)."
        ),
    ],
    by: ByOption,
    purpose: Annotated[str, typer.Option("--purpose", metavar="TEXT", help="What the copy is for; it is recorded.")],
    form: Annotated[Form, typer.Option("--format", help="The form of the copy.")] = Form.EML,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DATE", help="Messages from that day on (2026-09-08).")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="Messages up to that day, included.")] = None,
    person: Annotated[
        str | None,
        typer.Option("--person", metavar="WHO", help="Messages of one person: a worker's id, a name, or an address."),
    ] = None,
    redact: Annotated[
        Path | None,
        typer.Option(
            "--redact", metavar="YAML", help="Black out words: a list of {words: …, reason: …} (pdf and bag)."
        ),
    ] = None,
    encrypt_to: Annotated[
        list[str] | None,
        typer.Option("--encrypt-to", metavar="KEY", help="A bag that only this age key opens; may be repeated."),
    ] = None,
    no_pdf: Annotated[bool, typer.Option("--no-pdf", help="A bag without the printable document.")] = False,
) -> None:
    """Write a copy of a client's file, both directions in order. The export is recorded first.

    It grows in PATH.partial and gets its name when it is whole. Interrupted, it goes on where it was when the same
    command is called again.
    """
    if (encrypt_to or no_pdf) and form is not Form.BAG:
        stop("--encrypt-to and --no-pdf go with --format bag", EXIT_USAGE)
    days = _day("--from", first), _day("--to", last)
    redactions = _redactions(redact)
    more = {"has_pdf": not no_pdf, "encrypt_to": tuple(encrypt_to or ())} if form is Form.BAG else {}
    asyncio.run(_export(file, config, out, by, purpose, form, days, person, redactions, more))


async def _export(
    file: str,
    config: Path,
    out: Path,
    by: str,
    purpose: str,
    form: Form,
    days: tuple[date | None, date | None],
    person: str | None,
    redactions: tuple[Redaction, ...],
    more: dict[str, Any],
) -> None:
    from gateway.archive.export.request import Choice, ExportRefused
    from gateway.cli.stores import open_store
    from gateway.message.errors import ConfigInvalid
    from gateway.service.configuration import load_people
    from gateway.service.history import known_people
    from gateway.service.settings import load_settings

    try:
        directory: Directory | None = load_people(config, load_settings(config).people)
    except ConfigInvalid:
        if person is not None:
            raise
        directory = None  # a copy must not wait until people.yaml is mended
    organisation = "the agency" if directory is None else directory.organisation.name
    async with open_store(config) as store:
        who = None
        if person is not None and directory is not None:
            who = _person(person, await known_people(directory, store))
        choice = Choice(first=days[0], last=days[1], person=who, redactions=redactions)
        with progress_bar("exporting") as advance:
            try:
                make = _maker(form, organisation, more)
                done = await make(
                    store, file, out, by=by, purpose=purpose, at=datetime.now(tz=UTC), choice=choice, progress=advance
                )
            except ExportRefused as error:
                stop(str(error), EXIT_FOUND)
    say(f"wrote {done.messages} message(s) of {file} to {done.folder}")
    what = "it" if form in {Form.PDF, Form.FHIR} else "its manifest"
    say(f"SHA-256 of {what}: {done.manifest_sha256}")
    for note in done.notes:
        say(note)


def _maker(form: Form, organisation: str, more: dict[str, Any]) -> Any:
    """The function that makes that form; only what it needs is loaded."""
    match form:
        case Form.EML:
            from gateway.archive.export.eml import export_eml

            return export_eml
        case Form.MBOX:
            from gateway.archive.export.mbox import export_mbox

            return export_mbox
        case Form.FHIR:
            from gateway.archive.export.fhir import export_fhir

            return export_fhir
        case Form.PDF:
            from gateway.archive.export.printed import export_pdf

            return partial(export_pdf, organisation=organisation)
        case Form.BAG:
            from gateway.archive.export.bag import export_bag

            return partial(export_bag, organisation=organisation, **more)


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        stop(f"{option} needs a day as 2026-09-08", EXIT_USAGE)


def _person(text: str, directory: Directory) -> Person:
    """Who is meant: a worker by id or name, a client by name, else an address as it is."""
    from gateway.archive.export.request import Person
    from gateway.people.addresses import canonical

    worker = directory.worker(text) or directory.worker_of_name(text)
    if worker is not None:
        addresses = frozenset((*worker.addresses, *worker.personal_addresses))
        return Person(label=worker.name, addresses=addresses, worker_id=worker.id)
    clients = directory.clients_of_name(text)
    if clients:
        return Person(label=text, addresses=frozenset(found for client in clients for found in client.addresses))
    address = canonical(text)
    if address is None:
        stop("--person needs a worker's id, the name of a worker or client, or an address", EXIT_USAGE)
    return Person(label=address, addresses=frozenset((address,)))


def _redactions(path: Path | None) -> tuple[Redaction, ...]:
    """The redactions of a file. What is wrong with it ends the command with the line."""
    from gateway.archive.export.request import Redaction
    from gateway.people.strict_yaml import line_of, load_yaml, plain

    if path is None:
        return ()
    tree = load_yaml(path.read_text(encoding="utf-8"), str(path))
    listed = plain(tree)
    if not isinstance(listed, list) or not listed:
        stop(f"{path} is no list of redactions: `- {{words: Sam Lee, reason: a third party}}` on each line", EXIT_USAGE)
    found = []
    for place, entry in enumerate(listed):
        values = entry if isinstance(entry, dict) else {}
        words, reason = (str(values.get(key) or "").strip() for key in ("words", "reason"))
        if set(values) != {"words", "reason"} or not reason or not any(char.isalnum() for char in words):
            where = f"{path}, line {line_of(tree, place)}"
            stop(f"{where}: a redaction has `words` with a letter and a `reason`", EXIT_USAGE)
        found.append(Redaction(words=words, reason=reason))
    return tuple(found)
