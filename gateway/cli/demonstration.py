"""`demo` as a command; what it does stands in `gateway.cli.demo`, which is loaded only when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    directory: Annotated[
        Path | None,
        typer.Option("--dir", metavar="DIR", help="Where to work; absent: a new folder for temporary files."),
    ] = None,
) -> None:
    """Run the gateway on a week of an invented agency's mail, show what happened, and end."""
    from gateway.cli.demo import demo as run_demo

    run_demo(directory)
