"""`serve`: opens the doors that are configured, until SIGTERM."""

from __future__ import annotations

import typer

from gateway.cli.console import EXIT_FOUND, ConfigOption, complain


def serve(config: ConfigOption) -> None:
    """Run the gateway: ready when /readyz says 200; SIGTERM drains and ends; SIGHUP reads policy and people anew."""
    from gateway.service.life import run_service

    try:
        run_service(config)
    except OSError as error:
        complain(f"can't start: {error.strerror or error}")
        raise typer.Exit(EXIT_FOUND) from None
