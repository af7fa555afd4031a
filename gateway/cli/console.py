"""What the commands share: options, exit codes, tables, JSON lines, progress, complaints.

Results go to standard output, everything else to standard error; with `--json` standard output holds JSON lines only.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer

EXIT_OK, EXIT_FOUND, EXIT_USAGE, EXIT_CONFIG = 0, 1, 2, 78
_QUIET_S = 1.0
_Thing = TypeVar("_Thing")

DEFAULT_CONFIG = Path("/etc/practicum-gateway")
ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        metavar="DIR",
        envvar="PRACTICUM_GATEWAY_CONFIG",
        default_factory=lambda: DEFAULT_CONFIG,
        show_default=str(DEFAULT_CONFIG),
        help="The configuration directory (gateway.yaml, people.yaml).",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON lines on standard output, nothing else there.")]
ByOption = Annotated[str, typer.Option("--by", metavar="WHO", help="Who asks for it; it is recorded.")]


def complain(words: str) -> None:
    """Say a problem on standard error."""
    typer.echo(f"practicum-gateway: {words}", err=True)


def say(words: str) -> None:
    """Say something that is no result, on standard error."""
    typer.echo(words, err=True)


def stop(words: str, code: int = EXIT_USAGE) -> NoReturn:
    """Say a problem and end with that exit code."""
    complain(words)
    raise typer.Exit(code)


_LINE_ENDS = {ord(char): f"\\u{ord(char):04x}" for char in "\x85\u2028\u2029"}


def print_json(values: Any) -> None:
    """One JSON object as one line on standard output, also for readers who end a line at U+0085 or U+2028."""
    line = json.dumps(values, ensure_ascii=False, default=str).translate(_LINE_ENDS)
    typer.echo(line.encode("utf-8", "replace").decode("utf-8"))  # a file name need not be UTF-8; a JSON line must be


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on standard output; cells are plain text, never markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console()
    console.print(Text(title, style="bold underline"), soft_wrap=True)
    console.print(table)


def printable(value: object) -> str:
    """A value for a terminal: None as a dash, control characters (and so escape sequences) as `�`."""
    if value is None or value == "":
        return "-"
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in str(value))


def progress(things: Iterable[_Thing], *, total: int, what: str) -> Iterator[_Thing]:
    """The same things in order, with a bar as by `progress_bar`."""
    with progress_bar(what) as advance:
        for done, thing in enumerate(things, start=1):
            yield thing
            advance(done, total)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function to call with (done, total); a bar on standard error, after one second, if a person is watching."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=None)
    start = time.monotonic()

    def advance(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if not bar.live.is_started and time.monotonic() - start > _QUIET_S:
            bar.start()

    try:
        yield advance
    finally:
        bar.stop()
