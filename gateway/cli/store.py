"""`store migrate`: the whole store copied from a folder to servers, or back, and proved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.console import ConfigOption, JsonOption, print_json, progress_bar, say, stop

if TYPE_CHECKING:
    from gateway.service.store_settings import StoreSettings

app = typer.Typer(help="The store as a whole.", no_args_is_help=True)


@app.callback()
def _store() -> None:
    """The store as a whole."""


@app.command("migrate")
def migrate(
    config: ConfigOption,
    database: Annotated[
        str | None, typer.Option("--to-database", metavar="URL", help="postgresql://USER@HOST/NAME, an empty one.")
    ] = None,
    objects: Annotated[
        str | None, typer.Option("--to-objects", metavar="URL", help="s3://BUCKET/PREFIX?endpoint=URL, an empty one.")
    ] = None,
    credentials: Annotated[
        Path | None, typer.Option("--to-credentials", metavar="FILE", help="The file of `credentials` for the two.")
    ] = None,
    path: Annotated[
        Path | None, typer.Option("--to-path", metavar="FOLDER", help="Back into a folder, which is made.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Copy the store, sealed as it is, and prove the copy record by record. Stop every gateway first.

    What is copied already is passed over: after an interruption run it again. The store itself stays as it is.
    """
    from gateway.archive.moving import copy_store
    from gateway.service.settings import load_settings
    from gateway.service.store_settings import open_home

    if (path is None) is not (database is not None and objects is not None):
        stop("say where to: --to-database and --to-objects, or --to-path")
    here = load_settings(config).store
    there = _target(here, database, objects, credentials, path)
    source = open_home(config, here, may_be_unfinished=False)
    try:
        target = open_home(config, there, may_be_unfinished=True)
        try:
            with progress_bar("copying") as advance:
                moved = copy_store(source, target, advance)
        finally:
            target.close()
    finally:
        source.close()
    if as_json:
        print_json({"rows": dict(moved.rows), "written": moved.written, "bodies": moved.verification.bodies})
    say(f"{sum(moved.rows.values())} row(s) in the copy, {moved.written} written now; every record is proved")
    say("now write this under `store` in gateway.yaml, and take the old store away when its backups are done with:")
    for line in _section(there):
        say(f"  {line}")


def _target(
    here: StoreSettings, database: str | None, objects: str | None, credentials: Path | None, path: Path | None
) -> StoreSettings:
    from gateway.service.store_settings import check_urls

    if path is not None:
        return here.model_copy(update={"path": path.resolve(), "database": None, "objects": None, "credentials": None})
    assert database is not None
    assert objects is not None
    try:
        check_urls(database, objects)
    except ValueError as error:
        stop(str(error))
    file = None if credentials is None else credentials.resolve()
    return here.model_copy(update={"database": database, "objects": objects, "credentials": file})


def _section(there: StoreSettings) -> list[str]:
    if there.database is None:
        return [f"path: {there.path}"]
    lines = [f"database: {there.database}", f"objects: {there.objects}"]
    return lines if there.credentials is None else [*lines, f"credentials: {there.credentials}"]
