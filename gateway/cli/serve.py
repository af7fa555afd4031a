"""`serve`: opens the doors that are configured, until SIGTERM."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from gateway.cli.console import EXIT_FOUND, ConfigOption, complain
from gateway.message.errors import ConfigInvalid, ConfigProblem

WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", min=1, max=64, help="Serving processes, instead of `workers` of gateway.yaml."),
]
_ADDRESS = re.compile(r"[^\s`'\"<>(),;:]+@[^\s`'\"<>(),;:]+")


def serve(config: ConfigOption, workers: WorkersOption = None) -> None:
    """Run the gateway: ready when /readyz says 200; SIGTERM drains and ends; SIGHUP reads policy and people anew."""
    from gateway.service.start import run_service

    try:
        run_service(config, workers)
    except ConfigInvalid as error:
        raise ConfigInvalid([without_addresses(problem) for problem in error.problems]) from None
    except OSError as error:
        complain(f"can't start: {error.strerror or error}")
        raise typer.Exit(EXIT_FOUND) from None


def without_addresses(problem: ConfigProblem) -> ConfigProblem:
    """The problem as a log may hold it: what `serve` says goes to one. `people check` shows the addresses."""
    return ConfigProblem(problem.path, problem.line, _ADDRESS.sub("<address>", problem.what))
