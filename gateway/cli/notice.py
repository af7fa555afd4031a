"""`notice apply`: appends the notice to message files. The surgery alone: no policy is asked, nothing is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.console import ConfigOption, JsonOption, print_json, print_table, progress, say, stop

app = typer.Typer(help="The retention notice.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The retention notice."""


@app.command("apply")
def apply(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Messages (.eml).", exists=True, dir_okay=False, readable=True),
    ],
    config: ConfigOption,
    out: Annotated[Path, typer.Option("--out", metavar="OUTDIR", help="The folder to write to; made if absent.")],
    language: Annotated[str, typer.Option("--language", metavar="en|fr", help="The language of the notice.")] = "en",
    as_json: JsonOption = False,
) -> None:
    """Write each message with the notice appended, or as it was where the notice can't stand, under the same name."""
    from gateway.cli.surgery import apply_notices
    from gateway.policy.pack import LANGUAGES
    from gateway.service.configuration import load_configuration

    if language not in LANGUAGES:
        stop(f"--language {language}: there is a notice in {' and '.join(LANGUAGES)}")
    _no_clashes(files, out)
    pack = load_configuration(config).pack
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        stop(f"--out {out}: {error.strerror}")
    counts: dict[str, int] = {}
    for file, treatment in progress(
        apply_notices(files, out, pack.notice(language)), total=len(files), what="appending"
    ):
        counts[treatment] = counts.get(treatment, 0) + 1
        if as_json:
            print_json({"file": file, "treatment": treatment})
    if not as_json:
        print_table("Notices", ("treatment", "messages"), sorted(counts.items()))
        say(f"wrote {len(files)} message(s) to {out}")


def _no_clashes(files: list[Path], out: Path) -> None:
    names = [file.name for file in files]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        stop(f"two files are named {twice}: they would overwrite each other in {out}")
    if any(file.resolve() == (out / file.name).resolve() for file in files):
        stop(f"--out {out} is where the messages lie: they would be overwritten. Choose another folder")
