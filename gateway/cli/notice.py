"""`notice apply`: appends the notice to message files. The surgery alone: no policy is asked, nothing is sent."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.console import (
    EXIT_FOUND,
    EXIT_USAGE,
    ConfigOption,
    JsonOption,
    complain,
    print_json,
    print_table,
    progress,
    say,
    stop,
)

app = typer.Typer(help="The retention notice.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The retention notice."""


@app.command("apply")
def apply(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...", help="Messages (.eml); a folder stands for its *.eml.", exists=True, readable=True
        ),
    ],
    config: ConfigOption,
    out: Annotated[Path, typer.Option("--out", metavar="OUTDIR", help="The folder to write to; made if absent.")],
    language: Annotated[str, typer.Option("--language", metavar="en|fr", help="The language of the notice.")] = "en",
    as_json: JsonOption = False,
) -> None:
    """Write each message with the notice appended, or as it was where the notice can't stand, under the same name.

    Exit code 1 if a file can't be read or a message made the surgery fail.
    """
    from gateway.cli.surgery import How, apply_notices
    from gateway.policy.pack import LANGUAGES
    from gateway.service.configuration import load_configuration

    if language not in LANGUAGES:
        stop(f"--language {language}: there is a notice in {' and '.join(LANGUAGES)}")
    messages = [message for file in files for message in _messages_of(file)]
    _no_clashes(messages, out)
    pack = load_configuration(config).pack
    rule = pack.notice_rule
    how = How(notice=pack.notice(language), placement=rule.placement, wrap=rule.wrap, is_compulsory=rule.is_compulsory)
    counts: dict[str, int] = {}
    failed = 0
    try:
        out.mkdir(parents=True, exist_ok=True)
        for applied in progress(apply_notices(messages, out, how), total=len(messages), what="appending"):
            counts[applied.treatment] = counts.get(applied.treatment, 0) + 1
            if as_json:
                print_json({"file": applied.file, "treatment": applied.treatment, "detail": applied.detail})
            if not applied.is_fine:
                failed += 1
                complain(f"{applied.file}: {applied.treatment} ({applied.detail or 'no reason given'})")
    except OSError as error:
        stop(f"--out {out}: {error.strerror}", EXIT_FOUND if counts else EXIT_USAGE)
    if not as_json:
        print_table("Notices", ("treatment", "messages"), sorted(counts.items()))
    say(f"wrote {len(messages) - counts.get('unreadable', 0)} message(s) to {out}")
    if failed:
        raise typer.Exit(EXIT_FOUND)


def _messages_of(file: Path) -> list[Path]:
    """The file itself, or the messages in a folder, in the order of their names."""
    if not file.is_dir():
        return [file]
    try:
        found = sorted(path for path in file.iterdir() if path.suffix.lower() == ".eml" and not path.is_dir())
    except OSError as error:
        stop(f"{file}: {error.strerror}")
    if not found:
        stop(f"{file}: there is no *.eml in this folder")
    return found


def _no_clashes(files: list[Path], out: Path) -> None:
    twice = [name for name, count in Counter(file.name for file in files).items() if count > 1]
    if twice:
        stop(f"two files are named {twice[0]}: they would overwrite each other in {out}")
    if any(file.resolve() == (out / file.name).resolve() for file in files):
        stop(f"--out {out} is where the messages lie: they would be overwritten. Choose another folder")
