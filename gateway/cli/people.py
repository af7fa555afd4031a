"""`people check`: the people file and the list of clients, every mistake at once."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import typer

from gateway.cli.console import ConfigOption, JsonOption, print_json, print_table

if TYPE_CHECKING:
    from gateway.people.directory import Directory

app = typer.Typer(help="Look at the people file.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Look at the people file."""


@app.command("check")
def check(config: ConfigOption, as_json: JsonOption = False) -> None:
    """Read people.yaml and the clients; name every problem with file, line and what to do (exit 78)."""
    from gateway.service.configuration import load_people
    from gateway.service.settings import load_settings

    counts = count(load_people(config, load_settings(config).people))
    if as_json:
        print_json(counts)
    else:
        print_table("People", ("what", "how many"), [(key.replace("_", " "), value) for key, value in counts.items()])


def count(directory: Directory) -> dict[str, int]:
    """How many people of each role, clients current and past, and clients without an address or a worker."""
    roles = Counter(f"{worker.role.value}s" for worker in directory.workers)
    return {
        **{role: roles[role] for role in sorted(roles)},
        "clients": len(directory.clients),
        "past_clients": sum(client.is_past for client in directory.clients),
        "clients_without_address": sum(not client.addresses for client in directory.clients),
        "clients_without_worker": sum(not client.workers for client in directory.clients),
    }
